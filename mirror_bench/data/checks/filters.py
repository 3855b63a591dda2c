"""Puts screenplays before text filters, and keeps why each one fell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from mirror_bench.data.base import DataSet
from mirror_bench.data.screenplays.parser import unknown_speakers
from mirror_bench.data.screenplays.records import (
    Screenplay,
)
from mirror_bench.schema import (
    Profile,
)

_QUOTED = 100
"""Characters of an utterance that a reason quotes."""


class Case(NamedTuple):
    """A screenplay that the text filters examine, with its profile.

    Attributes:
        strangers: Speakers in the source who are neither therapist nor client.
    """

    play: Screenplay
    profile: Profile
    strangers: tuple[str, ...] = ()


class FilterFinding(NamedTuple):
    """What one filter objects to in a screenplay, and at which line.

    Attributes:
        line: The line's number, from 1; 0 where it is the screenplay as a whole.
        reason: One line that quotes the utterance.
    """

    line: int
    reason: str


@dataclass(frozen=True)
class TextFilter:
    """Looks at a screenplay and says what is wrong with it.

    Attributes:
        name: Short, for tables and files.
        asks: What a screenplay must be like, with the limits.
        check: Yields what is wrong, in the order of the lines.
    """

    name: str
    asks: str
    check: Callable[[Case], Iterator[FilterFinding]]


class Rejection(NamedTuple):
    """A screenplay that a filter rejected, and why.

    Attributes:
        line: Of the first finding; 0 where it is the screenplay as a whole.
        reason: Of the first finding.
        findings: How many there are.
    """

    screenplay: str
    filter: str
    line: int
    reason: str
    findings: int = 1


class Filtered(NamedTuple):
    """The data set that is left after the text filters, and every rejection.

    Attributes:
        passing: The data set with all its profiles and the screenplays that no filter objects to.
        rejections: In the order of the screenplays, then of the filters.
        counts: Filter -> how many screenplays fell to it; one may fall to several.
    """

    passing: DataSet
    rejections: tuple[Rejection, ...]
    counts: dict[str, int]


def filter_screenplays(data: DataSet, filters: Sequence[TextFilter]) -> Filtered:
    """Puts every screenplay before every filter, so that no count hangs on the order of the filters."""
    profiles = {profile.id: profile for profile in data.profiles}
    strangers = unknown_speakers(data.problems)
    rejections: list[Rejection] = []
    for play in data.screenplays:
        case = Case(play, profiles[play.profile_id], strangers.get(play.id, ()))
        for one in filters:
            if findings := list(one.check(case)):
                rejections.append(Rejection(play.id, one.name, *findings[0], findings=len(findings)))
    fallen = {rejection.screenplay for rejection in rejections}
    kept = tuple(play for play in data.screenplays if play.id not in fallen)
    counts = {one.name: sum(rejection.filter == one.name for rejection in rejections) for one in filters}
    return Filtered(replace(data, screenplays=kept), tuple(rejections), counts)


def quote(text: str, around: str = "") -> str:
    """Returns a text in quotation marks, cut down to its part around a piece of it."""
    text = " ".join(text.split())
    place = max(0, text.find(around))
    start = 0
    if place + len(around) > _QUOTED:
        start = max(0, min(place - _QUOTED // 3, len(text) - _QUOTED))
    end = start + _QUOTED
    return f"“{'…' * (start > 0)}{text[start:end]}{'…' * (end < len(text))}”"
