"""How many sessions and raters a study needs for an interval of a given width, beforehand."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mirror_bench.schema import derive_seed
from mirror_bench.stats.agreement import incomplete_icc
from mirror_bench.stats.power import design_effect

MOST = 100_000
_Z = 1.959964
_TRIALS = 60
GUESSED = 0.6
"""The agreement that is taken where nobody says another: moderate, as of trained observers."""


class PrecisionRow(NamedTuple):
    """How many sessions and answers a wanted precision takes with so many raters each.

    Attributes:
        each: Raters of each session or pair.
        units: Sessions or pairs.
        answers: How many forms' pages that is in all.
        simulated: Median width of the interval in simulated studies of that size; None where none was made.
    """

    each: int
    units: int
    answers: int
    simulated: float | None


def sessions_for_icc(icc: float, width: float, each: int) -> int:
    """Returns the sessions that an intraclass correlation needs for a 95 % interval of a given width.

    By Bonett (2002, "Sample size requirements for estimating intraclass correlations"):
    n = 8 z^2 (1 - r)^2 (1 + (k - 1) r)^2 / (k (k - 1) w^2) + 1, and 5 r more for k = 2, r >= 0.7.
    A kappa with quadratic weights is an intraclass correlation of two raters (Fleiss & Cohen 1973), so it
    needs as many as with two.

    Args:
        icc: The agreement expected, in [0, 1).
        width: Of the whole interval, above 0.
        each: Raters of each session, at least 2.
    """
    spread = (1 - icc) ** 2 * (1 + (each - 1) * icc) ** 2
    needed = 8 * _Z**2 * spread / (each * (each - 1) * width**2) + 1
    if each == 2 and icc >= 0.7:
        needed += 5 * icc
    return max(3, math.ceil(needed - 1e-9))


def width_of_icc(icc: float, sessions: int, each: int) -> float:
    """Returns the width that `sessions_for_icc` turns round: of the 95 % interval with so many sessions."""
    spread = (1 - icc) * (1 + (each - 1) * icc)
    return min(2.0, spread * math.sqrt(8 * _Z**2 / (each * (each - 1) * max(1, sessions - 1))))


def pairs_for_rate(rate: float, width: float, each: int, alike: float) -> int:
    """Returns the pairs that a win rate needs for a 95 % interval of a given width.

    The interval of a share, 2 z sqrt(p (1 - p) / n) wide, with the design effect of several people who judge
    the same pair (Kish 1965).

    Args:
        rate: The win rate expected, in (0, 1).
        width: Of the whole interval.
        each: Raters of each pair.
        alike: Intraclass correlation of answers to one pair, in [0, 1].
    """
    answers = 4 * _Z**2 * rate * (1 - rate) / width**2 * design_effect(each, alike)
    return max(3, math.ceil(answers / each - 1e-9))


def width_of_rate(rate: float, pairs: int, each: int, alike: float) -> float:
    """Returns the width that `pairs_for_rate` turns round."""
    return 2 * _Z * math.sqrt(rate * (1 - rate) * design_effect(each, alike) / (pairs * each))


def pairs_for_difference(rate: float, power: float, each: int, alike: float) -> int:
    """Returns the pairs that show a win rate to be other than one half, two-sided at 5 %.

    By the normal test of a share (Fleiss 1981, "Statistical methods for rates and proportions", 2), with
    the design effect as above.

    Args:
        rate: The win rate that is to be found, other than 0.5.
        power: Probability of finding it, in (0.05, 1).
        each: Raters of each pair.
        alike: Intraclass correlation of answers to one pair.
    """
    from scipy import stats

    reach = _Z * 0.5 + float(stats.norm.ppf(power)) * math.sqrt(rate * (1 - rate))
    answers = (reach / abs(rate - 0.5)) ** 2 * design_effect(each, alike)
    return max(3, math.ceil(answers / each - 1e-9))


def simulated_width(icc: float, sessions: int, each: int, raters: int, severity: float = 0.1) -> float | None:
    """Returns the median width of the interval that `study agree` would give, over simulated studies.

    Sessions, raters' severity and error are normal; each session goes to `each` raters in turn. Nothing hangs
    on
    chance: the draws follow from the arguments.

    Args:
        icc: The true agreement, in [0, 1).
        sessions: How many.
        each: Raters of each session.
        raters: Raters in all, at least `each`.
        severity: Share of the variance that lies between raters; at most what the agreement leaves.
    """
    between = min(severity, 1 - icc)
    draw = np.random.default_rng(derive_seed("study", sessions, each, raters, f"{icc:.6f}"))
    met = np.zeros((sessions, raters), dtype=bool)
    for row in range(sessions):
        met[row, [(row * each + step) % raters for step in range(each)]] = True
    widths = []
    for _ in range(_TRIALS):
        table = draw.normal(0, math.sqrt(icc), (sessions, 1)) + draw.normal(
            0, math.sqrt(between), (1, raters)
        )
        table = table + draw.normal(0, math.sqrt(max(0.0, 1 - icc - between)), (sessions, raters))
        found = incomplete_icc(np.where(met, table, np.nan))
        if found is not None and found.low is not None and found.high is not None:
            widths.append(found.high - found.low)
    return float(np.median(widths)) if widths else None


def expected_width(form: str, units: int, each: int) -> str:
    """Returns in one line how wide intervals of a study of this size will be, if agreement is moderate."""
    if form == "rating":
        width = width_of_icc(GUESSED, units, each)
        return (
            f"beforehand: if raters agree with an ICC of {GUESSED}, its 95 % interval will be about "
            f"{width:.2f} wide (mirror-bench study plan says what less takes)"
        )
    width = width_of_rate(0.6, units, each, GUESSED)
    return (
        f"beforehand: the 95 % interval of a win rate of 0.60 will be about {width:.2f} wide over all "
        f"pairs, if answers to one pair agree with an ICC of {GUESSED} (mirror-bench study plan says what "
        "less takes)"
    )
