"""Whose ratings make a score: the mean over a session's raters, where all who are waited for gave a value."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from mirror_bench.raters.names import is_person, scoring
from mirror_bench.schema import SessionKey

RaterScores = Mapping[tuple[str, str], Mapping[str, float | None]]
"""(rater, instrument) -> what that rating says of each metric, None where it gives no value; what does not
apply to the session is not there."""
RatersOwed = Mapping[tuple[str, str, str], tuple[str, ...]]
"""(therapist, method, metric) -> the raters whose values are averaged."""


def raters_owed(
    candidates: Mapping[SessionKey, tuple[str, str]], given: Mapping[SessionKey, RaterScores]
) -> RatersOwed:
    """Returns whose values make each metric: of all who ever gave one, people only where nobody else did.

    A rater without a rule for a metric never gives one, and is waited for in no session.

    Args:
        candidates: Session -> its therapist and method.
        given: Session -> its ratings.
    """
    met: dict[tuple[str, str, str], set[str]] = {}
    for key, made in given.items():
        for (rater, _), scored in made.items():
            for metric, value in scored.items():
                if value is not None:
                    met.setdefault((*candidates[key], metric), set()).add(rater)
    return {
        where: scoring([rater for rater in raters if not is_person(rater)] or raters)
        for where, raters in met.items()
    }


def mean_scores(
    given: RaterScores, candidate: tuple[str, str], owed: RatersOwed
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Returns metric -> a session's mean over its raters, where all gave a value, and who was read.

    The mean over those that happen to have answered would be another scale in each session: where a mild
    judge is left alone, the therapist would seem better. People of a study rate some sessions each, so of
    them whoever rated counts.

    Args:
        given: The session's ratings.
        candidate: Its therapist and method.
        owed: As `raters_owed` gives it.
    """
    scores: dict[str, float] = {}
    read: set[str] = set()
    for metric, instrument in {name: form for (_, form), one in given.items() for name in one}.items():
        made = {rater: given.get((rater, instrument)) for rater in owed.get((*candidate, metric), ())}
        read.update(rater for rater, one in made.items() if one is not None)
        if any(one is None for rater, one in made.items() if not is_person(rater)):
            continue
        values = [one[metric] for one in made.values() if one is not None and metric in one]
        known = [value for value in values if value is not None]
        if known and len(known) == len(values):
            scores[metric] = fmean(known)
    return scores, tuple(sorted(read))
