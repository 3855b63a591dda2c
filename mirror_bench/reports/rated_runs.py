"""A run's rated sessions under one face condition, as gates and histories read them."""

from __future__ import annotations

from collections.abc import Sequence

from mirror_bench.errors import InputError
from mirror_bench.reports.metrics import describe, score_rating
from mirror_bench.reports.outcomes import Outcome, gather
from mirror_bench.sessions.comparing import Contestant
from mirror_bench.sessions.pool import rater_names
from mirror_bench.sessions.store import read_ratings


def rated_outcomes(side: Contestant) -> tuple[Outcome, ...]:
    """Returns the sessions with the scores of the protocol's own raters."""
    raters = rater_names(side.header.protocol.raters)
    return gather(side.sessions.values(), read_ratings(side.folder), score_rating, raters).outcomes


def chosen_metrics(outcomes: Sequence[Sequence[Outcome]], named: Sequence[str]) -> list[str]:
    """Returns the metrics that `--metric` names, or every total.

    Args:
        outcomes: Sessions per run.
        named: Such as "wai", for its total, or "wai.bond".

    Raises:
        InputError: If the runs hold no such score, or no total.
    """
    known = sorted({name for side in outcomes for one in side for name in one.scores})
    wanted = [name if "." in name else f"{name}.total" for name in named]
    for name in wanted:
        if name not in known:
            raise InputError(f"--metric {name}: the runs hold no such score: known are {', '.join(known)}")
    found = wanted or [one.name for one in describe(known) if one.kind == "total"]
    if not found:
        raise InputError("the runs hold no total to compare: rate them first (mirror-bench rate)")
    return list(dict.fromkeys(found))
