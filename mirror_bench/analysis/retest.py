"""How far a judge agrees with itself: the same sessions rated twice under other seeds."""

from __future__ import annotations

from collections.abc import Iterable

from mirror_bench.analysis.candidate_scores import score_of
from mirror_bench.analysis.metrics import FormOf, score_rating
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.raters.llm import RETEST
from mirror_bench.schema import Rating, Record, Score
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


def retests(ratings: Iterable[Rating], form_of: FormOf = load_instrument) -> list[Retest]:
    """Returns the retests that a run holds, by judge and instrument; `form_of` looks up instruments."""
    scores: dict[tuple[str, str], dict[tuple[object, bool], float]] = {}
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
        metric = f"{instrument}.total"
        found.append(
            Retest(
                rater=rater,
                metric=metric,
                sessions=len(both),
                r=score_of(metric, retest_r(first, second), len(both)),
                icc=score_of(metric, icc(list(zip(first, second, strict=True))), len(both)),
            )
        )
    return found
