"""Planning: Bonett's own examples, formulas turned round, and the widths that simulated studies show."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.cli import cli
from mirror_bench.errors import InputError
from mirror_bench.study import planning


def test_by_hand() -> None:
    # 8 * 1.96^2 * 0.3^2 * 2.4^2 / (3 * 2 * 0.2^2) + 1 = 67.4.
    assert planning.sessions_for_icc(0.7, 0.2, 3) == 68
    # With two raters and r >= 0.7 come 5 r more: 8 * 1.96^2 * 0.2^2 * 1.8^2 / (2 * 0.04) + 1 + 4 = 54.8.
    assert planning.sessions_for_icc(0.8, 0.2, 2) == 55
    # A share of one half, 0.2 wide, one answer a pair: 4 * 1.96^2 * 0.25 / 0.04 = 96.04.
    assert planning.pairs_for_rate(0.5, 0.2, 1, 0.6) == 97
    # (1.96 * 0.5 + 0.8416 * sqrt(0.24))^2 / 0.1^2 = 193.8.
    assert planning.pairs_for_difference(0.6, 0.8, 1, 0.6) == 194


@given(st.floats(0.05, 0.69), st.floats(0.1, 0.8), st.integers(2, 8))
def test_formulas_are_turned_round_rightly(icc: float, width: float, each: int) -> None:
    sessions = planning.sessions_for_icc(icc, width, each)
    assert planning.width_of_icc(icc, sessions, each) <= width + 1e-6
    if sessions > 3:
        assert planning.width_of_icc(icc, sessions - 1, each) > width - 1e-6


@given(st.floats(0.1, 0.9), st.floats(0.1, 0.8), st.integers(1, 8), st.floats(0, 1))
def test_pairs_likewise(rate: float, width: float, each: int, alike: float) -> None:
    pairs = planning.pairs_for_rate(rate, width, each, alike)
    assert planning.width_of_rate(rate, pairs, each, alike) <= width + 1e-6
    # Answers that are all alike add nothing: as many pairs as with one rater.
    assert planning.pairs_for_rate(rate, width, each, 1.0) == planning.pairs_for_rate(rate, width, 1, 1.0)


@pytest.mark.parametrize(("icc", "each"), [(0.5, 3), (0.6, 2), (0.75, 4)])
def test_simulated_studies_come_near_the_width_asked_for(icc: float, each: int) -> None:
    sessions = planning.sessions_for_icc(icc, 0.3, each)
    found = planning.simulated_width(icc, sessions, each, each)
    assert found == pytest.approx(0.3, abs=0.08)
    assert found == planning.simulated_width(icc, sessions, each, each), "nothing hangs on chance"


def test_the_command() -> None:
    def invoke(*arguments: str) -> str:
        done = CliRunner().invoke(cli, ["study", "plan", *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "3 raters each: 46 sessions" in invoke("--width", "0.3")
    assert "pairs tell it from 0.5 with power 0.8" in invoke("--form", "pairwise", "--width", "0.3")
    rows = json.loads(invoke("--width", "0.3", "--each", "3", "--json"))["rows"]
    assert [row["sessions"] for row in rows] == [46]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--width", "0"], "--width 0"),
        (["--width", "0.3", "--agreement", "1"], "--agreement 1"),
        (["--width", "0.3", "--rate", "0"], "--rate 0"),
        (["--width", "0.3", "--power", "1"], "--power 1"),
    ],
)
def test_numbers_out_of_range_are_named(options: list[str], named: str) -> None:
    with pytest.raises(InputError, match=named):
        CliRunner().invoke(cli, ["study", "plan", *options], catch_exceptions=False)
