from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.data.base import DataSet
from mirror_bench.data.checks.description import (
    CountDistribution,
    DataStats,
    age_band,
    count,
    describe_data,
    evenness,
    spread,
)
from mirror_bench.data.screenplays.records import (
    Line,
    Moment,
    Screenplay,
)
from mirror_bench.data.sources.registry import load_data
from mirror_bench.schema import (
    Crisis,
    Profile,
    Resistance,
    Speaker,
)

ANA = Profile(
    id="ana",
    name="Ana",
    age=17,
    gender="female",
    thinking_traps=("Labeling", "labeling", "mind reading"),
    crisis=Crisis(kind="self_harm", veiled=True, disclosure="Hm.", owed="Ask."),
    resistance=Resistance.EMOTIONAL,
    split="test",
)
BEN = Profile(id="ben", name="Ben", age=75, split="train")
CAI = Profile(id="cai", name="Cai")
PLAY = Screenplay(
    id="one",
    profile_id="ana",
    resistance=Resistance.COGNITIVE,
    lines=(
        Line(speaker=Speaker.CLIENT, directions=("Forced smile", "eyes wet"), words="It is fine."),
        Line(speaker=Speaker.THERAPIST, directions=("Smiles",), words="Your eyes say something else."),
        Line(speaker=Speaker.CLIENT, directions=("Xyzzy",)),
    ),
    technique="pie chart",
    ended="client_left",
    moments=(
        Moment(number=1, masked=True, wants=("name the mismatch", "ask"), avoids=("advise",)),
        Moment(number=3, wants=("ask",), missed=True),
    ),
)


@pytest.fixture(scope="module")
def described() -> DataStats:
    return describe_data(DataSet("made", (ANA, BEN, CAI), (PLAY,)))


def test_counts_go_by_split(described: DataStats) -> None:
    assert described.splits == ("train", "test", "no split")
    assert described.profiles["resistance"].values == {
        "emotional": {"test": 1},
        "none": {"no split": 1, "train": 1},
    }
    assert list(described.profiles["age"].values) == ["under 18", "75 and over", "unknown"]
    assert described.profiles["gender"].total("unknown") == 2
    assert described.profiles["trap"].values == {"labeling": {"test": 1}, "mind reading": {"test": 1}}
    assert described.profiles["crisis"].values == {"self harm, veiled": {"test": 1}}
    # A screenplay without a split of its own is in its profile's.
    assert described.screenplays["ending"].values == {"client left": {"test": 1}}
    assert described.techniques == {"pie chart": {"cognitive": 1}}


def test_lengths_expressions_and_moments(described: DataStats) -> None:
    assert (described.lines.n, described.lines.mean) == (1, 3.0)
    assert described.words_per_turn["client"].counts == {3: 1}  # a silent turn has no words to count
    assert described.words_per_turn["therapist"].counts == {5: 1}
    assert described.wording["all"].words == 8
    assert (described.expressions.directions, described.expressions.not_understood) == (3, 1)
    assert sum(described.expressions.labels.values()) == 3
    found = described.moments
    assert (found.screenplays, found.moments, found.masked, found.masked_screenplays) == (1, 2, 1, 1)
    assert (found.missed, found.wants, found.avoids) == (1, {"ask": 2, "name the mismatch": 1}, {"advise": 1})


def test_the_description_is_json(described: DataStats) -> None:
    assert DataStats.model_validate(json.loads(described.model_dump_json())) == described


def test_nothing_can_be_described() -> None:
    empty = describe_data(DataSet("empty"))
    assert (empty.splits, empty.lines, empty.moments.moments) == ((), CountDistribution(), 0)
    assert all(not counts.values for counts in (*empty.profiles.values(), *empty.screenplays.values()))


def test_the_packaged_set_is_counted_in_full() -> None:
    data = load_data("mini")
    found = describe_data(data)
    assert found.profiles["all"].total("profiles") == len(data.profiles)
    for name in ("resistance", "gender", "age", "area"):
        counts = found.profiles[name]
        assert sum(map(counts.total, counts.values)) == len(data.profiles)
    for name in ("resistance", "technique", "ending"):
        counts = found.screenplays[name]
        assert sum(map(counts.total, counts.values)) == len(data.screenplays)
    assert found.lines.n == len(data.screenplays)
    assert found.likeness.near_duplicates == 0


def test_copies_are_listed() -> None:
    words = "She sold the ring to pay the miller and told nobody about it until the spring."
    line = Line(speaker=Speaker.CLIENT, words=words)
    plays = tuple(Screenplay(id=f"p{n}", profile_id="ana", lines=(line,)) for n in range(3))
    found = describe_data(replace(DataSet("made", (ANA,)), screenplays=plays)).likeness
    assert found.near_duplicates == 3
    assert found.pairs[0] == ("p0", "p1", 1.0)
    assert list(found.equal_openings.values()) == [("p0", "p1", "p2")]


@given(st.lists(st.integers(0, 50), max_size=12))
def test_evenness_lies_between_one_value_and_all_alike(totals: list[int]) -> None:
    found = evenness(totals)
    present = [total for total in totals if total]
    if len(present) < 2:
        assert found is None
        return
    assert found is not None
    assert 0 < found <= 1
    assert (found == pytest.approx(1)) == (len(set(present)) == 1)
    assert evenness([total * 3 for total in reversed(totals)]) == pytest.approx(found)


VALUES = st.sampled_from(["", " ", "a", "a ", "b", "c"])


@given(st.lists(st.tuples(VALUES, st.sampled_from(["", "test", "train"]))))
def test_nothing_is_lost_in_counting(found: list[tuple[str, str]]) -> None:
    counts = count(found, first=("c",))
    assert sum(map(counts.total, counts.values)) == len(found)
    names = Counter(value.strip() or "unknown" for value, _ in found)
    assert {value: counts.total(value) for value in counts.values} == names
    order = [(value != "c", value == "unknown", -counts.total(value)) for value in counts.values]
    assert order == sorted(order)


@given(st.lists(st.integers(0, 300), min_size=1))
def test_a_spread_keeps_every_number(numbers: list[int]) -> None:
    found = spread(numbers)
    assert sorted(number for number, times in found.counts.items() for _ in range(times)) == sorted(numbers)
    assert found.least <= found.median <= found.most
    assert found.least <= found.mean + 1e-9
    assert found.mean <= found.most + 1e-9
    assert (found.sd == 0) == (len(set(numbers)) == 1)


@given(st.one_of(st.none(), st.integers(0, 120)))
def test_every_age_has_a_band(age: int | None) -> None:
    assert bool(age_band(age)) is (age is not None)
