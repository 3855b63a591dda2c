"""How far a judge agrees with itself: the same sessions rated twice under other seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mirror_bench.analysis.candidate_scores import score_of
from mirror_bench.analysis.metrics import FormOf, score_rating
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.raters.names import RETEST
from mirror_bench.schema import Rating, Record, Score, SessionKey
from mirror_bench.stats.agreement import icc, retest_r


class Retest(Record):
    """One judge's total on one instrument, first and second time.

    Attributes:
        sessions: Sessions rated both times.
        r: Pearson's correlation of the two.
        icc: ICC(2,1), absolute agreement.
    """

    rater: str
    metric: str
    sessions: int
    r: Score
    icc: Score


def retests(
    ratings: Iterable[Rating], profiles: Mapping[SessionKey, str], form_of: FormOf = load_instrument
) -> list[Retest]:
    """Returns the retests that a run holds, by judge and instrument.

    Args:
        ratings: First and second ones, in any order.
        profiles: Session -> its client's profile: sessions with one client are no independent units.
        form_of: Looks up instruments.
    """
    scores: dict[tuple[str, str], dict[tuple[SessionKey, bool], float]] = {}
    for rating in ratings:
        total = score_rating(rating, form_of).get(f"{rating.instrument}.total")
        if total is not None:
            again = rating.rater.endswith(RETEST)
            key = (rating.rater.removesuffix(RETEST), rating.instrument)
            scores.setdefault(key, {})[rating.session_key, again] = total
    found = []
    for (rater, instrument), given in sorted(scores.items()):
        both = [key for key, again in given if again and (key, False) in given]
        if not both:
            continue
        first, second = ([given[key, again] for key in both] for again in (False, True))
        clients = [profiles.get(key, key) for key in both]
        metric = f"{instrument}.total"
        found.append(
            Retest(
                rater=rater,
                metric=metric,
                sessions=len(both),
                r=score_of(metric, retest_r(first, second, clients), len(both)),
                icc=score_of(metric, icc(list(zip(first, second, strict=True)), clients), len(both)),
            )
        )
    return found
