"""One candidate under one face condition: its scores, endings, trajectories and coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.session_outcomes import CandidateKey, SessionOutcome, failures
from mirror_bench.errors import InputError
from mirror_bench.schema import Ending, FaceCondition, Record, Resistance, Scenario, Score
from mirror_bench.stats.intervals import Interval, cluster_mean
from mirror_bench.stats.rates import cluster_share

DIGITS = 6  # Beyond this, figures differ between machines' linear algebra.


class SessionCoverage(Record):
    """How many of the sessions due were held, failed, are missing or were rated.

    Attributes:
        due: Sessions that the run owes for this candidate and face condition.
        held: Sessions held to an end of any kind but failure.
        failed: Sessions that failed, retries included.
        missing: Sessions due of which there is no record.
        rated: Instrument -> held sessions with a total of it (any value, where it has no total).
        failures: Why sessions failed -> how many.
    """

    due: int
    held: int
    failed: int
    missing: int
    rated: Mapping[str, int] = {}
    failures: Mapping[str, int] = {}

    @property
    def complete(self) -> bool:
        """Whether every session due was held and rated with every instrument."""
        return self.held == self.due and all(count == self.due for count in self.rated.values())


class TrajectoryPoint(Record):
    """A state at one client turn, over all sessions; one that is over keeps its last value.

    Attributes:
        turn: Client turn, from 1.
        value: Mean, in [0, 1].
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
        running: Share of the sessions that were not yet over.
    """

    turn: int
    value: float
    low: float | None = None
    high: float | None = None
    running: float = 1.0


class CandidateScores(Record):
    """All scores of one candidate under one face condition, with endings, state trajectories and coverage.

    Attributes:
        therapist: The model's name.
        method: How it was prompted; empty for scripted therapists.
        client: Who simulated the client.
        raters: Who rated.
        scores: Instrument and session metrics, overall.
        by_resistance: The same, per resistance type.
        endings: Why sessions ended -> how many, failures left out.
        trajectories: "resistance" and "alliance" over client turns, where the client logs its state.
    """

    therapist: str
    method: str = ""
    condition: FaceCondition
    client: str = ""
    raters: tuple[str, ...] = ()
    coverage: SessionCoverage
    scores: tuple[Score, ...] = ()
    by_resistance: Mapping[Resistance, tuple[Score, ...]] = {}
    endings: Mapping[Ending, int] = {}
    trajectories: Mapping[str, tuple[TrajectoryPoint, ...]] = {}

    @property
    def key(self) -> CandidateKey:
        """Therapist, method and face condition: what tells entries of one summary apart."""
        return CandidateKey(self.therapist, self.method, self.condition)

    def score(self, metric: str, resistance: Resistance | None = None) -> Score | None:
        """Returns the score of a metric, overall or of one resistance type, or None."""
        scores = self.scores if resistance is None else self.by_resistance.get(resistance, ())
        return next((score for score in scores if score.metric == metric), None)


@dataclass(frozen=True)
class ExpectedSessions:
    """How many sessions a run owes, by face condition and resistance type where these are known.

    Attributes:
        each: Per candidate and face condition, where the scenarios are not known.
        counts: (face condition, resistance) -> scenarios, where they are.
    """

    each: int | None
    counts: Mapping[tuple[FaceCondition, Resistance], int]

    @classmethod
    def of(cls, due: int | Iterable[Scenario]) -> ExpectedSessions:
        """Counts what is due; what was added for safety alone owes no score."""
        if isinstance(due, int):
            return cls(due, {})
        return cls(None, Counter((one.condition, one.resistance) for one in due if not one.only_safety))

    @property
    def conditions(self) -> tuple[FaceCondition, ...]:
        """The face conditions known to be due."""
        return tuple(dict.fromkeys(condition for condition, _ in self.counts))

    def sessions(self, condition: FaceCondition, resistance: Resistance | None = None) -> int | None:
        """Returns the sessions due, or None where only the overall number is known."""
        if self.each is not None:
            return self.each if resistance is None else None
        return sum(
            count
            for (where, how), count in self.counts.items()
            if where is condition and resistance in (None, how)
        )


def make_entry(
    key: CandidateKey, outcomes: Sequence[SessionOutcome], metrics: Sequence[Metric], due: ExpectedSessions
) -> CandidateScores:
    """Returns the entry of one candidate under one face condition.

    Raises:
        InputError: If more sessions are recorded than due.
    """
    owed = due.sessions(key.condition) or 0
    if len(outcomes) > owed:
        raise InputError(
            f"{key.therapist} has {len(outcomes)} sessions with {key.condition} faces where {owed} are due: "
            "sessions of another run are among them"
        )
    by_resistance = {}
    for resistance in Resistance:
        part = [outcome for outcome in outcomes if outcome.resistance is resistance]
        share = due.sessions(key.condition, resistance)
        share = len(part) if share is None else share
        if share:
            by_resistance[resistance] = _scores(part, metrics, share)
    return CandidateScores(
        therapist=key.therapist,
        method=key.method,
        condition=key.condition,
        client=", ".join(sorted({outcome.client for outcome in outcomes})),
        raters=tuple(sorted({rater for outcome in outcomes for rater in outcome.raters})),
        coverage=_coverage(outcomes, metrics, owed),
        scores=_scores(outcomes, metrics, owed),
        by_resistance=by_resistance,
        endings=_endings(outcomes),
        trajectories=_trajectories(outcomes),
    )


def score_of(metric: str, interval: Interval | None, due: int) -> Score:
    """Returns an interval as a score; without an interval, a score of None that counts what is missing."""
    if interval is None:
        return Score(metric=metric, value=None, coverage=0.0 if due > 0 else 1.0)
    return Score(
        metric=metric,
        value=round(interval.value, DIGITS),
        low=_rounded(interval.low),
        high=_rounded(interval.high),
        n=interval.n,
        clusters=interval.clusters,
        coverage=round(interval.n / due, DIGITS),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _scores(outcomes: Sequence[SessionOutcome], metrics: Iterable[Metric], due: int) -> tuple[Score, ...]:
    return tuple(_score(outcomes, metric, due) for metric in metrics)


def _score(outcomes: Sequence[SessionOutcome], metric: Metric, due: int) -> Score:
    name = metric.name
    values = [outcome.value(name) for outcome in outcomes]
    # Who gave a value owed it, so that only the others are asked.
    pairs = zip(outcomes, values, strict=True)
    left = due - sum(value is None and not outcome.owes(name) for outcome, value in pairs)
    interval = _interval(outcomes, values, metric)
    return score_of(name, interval, left if metric.instrument else max(1, left))


def _interval(
    outcomes: Sequence[SessionOutcome], values: Sequence[float | None], metric: Metric
) -> Interval | None:
    pairs = zip(values, outcomes, strict=True)
    kept = [(value, outcome.profile_id) for value, outcome in pairs if value is not None]
    estimate = cluster_share if metric.share or metric.name == "dropout" else cluster_mean
    interval = estimate([value for value, _ in kept], [profile for _, profile in kept])
    return None if interval is None else within_scale(interval, metric)


def within_scale(interval: Interval, metric: Metric) -> Interval:
    """Returns an interval cut at the ends of its scale, past which no mean can lie."""
    low, high = interval.low, interval.high
    if low is not None and metric.low is not None:
        low = max(low, metric.low)
    if high is not None and metric.high is not None:
        high = min(high, metric.high)
    return interval._replace(low=low, high=high)


def _endings(outcomes: Iterable[SessionOutcome]) -> dict[Ending, int]:
    counts = Counter(outcome.ended for outcome in outcomes)
    return {ending: counts[ending] for ending in Ending if ending is not Ending.FAILED and counts[ending]}


def _coverage(outcomes: Sequence[SessionOutcome], metrics: Sequence[Metric], due: int) -> SessionCoverage:
    failed = sum(outcome.ended is Ending.FAILED for outcome in outcomes)
    rated: dict[str, int] = {}
    for instrument in dict.fromkeys(metric.instrument for metric in metrics if metric.instrument):
        own = [metric for metric in metrics if metric.instrument == instrument]
        names = [metric.name for metric in own if metric.kind == "total"] or [metric.name for metric in own]
        rated[instrument] = sum(
            any(name in outcome.scores or outcome.spares(name) for name in names) for outcome in outcomes
        )
    return SessionCoverage(
        due=due,
        held=len(outcomes) - failed,
        failed=failed,
        missing=due - len(outcomes),
        rated=rated,
        failures=failures(outcomes),
    )


def _trajectories(outcomes: Sequence[SessionOutcome]) -> dict[str, tuple[TrajectoryPoint, ...]]:
    return {
        name: points
        for name in ("resistance", "alliance")
        if (points := _trajectory([o for o in outcomes if name in o.traces], name))
    }


def _trajectory(outcomes: Sequence[SessionOutcome], name: str) -> tuple[TrajectoryPoint, ...]:
    profiles = [outcome.profile_id for outcome in outcomes]
    traces = [outcome.traces[name] for outcome in outcomes]
    points = []
    for index in range(max(map(len, traces), default=0)):
        # A client who left keeps its last state: otherwise the curve improves because the worst are gone.
        values = [trace[min(index, len(trace) - 1)] for trace in traces]
        interval = cluster_mean(values, profiles)
        if interval is None:
            break
        points.append(
            TrajectoryPoint(
                turn=index + 1,
                value=round(interval.value, DIGITS),
                low=None if interval.low is None else _rounded(max(0.0, interval.low)),
                high=None if interval.high is None else _rounded(min(1.0, interval.high)),
                running=round(sum(len(trace) > index for trace in traces) / len(traces), DIGITS),
            )
        )
    return tuple(points)
