"""Length, agreement and halo in summaries and on the page."""

from __future__ import annotations

import functools
import random
from pathlib import Path

import pytest
import report_samples as samples

from mirror_bench.analysis.summary import Summary, compare_runs, read_summary, summarize, write_summary
from mirror_bench.pages.report import RunInfo, render_report
from mirror_bench.schema import FaceCondition, ItemRating, Rating, Session

MATCHED, NONE = FaceCondition.MATCHED, FaceCondition.NONE


def lengthened(session: Session, seed: int = 0) -> Session:
    """The session with therapist turns of its own length."""
    more = random.Random(f"{session.key}{seed}").randint(0, 30)
    turns = tuple(
        turn.model_copy(update={"words": turn.words + " and so on" * more})
        if turn.speaker == "therapist"
        else turn
        for turn in session.turns
    )
    return session.model_copy(update={"turns": turns})


def second_opinion(rating: Rating, noise: float) -> Rating:
    """Another rater's rating: the same items, some a point off."""
    rng = random.Random(f"{rating.scenario_id}{rating.instrument}")
    items = {}
    for name, item in rating.items.items():
        if item.score is not None:
            moved = item.score + rng.choice((-1, 1)) * (rng.random() < noise)
            items[name] = ItemRating(score=max(1.0, min(5.0, moved)))
    return rating.model_copy(update={"rater": "second", "items": items})


@functools.cache
def two_raters(noise: float) -> tuple[Summary, list[Session], list[Rating]]:
    due = samples.scenarios(12, 2, (MATCHED, NONE))
    sessions, ratings = samples.run_of(due)
    sessions = [lengthened(session) for session in sessions]
    ratings = [*ratings, *(second_opinion(rating, noise) for rating in ratings)]
    return summarize(sessions, ratings, due), sessions, ratings


def test_one_rater_has_halo_and_no_agreement() -> None:
    due = samples.scenarios(12)
    summary = summarize(*samples.run_of(due), due)
    assert not summary.agreement
    assert {one.instrument for one in summary.halo} == {"ctrs", "wai"}
    wai = next(one for one in summary.halo if one.instrument == "wai")
    assert (wai.items, wai.sessions) == (12, 12)
    assert wai.inter_item_r.value is not None
    assert -1 <= wai.inter_item_r.value <= 1


def test_two_raters_agree_the_more_the_less_they_differ() -> None:
    found = {}
    for noise in (0.0, 0.9):
        summary, _, _ = two_raters(noise)
        total = next(one for one in summary.agreement if one.metric == "wai.total")
        assert len(total.raters) == 2
        assert total.sessions == 48
        found[noise] = total
    exact, noisy = found[0.0], found[0.9]
    assert exact.icc.value == exact.alpha.value == exact.tau.value == 1
    assert noisy.icc.value is not None
    assert noisy.icc.value < 1
    assert noisy.icc.low is not None
    assert noisy.icc.high is not None
    assert noisy.icc.low <= noisy.icc.value <= noisy.icc.high


def test_every_total_and_item_has_its_correlation_with_length() -> None:
    summary, _, _ = two_raters(0.3)
    wanted = {metric.name for metric in summary.metrics if metric.kind in {"total", "item"}}
    for entry in summary.entries:
        assert {one.metric for one in summary.length if one.key == entry.key} == wanted
        for metric in ("ctrs.total", "wai.total"):
            effect, raw = summary.length_effect(entry.key, metric), entry.score(metric)
            assert effect is not None
            assert raw is not None
            assert effect.correlation.n == raw.n == 24
            assert effect.adjusted is not None
            assert effect.adjusted.value is not None
            assert effect.adjusted.low is not None
            assert effect.adjusted.low < effect.adjusted.value
    assert {one.slope.metric for one in summary.length_slopes} == {"ctrs.total", "wai.total"}


def test_one_entry_alone_has_no_adjusted_total_and_says_why() -> None:
    due = samples.scenarios(12)
    summary = summarize(*samples.run_of(due), due)
    effect = summary.length_effect(summary.entries[0].key, "wai.total")
    assert effect is not None
    assert effect.adjusted is None
    assert "one candidate" in effect.reason


def test_runs_are_adjusted_together_where_their_sessions_are_at_hand() -> None:
    from mirror_bench.analysis.metrics import score_rating
    from mirror_bench.analysis.session_outcomes import SessionOutcome, gather

    due = samples.scenarios(12, 2)
    summaries: list[Summary] = []
    outcomes: list[SessionOutcome] = []
    for therapist in ("scripted/a", "scripted/b"):
        sessions, ratings = samples.run_of(due, therapist)
        sessions = [lengthened(session) for session in sessions]
        summaries.append(summarize(sessions, ratings, due))
        outcomes += gather(sessions, ratings, score_rating).outcomes
    apart, together = compare_runs(summaries), compare_runs(summaries, outcomes)
    for entry in together.entries:
        effect, lonely = (one.length_effect(entry.key, "wai.total") for one in (together, apart))
        assert effect is not None
        assert lonely is not None
        assert effect.adjusted is not None
        assert lonely.adjusted is None
        assert "not at hand" in lonely.reason
        assert effect.correlation == lonely.correlation


def test_a_summary_without_these_parts_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text('{"version": 1, "protocol": "offline"}')
    assert read_summary(path).agreement == ()
    summary, _, _ = two_raters(0.3)
    write_summary(path, summary)
    assert read_summary(path) == summary


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_page_shows_them(noise: float) -> None:
    summary, _, _ = two_raters(noise)
    html = render_report(summary, [], [], [], samples.FACES.get, RunInfo())
    for part in (
        "Length and agreement",
        "At equal length",
        "ICC(2,1)",
        "Mean inter-item r",
        "therapist words a session",
    ):
        assert part in html
    assert "One rater alone" not in html
