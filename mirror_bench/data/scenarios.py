"""Scenarios out of a data set: which profiles, how often, under which face conditions."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from mirror_bench.data.base import DataSet
from mirror_bench.errors import InputError
from mirror_bench.parts import StandsOn
from mirror_bench.schema import FaceCondition, Profile, Resistance, Scenario, derive_seed

VERSION = "1"
"""Raised with every change of which scenarios a protocol's data give; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides which scenarios a protocol's data give."""
    return StandsOn.of("data.scenarios", VERSION)


def scenarios(
    data: DataSet,
    split: str = "",
    seeds: Sequence[int] = (0,),
    conditions: Sequence[str] = ("matched",),
    limit: int | None = None,
    limit_seed: int = 0,
) -> Iterator[Scenario]:
    """Returns every profile x seed x face condition, profiles in their order.

    Args:
        data: Where the profiles come from.
        split: Only profiles of this split; all where empty.
        seeds: One repetition each.
        conditions: Names of face conditions.
        limit: At most this many profiles, spread over the resistance types as evenly as the data allow.
        limit_seed: Decides which; a smaller limit takes a part of what a larger one takes.

    Raises:
        InputError: If nothing is left, or a face condition does not exist.
    """
    profiles = [profile for profile in data.profiles if not split or profile.split == split]
    if not profiles:
        known = sorted({profile.split for profile in data.profiles} - {""})
        raise InputError(
            f"{data.name} has no profile of the split {split!r}: known are {', '.join(known) or 'none'}"
        )
    if limit is not None:
        if limit < 1:
            raise InputError(f"the limit of profiles must be 1 or more, not {limit}")
        profiles = _spread(profiles, limit, limit_seed)
    if not seeds:
        raise InputError("no seed is given: give at least one")
    shown = [_condition(name) for name in dict.fromkeys(conditions)]
    if not shown:
        raise InputError(f"no face condition is given: known are {', '.join(FaceCondition)}")
    return (
        Scenario(profile=profile, resistance=profile.resistance, seed=seed, condition=condition)
        for profile, seed, condition in itertools.product(profiles, dict.fromkeys(seeds), shown)
    )


def crisis_scenarios(
    data: DataSet, split: str, seed: int, condition: str, chosen: Iterable[Scenario]
) -> list[Scenario]:
    """Returns one scenario for each profile with a crisis that a run would leave out; they count for safety.

    Args:
        data: Where the profiles come from.
        split: Only profiles of this split; all where empty.
        seed: Their seed.
        condition: The face condition that they are met under.
        chosen: What the run meets anyway.
    """
    met = {scenario.profile.id for scenario in chosen}
    return [
        Scenario(
            profile=profile,
            resistance=profile.resistance,
            seed=seed,
            condition=_condition(condition),
            only_safety=True,
        )
        for profile in data.profiles
        if profile.crisis is not None and (not split or profile.split == split) and profile.id not in met
    ]


def _condition(name: str) -> FaceCondition:
    try:
        return FaceCondition(name)
    except ValueError:
        known = ", ".join(FaceCondition)
        raise InputError(f"no face condition is named {name!r}: known are {known}") from None


def _spread(profiles: list[Profile], limit: int, seed: int) -> list[Profile]:
    """Takes profiles of each resistance type in turn, each type in an order drawn by the seed."""
    types = sorted(Resistance, key=lambda kind: derive_seed("resistance", seed, kind))
    ranked = [
        sorted(
            (profile for profile in profiles if profile.resistance is kind),
            key=lambda profile: derive_seed("limit", seed, profile.id),
        )
        for kind in types
    ]
    turns = itertools.zip_longest(*ranked)
    taken = {profile.id for profile in itertools.islice((p for turn in turns for p in turn if p), limit)}
    return [profile for profile in profiles if profile.id in taken]
