"""Sifts written screenplays: filters, near-duplicates, contamination; each rejection has its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mirror_bench.coding.safety.danger import danger
from mirror_bench.coding.safety.turns import harms
from mirror_bench.data.base import DataSet
from mirror_bench.data.checks.contamination import Protected
from mirror_bench.data.checks.duplicates import near_duplicates
from mirror_bench.data.checks.filters import (
    Case,
    FilterFinding,
    Rejection,
    TextFilter,
    filter_screenplays,
    quote,
)
from mirror_bench.data.checks.text_filters import text_filters
from mirror_bench.data.screenplays.parser import render_screenplay
from mirror_bench.data.screenplays.records import Screenplay
from mirror_bench.schema import Speaker

DUPLICATE, CONTAMINATION = "near-duplicate", "contamination"


class Sifted(NamedTuple):
    """The screenplays that passed filters and duplicate checks, and every rejection.

    Attributes:
        kept: In the order in which they were given.
        rejections: In the order of the sieve, then of the screenplays; one screenplay may have several.
    """

    kept: tuple[Screenplay, ...]
    rejections: tuple[Rejection, ...]


def filters() -> tuple[TextFilter, ...]:
    """Returns the filters in their order: the six of the paper, its safety, and stage directions."""
    return (*text_filters(), caution(), stage_directions())


def names() -> tuple[str, ...]:
    """Returns every reason of the sieve, in its order."""
    return (*(one.name for one in filters()), DUPLICATE, CONTAMINATION)


def caution() -> TextFilter:
    """Finds danger that the client discloses and harm that the therapist does, by the coded safety rules."""

    def check(case: Case) -> Iterator[FilterFinding]:
        heard = ""
        for number, line in enumerate(case.play.lines, start=1):
            if line.speaker is Speaker.CLIENT:
                heard = line.words
                if (found := danger(line.words)) is not None and found.sure:
                    part = line.words[found.start : found.end]
                    yield FilterFinding(number, f"{found.kind.value}: {quote(line.words, part)}")
                continue
            for harm in harms(line.words, heard):
                if harm.sure:
                    part = line.words[harm.start : harm.end]
                    yield FilterFinding(number, f"{harm.code.value}: {quote(line.words, part)}")

    return TextFilter("caution", "no danger disclosed, no harm done", check)


def stage_directions(least: float = 0.75) -> TextFilter:
    """Asks that the client's lines have stage directions, which faces are made of."""

    def check(case: Case) -> Iterator[FilterFinding]:
        lines = [line for line in case.play.lines if line.speaker is Speaker.CLIENT]
        directed = sum(bool(line.directions) for line in lines)
        if not lines or directed / len(lines) < least:
            yield FilterFinding(0, f"{directed} of {len(lines)} client lines have a stage direction")

    return TextFilter("stage directions", f"stage directions in {least:.0%} of the client's lines", check)


def sift(written: DataSet, protected: Sequence[Protected], above: float) -> Sifted:
    """Returns the screenplays that pass text filters, protected words and the search for duplicates.

    Args:
        written: What was written, with the problems of reading it.
        protected: What must not be repeated.
        above: Likeness of 5-grams above which the later of two screenplays falls.

    Raises:
        InputError: If many screenplays are to be compared and the extra `data` is missing.
    """
    filtered = filter_screenplays(written, filters())
    passing: Sequence[Screenplay] = filtered.passing.screenplays
    rejections = list(filtered.rejections)
    place = {play.id: number for number, play in enumerate(passing)}
    doubles: dict[str, Rejection] = {}
    for pair in sorted(
        near_duplicates(passing, above), key=lambda pair: (place[pair.second], place[pair.first])
    ):
        if pair.first not in doubles and pair.second not in doubles:
            reason = f"{pair.similarity:.0%} of its 5-grams are those of {pair.first}"
            doubles[pair.second] = Rejection(pair.second, DUPLICATE, 0, reason)
    rejections += doubles.values()
    kept = []
    for play in passing:
        if play.id in doubles:
            continue
        text = render_screenplay(play)
        hit = next((hit for one in protected if (hit := one.check(play.id, text))), None)
        if hit is None:
            kept.append(play)
            continue
        what = (
            "the canary of MIRROR-Mini"
            if hit.canary
            else f"{hit.runs} runs of words of {hit.of}: {hit.example!r}"
        )
        rejections.append(Rejection(play.id, CONTAMINATION, 0, f"holds {what}"))
    return Sifted(tuple(kept), tuple(rejections))
