"""Places and groups of ties."""

import math

import report_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.ranking import Difference, compare_all, places, tell_apart
from mirror_bench.reports.metrics import Metric, score_rating
from mirror_bench.reports.outcomes import gather
from mirror_bench.schema import Score

VALUES = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.floats(0, 6), max_size=9)


@given(VALUES, st.floats(0, 3), st.sampled_from(["higher", "lower", ""]))
def test_no_two_of_a_group_are_apart(values: dict[str, float], margin: float, better: str) -> None:
    def apart(a: str, b: str) -> bool:
        return abs(values[a] - values[b]) > margin

    found = places(values, better, apart)
    assert found.keys() == values.keys()
    for a in found:
        for b in found:
            shared = found[a].first <= found[b].last and found[b].first <= found[a].last
            # With a margin, being apart grows with distance, so sharing a group is exactly not being apart.
            assert shared == (not apart(a, b)) or a == b
            better_one = values[a] < values[b] if better == "lower" else values[a] > values[b]
            assert not better_one or found[a].rank < found[b].rank


@given(VALUES)
def test_groups_are_numbered_without_a_gap(values: dict[str, float]) -> None:
    found = places(values, "higher", lambda a, b: int(values[a]) != int(values[b]))
    numbers = {number for place in found.values() for number in range(place.first, place.last + 1)}
    assert numbers == set(range(1, len(numbers) + 1))
    assert all(1 <= place.rank <= len(found) for place in found.values())


def test_a_missing_value_has_no_place() -> None:
    assert places({"a": None, "b": 1.0}, "higher", lambda a, b: True).keys() == {"b"}


def test_an_interval_that_holds_zero_tells_nothing_apart() -> None:
    held = Difference(Score(metric="m", value=0.1, low=-0.1, high=0.3), None, 0)
    sure = Difference(Score(metric="m", value=0.2, low=0.1, high=0.3), None, 0)
    unknown = Difference(Score(metric="m", value=0.2), None, 0)
    apart = tell_apart({("a", "b"): held, ("a", "c"): sure, ("b", "c"): unknown})
    assert [apart("a", "b"), apart("c", "a"), apart("b", "c"), apart("x", "y")] == [False, True, False, False]


def test_models_are_compared_on_the_scenarios_that_both_hold() -> None:
    due = samples.scenarios(12)
    held = {}
    for name, skill in (("good", 0.8), ("bad", 0.2), ("short", 0.8)):
        sessions, ratings = samples.run_of(due[:6] if name == "short" else due, name, "", skill)
        held[name] = gather(sessions, ratings, score_rating).outcomes
    found = compare_all(held, Metric(name="ctrs.total", title="CTRS"))
    assert set(found) == {("good", "bad"), ("good", "short"), ("bad", "short")}
    assert found["good", "bad"].sure
    assert found["good", "bad"].score.n == 12
    assert found["good", "short"].score.n == 6
    assert found["good", "short"].unpaired == 6
    mean = {
        name: math.fsum(outcome.scores["ctrs.total"] for outcome in own) / len(own)
        for name, own in held.items()
    }
    value = found["good", "bad"].score.value
    assert value is not None
    assert math.isclose(value, mean["good"] - mean["bad"], abs_tol=1e-5)
