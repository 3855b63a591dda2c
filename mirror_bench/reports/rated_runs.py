"""A run's rated sessions under one face condition, as gates and histories read them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from mirror_bench.errors import InputError
from mirror_bench.reports.metrics import score_rating
from mirror_bench.reports.outcomes import Outcome, Outcomes, gather
from mirror_bench.sessions.comparing import Contestant
from mirror_bench.sessions.rating import counted_ratings, standing_of


def rated_outcomes(side: Contestant) -> tuple[Outcome, ...]:
    """Returns the sessions with the scores of the protocol's own raters."""
    return rated(side).outcomes


def rated(side: Contestant) -> Outcomes:
    """Returns the sessions and what was measured, with those ratings of the protocol's raters that count."""
    standing = standing_of(side.folder, side.header)
    ratings = counted_ratings(side.folder, standing)
    scoring = partial(score_rating, form_of=standing.form_of)
    return gather(side.sessions.values(), ratings, scoring, tuple(standing.editions))


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
    found = wanted or [name for name in known if name.endswith(".total")]
    if not found:
        raise InputError("the runs hold no total to compare: rate them first (mirror-bench rate)")
    return list(dict.fromkeys(found))
