"""What every data source gives: profiles, screenplays, and a list of what could not be read."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from mirror_bench.data.screenplays.records import (
    Screenplay,
)
from mirror_bench.schema import (
    Profile,
    digest,
)

if TYPE_CHECKING:
    from datasets import Dataset


class Problem(NamedTuple):
    """Something in a source that could not be read as it stands; the rest of the source still counts.

    Attributes:
        source: Name of the file.
        line: 1-based line of a text or CSV file, 1-based record of a JSON list.
        message: What is wrong and what was done about it, in one line.
    """

    source: str
    line: int
    message: str


@dataclass(frozen=True)
class DataSet:
    """The profiles and screenplays of one data source, and what in it could not be read.

    Attributes:
        name: The source as asked for ("mini", "mirror:mirror_test.csv").
        profiles: Profiles with unique ids, in the order of the source.
        screenplays: Screenplays with unique ids, each of one of `profiles`.
        problems: Records and lines that could not be read as they stand.
    """

    name: str
    profiles: tuple[Profile, ...] = ()
    screenplays: tuple[Screenplay, ...] = ()
    problems: tuple[Problem, ...] = ()

    def to_dataset(self) -> Dataset:
        """Returns the profiles as a `datasets.Dataset`, a row each, with their screenplays nested."""
        from datasets import Dataset

        from mirror_bench.data.export.tables import table_of

        return Dataset(table_of(self))

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 (64 hex digits) of the content; file names and problems do not enter."""
        return digest(
            {
                "profiles": [
                    profile.model_dump(mode="json", exclude_defaults=True) for profile in self.profiles
                ],
                "screenplays": [
                    play.model_dump(mode="json", exclude_defaults=True) for play in self.screenplays
                ],
            }
        )

    def of_split(self, split: str) -> DataSet:
        """Returns the part of one split; everything where `split` is empty."""
        if not split:
            return self
        profiles = tuple(profile for profile in self.profiles if profile.split == split)
        kept = {profile.id for profile in profiles}
        plays = tuple(play for play in self.screenplays if play.profile_id in kept)
        return DataSet(self.name, profiles, plays, self.problems)
