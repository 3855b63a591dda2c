"""What flow instruments come to: per dimension the shares of best practice and harm, and a score over all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mirror_bench.analysis.candidate_scores import score_of
from mirror_bench.analysis.metrics import FormOf
from mirror_bench.analysis.session_outcomes import CandidateKey, SessionOutcome
from mirror_bench.raters.flows import BEST, HARM, FlowInstrument, overall, part_name
from mirror_bench.schema import FaceCondition, Record, Score
from mirror_bench.stats.intervals import Interval
from mirror_bench.stats.jackknife import by_units, cluster_codes, jackknife_interval
from mirror_bench.stats.rates import cluster_share


class FlowDimension(Record):
    """The shares of best practice and of harm on one dimension of a flow instrument, or on all together.

    Attributes:
        title: The dimension's own name; "All dimensions" for all.
        best: Share of the ratings to which it applies that are best practice; `n` counts them.
        harm: Share with a high potential for harm.
        score: 0 to 100 out of the two (`raters.flows.overall`).
        spared: Ratings to which it does not apply.
    """

    title: str
    best: Score
    harm: Score
    score: Score
    spared: int = 0


class FlowResult(Record):
    """A flow instrument by one rater, for one candidate under one face condition."""

    therapist: str
    method: str = ""
    condition: FaceCondition
    instrument: str
    title: str
    rater: str
    dimensions: tuple[FlowDimension, ...]
    together: FlowDimension


class _Unit(NamedTuple):
    """The level of one dimension in one session; None where it does not apply."""

    level: float | None
    profile: str


def measure_flows(
    groups: Mapping[CandidateKey, Sequence[SessionOutcome]], form_of: FormOf
) -> Iterator[FlowResult]:
    """Yields a result per candidate, face condition, flow instrument and rater that went through it."""
    for key, outcomes in groups.items():
        met = dict.fromkeys(pair for outcome in outcomes for pair in outcome.by_rater)
        for rater, name in met:
            form = form_of(name)
            if isinstance(form, FlowInstrument):
                rated = [outcome for outcome in outcomes if (rater, name) in outcome.by_rater]
                yield _result(key, rater, form, rated)


def _result(
    key: CandidateKey, rater: str, form: FlowInstrument, outcomes: Sequence[SessionOutcome]
) -> FlowResult:
    by_dimension: dict[str, list[_Unit]] = {}
    for dimension in form.dimensions:
        metric = f"{form.name}.{part_name(dimension)}"
        made = [(outcome.by_rater[rater, form.name], outcome.profile_id) for outcome in outcomes]
        # A part that is missing has no value; one that does not apply is not there.
        by_dimension[dimension] = [
            _Unit(values.get(metric), profile)
            for values, profile in made
            if metric not in values or values[metric] is not None
        ]
    everything = [unit for units in by_dimension.values() for unit in units]
    return FlowResult(
        therapist=key.therapist,
        method=key.method,
        condition=key.condition,
        instrument=form.name,
        title=form.title,
        rater=rater,
        dimensions=tuple(_dimension(name, units) for name, units in by_dimension.items()),
        together=_dimension("All dimensions", everything),
    )


def _dimension(title: str, units: Iterable[_Unit]) -> FlowDimension:
    given = list(units)
    known = [(unit.level, unit.profile) for unit in given if unit.level is not None]
    levels, profiles = [int(level) for level, _ in known], [profile for _, profile in known]
    return FlowDimension(
        title=title,
        best=score_of(
            "best", cluster_share([float(level == BEST) for level in levels], profiles), len(known)
        ),
        harm=score_of(
            "harm", cluster_share([float(level == HARM) for level in levels], profiles), len(known)
        ),
        score=score_of("score", _score(levels, profiles), len(known)),
        spared=len(given) - len(known),
    )


def _score(levels: Sequence[int], profiles: Sequence[str]) -> Interval | None:
    codes = cluster_codes(profiles)
    statistic = by_units(
        lambda left: overall([levels[place] for place in left]) / 100 if len(left) else None, codes
    )
    interval = (
        jackknife_interval(statistic, len(set(profiles)), len(levels), scale="share") if levels else None
    )
    if interval is None:
        return None
    ends = (None if end is None else 100 * end for end in (interval.low, interval.high))
    low, high = ends
    return interval._replace(value=100 * interval.value, low=low, high=high)
