"""Simulated sessions on the benchmark's own designs: profiles with two seeds each, bounded scores."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from mirror_bench.analysis.session_outcomes import CandidateKey, SessionOutcome
from mirror_bench.schema import Ending, FaceCondition, Resistance, SessionKey

Floats = npt.NDArray[np.float64]
Rng = np.random.Generator
SEEDS = 2
BETWEEN, WITHIN = 0.25, 0.54
"""Scatter of paired differences between and within profiles, as in the committed entries (CTRS)."""
TOP = 6.0


def _plain(rng: Rng, profiles: int) -> Floats:
    return _clustered(rng, profiles, 3.0, 0.4, 0.5)


def _ceiling(rng: Rng, profiles: int) -> Floats:
    return np.minimum(TOP, _clustered(rng, profiles, 5.3, 0.6, 0.6))


def _hard_ceiling(rng: Rng, profiles: int) -> Floats:
    return np.minimum(TOP, _clustered(rng, profiles, 6.4, 0.6, 0.6))


def _floor(rng: Rng, profiles: int) -> Floats:
    return TOP - _hard_ceiling(rng, profiles)


def _skew(rng: Rng, profiles: int) -> Floats:
    found: Floats = np.exp(_clustered(rng, profiles, 0.0, 0.5, 0.5))
    return found


DESIGNS: dict[str, Callable[[Rng, int], Floats]] = {
    "plain": _plain,
    "ceiling": _ceiling,
    "hard ceiling": _hard_ceiling,
    "floor": _floor,
    "skew": _skew,
}
"""Name -> a function that returns (profiles, SEEDS) scores."""


@cache
def truth(design: str) -> float:
    """Returns the mean of a design."""
    return float(DESIGNS[design](np.random.default_rng(1), 1_000_000).mean())


def names_of(profiles: int, each: int = SEEDS) -> list[int]:
    """Returns the profile of each session, in the order of raveled scores."""
    return [profile for profile in range(profiles) for _ in range(each)]


def differences(rng: Rng, profiles: int, shift: float = 0.0, each: int = SEEDS) -> Floats:
    """Returns (profiles, each) paired differences of two candidates, `shift` apart."""
    return _clustered(rng, profiles, shift, BETWEEN, WITHIN, each)


def models(rng: Rng, profiles: int, skills: list[float]) -> Floats:
    """Returns (models, profiles, SEEDS) scores of several models on the same scenarios."""
    level = _clustered(rng, profiles, 3.0, 0.6, 0.4)
    scatter = np.array([differences(rng, profiles, skill) for skill in skills]) / math.sqrt(2)
    mean = np.array(skills)[:, None, None]
    found: Floats = np.clip(level + mean + (scatter - mean / math.sqrt(2)), 0.0, TOP)
    return found


def events(rng: Rng, profiles: int, share: float, alike: float, each: int = SEEDS) -> Floats:
    """Returns (profiles, each) events of 0 or 1 with an intraclass correlation."""
    if alike == 0:
        chance = np.full((profiles, 1), share)
    elif alike == 1:
        chance = (rng.random((profiles, 1)) < share).astype(np.float64)
    else:
        spread = (1 - alike) / alike
        chance = rng.beta(share * spread, (1 - share) * spread, (profiles, 1))
    return (rng.random((profiles, each)) < chance).astype(np.float64)


def outcomes(
    scores: Floats,
    name: str = "m",
    metric: str = "ctrs.total",
    condition: FaceCondition = FaceCondition.MATCHED,
) -> list[SessionOutcome]:
    """Returns (profiles, seeds) scores as sessions of a run; NaN as a session without that score."""
    return [
        SessionOutcome(
            key=CandidateKey(name, "", condition),
            session_key=SessionKey(name, "", f"p{profile}:{seed}"),
            pair=f"p{profile}:{seed}",
            profile_id=f"p{profile}",
            resistance=Resistance.NONE,
            client="c",
            ended=Ending.TURN_LIMIT,
            scores={} if math.isnan(score) else {metric: float(score)},
        )
        for (profile, seed), score in np.ndenumerate(scores)
    ]


def _clustered(
    rng: Rng, profiles: int, mean: float, between: float, within: float, each: int = SEEDS
) -> Floats:
    own: Floats = rng.normal(mean, between, (profiles, 1)) + rng.normal(0.0, within, (profiles, each))
    return own
