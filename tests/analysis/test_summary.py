"""Summaries: coverage, scores, gains, comparison and the file."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import report_samples as samples

from mirror_bench.analysis.summary import compare_runs, read_summary, summarize, write_summary
from mirror_bench.errors import InputError
from mirror_bench.raters.instruments import instrument_scores, load_instrument
from mirror_bench.schema import Ending, FaceCondition, Resistance

MATCHED, NONE, SHUFFLED = FaceCondition.MATCHED, FaceCondition.NONE, FaceCondition.SHUFFLED


def test_scores_are_means_over_rated_sessions() -> None:
    due = samples.scenarios(12, 2)
    sessions, ratings = samples.run_of(due)
    entry = summarize(sessions, ratings, due).entries[0]
    totals = [
        instrument_scores(load_instrument(r.instrument), r)["wai.total"]
        for r in ratings
        if r.instrument == "wai"
    ]
    score = entry.score("wai.total")
    assert score is not None
    assert score.value == pytest.approx(np.mean([t for t in totals if t is not None]), abs=1e-5)
    assert (score.n, score.clusters, score.coverage) == (24, 12, 1.0)
    assert score.low is not None
    assert score.high is not None
    assert score.value is not None
    assert score.low < score.value < score.high
    assert entry.coverage.complete


def test_every_metric_of_an_instrument_is_there() -> None:
    due = samples.scenarios(8)
    summary = summarize(*samples.run_of(due), due)
    kinds = {metric.name: metric.kind for metric in summary.metrics}
    assert kinds["wai.total"] == "total"
    assert {"wai.goal", "wai.approach", "wai.bond", "ctrs.general", "ctrs.cbt"} <= {
        name for name, kind in kinds.items() if kind == "subscale"
    }
    assert sum(kind == "item" for kind in kinds.values()) == 18
    assert {"dropout", "resistance_change", "turns", "words_per_turn"} <= kinds.keys()
    assert [score.metric for score in summary.entries[0].scores] == [m.name for m in summary.metrics]
    wai = next(metric for metric in summary.metrics if metric.name == "wai.total")
    assert (wai.low, wai.high, wai.better) == (1, 5, "higher")


def test_failed_and_missing_lower_coverage_and_never_the_score() -> None:
    due = samples.scenarios(12)
    sessions, ratings = samples.run_of(due)
    kept = [session.scenario_id for session in sessions[2:11]]
    rest = [rating for rating in ratings if rating.scenario_id in kept]
    clean = summarize(sessions[2:11], rest, due[2:11]).entries[0]
    broken = [samples.failed(sessions[0]), samples.failed(sessions[1], "out of memory"), *sessions[2:11]]
    entry = summarize(broken, rest, due).entries[0]
    assert (entry.coverage.due, entry.coverage.held, entry.coverage.failed, entry.coverage.missing) == (
        12,
        9,
        2,
        1,
    )
    assert entry.coverage.rated == {"ctrs": 9, "wai": 9}
    assert entry.coverage.failures["out of memory"] == 1
    assert not entry.coverage.complete
    for metric in ("wai.total", "ctrs.total", "dropout"):
        ours, theirs = entry.score(metric), clean.score(metric)
        assert ours is not None
        assert theirs is not None
        assert (ours.value, ours.low, ours.high) == (theirs.value, theirs.low, theirs.high)
        assert ours.coverage == pytest.approx(9 / 12)


def test_unrated_sessions_have_a_score_of_none() -> None:
    due = samples.scenarios(4, conditions=(MATCHED, NONE))
    sessions, ratings = samples.run_of(due)
    summary = summarize(sessions, [r for r in ratings if r.scenario_id.endswith("matched")], due)
    none = summary.entries[1]
    score = none.score("wai.total")
    assert none.condition is NONE
    assert score is not None
    assert score.value is None
    assert score.coverage == 0
    assert none.coverage.rated["wai"] == 0


def test_a_condition_of_which_nothing_was_held_is_still_due() -> None:
    due = samples.scenarios(4, conditions=(MATCHED, NONE))
    sessions, ratings = samples.run_of(due)
    matched = [session for session in sessions if session.condition is MATCHED]
    entry = summarize(matched, ratings, due).entries[1]
    assert (entry.coverage.due, entry.coverage.missing) == (4, 4)


def test_more_sessions_than_due_are_refused() -> None:
    due = samples.scenarios(4)
    sessions, ratings = samples.run_of(due)
    with pytest.raises(InputError, match="4 sessions with matched faces where 3 are due"):
        summarize(sessions, ratings, 3)


def test_dropout_and_endings_agree() -> None:
    due = samples.scenarios(40)
    entry = summarize(*samples.run_of(due, skill=0.1), due).entries[0]
    left = entry.endings[Ending.CLIENT_LEFT]
    dropout = entry.score("dropout")
    assert 0 < left < 40
    assert dropout is not None
    assert dropout.value == pytest.approx(left / 40)
    assert sum(entry.endings.values()) == 40


def test_intervals_stay_on_their_scales() -> None:
    due = samples.scenarios(12)
    summary = summarize(*samples.run_of(due, skill=0.95), due)
    scales = {metric.name: metric for metric in summary.metrics}
    entry = summary.entries[0]
    for score in (*entry.scores, *(score for scores in entry.by_resistance.values() for score in scores)):
        scale = scales[score.metric]
        assert scale.low is None or score.low is None or score.low >= scale.low
        assert scale.high is None or score.high is None or score.high <= scale.high


def test_resistance_types_split_the_whole() -> None:
    due = samples.scenarios(12, 2)
    entry = summarize(*samples.run_of(due), due).entries[0]
    parts = [entry.score("ctrs.total", kind) for kind in Resistance]
    whole = entry.score("ctrs.total")
    assert whole is not None
    assert sum(part.n for part in parts if part) == whole.n
    assert all(part and part.clusters == 3 and part.coverage == 1 for part in parts)
    total = sum(part.n * part.value for part in parts if part and part.value is not None)
    assert total / whole.n == pytest.approx(whole.value, abs=1e-5)


def test_visual_gain_is_paired() -> None:
    due = samples.scenarios(12, 2, (MATCHED, NONE, SHUFFLED))
    sessions, ratings = samples.run_of(due)
    summary = summarize(sessions, ratings, due)
    assert {(gain.against, gain.difference.metric) for gain in summary.gains} == {
        (against, metric) for against in (NONE, SHUFFLED) for metric in ("ctrs.total", "wai.total")
    }
    matched, none = summary.entries[0], summary.entries[1]
    gain = next(g for g in summary.gains if g.against is NONE and g.difference.metric == "wai.total")
    ours, theirs = matched.score("wai.total"), none.score("wai.total")
    assert ours is not None
    assert theirs is not None
    assert ours.value is not None
    assert theirs.value is not None
    assert gain.difference.value == pytest.approx(ours.value - theirs.value, abs=1e-5)
    assert gain.difference.n == 24
    assert gain.unpaired == 0
    fewer = summarize(sessions[1:], [r for r in ratings if r.scenario_id != sessions[0].scenario_id], due)
    gain = next(g for g in fewer.gains if g.against is NONE and g.difference.metric == "wai.total")
    assert (gain.difference.n, gain.unpaired) == (23, 1)


def test_trajectories_keep_those_who_left() -> None:
    due = samples.scenarios(12)
    sessions, _ = samples.run_of(due)
    points = summarize(sessions, [], due).entries[0].trajectories["resistance"]
    lasts = [[t.state["resistance"] for t in s.turns if t.state][-1] for s in sessions]
    assert points[-1].value == pytest.approx(np.mean(lasts), abs=1e-5)
    assert points[0].running == 1
    assert points[-1].running < 1


def test_the_order_of_records_does_not_matter() -> None:
    due = samples.scenarios(10)
    sessions, ratings = samples.run_of(due)
    assert summarize(sessions, ratings, due) == summarize(sessions[::-1], ratings[::-1], due[::-1])


def test_a_summary_survives_its_file(tmp_path: Path) -> None:
    due = samples.scenarios(8, conditions=(MATCHED, NONE))
    summary = summarize(*samples.run_of(due), due, protocol="offline", fingerprint="ab" * 32)
    path = tmp_path / "new" / "summary.json"
    write_summary(path, summary)
    assert read_summary(path) == summary
    assert [p.name for p in path.parent.iterdir()] == ["summary.json"]


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2}', '{"entries": [{"therapist": 3}]}'])
def test_a_damaged_summary_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "summary.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"summary\.json: is no summary") as caught:
        read_summary(path)
    assert "\n" not in str(caught.value)


def test_a_missing_summary_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_summary(tmp_path / "summary.json")


def test_runs_side_by_side() -> None:
    due = samples.scenarios(8)
    one = summarize(*samples.run_of(due, "a/x"), due, fingerprint="f")
    two = summarize(*samples.run_of(due, "a/y"), due, fingerprint="f")
    assert [entry.therapist for entry in compare_runs([two, one]).entries] == ["a/y", "a/x"]
    with pytest.raises(InputError, match="two runs hold a/x"):
        compare_runs([one, one])
    with pytest.raises(InputError, match="different protocols"):
        compare_runs([one, two.model_copy(update={"fingerprint": "g"})])
    with pytest.raises(InputError, match="nothing to compare"):
        compare_runs([])


def test_an_empty_run_has_a_summary() -> None:
    summary = summarize([], [], 5)
    assert summary.entries == ()
    assert {metric.kind for metric in summary.metrics} == {"session"}


@pytest.mark.slow
def test_ten_candidates_with_a_hundred_sessions_each_are_quick() -> None:
    due = samples.scenarios(50, 2)
    runs = [samples.run_of(due, f"model/{index}", skill=index / 10) for index in range(10)]
    start = time.perf_counter()
    summary = compare_runs([summarize(sessions, ratings, due) for sessions, ratings in runs])
    assert time.perf_counter() - start < 20
    assert len(summary.entries) == 10
