"""Paired differences: pairing, sign, effect size and what stays unpaired."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.stats.paired import paired_difference

CLUSTERS = {f"p{i}:s{j}": f"p{i}" for i in range(10) for j in range(3)}
values = st.dictionaries(st.sampled_from(sorted(CLUSTERS)), st.floats(-10, 10, width=32), max_size=30)


def test_known_difference() -> None:
    a = {"x": 3.0, "y": 5.0, "z": 4.0}
    b = {"x": 2.0, "y": 2.0, "w": 9.0}
    found = paired_difference(a, b, {"x": "1", "y": "2"})
    assert found.interval is not None
    assert found.interval.value == pytest.approx(2.0)
    assert found.interval.n == 2
    assert found.interval.clusters == 2
    assert found.unpaired == 2
    assert found.dz == pytest.approx(2.0 / math.sqrt(2.0))


def test_nothing_in_common() -> None:
    assert paired_difference({"x": 1.0}, {"y": 1.0}, {}) == (None, None, None, 2)


def test_equal_differences_have_no_effect_size() -> None:
    found = paired_difference({"x": 1.1, "y": 2.1}, {"x": 1.0, "y": 2.0}, {"x": "1", "y": "2"})
    assert found.dz is None
    assert found.interval is not None


def test_a_pair_without_cluster_is_refused() -> None:
    with pytest.raises(ValueError, match="'x' has no cluster"):
        paired_difference({"x": 1.0}, {"x": 1.0}, {})


@given(values, values)
def test_swapping_sides_flips_the_sign(a: dict[str, float], b: dict[str, float]) -> None:
    one, other = paired_difference(a, b, CLUSTERS), paired_difference(b, a, CLUSTERS)
    assert one.unpaired == other.unpaired
    assert len(a.keys() | b.keys()) == len(a.keys() & b.keys()) + one.unpaired
    if one.interval is None or other.interval is None:
        assert one.interval is other.interval
        return
    assert one.interval.value == pytest.approx(-other.interval.value, abs=1e-9)
    assert (one.dz is None) == (other.dz is None)
    if one.dz is not None and other.dz is not None:
        assert one.dz == pytest.approx(-other.dz, rel=1e-6)


def test_pairing_removes_what_pairs_share() -> None:
    """A small, steady gain shows through differences between profiles that dwarf it."""
    base = {pair: float(index) for index, pair in enumerate(sorted(CLUSTERS))}
    better = {pair: value + 0.2 + 0.01 * (index % 7) for index, (pair, value) in enumerate(base.items())}
    found = paired_difference(better, base, CLUSTERS)
    assert found.interval is not None
    assert found.interval.low is not None
    assert found.interval.low > 0.19
    assert found.dz is not None
    assert found.dz > 10
