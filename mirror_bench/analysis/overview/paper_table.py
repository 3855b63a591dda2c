"""The table of Kim et al. (2025): skills and alliance by resistance type, and who is preferred."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Literal

from mirror_bench.analysis.candidate_scores import CandidateScores, ExpectedSessions, score_of, within_scale
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.run_summary import gather_run, summarize_runs
from mirror_bench.analysis.session_outcomes import SessionOutcome
from mirror_bench.protocol import SAFETY
from mirror_bench.raters.preferences import POINTS, Preference
from mirror_bench.schema import Ending, Record, Resistance, Score
from mirror_bench.sessions.run_data import scenarios_of_run
from mirror_bench.sessions.run_header import read_header
from mirror_bench.stats.intervals import cluster_mean
from mirror_bench.stats.rates import cluster_share

ALL = "all"
"""Stands for every resistance type together."""
WITHOUT_STRATEGY = Metric(
    name="ctrs.without_strategy",
    title="CTRS without Strategy",
    instrument="ctrs",
    kind="total",
    low=0,
    high=6,
    better="higher",
)
"""The five items that the paper reports: it left Strategy out, whose score followed the length of replies."""
_ITEMS = ("understanding", "interpersonal", "collaboration", "guided_discovery", "focus", "strategy")
_STRATEGY = "ctrs.strategy"
_LAST = ("dropout", "turns")


class TableRow(Record):
    """One candidate under one resistance type.

    Attributes:
        resistance: The type, or `ALL`.
        sessions: Sessions due, of which `held` did not fail.
        scores: One per column of the table, in their order.
    """

    therapist: str
    method: str = ""
    resistance: str
    sessions: int
    held: int
    scores: tuple[Score, ...]

    @property
    def name(self) -> str:
        """Therapist and method."""
        return " ".join(filter(None, (self.therapist, self.method)))


class PreferenceRow(Record):
    """Two candidates compared on the sessions of one resistance type; ties count half.

    Attributes:
        resistance: The type, or `ALL`.
        missing: Sessions without a verdict.
        win_rate: The first's.
    """

    first: str
    second: str
    resistance: str
    wins: int
    ties: int
    losses: int
    missing: int
    win_rate: Score


class PaperTable(Record):
    """The paper's table for one set of candidates: `paper.json`.

    Attributes:
        client: Who played the client, and `raters` who rated; `compared_by` is who preferred.
        columns: What the scores of each row are.
        preferences: Every two candidates, by resistance type.
    """

    version: Literal[1] = 1
    protocol: str
    fingerprint: str
    data: str
    client: str
    raters: tuple[str, ...]
    compared_by: str = ""
    columns: tuple[Metric, ...]
    rows: tuple[TableRow, ...]
    preferences: tuple[PreferenceRow, ...] = ()


def paper_table(
    folders: Sequence[Path], preferences: Sequence[Preference] = (), compared_by: str = ""
) -> PaperTable:
    """Returns the table of runs under one protocol.

    Args:
        folders: A run per candidate, in the order to show.
        preferences: Of one judge, between any of them.
        compared_by: Who that is.

    Raises:
        InputError: If a folder is no run folder, or their protocols differ.
    """
    summary = summarize_runs(folders)
    columns = tuple(_columns(summary.metrics))
    header = read_header(folders[0])
    rows: list[TableRow] = []
    for folder in folders:
        own = read_header(folder)
        due = ExpectedSessions.of(scenarios_of_run(folder, own))
        outcomes = gather_run(folder).outcomes
        key = (own.candidate.therapist, own.candidate.method)
        entry = next(candidate for candidate in summary.entries if candidate.key[:2] == key)
        rows += _rows(entry, outcomes, due, columns)
    return PaperTable(
        protocol=header.protocol.name,
        fingerprint=header.fingerprint,
        data=header.protocol.data,
        client=", ".join(dict.fromkeys(entry.client for entry in summary.entries if entry.client)),
        raters=tuple(dict.fromkeys(name for entry in summary.entries for name in entry.raters)),
        compared_by=compared_by,
        columns=columns,
        rows=tuple(rows),
        preferences=tuple(_preferences(preferences)),
    )


def _columns(metrics: Sequence[Metric]) -> Iterator[Metric]:
    """Yields each instrument's subscales, then its total, then what is told of sessions."""
    kept = [
        metric for metric in metrics if metric.kind in {"total", "subscale"} and metric.instrument != SAFETY
    ]
    for instrument in dict.fromkeys(metric.instrument for metric in kept):
        own = [metric for metric in kept if metric.instrument == instrument]
        yield from (metric for metric in own if metric.kind == "subscale")
        if any(metric.name == _STRATEGY for metric in metrics) and instrument == "ctrs":
            yield WITHOUT_STRATEGY
        yield from (metric for metric in own if metric.kind == "total")
    yield from (metric for metric in metrics if metric.name in _LAST)


def _rows(
    entry: CandidateScores,
    outcomes: Sequence[SessionOutcome],
    due: ExpectedSessions,
    columns: Sequence[Metric],
) -> Iterator[TableRow]:
    for resistance in (*Resistance, None):
        owed = due.sessions(entry.condition, resistance)
        part = [outcome for outcome in outcomes if resistance in (None, outcome.resistance)]
        sessions = len(part) if owed is None else owed
        if not sessions:
            continue
        yield TableRow(
            therapist=entry.therapist,
            method=entry.method,
            resistance=ALL if resistance is None else resistance.value,
            sessions=sessions,
            held=sum(outcome.ended is not Ending.FAILED for outcome in part),
            scores=tuple(
                _without_strategy(part, sessions)
                if metric is WITHOUT_STRATEGY
                else entry.score(metric.name, resistance) or score_of(metric.name, None, sessions)
                for metric in columns
            ),
        )


def _without_strategy(outcomes: Sequence[SessionOutcome], due: int) -> Score:
    """Returns the mean of the five items; a session that lacks one of them has no value."""
    means = []
    for outcome in outcomes:
        items = {
            name: value
            for name, value in outcome.scores.items()
            if name.startswith("ctrs.") and name.removeprefix("ctrs.") in _ITEMS and name != _STRATEGY
        }
        if len(items) == len(_ITEMS) - 1:
            means.append((fmean(items.values()), outcome.profile_id))
    interval = cluster_mean([value for value, _ in means], [person for _, person in means])
    return score_of(
        WITHOUT_STRATEGY.name, None if interval is None else within_scale(interval, WITHOUT_STRATEGY), due
    )


def _preferences(preferences: Sequence[Preference]) -> Iterator[PreferenceRow]:
    for first, second in dict.fromkeys((preference.first, preference.second) for preference in preferences):
        ours = [
            preference
            for preference in preferences
            if (preference.first, preference.second) == (first, second)
        ]
        types = {preference.pair: preference.pair.rsplit(":", 2)[1] for preference in ours}
        for resistance in (*(kind.value for kind in Resistance), ALL):
            part = [preference for preference in ours if resistance in (ALL, types[preference.pair])]
            if not part:
                continue
            points = [
                (POINTS[str(preference.better)], preference.profile_id)
                for preference in part
                if preference.better is not None
            ]
            told = [point for point, _ in points]
            yield PreferenceRow(
                first=first,
                second=second,
                resistance=resistance,
                wins=told.count(1.0),
                ties=told.count(0.5),
                losses=told.count(0.0),
                missing=len(part) - len(told),
                win_rate=score_of(
                    "win_rate", cluster_share(told, [person for _, person in points]), len(part)
                ),
            )
