"""Has a judge model rate all items of an instrument in one call, as criteria instruments ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from mirror_bench import prompts
from mirror_bench.engines.base import Message, Request, Sampling
from mirror_bench.engines.reasoning import part_thoughts
from mirror_bench.errors import EngineDeadError, EngineError
from mirror_bench.parts import StandsOn
from mirror_bench.prompts import fill
from mirror_bench.raters.answer_options import MOST_QUOTES, quotes_and_reason
from mirror_bench.raters.flow_rater import JudgeAsking
from mirror_bench.raters.instruments import Instrument, Item
from mirror_bench.raters.judge_json import field_of, json_objects, whole_number
from mirror_bench.raters.judge_transcript import (
    LONGEST_ANSWER,
    JudgeTranscript,
    holds_quote,
    write_transcript,
)
from mirror_bench.schema import ItemRating, Session, derive_seed

VERSION = "2"
"""Raised with every change of how several items are asked in one call; part of the fingerprint."""
PROMPT = "judge_criteria"
_TOKENS_EACH, _FEWEST_TOKENS = 160, 512
_VARIED = 0.7
_LONGEST_ANSWER = 60_000


def stands_on() -> StandsOn:
    """Returns what decides how several items are asked in one call."""
    return prompts.stands_on(PROMPT) | StandsOn.of("raters.criteria", VERSION)


async def rate_together(
    asking: JudgeAsking, session: Session, form: Instrument, items: Sequence[Item]
) -> Mapping[str, ItemRating]:
    """Returns a rating for each of `items`, all asked at once.

    An answer that lacks some is asked for again; what is still missing then has no score and says why. Of
    several samples the usable scores are averaged.

    Raises:
        EngineDeadError: If the judge can answer no more.
    """
    order = derive_seed(*asking.seeds, "order", 0) if asking.shuffled else None
    shown = write_transcript(session, asking.sees, order, longest=LONGEST_ANSWER)
    drawn: dict[str, list[ItemRating]] = {item.id: [] for item in items}
    for sample in range(asking.samples):
        for id, made in (await _sample(asking, shown, form, items, sample)).items():
            drawn[id].append(made)
    return {id: _mean(made) for id, made in drawn.items()}


def _mean(drawn: Sequence[ItemRating]) -> ItemRating:
    scored = [rating for rating in drawn if rating.score is not None]
    if not scored:
        return drawn[0]
    quotes = tuple(dict.fromkeys(quote for rating in scored for quote in rating.evidence))[:MOST_QUOTES]
    score = fmean(rating.score for rating in scored if rating.score is not None)
    return ItemRating(score=score, evidence=quotes, reason=scored[0].reason)


async def _sample(
    asking: JudgeAsking, shown: JudgeTranscript, form: Instrument, items: Sequence[Item], sample: int
) -> Mapping[str, ItemRating]:
    prompt = fill(
        PROMPT,
        transcript=shown.block,
        instrument=form.title,
        instructions=form.instructions,
        items=[{**item.model_dump(), "anchors": form.anchors_of(item)} for item in items],
        min=form.scale.min,
        max=form.scale.max,
    )
    messages = Message("system", (fill("judge_system"),)), Message("user", (prompt,))
    ratings: dict[str, ItemRating] = {}
    failure, lost = "the answer holds no JSON object", False
    for attempt in range(asking.first, asking.first + asking.attempts):
        varied = asking.samples > 1 or attempt > 0
        request = Request(
            messages=messages,
            sampling=Sampling(
                temperature=_VARIED if varied else 0.0,
                max_tokens=max(_FEWEST_TOKENS, _TOKENS_EACH * len(items)),
            ),
            seed=derive_seed(*asking.seeds, "together", sample, attempt),
            json_schema=_schema(form, items),
            attempt=attempt,
        )
        try:
            answer = await asking.engine.answer(request)
        except EngineDeadError:
            raise
        except EngineError as error:
            failure, lost = f"the judge could not answer ({str(error)[:200]})", True
            continue
        lost = False
        for id, made in read_criteria(answer.text, form, items, shown).items():
            if made.score is not None or id not in ratings:
                ratings[id] = made
        if all(item.id in ratings and ratings[item.id].score is not None for item in items):
            break
    tail = f" ({asking.attempts} attempts)"
    missing = ItemRating(score=None, reason=f"no usable answer: {failure}{tail}", lost=lost)
    return {item.id: ratings.get(item.id, missing) for item in items}


def read_criteria(
    text: str, form: Instrument, items: Sequence[Item], shown: JudgeTranscript
) -> Mapping[str, ItemRating]:
    """Returns what a judge's answer says of each item; nothing where it holds no object.

    The entries may be objects with a score or bare numbers, under an item's id or title, at the top or within
    another object.
    """
    objects = json_objects(part_thoughts(text).said[-_LONGEST_ANSWER:])
    if not objects:
        return {}
    value = objects[-1]
    inner = [entry for entry in value.values() if isinstance(entry, dict)]
    named = {name for item in items for name in (item.id, item.title.lower())}

    def names(entry: Mapping[str, Any]) -> int:
        return len(named & {str(key).strip().lower() for key in entry})

    wanted = 2 if names(value) else 1  # an entry of its own may hold a criterion's name by chance
    for entry in inner:
        if names(entry) >= wanted:
            value = entry
    return {item.id: _read(value, form, item, shown) for item in items}


def _read(value: Mapping[str, Any], form: Instrument, item: Item, shown: JudgeTranscript) -> ItemRating:
    field = field_of(value, item.id, item.title.lower())
    if field is None:
        return ItemRating(score=None, reason=f"no usable answer: the object has no {item.id}")
    given = field[1]
    quotes: tuple[str, ...] = ()
    reason = ""
    if isinstance(given, dict):
        quotes, reason = quotes_and_reason(given)
        _, given = field_of(given, "score", "rating") or ("", None)
    score = whole_number(given, int(form.scale.max))
    if score is None or not form.scale.min <= score <= form.scale.max:
        said = f"{str(given)[:40]!r} is no whole number from {form.scale.min} to {form.scale.max}"
        return ItemRating(score=None, reason=f"no usable answer: {said}")
    true_quotes = tuple(quote for quote in quotes if holds_quote(shown, quote))
    if len(true_quotes) < len(quotes):
        reason += f" [{len(quotes) - len(true_quotes)} of {len(quotes)} quotes are not in the transcript]"
    return ItemRating(score=score, evidence=true_quotes, reason=reason.strip())


def _schema(form: Instrument, items: Sequence[Item]) -> Mapping[str, Any]:
    answer = {
        "type": "object",
        "properties": {
            "evidence": {"type": "array", "items": {"type": "string"}, "maxItems": MOST_QUOTES},
            "reason": {"type": "string"},
            "score": {"type": "integer", "minimum": form.scale.min, "maximum": form.scale.max},
        },
        "required": ["evidence", "reason", "score"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {item.id: answer for item in items},
        "required": [item.id for item in items],
        "additionalProperties": False,
    }
