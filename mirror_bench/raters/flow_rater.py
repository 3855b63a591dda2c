"""Goes through a flow instrument with a judge model, a question at a time, and keeps what it answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from mirror_bench.engines.base import Engine, Message, Request, Sampling
from mirror_bench.errors import EngineDeadError, EngineError
from mirror_bench.prompts import fill
from mirror_bench.raters.answer_options import MOST_QUOTES, ChosenOption, lettered, read_choice
from mirror_bench.raters.flows import PROMPT, FlowInstrument, FlowQuestion, part_name, score_of_answer
from mirror_bench.raters.judge_transcript import (
    LONGEST_ANSWER,
    JudgeTranscript,
    Sees,
    holds_quote,
    write_transcript,
)
from mirror_bench.schema import ItemRating, Session, derive_seed

NOT_ASKED = "the answers before lead past this question"
_MAX_TOKENS = 512
_VARIED = 0.7


class JudgeAsking(NamedTuple):
    """How a judge is asked: engine, seeds, samples and attempts.

    Attributes:
        seeds: What its seeds derive from.
        attempts: How often a sample is asked for until its answer is usable, from `first` on.
    """

    engine: Engine
    seeds: tuple[str, ...]
    sees: Sees = "words"
    samples: int = 1
    attempts: int = 3
    first: int = 0
    shuffled: bool = True


async def go_through(asking: JudgeAsking, session: Session, form: FlowInstrument) -> Mapping[str, ItemRating]:
    """Returns an answer for every question that the flow reaches, and why the others have none.

    Each call is remembered, so that a flow that was stopped goes on where it was. Of several samples the
    answer that most gave counts. A question without a usable answer ends the
    flow: what lies behind it is missing.

    Raises:
        EngineDeadError: If the judge can answer no more.
    """
    order = derive_seed(*asking.seeds, "order", 0) if asking.shuffled else None
    shown = write_transcript(session, asking.sees, order, longest=LONGEST_ANSWER)
    answers: dict[str, str] = {}
    items: dict[str, ItemRating] = {}
    while (question := form.walk(answers).next) is not None:
        made = await _ask(asking, shown, form, question)
        items[part_name(question.id, "q_")] = made
        if not made.answer:
            break
        answers[question.id] = made.answer
    route = form.walk(answers)
    for question in form.flow:
        item = part_name(question.id, "q_")
        if question.auto and question.id in route.asked:
            items[item] = ItemRating(score=None, reason="", applies=False, answer=question.answers[0].text)
        elif item in items:
            continue
        elif route.next is None:
            items[item] = ItemRating(score=None, reason=NOT_ASKED, applies=False)
        else:
            lost = any(rating.lost for rating in items.values())
            items[item] = ItemRating(score=None, reason=f"question {route.next.id} has no answer", lost=lost)
    return items


async def _ask(
    asking: JudgeAsking, shown: JudgeTranscript, form: FlowInstrument, question: FlowQuestion
) -> ItemRating:
    options = [answer.text for answer in question.options]
    drawn = [
        await _sample(asking, shown, form, question, options, sample) for sample in range(asking.samples)
    ]
    usable = [answer for answer in drawn if isinstance(answer, ChosenOption)]
    failures = [answer for answer in drawn if isinstance(answer, str)]
    if not usable:
        lost = any(isinstance(answer, _Unreached) for answer in failures)
        return ItemRating(score=None, reason=f"no usable answer: {failures[0]}", lost=lost)
    option, votes = Counter(answer.option for answer in usable).most_common(1)[0]
    agreeing = [answer for answer in usable if answer.option == option]
    quotes = list(dict.fromkeys(quote for answer in agreeing for quote in answer.evidence))[:MOST_QUOTES]
    true_quotes = [quote for quote in quotes if holds_quote(shown, quote)]
    notes = [agreeing[0].reason]
    if len(true_quotes) < len(quotes):
        notes.append(f"[{len(quotes) - len(true_quotes)} of {len(quotes)} quotes are not in the transcript]")
    if votes < asking.samples:
        notes.append(f"[{votes} of {asking.samples} samples]")
    if shown.cut:
        notes.append(f"[{len(shown.cut)} turns were shown cut]")
    answer = question.options[option]
    score = score_of_answer(question, answer)
    return ItemRating(
        score=score,
        evidence=tuple(true_quotes),
        reason=" ".join(filter(None, notes)),
        applies=score is not None,
        answer=answer.text,
    )


class _Unreached(str):
    """Why there is no answer, where the engine failed."""


async def _sample(
    asking: JudgeAsking,
    shown: JudgeTranscript,
    form: FlowInstrument,
    question: FlowQuestion,
    options: list[str],
    sample: int,
) -> ChosenOption | str:
    letters = lettered(options)
    prompt = fill(
        PROMPT,
        transcript=shown.block,
        title=form.title,
        instructions=form.instructions,
        dimension=question.dimension,
        text=question.text,
        help=question.help,
        options=letters,
    )
    messages = Message("system", (fill("judge_system"),)), Message("user", (prompt,))
    failure = ""
    for attempt in range(asking.first, asking.first + asking.attempts):
        varied = asking.samples > 1 or attempt > 0
        request = Request(
            messages=messages,
            sampling=Sampling(temperature=_VARIED if varied else 0.0, max_tokens=_MAX_TOKENS),
            seed=derive_seed(*asking.seeds, question.id, sample, attempt),
            json_schema=_schema(letters),
            attempt=attempt,
        )
        try:
            answer = await asking.engine.answer(request)
        except EngineDeadError:
            raise
        except EngineError as error:
            failure = _Unreached(f"the judge could not answer ({str(error)[:200]})")
            continue
        chosen = read_choice(answer.text, options)
        if isinstance(chosen, ChosenOption):
            return chosen
        failure = chosen
    return type(failure)(f"{failure} ({asking.attempts} attempts)")


def _schema(letters: Mapping[str, str]) -> Mapping[str, Any]:
    """The JSON schema of an answer; the letter comes last, after what it is based on."""
    quotes = {"type": "array", "items": {"type": "string"}, "maxItems": MOST_QUOTES}
    answer = {"type": "string", "enum": list(letters)}
    return {
        "type": "object",
        "properties": {"evidence": quotes, "reason": {"type": "string"}, "answer": answer},
        "required": ["evidence", "reason", "answer"],
        "additionalProperties": False,
    }
