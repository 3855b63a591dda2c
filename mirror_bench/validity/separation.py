"""How far scores part transcripts of high quality from those of low quality, and what length does to that."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mirror_bench.errors import EngineError, InputError
from mirror_bench.raters.base import Rater
from mirror_bench.raters.instruments import Instrument, instrument_scores, load_instrument
from mirror_bench.schema import Profile
from mirror_bench.stats.auc import RocPoint, auc_interval, match_pairs, roc_points
from mirror_bench.stats.intervals import Floats, Interval
from mirror_bench.stats.jackknife import jackknife_interval
from mirror_bench.stats.length import length_correlation
from mirror_bench.stats.logistic import Logistic, logistic
from mirror_bench.stats.rates import cluster_share
from mirror_bench.validity.annomi import ExpertTranscript

INSTRUMENTS = ("ctrs", "wai")
TOTAL = "total"
"""The combined total: the mean of the instruments' totals, each scaled to 0..1 over its answers."""
CALIPER = 0.2
"""Standard deviations of log tokens within which lengths count as equal (Austin 2011 for matching)."""


class Rated(NamedTuple):
    """A transcript of known quality with its scores.

    Attributes:
        name: The transcript's name.
        high: Whether it is of high quality.
        tokens: How many words the therapist says.
        scores: Metric -> score; a missing one is left out. `TOTAL` is there where both totals are.
    """

    name: str
    high: bool
    tokens: int
    scores: Mapping[str, float]


class Separation(NamedTuple):
    """How well one metric parts good from poor transcripts, as an AUC.

    Attributes:
        metric: Its name.
        auc: Chance that a high transcript scores above a low one.
        with_length: Spearman's correlation with log therapist tokens; None where it does not vary.
    """

    metric: str
    auc: Interval
    with_length: Interval | None


class EqualLength(NamedTuple):
    """How well one metric parts good from poor transcripts of like length.

    Attributes:
        metric: Its name.
        matched: Share of the matched pairs that the high one wins; None without a pair.
        pairs: How many pairs of one high and one low transcript were matched, each transcript once.
        near: Share of *all* pairs within the caliper that the high one wins, with an interval over
            transcripts; None without any.
        near_pairs: How many pairs those are.
    """

    metric: str
    matched: Interval | None
    pairs: int
    near: Interval | None
    near_pairs: int


@dataclass(frozen=True)
class KnownGroups:
    """How well a rater's metrics part good from poor transcripts, over all and at equal length.

    Attributes:
        rater: The rater's name.
        high: Transcripts of high quality that have a total.
        low: Those of low quality.
        unrated: Transcripts without a total.
        caliper: The largest difference of log tokens inside a pair.
        length: AUC of the therapist's tokens alone: what length would tell without any score.
        totals: The combined total and each instrument's.
        parts: Subscales and items.
        equal_length: The totals at equal length.
        partial: Totals -> regression of quality on the total and log tokens.
        roc: Totals -> ROC curve.
    """

    rater: str
    high: int
    low: int
    unrated: int
    caliper: float
    length: Interval
    totals: tuple[Separation, ...]
    parts: tuple[Separation, ...]
    equal_length: tuple[EqualLength, ...]
    partial: Mapping[str, Logistic]
    roc: Mapping[str, tuple[RocPoint, ...]]


async def rate_transcripts(
    transcripts: Sequence[ExpertTranscript], rater: Rater, concurrency: int = 16
) -> tuple[Rated, ...]:
    """Returns every transcript with its scores on the instruments.

    Raises:
        InputError: If the rater's model fails to answer.
    """
    instruments = [load_instrument(name) for name in INSTRUMENTS]
    free = asyncio.Semaphore(concurrency)

    async def rated(transcript: ExpertTranscript) -> Rated:
        session = transcript.session()
        person = Profile(id=session.profile_id, name="Client")
        by_metric: dict[str, float | None] = {}
        async with free:
            for instrument in instruments:
                try:
                    rating = await rater.rate(session, person, instrument)
                except EngineError as error:
                    raise InputError(
                        f"{rater.name} failed on transcript {transcript.name}: {error}; call again"
                    ) from error
                by_metric |= instrument_scores(instrument, rating)
        totals = [_scaled(by_metric[f"{instrument.name}.total"], instrument) for instrument in instruments]
        given = [value for value in totals if value is not None]
        by_metric[TOTAL] = sum(given) / len(given) if len(given) == len(totals) else None
        scores = {name: value for name, value in by_metric.items() if value is not None}
        return Rated(transcript.name, transcript.high, transcript.therapist_tokens, scores)

    return tuple(await asyncio.gather(*map(rated, transcripts)))


def measure_separation(rated: Sequence[Rated], rater: str) -> KnownGroups:
    """Returns how well scores part good from poor transcripts, over all and at equal length.

    Args:
        rated: Transcripts with their scores.
        rater: The rater's name.

    Raises:
        InputError: If one of the groups has no transcript with a total.
    """
    whole = [session for session in rated if TOTAL in session.scores and session.tokens > 0]
    high, low = ([session for session in whole if session.high is side] for side in (True, False))
    if not high or not low:
        raise InputError(f"{rater} gave no total to any transcript of {'low' if high else 'high'} quality")
    caliper = CALIPER * float(np.std([math.log(session.tokens) for session in whole]))
    totals = (TOTAL, *(f"{name}.total" for name in INSTRUMENTS))
    parts = [
        name for name in dict.fromkeys(n for session in whole for n in session.scores) if name not in totals
    ]
    separations = [_separation(name, whole) for name in (*totals, *parts)]
    known = [separation for separation in separations if separation is not None]
    return KnownGroups(
        rater=rater,
        high=len(high),
        low=len(low),
        unrated=len(rated) - len(whole),
        caliper=caliper,
        length=auc_interval([session.tokens for session in high], [session.tokens for session in low]),
        totals=tuple(separation for separation in known if separation.metric in totals),
        parts=tuple(separation for separation in known if separation.metric not in totals),
        equal_length=tuple(_at_equal_length(name, high, low, caliper) for name in totals),
        partial={name: _partial(name, whole) for name in totals},
        roc={name: roc_points(_values(name, high), _values(name, low)) for name in totals},
    )


def _scaled(score: float | None, instrument: Instrument) -> float | None:
    low, high = instrument.scale.min, instrument.scale.max
    return None if score is None else (score - low) / (high - low)


def _values(metric: str, rated: Sequence[Rated]) -> list[float]:
    return [session.scores[metric] for session in rated if metric in session.scores]


def _logs(rated: Sequence[Rated]) -> list[float]:
    return [math.log(session.tokens) for session in rated]


def _separation(metric: str, rated: Sequence[Rated]) -> Separation | None:
    having = [session for session in rated if metric in session.scores]
    high, low = (
        _values(metric, [session for session in having if session.high is side]) for side in (True, False)
    )
    if not high or not low:
        return None
    names = [session.name for session in having]
    with_length = length_correlation(_values(metric, having), _logs(having), names)
    return Separation(metric, auc_interval(high, low), with_length)


def _at_equal_length(metric: str, high: Sequence[Rated], low: Sequence[Rated], caliper: float) -> EqualLength:
    above, below = np.array(_values(metric, high)), np.array(_values(metric, low))
    wins = (above[:, None] > below) + 0.5 * (above[:, None] == below)
    pairs = match_pairs(_logs(high), _logs(low), caliper)
    near = (np.abs(np.subtract.outer(_logs(high), _logs(low))) <= caliper).astype(np.float64)

    def share(weights: Floats) -> Floats:
        ours, theirs = weights[:, : len(high)], weights[:, len(high) :]
        with np.errstate(invalid="ignore"):
            shares: Floats = (ours @ (wins * near) * theirs).sum(1) / (ours @ near * theirs).sum(1)
        return shares

    return EqualLength(
        metric,
        cluster_share([float(wins[pair]) for pair in pairs], range(len(pairs))),
        len(pairs),
        jackknife_interval(share, len(high) + len(low), int(near.sum()), scale="share"),
        int(near.sum()),
    )


def _partial(metric: str, rated: Sequence[Rated]) -> Logistic:
    having = [session for session in rated if metric in session.scores]
    predictors = {"score": _values(metric, having), "log tokens": _logs(having)}
    return logistic(predictors, [session.high for session in having])
