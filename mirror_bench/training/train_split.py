"""Whom a policy may be trained with: clients of the split *train*, and nobody else."""

from __future__ import annotations

from collections.abc import Sequence

from mirror_bench.data.base import DataSet
from mirror_bench.data.scenarios import scenarios as make_scenarios
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.schema import Profile, Scenario

TRAIN = "train"


def training_scenarios(
    data: str = "mini",
    seeds: Sequence[int] = (0,),
    conditions: Sequence[str] = ("matched",),
    limit: int | None = None,
    split: str = TRAIN,
) -> list[Scenario]:
    """Returns the scenarios of the train split; each profile is met once per seed and face condition.

    Raises:
        InputError: If another split is asked for, or the data have no train split.
    """
    if split != TRAIN:
        raise InputError(
            f"split={split!r}: training meets the split 'train' alone; dev and test are for scores"
        )
    source = load_data(data)
    found = list(make_scenarios(source, TRAIN, seeds, conditions, limit=limit))
    for scenario in found:
        refuse_held_out(scenario.profile)
    return found


def scenario_named(name: str, data: DataSet) -> Scenario:
    """Returns a scenario of the train split by its id, as rows of a training set keep it.

    Raises:
        InputError: If there is no such one, or its client is not of the train split.
    """
    profile_id, resistance, seed, condition = ([*name.rsplit(":", 3)] + [""] * 4)[:4]
    profile = next((one for one in data.profiles if one.id == profile_id), None)
    if profile is None:
        raise InputError(f"scenario {name!r:.120}: {data.name} has no profile {profile_id!r:.80}")
    refuse_held_out(profile)
    try:
        return Scenario.model_validate(
            {"profile": profile, "resistance": resistance, "seed": int(seed), "condition": condition}
        )
    except ValueError:
        raise InputError(
            f"scenario {name!r:.120}: expected is profile:resistance:seed:condition, as Scenario.id gives"
        ) from None


def refuse_held_out(profile: Profile) -> None:
    """Refuses a client of another split, and one of MIRROR-Mini's dev or test under another name.

    Raises:
        InputError: Naming the profile and its split.
    """
    if profile.split != TRAIN:
        raise InputError(
            f"profile {profile.id}: is of the split {profile.split or '(none)'}; training meets 'train' alone"
        )
    for held_out in load_mini().profiles:
        if held_out.split != TRAIN and _same(held_out, profile):
            raise InputError(
                f"profile {profile.id}: is {held_out.id} of MIRROR-Mini's split {held_out.split}: training "
                "on it would make its scores worthless"
            )


def _same(one: Profile, other: Profile) -> bool:
    told = one.reason_for_seeking.strip()
    return one.id == other.id or bool(told and told == other.reason_for_seeking.strip())
