"""How a judge is asked one item of an instrument, and how its answer is read.

A change here that can move a score raises `LLMRater.version`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mirror_bench.engines.base import Message
from mirror_bench.engines.reasoning import part_thoughts
from mirror_bench.prompts import fill
from mirror_bench.raters.instruments import Instrument, Item
from mirror_bench.raters.judge_json import field_of, objects_with, score_in_words, whole_number, yes_or_no
from mirror_bench.raters.judge_transcript import JudgeTranscript

_LONGEST_ANSWER = 20_000
_LONGEST_REASON = 600
_LONGEST_QUOTE = 300
_MOST_QUOTES = 4
_SCORE = ("score", "rating")
"""Names of the field that holds the score; the first is asked for."""


class JudgeAnswer(NamedTuple):
    """A judge's usable answer to one item: score, quotes and reason.

    Attributes:
        score: None where the judge says that the item does not apply.
        shown_by: The client's words by which the judge found that it applies.
    """

    score: int | None
    evidence: tuple[str, ...]
    reason: str
    shown_by: str = ""


def ask(
    transcript: JudgeTranscript,
    instrument: Instrument,
    item: Item,
    *,
    falling: bool = False,
    decides: bool = False,
) -> tuple[Message, ...]:
    """Returns the messages that ask for one item; the transcript comes first, so items share a prefix.

    Args:
        transcript: The session.
        instrument: Which questionnaire.
        item: Which question of it.
        falling: Whether the anchors are listed from the highest point down.
        decides: Whether the judge is to say first whether the item applies.
    """
    anchors = instrument.anchors_of(item)
    question = fill(
        "judge_item",
        transcript=transcript.block,
        instrument=instrument.title,
        instructions=instrument.instructions,
        title=item.title,
        text=item.text,
        reversed=item.reversed,
        min=instrument.scale.min,
        max=instrument.scale.max,
        anchors=dict(sorted(anchors.items(), reverse=falling)),
        decides=decides,
    )
    return Message("system", (fill("judge_system"),)), Message("user", (question,))


def answer_schema(instrument: Instrument, *, decides: bool = False) -> Mapping[str, Any]:
    """Returns the JSON schema of an answer; the score comes last, after what it is based on."""
    first = {"applies": {"type": "boolean"}, "shown_by": {"type": "string"}} if decides else {}
    score = {"type": "integer", "minimum": instrument.scale.min, "maximum": instrument.scale.max}
    return {
        "type": "object",
        "properties": {
            **first,
            "evidence": {"type": "array", "items": {"type": "string"}, "maxItems": _MOST_QUOTES},
            "reason": {"type": "string"},
            "score": {"anyOf": [score, {"type": "null"}]} if decides else score,
        },
        "required": [*first, "evidence", "reason", "score"],
        "additionalProperties": False,
    }


def read_verdict(text: str, instrument: Instrument, *, decides: bool = False) -> JudgeAnswer | str:
    """Returns a judge's answer to an item as a score with quotes, or why it cannot be used.

    Args:
        text: The whole answer; of several JSON objects the last one with a score counts, since a judge may
            quote others before it. Without JSON, a score that stands alone counts.
        instrument: Gives the scale.
        decides: Whether the judge was asked whether the item applies; one that does not say is unusable.

    Returns:
        The verdict, or why the answer cannot be used.
    """
    said = part_thoughts(text).said[-_LONGEST_ANSWER:]
    scale = instrument.scale
    found = objects_with(said, *_SCORE, *(("applies",) if decides else ()))
    if not found:
        score = None if decides else score_in_words(said, int(scale.max))
        if score is None:
            return "the answer holds no JSON object with a score"
        return JudgeAnswer(score, (), "") if scale.min <= score <= scale.max else _outside(score, instrument)
    value = found[-1]
    _, why = field_of(value, "reason", "reasoning", "rationale") or ("", "")
    reason = " ".join(str(why).split())[:_LONGEST_REASON]
    if decides:
        applies = yes_or_no(field_of(value, "applies"))
        if applies is None:
            return "the answer does not say whether the item applies"
        if not applies:
            return JudgeAnswer(None, (), reason)
    _, given = field_of(value, *_SCORE) or ("", None)
    score = whole_number(given, int(scale.max))
    if score is None:
        return f"the score {str(given)[:40]!r} is not a whole number"
    if not scale.min <= score <= scale.max:
        return _outside(score, instrument)
    _, evidence = field_of(value, "evidence") or ("", [])
    _, shown_by = field_of(value, "shown_by") or ("", "")
    quotes = evidence if isinstance(evidence, list) else [evidence]
    return JudgeAnswer(
        score,
        tuple(q.strip()[:_LONGEST_QUOTE] for q in quotes if isinstance(q, str) and q.strip())[:_MOST_QUOTES],
        reason,
        str(shown_by or "").strip()[:_LONGEST_QUOTE] if decides else "",
    )


def _outside(score: int, instrument: Instrument) -> str:
    scale = instrument.scale
    return f"the score {str(score)[:40]} is outside {scale.min} to {scale.max}"
