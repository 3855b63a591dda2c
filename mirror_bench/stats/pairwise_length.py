"""Win rates with the lengths of what was compared taken out."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

_WIDEST = 15.0
"""A coefficient past this means that length or candidate tells wins from losses without exception."""


class ControlledWinRate(NamedTuple):
    """How often the first wins where both say as much.

    Attributes:
        value: The win rate at equal length, ties counting half, in [0, 1]; None where it cannot be told.
        low: Lower end of its interval.
        high: Upper end.
        slope: Change of the log odds of winning per unit of log(first's tokens / second's tokens).
        slope_low: Lower end of its interval.
        slope_high: Upper end.
        n: Comparisons.
        reason: Why there is no value.
    """

    value: float | None
    low: float | None
    high: float | None
    slope: float | None
    slope_low: float | None
    slope_high: float | None
    n: int
    reason: str = ""


def controlled_win_rate(
    outcomes: Sequence[float],
    log_ratios: Sequence[float],
    clusters: Sequence[Hashable],
    level: float = 0.95,
) -> ControlledWinRate:
    """Fits log odds of winning = candidate + slope x log ratio of tokens, and reads it at equal length.

    A generalised linear model of the binomial family with cluster-robust errors, after the length-controlled
    win rates of Dubois et al. (2024, "Length-controlled AlpacaEval").

    Args:
        outcomes: n outcomes of the first: 1, 0 or 0.5 for a tie.
        log_ratios: n logarithms of the first's therapist tokens over the second's.
        clusters: n cluster names.
        level: Coverage aimed at, in (0, 1).
    """
    import statsmodels.api as sm
    from scipy import stats

    n = len(outcomes)
    names = {name: code for code, name in enumerate(dict.fromkeys(clusters))}
    lengths = np.asarray(log_ratios, dtype=np.float64)
    won = np.asarray(outcomes, dtype=np.float64)
    if n < 10 or len(names) < 3:
        return _nothing(n, "fewer than ten comparisons or three clusters")
    if won.min() == won.max():
        return _nothing(n, "every comparison ends alike")
    if np.ptp(lengths) < 1e-9:
        return _nothing(n, "the lengths do not vary")
    codes = np.array([names[name] for name in clusters])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = sm.GLM(won, sm.add_constant(lengths, has_constant="add"), family=sm.families.Binomial())
        fit = model.fit(cov_type="cluster", cov_kwds={"groups": codes})
    if not np.isfinite(fit.params).all() or np.abs(fit.params).max() > _WIDEST:
        return _nothing(n, "length alone tells wins from losses")
    edge = float(stats.t.ppf((1 + level) / 2, len(names) - 1))
    (start, slope), (start_error, slope_error) = fit.params, fit.bse
    value, low, high = (_share(start + sign * edge * start_error) for sign in (0, -1, 1))
    slope_low, slope_high = (float(slope + sign * edge * slope_error) for sign in (-1, 1))
    return ControlledWinRate(value, low, high, float(slope), slope_low, slope_high, n)


def _share(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))


def _nothing(n: int, reason: str) -> ControlledWinRate:
    return ControlledWinRate(None, None, None, None, None, None, n, reason)
