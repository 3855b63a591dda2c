"""How far the raters of a run agree, and how far one rater's items say the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mirror_bench.analysis.candidate_scores import score_of
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.session_outcomes import SessionOutcome
from mirror_bench.raters.names import single
from mirror_bench.schema import Record, Score
from mirror_bench.stats.agreement import (
    cronbach_alpha,
    icc,
    kendall_tau,
    krippendorff_alpha,
    mean_inter_item_r,
)


class RaterAgreement(Record):
    """How far raters agree on one metric of one candidate, over all face conditions.

    Attributes:
        raters: Who rated, in the order of their names.
        sessions: Sessions that two or more of them rated.
        icc: ICC(2,1), absolute agreement, over sessions that all rated.
        alpha: Krippendorff's alpha, interval level.
        tau: Kendall's tau-b, mean over pairs of raters.
    """

    therapist: str
    method: str = ""
    metric: str
    raters: tuple[str, ...]
    sessions: int
    icc: Score
    alpha: Score
    tau: Score


class Halo(Record):
    """How far the items of one instrument say the same, as one rater filled it in for one candidate.

    Attributes:
        items: Items that the rater answered at all.
        sessions: Sessions with an answer to every one of them.
        inter_item_r: Mean correlation between items; near 1, one impression colours all.
        alpha: Cronbach's alpha.
    """

    therapist: str
    method: str = ""
    instrument: str
    rater: str
    items: int
    sessions: int
    inter_item_r: Score
    alpha: Score


class _Candidate(NamedTuple):
    therapist: str
    method: str


def measure_agreement(
    outcomes: Iterable[SessionOutcome], metrics: Sequence[Metric]
) -> tuple[RaterAgreement, ...]:
    """Returns the agreement on every total and item that two or more raters rated, per candidate."""
    found = []
    for candidate, own in _candidates(outcomes):
        for metric in metrics:
            if metric.kind not in {"total", "item"}:
                continue
            given = [(_by_rater(outcome, metric), outcome.profile_id) for outcome in own]
            raters = single(rater for values, _ in given for rater in values)
            if len(raters) < 2:
                continue
            rows = [([values.get(rater) for rater in raters], profile) for values, profile in given]
            rows = [(row, name) for row, name in rows if sum(value is not None for value in row) >= 2]
            if rows:
                found.append(_agreement(candidate, metric.name, raters, rows))
    return tuple(found)


def measure_halo(outcomes: Iterable[SessionOutcome], metrics: Sequence[Metric]) -> tuple[Halo, ...]:
    """Returns the halo of every instrument and rater, per candidate."""
    found = []
    for candidate, own in _candidates(outcomes):
        for instrument, rater in sorted({(name, rater) for o in own for rater, name in o.by_rater}):
            names = [m.name for m in metrics if m.instrument == instrument and m.kind == "item"]
            given = [
                (o.by_rater[rater, instrument], o.profile_id)
                for o in own
                if (rater, instrument) in o.by_rater
            ]
            answered = [name for name in names if any(scores.get(name) is not None for scores, _ in given)]
            rows = [([scores.get(name) for name in answered], profile) for scores, profile in given]
            rows = [(row, profile) for row, profile in rows if None not in row]
            if len(answered) > 1:
                found.append(_halo(candidate, instrument, rater, len(answered), rows))
    return tuple(found)


def _agreement(
    candidate: _Candidate, metric: str, raters: Sequence[str], rows: Sequence[tuple[list[float | None], str]]
) -> RaterAgreement:
    table, profiles = [row for row, _ in rows], [profile for _, profile in rows]
    return RaterAgreement(
        **candidate._asdict(),
        metric=metric,
        raters=tuple(raters),
        sessions=len(rows),
        icc=score_of(metric, icc(table, profiles), len(rows)),
        alpha=score_of(metric, krippendorff_alpha(table, profiles), len(rows)),
        tau=score_of(metric, kendall_tau(table, profiles), len(rows)),
    )


def _halo(
    candidate: _Candidate,
    instrument: str,
    rater: str,
    items: int,
    rows: Sequence[tuple[list[float | None], str]],
) -> Halo:
    table, profiles = [row for row, _ in rows], [profile for _, profile in rows]
    due = max(1, len(rows))
    return Halo(
        **candidate._asdict(),
        instrument=instrument,
        rater=rater,
        items=items,
        sessions=len(rows),
        inter_item_r=score_of(f"{instrument}.items", mean_inter_item_r(table, profiles), due),
        alpha=score_of(f"{instrument}.items", cronbach_alpha(table, profiles), due),
    )


def _candidates(outcomes: Iterable[SessionOutcome]) -> list[tuple[_Candidate, list[SessionOutcome]]]:
    groups: dict[_Candidate, list[SessionOutcome]] = {}
    # In an order of their own, so that neither sums nor clusters depend on that of the records.
    for outcome in sorted(outcomes, key=lambda outcome: outcome.session_key):
        groups.setdefault(_Candidate(outcome.key.therapist, outcome.key.method), []).append(outcome)
    return sorted(groups.items())


def _by_rater(outcome: SessionOutcome, metric: Metric) -> dict[str, float]:
    found = ((rater, scores.get(metric.name)) for (rater, _), scores in outcome.by_rater.items())
    return {rater: value for rater, value in found if value is not None}
