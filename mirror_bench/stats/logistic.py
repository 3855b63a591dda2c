"""Logistic regression of a group on standardised predictors: what each tells with the others held fixed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mirror_bench.stats.intervals import Floats, Interval
from mirror_bench.stats.intraclass import varies

_LARGEST = 30.0
"""A log odds ratio per standard deviation beyond this is the sign of separation, not a size."""


class Partial(NamedTuple):
    """The effect of one predictor in a logistic regression, the others held fixed.

    Attributes:
        coefficient: Log odds ratio per standard deviation of the predictor, Wald interval.
        p: Chance of so much better a fit by a predictor without any effect (likelihood ratio test).
    """

    coefficient: Interval
    p: float


class Logistic(NamedTuple):
    """A fitted logistic regression: an effect for each predictor, or why there is no fit.

    Attributes:
        partials: Predictor -> what it tells; empty where there is a reason.
        reason: Why there is no fit.
    """

    partials: dict[str, Partial]
    reason: str = ""


def logistic(
    predictors: Mapping[str, Sequence[float]], high: Sequence[bool], level: float = 0.95
) -> Logistic:
    """Regresses membership of the higher group on predictors, each scaled to mean 0 and variance 1.

    Args:
        predictors: Name -> n values.
        high: n memberships.
        level: Coverage aimed at, in (0, 1).

    Returns:
        The fit; a reason in its place where the predictors part the groups completely (the likelihood then
        has no maximum), do not vary, or fewer than ten cases are left for each.
    """
    from scipy.stats import chi2, norm

    outcome = np.asarray(high, dtype=np.float64)
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in predictors.items()}
    if len(outcome) < 10 * len(columns):
        return Logistic({}, "fewer than ten cases for each predictor")
    if not varies(outcome) or not all(varies(column) for column in columns.values()):
        return Logistic({}, "a predictor or the group does not vary")
    scaled = {name: (column - column.mean()) / column.std() for name, column in columns.items()}
    full = _fit(list(scaled.values()), outcome)
    if full is None:
        return Logistic(
            {}, "the predictors part the groups (almost) completely, so that no coefficient is finite"
        )
    coefficients, errors, likelihood = full
    z = float(norm.ppf((1 + level) / 2))
    partials = {}
    for place, name in enumerate(scaled):
        rest = _fit([column for other, column in scaled.items() if other != name], outcome)
        gain = 2 * (likelihood - rest[2]) if rest else math.nan
        value, error = coefficients[place + 1], errors[place + 1]
        interval = Interval(value, value - z * error, value + z * error, len(outcome), len(outcome))
        partials[name] = Partial(interval, float(chi2.sf(max(0.0, gain), 1)))
    return Logistic(partials)


def _fit(columns: Sequence[Floats], outcome: Floats) -> tuple[list[float], list[float], float] | None:
    """Returns coefficients, standard errors and log likelihood; None where there is no finite maximum."""
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    design = np.column_stack([np.ones(len(outcome)), *columns])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = Logit(outcome, design).fit(disp=0, maxiter=200)
        except (PerfectSeparationError, np.linalg.LinAlgError):
            return None
    found = [float(value) for value in fit.params], [float(value) for value in fit.bse], float(fit.llf)
    if not fit.mle_retvals["converged"] or not np.isfinite([*found[0], *found[1]]).all():
        return None
    return None if max(map(abs, found[0])) > _LARGEST else found
