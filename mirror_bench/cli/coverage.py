"""Says, last, what of a run failed and why, and whether enough was held and rated to be a measurement."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mirror_bench.analysis.summary import Summary

_LONGEST_REASON = 400


def covered(run: Path, summary: Summary, floor: float) -> bool:
    """Says what failed, with the commonest reason; returns whether the share held and rated reaches `floor`.

    Args:
        run: The run folder.
        summary: Its scores.
        floor: The least share, in [0, 1].
    """
    from mirror_bench.keys import redact
    from mirror_bench.schema import Ending, Speaker
    from mirror_bench.sessions.run_folder import read_sessions

    kept = {session.scenario_id: session for session in read_sessions(run)}
    failed = [session for session in kept.values() if session.ended is Ending.FAILED]
    if failed:
        reason, times = Counter(one.reason or "no reason recorded" for one in failed).most_common(1)[0]
        click.echo(
            f"{len(failed)} of {len(kept)} sessions failed, most often ({times}): "
            f"{redact(reason)[:_LONGEST_REASON]}; --retry-failed holds them again",
            err=True,
        )
    unruled = _unrated(run)
    share = min(
        (
            score.coverage
            for entry in summary.entries
            for metric in summary.metrics
            if metric.kind == "total" and metric.instrument not in unruled
            if (score := entry.score(metric.name))
        ),
        default=1.0,
    )
    for entry in summary.entries:
        share = min(share, entry.coverage.held / max(1, entry.coverage.due))
    for replies in summary.replies:
        if replies.speaker is Speaker.THERAPIST and 0 < replies.turns == replies.empty:
            click.echo(
                f"not one of the therapist's {replies.turns} replies has a word: its scores measure nothing; "
                "ask its server what it sends",
                err=True,
            )
            return False
    if share >= floor:
        return True
    click.echo(
        f"coverage {share:.1%} is below --min-coverage {floor:g}: too little was held and rated for its "
        f"scores to "
        "measure the candidate",
        err=True,
    )
    return False


def _unrated(run: Path) -> set[str]:
    """Says which ratings lack answers, and returns the instruments that no rater of the run could fill in."""
    from mirror_bench.raters.coded import NO_RULE
    from mirror_bench.sessions.run_folder import read_ratings

    lost: Counter[str] = Counter()
    ratings = 0
    ruled: dict[str, bool] = {}
    for rating in read_ratings(run):
        reasons = [item.reason for item in rating.items.values() if item.score is None and item.applies]
        unruled = any(reason == NO_RULE for reason in reasons)
        ruled[rating.instrument] = ruled.get(rating.instrument, False) or not unruled
        ratings += 1
        lost.update({next(reason for reason in reasons): 1} if reasons and not unruled else {})
    if lost:
        reason, times = lost.most_common(1)[0]
        click.echo(
            f"{lost.total()} of {ratings} ratings lack answers, most often ({times}): "
            f"{reason[:_LONGEST_REASON]}",
            err=True,
        )
    return {instrument for instrument, by_rule in ruled.items() if not by_rule}
