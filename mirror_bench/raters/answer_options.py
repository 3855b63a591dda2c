"""Answers that a judge chooses among: lettered when they are put, read back by letter or by words."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mirror_bench.engines.reasoning import part_thoughts
from mirror_bench.raters.judge_json import field_of, objects_with

LONGEST_REASON, LONGEST_QUOTE, MOST_QUOTES = 600, 300, 4
_LONGEST_ANSWER = 20_000
_ANSWER = ("answer", "verdict", "choice")


class ChosenOption(NamedTuple):
    """The option that a judge chose, with its reason and quotes.

    Attributes:
        option: Its place among the options.
    """

    option: int
    evidence: tuple[str, ...] = ()
    reason: str = ""


def lettered(options: Sequence[str]) -> Mapping[str, str]:
    """Returns letter -> option, from A."""
    return dict(zip(string.ascii_uppercase, options, strict=False))


def read_choice(text: str, options: Sequence[str]) -> ChosenOption | str:
    """Returns what a judge chose, or why its answer cannot be used.

    Args:
        text: The whole answer; of several JSON objects the last one with an answer counts. Without JSON, a
            letter or an option that stands alone counts.
        options: What there was to choose from.
    """
    said = part_thoughts(text).said[-_LONGEST_ANSWER:]
    found = objects_with(said, *_ANSWER)
    if not found:
        alone = _option(said, options)
        return "the answer holds no JSON object with an answer" if alone is None else ChosenOption(alone)
    _, given = field_of(found[-1], *_ANSWER) or ("", None)
    option = _option(str(given), options)
    if option is None:
        return f"the answer {str(given)[:40]!r} is none of the options"
    evidence, reason = quotes_and_reason(found[-1])
    return ChosenOption(option, evidence, reason)


def quotes_and_reason(value: Mapping[str, object]) -> tuple[tuple[str, ...], str]:
    """Returns the evidence and the reason of a judge's object, bounded."""
    _, why = field_of(value, "reason", "reasoning", "rationale") or ("", "")
    _, evidence = field_of(value, "evidence", "quotes") or ("", [])
    quotes = evidence if isinstance(evidence, list) else [evidence]
    kept = [q.strip()[:LONGEST_QUOTE] for q in quotes if isinstance(q, str) and q.strip()]
    return tuple(kept[:MOST_QUOTES]), " ".join(str(why or "").split())[:LONGEST_REASON]


def _option(text: str, options: Sequence[str]) -> int | None:
    """Returns which option a text names: its letter, its words, or letter and words."""
    plain = _plain(text)
    if not plain:
        return None
    letters = [letter.lower() for letter in lettered(options)]
    words = [_plain(option) for option in options]
    if plain in words:
        return words.index(plain)
    if plain in letters:
        return letters.index(plain)
    for place, (letter, option) in enumerate(zip(letters, words, strict=True)):
        if re.fullmatch(rf"(?:option |answer )?{letter} (?:{re.escape(option)}|is .*)", plain):
            return place
    begun = [
        place
        for place, option in enumerate(words)
        if option.startswith(plain) or plain.startswith(f"{option} ")
    ]
    return begun[0] if len(begun) == 1 and len(plain) > 1 else None


def _plain(text: str) -> str:
    return " ".join(re.split(r"[^\w]+", text.lower())).strip()
