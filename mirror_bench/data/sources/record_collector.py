"""Gathers the records of one or several files into a data set with unique ids."""

from __future__ import annotations

from mirror_bench.data.base import DataSet, Problem
from mirror_bench.data.screenplays.records import (
    Line,
    Screenplay,
)
from mirror_bench.schema import (
    Profile,
)


class Gathering:
    """Collects profiles and screenplays into a data set while a source is read, with the problems met.

    What stands twice is kept once; what only shares an id is kept apart.
    """

    def __init__(self) -> None:
        self._profiles: dict[str, Profile] = {}
        self._plays: dict[str, Screenplay] = {}
        self._problems: list[Problem] = []

    def __len__(self) -> int:
        return len(self._profiles)

    def knows(self, profile_id: str) -> bool:
        """Whether a profile of this id was added."""
        return profile_id in self._profiles

    def problem(self, source: str, line: int, message: str) -> None:
        """Notes what could not be read as it stands."""
        self._problems.append(Problem(source, line, message))

    def problems(self, problems: tuple[Problem, ...]) -> None:
        """Notes several problems."""
        self._problems.extend(problems)

    def profile(self, profile: Profile, source: str, line: int) -> str:
        """Adds a profile and returns the id that it got.

        A profile that agrees with an earlier one of the same id, wherever both say something, completes it.
        """
        earlier = self._profiles.get(profile.id)
        if earlier is None:
            self._profiles[profile.id] = profile
            return profile.id
        merged = _merge(earlier, profile)
        if merged is not None:
            self._profiles[profile.id] = merged
            return profile.id
        free = _free(profile.id, self._profiles)
        self.problem(source, line, f"another profile has the id {profile.id!r}: this one was named {free!r}")
        self._profiles[free] = profile.model_copy(update={"id": free})
        return free

    def screenplay(self, play: Screenplay, source: str, line: int) -> str:
        """Adds a screenplay and returns the id that it got; of two with the same words the fuller is kept."""
        earlier = self._plays.get(play.id)
        if earlier is None:
            self._plays[play.id] = play
            return play.id
        if earlier.profile_id == play.profile_id and _words(earlier) == _words(play):
            self._plays[play.id] = max(earlier, play, key=_fullness)
            return play.id
        free = _free(play.id, self._plays)
        self.problem(source, line, f"another screenplay has the id {play.id!r}: this one was named {free!r}")
        self._plays[free] = play.model_copy(update={"id": free})
        return free

    def finish(self, name: str) -> DataSet:
        """Returns the data set."""
        return DataSet(
            name, tuple(self._profiles.values()), tuple(self._plays.values()), tuple(self._problems)
        )


def _merge(one: Profile, other: Profile) -> Profile | None:
    """Returns both in one, or None where they contradict each other."""
    update = {}
    for field, info in type(one).model_fields.items():
        mine, theirs = getattr(one, field), getattr(other, field)
        if mine == theirs or theirs == info.default:
            continue
        if mine != info.default:
            return None
        update[field] = theirs
    return one.model_copy(update=update)


def _free(wanted: str, taken: dict[str, Profile] | dict[str, Screenplay]) -> str:
    number = 2
    while f"{wanted}.{number}" in taken:
        number += 1
    return f"{wanted}.{number}"


def _words(play: Screenplay) -> list[tuple[str, str]]:
    return [(line.speaker, line.words) for line in play.lines]


def _fullness(play: Screenplay) -> tuple[int, bool]:
    return sum(_directed(line) for line in play.lines), bool(play.technique)


def _directed(line: Line) -> int:
    return len(line.directions)
