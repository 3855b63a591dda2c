"""What preferences come to: win rates, strengths, groups and what is missing."""

from __future__ import annotations

import pytest
import report_samples as samples

from mirror_bench.analysis.comparison import compare
from mirror_bench.analysis.metrics import score_rating
from mirror_bench.analysis.session_outcomes import gather
from mirror_bench.figures.comparison import write_strengths
from mirror_bench.raters.preferences import Opinion, Preference


def preference(
    pair: int, better: str | None, first: str = "a", second: str = "b", words: int = 100
) -> Preference:
    opinions = (Opinion(better=better), Opinion(better=better))
    return Preference(
        pair=str(pair),
        profile_id=f"p{pair % 12}",
        first=first,
        second=second,
        judge="j",
        better=better,
        opinions=opinions,
        tokens=(words, 100),
    )


def test_wins_ties_losses_and_what_is_missing_are_counted() -> None:
    made = [preference(i, "first") for i in range(20)] + [preference(i, "tie") for i in range(20, 30)]
    made += [preference(30, "second"), preference(31, None)]
    found = compare(made, {"a": (), "b": ()}, judge="j")
    (match,) = found.matches
    assert (match.wins, match.ties, match.losses, match.missing) == (20, 10, 1, 1)
    assert match.win_rate.value == pytest.approx((20 + 5) / 31, abs=1e-4)
    assert match.consistent.value == 1.0
    assert [standing.name for standing in found.standings] == ["a", "b"]
    assert found.groups == (("a",), ("b",))
    assert found.ties > 0


def test_length_alone_is_taken_out() -> None:
    made = []
    for i in range(120):  # the longer one wins, whoever it is; a is mostly the longer one
        longer = i % 4 != 0
        won = longer if i % 5 else not longer
        made.append(preference(i, "first" if won else "second", words=200 if longer else 50))
    (match,) = compare(made, {"a": (), "b": ()}, judge="j").matches
    assert match.win_rate.value is not None
    assert match.win_rate.value > 0.6
    assert match.controlled.low is not None
    assert match.controlled.high is not None
    assert match.controlled.low <= 0.5 <= match.controlled.high
    assert match.length_slope.low is not None
    assert match.length_slope.low > 0


def test_without_verdicts_there_is_no_ranking(tmp_path) -> None:  # type: ignore[no-untyped-def]
    found = compare([preference(0, None)], {"a": (), "b": ()}, judge="j")
    assert found.standings == ()
    assert found.matches[0].win_rate.value is None
    assert write_strengths(found, tmp_path) == []


def test_candidates_of_whom_no_pair_was_read_are_still_compared_by_their_scores() -> None:
    due = samples.scenarios(2)
    held = [gather(*samples.run_of(due, skill=skill), score_rating).outcomes for skill in (0.4, 0.8)]
    (match,) = compare([], dict(zip("ab", held, strict=True)), ["ctrs.total"], judge="j").matches
    (difference,) = match.differences
    assert (difference.n, difference.coverage) == (2, 1.0)
    assert difference.value is not None
    assert difference.value < 0
    assert match.win_rate.value is None


def test_the_figure_is_drawn(tmp_path) -> None:  # type: ignore[no-untyped-def]
    made = [preference(i, "first" if i % 2 else "second") for i in range(20)]
    found = compare(made, {"a": (), "b": ()}, judge="j")
    assert found.groups == (("a", "b"),) or found.groups == (("b", "a"),)
    assert [path.suffix for path in write_strengths(found, tmp_path)] == [".png", ".svg"]
