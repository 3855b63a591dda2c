"""Agreement against published worked examples, its bounds and invariances, and input with nothing to tell."""

from __future__ import annotations

import math
from random import Random
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.stats import agreement

# Shrout & Fleiss (1979), table 2: six targets, four judges.
SHROUT = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Krippendorff (2011), section C: twelve units, four observers.
NO = None
KRIPPENDORFF: list[list[float | None]] = [
    [1, 1, NO, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [NO, 5, 5, 5], [NO, NO, 1, 1], [NO, NO, 3, NO],
]  # fmt: skip

TABLES = st.lists(
    st.lists(st.integers(0, 6).map(float), min_size=3, max_size=3), min_size=2, max_size=12
)  # units by three raters
GAPPED = st.lists(
    st.lists(st.none() | st.integers(0, 3).map(float), min_size=4, max_size=4), min_size=1, max_size=12
)  # units by four raters, with ratings that are missing


def test_shrout_and_fleiss() -> None:
    single, mean = agreement.icc(SHROUT), agreement.icc(SHROUT, average=True)
    assert single is not None
    assert mean is not None
    assert (round(single.value, 2), round(mean.value, 2)) == (0.29, 0.62)
    # The interval that R's psych::ICC prints for the same table.
    assert single.low == pytest.approx(0.019, abs=2e-3)
    assert single.high == pytest.approx(0.761, abs=2e-3)
    assert single.n == 6


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorff(level: agreement.Level, alpha: float) -> None:
    found = agreement.krippendorff_alpha(KRIPPENDORFF, level=level)
    assert found is not None
    assert found.value == pytest.approx(alpha, abs=5e-4)
    assert found.n == 11
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high <= 1


@pytest.mark.parametrize(
    ("first", "second", "alpha"),
    # Krippendorff (2011), sections A (two values) and B (any number of nominal values).
    [("0100000010", "1110010000", 0.095), ("aabbdcccedda", "babbbccceddd", 0.692)],
)
def test_krippendorff_of_two_observers_and_categories(first: str, second: str, alpha: float) -> None:
    table = [[float(ord(each)) for each in unit] for unit in zip(first, second, strict=True)]
    found = agreement.krippendorff_alpha(table, level="nominal")
    assert found is not None
    assert found.value == pytest.approx(alpha, abs=5e-4)


def test_cohen() -> None:
    # Two raters, 50 units: yes/yes 20, yes/no 5, no/yes 10, no/no 15; kappa = 0.4.
    first, second = [1] * 25 + [0] * 25, [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    found = agreement.cohen_kappa(first, second)
    assert found is not None
    assert found.value == pytest.approx(0.4)


def test_weighted_kappa_of_a_table_counted_by_hand() -> None:
    first, second = [1, 1, 2, 3], [1, 2, 2, 1]
    # Observed distances 0, 1, 0, 2; over all 16 pairs they sum to 14 linear, 20 quadratic.
    linear = agreement.cohen_kappa(first, second, weights="linear")
    quadratic = agreement.cohen_kappa(first, second, weights="quadratic")
    assert linear is not None
    assert quadratic is not None
    gaps = [abs(a - b) for a in first for b in second]
    assert linear.value == pytest.approx(1 - (3 / 4) / (sum(gaps) / 16))
    assert quadratic.value == pytest.approx(1 - (5 / 4) / (sum(gap**2 for gap in gaps) / 16))


def test_quadratic_kappa_is_near_the_icc() -> None:
    # Fleiss & Cohen (1973): they agree but for a term of order 1 / n.
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 7, 400)
    table = np.clip(truth[:, None] + rng.integers(-1, 2, (400, 2)), 0, 6).astype(float)
    kappa = agreement.cohen_kappa(table[:, 0], table[:, 1], weights="quadratic")
    icc = agreement.icc(table)
    assert kappa is not None
    assert icc is not None
    assert kappa.value == pytest.approx(icc.value, abs=5e-3)


def test_halo_of_items_that_are_one() -> None:
    one = np.arange(10.0)[:, None] * np.ones((1, 4))
    for found in (agreement.mean_inter_item_r(one), agreement.cronbach_alpha(one)):
        assert found is not None
        assert found.value == pytest.approx(1)


def test_cronbach_follows_its_formula_for_equal_variances() -> None:
    rng = np.random.default_rng(1)
    items = rng.normal(size=(4000, 5)) + rng.normal(size=(4000, 1))
    items = (items - items.mean(0)) / items.std(0)
    r, alpha = (
        agreement.mean_inter_item_r(items),
        agreement.cronbach_alpha(items),
    )
    assert r is not None
    assert alpha is not None
    assert alpha.value == pytest.approx(5 * r.value / (1 + 4 * r.value), abs=1e-9)


def test_clusters_widen_an_interval() -> None:
    rng = np.random.default_rng(5)
    shared = np.repeat(rng.normal(size=(20, 1)), 10, axis=0)
    noise = np.repeat(rng.normal(size=(20, 2)), 10, axis=0)
    table = shared + noise + 0.1 * rng.normal(size=(200, 2))
    names = [unit // 10 for unit in range(200)]
    own = agreement.krippendorff_alpha(table)
    clustered = agreement.krippendorff_alpha(table, names)
    assert own is not None
    assert clustered is not None
    assert clustered.value == own.value
    assert (clustered.clusters, own.clusters) == (20, 200)
    width = [(found.high or 0) - (found.low or 0) for found in (clustered, own)]
    assert width[0] > 1.5 * width[1]


@pytest.mark.parametrize("table", [[], [[3, 3]], [[3, 3], [3, 3]], [[1, None], [None, 2]]])
def test_nothing_to_tell_is_none(table: list[list[float | None]]) -> None:
    first = [row[0] for row in table]
    second = [row[1] for row in table]
    assert agreement.icc(table) is None
    assert agreement.krippendorff_alpha(table) is None
    assert agreement.krippendorff_alpha(table, level="ordinal") is None
    assert agreement.cohen_kappa(first, second) is None
    assert agreement.kendall_tau(table) is None
    assert agreement.retest_r(first, second) is None
    assert agreement.cronbach_alpha(table) is None
    assert agreement.mean_inter_item_r(table) is None


def test_sides_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 values need as many"):
        agreement.retest_r([1, 2], [1])
    with pytest.raises(ValueError, match="2 units need as many clusters"):
        agreement.icc([[1, 2], [2, 1]], ["a"])


@given(TABLES)
def test_values_lie_in_their_bounds_and_intervals_hold_them(table: list[list[float]]) -> None:
    cells = np.array(table)
    found = [
        agreement.icc(cells),
        agreement.krippendorff_alpha(cells),
        agreement.krippendorff_alpha(cells, level="ordinal"),
        agreement.cohen_kappa(cells[:, 0], cells[:, 1], weights="linear"),
        agreement.kendall_tau(cells),
        agreement.retest_r(cells[:, 0], cells[:, 1]),
        agreement.cronbach_alpha(cells),
        agreement.mean_inter_item_r(cells),
    ]
    for one in found:
        if one is not None:
            assert math.isfinite(one.value)
            assert one.value <= 1 + 1e-9
            assert one.low is None or one.high is None or one.low - 1e-9 <= one.value <= one.high + 1e-9


@given(TABLES, st.permutations([0, 1, 2]), st.floats(0.1, 10), st.floats(-50, 50))
def test_order_of_raters_and_units_of_the_scale_do_not_matter(
    table: list[list[float]], order: list[int], slope: float, start: float
) -> None:
    cells = np.array(table)
    for statistic in (agreement.icc, agreement.krippendorff_alpha, agreement.cronbach_alpha):
        plain, moved = statistic(cells), statistic(start + slope * cells[::-1][:, order])
        assert (plain is None) == (moved is None)
        if plain is not None and moved is not None:
            assert moved.value == pytest.approx(plain.value, abs=1e-6)


@given(GAPPED, st.randoms(use_true_random=False), st.sampled_from(get_args(agreement.Level)))
def test_alpha_of_a_table_with_gaps(
    table: list[list[float | None]], random: Random, level: agreement.Level
) -> None:
    alpha = agreement.krippendorff_alpha(table, level=level)
    told = [cell for row in table for cell in row if cell is not None and len(row) - row.count(None) > 1]
    assert (alpha is None) == (len(set(told)) < 2)
    if alpha is None:
        return
    assert alpha.value <= 1 + 1e-9
    alike = all(len({*row} - {None}) < 2 for row in table)
    assert (alpha.value == pytest.approx(1)) == alike
    order = random.sample(range(4), 4)
    shuffled = [[row[place] for place in order] for row in random.sample(table, len(table))]
    again = agreement.krippendorff_alpha([*shuffled, [9.0, None, None, None]], level=level)
    assert again is not None
    assert again.value == pytest.approx(alpha.value)
    assert again.n == alpha.n


@given(GAPPED)
def test_alpha_keeps_to_what_a_level_of_measurement_knows(table: list[list[float | None]]) -> None:
    stretched = [[None if cell is None else cell**3 for cell in row] for row in table]
    renamed = [
        [None if cell is None else {0: 5, 1: 3, 2: 9, 3: -1}[int(cell)] for cell in row] for row in table
    ]
    by_order = [agreement.krippendorff_alpha(cells, level="ordinal") for cells in (table, stretched)]
    by_name = [agreement.krippendorff_alpha(cells, level="nominal") for cells in (table, renamed)]
    for before, after in (by_order, by_name):
        assert (before is None) == (after is None)
        if before is not None and after is not None:
            assert after.value == pytest.approx(before.value)


@given(st.lists(st.integers(0, 4).map(float), min_size=2, max_size=20))
def test_raters_who_say_the_same_agree_fully(values: list[float]) -> None:
    if len(set(values)) < 2:
        return
    table = np.column_stack([values, values])
    for found in (
        agreement.icc(table),
        agreement.krippendorff_alpha(table),
        agreement.cohen_kappa(values, values),
        agreement.kendall_tau(table),
    ):
        assert found is not None
        assert found.value == pytest.approx(1)


def test_tau_is_counted_from_pairs() -> None:
    # Of six pairs five agree in order and one does not.
    found = agreement.kendall_tau([[1, 1], [2, 2], [3, 4], [4, 3]])
    assert found is not None
    assert found.value == pytest.approx(4 / 6)


@given(TABLES)
def test_incomplete_blocks_of_a_complete_table_give_the_same_correlation(rows: list[list[float]]) -> None:
    whole, blocks = agreement.icc(rows), agreement.incomplete_icc(rows)
    assert (whole is None) == (blocks is None)
    if whole is not None and blocks is not None:
        assert blocks.value == pytest.approx(whole.value, abs=1e-9)


def test_incomplete_blocks_are_unbiased_and_their_interval_covers() -> None:
    draw = np.random.default_rng(7)
    values, covered, trials = [], 0, 200
    for _ in range(trials):
        table = draw.normal(0, 1, (40, 1)) + draw.normal(0, 0.4, (1, 5)) + draw.normal(0, 0.8, (40, 5))
        for row in range(40):
            table[row, draw.permutation(5)[:2]] = np.nan
        found = agreement.incomplete_icc(table)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        values.append(found.value)
        covered += found.low <= 1 / (1 + 0.16 + 0.64) <= found.high
    assert np.mean(values) == pytest.approx(1 / 1.8, abs=0.02)
    # It speaks of these raters; against raters drawn anew each time it stays a little short of 95 %.
    assert 0.85 <= covered / trials <= 1


@pytest.mark.parametrize(
    "rows", [[], [[1.0, None]], [[1.0, None], [None, 2.0]], [[3.0, 3.0], [3.0, 3.0]], [[1.0, 2.0]]]
)
def test_blocks_that_share_nothing_tell_nothing(rows: list[list[float | None]]) -> None:
    assert agreement.incomplete_icc(rows) is None
