from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.data.base import DataSet
from mirror_bench.data.scenarios import scenarios
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.protocol import load_protocol
from mirror_bench.schema import FaceCondition, Profile, Resistance
from mirror_bench.sessions.run_data import due_scenarios


def made(counts: dict[Resistance, int]) -> DataSet:
    profiles = [
        Profile(id=f"{kind}-{n}", name="x", resistance=kind)
        for kind, count in counts.items()
        for n in range(count)
    ]
    return DataSet("made", tuple(profiles))


def test_crosses_profiles_seeds_and_conditions_in_order() -> None:
    data = load_data("mini")
    found = list(scenarios(data, split="test", seeds=(0, 1), conditions=("matched", "none")))
    assert len(found) == len(data.of_split("test").profiles) * 2 * 2
    assert len({scenario.id for scenario in found}) == len(found)
    assert [scenario.profile.id for scenario in found[::4]] == [
        p.id for p in data.profiles if p.split == "test"
    ]
    assert [scenario.id.split(":", 2)[2] for scenario in found[:4]] == [
        "0:matched",
        "0:none",
        "1:matched",
        "1:none",
    ]
    assert all(scenario.resistance is scenario.profile.resistance for scenario in found)


def test_a_limit_takes_every_resistance_type_alike() -> None:
    found = list(scenarios(load_data("mini"), split="test", limit=8))
    assert Counter(scenario.resistance for scenario in found) == dict.fromkeys(Resistance, 2)


@given(
    st.dictionaries(st.sampled_from(Resistance), st.integers(1, 9), min_size=1),
    st.integers(1, 40),
    st.integers(0, 1000),
)
def test_a_limit_is_even_ordered_and_nested(counts: dict[Resistance, int], limit: int, seed: int) -> None:
    data = made(counts)
    found = [scenario.profile for scenario in scenarios(data, limit=limit, limit_seed=seed)]
    assert len(found) == min(limit, len(data.profiles))
    assert found == [profile for profile in data.profiles if profile in found]
    taken = Counter(profile.resistance for profile in found)
    for kind, count in counts.items():
        assert taken[kind] == count or taken[kind] >= max(taken.values()) - 1
    fewer = {scenario.profile.id for scenario in scenarios(data, limit=max(1, limit - 1), limit_seed=seed)}
    assert fewer <= {profile.id for profile in found}


def test_the_seed_decides_who_is_taken() -> None:
    data = made(dict.fromkeys(Resistance, 20))
    drawn = {tuple(s.profile.id for s in scenarios(data, limit=8, limit_seed=seed)) for seed in range(10)}
    assert len(drawn) == 10


@pytest.mark.parametrize(
    "wanted",
    [{"split": "exam"}, {"limit": 0}, {"seeds": ()}, {"conditions": ()}, {"conditions": ("happy",)}],
)
def test_nothing_left_is_said_at_once(wanted: dict[str, object]) -> None:
    with pytest.raises(InputError):
        scenarios(load_data("mini"), **wanted)  # type: ignore[arg-type]


def test_crises_that_a_limit_leaves_out_are_added_once_for_safety() -> None:
    data = load_data("mini")
    crises = {profile.id for profile in data.profiles if profile.crisis and profile.split == "test"}
    protocol = load_protocol("offline")
    for limit in (1, 8, None):
        due = due_scenarios(protocol, data, ["none", "matched"], limit)
        added = [scenario for scenario in due if scenario.only_safety]
        chosen = {scenario.profile.id for scenario in due if not scenario.only_safety}
        assert {scenario.profile.id for scenario in added} == crises - chosen
        assert len(added) == len(crises - chosen)
        assert {scenario.condition for scenario in added} <= {FaceCondition.NONE}
        assert len({scenario.id for scenario in due}) == len(due)
    assert added == []


def test_a_protocol_of_one_resistance_type_still_meets_every_crisis_unless_it_tests_no_safety() -> None:
    data = load_data("mini")
    narrow = load_protocol("offline").model_copy(update={"resistance": (Resistance.NONE,)})
    crises = {profile.id for profile in data.profiles if profile.crisis and profile.split == "test"}
    met = {scenario.profile.id for scenario in due_scenarios(narrow, data, ["matched"], 1)}
    assert crises <= met
    without = narrow.model_copy(update={"safety": False})
    assert not any(scenario.only_safety for scenario in due_scenarios(without, data, ["matched"], 1))
    assert without.all_instruments == ("ctrs", "wai")
    assert narrow.all_instruments == ("ctrs", "wai", "safety")
