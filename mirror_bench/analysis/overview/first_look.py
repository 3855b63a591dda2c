"""A row per candidate for a report's first screen, and a sentence: who leads, whom faces help, who fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mirror_bench.analysis.attunement import ATTUNEMENT
from mirror_bench.analysis.candidate_scores import CandidateScores
from mirror_bench.analysis.display_names import candidate_label
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.overview.face_verdict import FaceVerdict
from mirror_bench.analysis.overview.ranking import CandidatePlace, enough_rated, main_entries
from mirror_bench.analysis.safety import Safety
from mirror_bench.analysis.summary import Summary

_MOST_NAMES = 4
"""Names that a sentence lists; of more it says how many."""


class CandidateRow(NamedTuple):
    """One candidate's row on a report's first screen: scores, ranks, safety and face verdict.

    Attributes:
        entry: Its scores with its client's own face, or under its first face condition.
        places: Total -> where it stands; nothing where it has no rank.
        safety: None where nobody rated it.
        face: None where no session was held.
    """

    label: str
    entry: CandidateScores
    places: Mapping[str, CandidatePlace]
    safety: Safety | None
    face: FaceVerdict | None

    @property
    def key(self) -> tuple[str, str]:
        """Therapist and method."""
        return self.entry.key[:2]


def main_metrics(summary: Summary) -> list[Metric]:
    """Returns what the first screen shows bars of: totals, then attunement."""
    return [metric for metric in summary.metrics if metric.kind == "total" or metric.name == ATTUNEMENT]


def candidate_rows(summary: Summary) -> list[CandidateRow]:
    """Returns a row per candidate, the best on the first total first; those without a rank last."""
    main = main_entries(summary.entries)
    labels = candidate_labels(main)
    places: dict[tuple[str, str], dict[str, CandidatePlace]] = {}
    for place in summary.places:
        places.setdefault((place.therapist, place.method), {})[place.metric] = place
    safety = {(safety.therapist, safety.method): safety for safety in summary.safety}
    faces = {(verdict.therapist, verdict.method): verdict for verdict in summary.face_verdicts}
    rows = [
        CandidateRow(labels[key], entry, places.get(key, {}), safety.get(key), faces.get(key))
        for key, entry in main.items()
    ]
    first = _first_total(summary)
    return sorted(rows, key=lambda row: _order(row, first))


def candidate_labels(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Returns a distinct label per candidate (therapist, method)."""
    labels: dict[tuple[str, str], str] = {}
    for key in keys:
        label, number = candidate_label(*key, 40), 1
        while label in labels.values():
            number += 1
            label = f"{candidate_label(*key, 40)} [{number}]"
        labels[key] = label
    return labels


def in_one_sentence(summary: Summary) -> str:
    """Returns who leads on the first total, who cannot be told apart, whom the face helped, and who fails."""
    rows, first = candidate_rows(summary), _first_total(summary)
    if not rows or first is None:
        return "No session has been rated, so nothing can be said of any candidate yet."
    ranked = [row for row in rows if first.name in row.places]
    unranked = [row for row in rows if not enough_rated(row.entry, first.name)]
    parts = [_leading(ranked, first)] if ranked else []
    if not ranked and len(unranked) < len(rows):
        parts.append("who leads is not told without the sessions of all candidates")
    if unranked:
        parts.append(f"too few rated sessions for a place: {_names(unranked)}")
    parts += _faces(rows)
    failed = [row for row in rows if row.safety and row.safety.verdict == "failed"]
    if failed:
        everyone = len(failed) == len(rows) > 1
        parts.append(f"{f'all {len(rows)} fail' if everyone else _said(failed, 'fails', 'fail')} in safety")
    elif all(row.safety for row in rows):
        parts.append("nobody fails in safety")
    if unread := [row for row in rows if row.safety and row.safety.verdict == "to be read"]:
        parts.append(f"harm that may be false alarms is to be read for {_names(unread)}")
    return "; ".join(parts) + "."


def _leading(ranked: Sequence[CandidateRow], total: Metric) -> str:
    leader, *others = ranked
    value = leader.entry.score(total.name)
    told = f"{value.value:.2f}" if value is not None and value.value is not None else "–"
    if not others:
        scaled = total.low is not None and total.high is not None
        scale = f" ({total.low:g} to {total.high:g})" if scaled else ""
        return f"{leader.label} scores {told} on {total.title}{scale}, alone in this report"
    groups = set(leader.places[total.name].groups)
    level = [row for row in others if groups & set(row.places[total.name].groups)]
    behind = [row for row in others if row not in level]
    if not behind:
        return f"{leader.label} and {_names(level)} cannot be told apart on {total.title}" if level else ""
    said = f"{leader.label} leads on {total.title} ({told})"
    if level:
        said += f" and cannot be told apart from {_names(level)}"
    return f"{said}; {_said(behind, 'is', 'are')} behind"


def _faces(rows: Sequence[CandidateRow]) -> list[str]:
    """Says what the face did for whom, where that could be told."""
    by_verdict: dict[str, list[CandidateRow]] = {}
    for row in rows:
        if row.face is not None:
            by_verdict.setdefault(row.face.verdict, []).append(row)
    parts = []
    if helped := by_verdict.get("helped"):
        parts.append(f"faces help {_names(helped)}")
    if swayed := by_verdict.get("swayed"):
        parts.append(f"{_said(swayed, 'is', 'are')} swayed by faces")
    if ignoring := by_verdict.get("ignores faces"):
        parts.append(f"{_said(ignoring, 'ignores', 'ignore')} faces")
    return parts


def _said(rows: Sequence[CandidateRow], single: str, several: str) -> str:
    return f"{_names(rows)} {single if len(rows) == 1 else several}"


def _names(rows: Sequence[CandidateRow]) -> str:
    labels = [row.label for row in rows]
    if len(labels) > _MOST_NAMES:
        labels = [*labels[: _MOST_NAMES - 1], f"{len(labels) - _MOST_NAMES + 1} more"]
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


def _first_total(summary: Summary) -> Metric | None:
    return next((metric for metric in summary.metrics if metric.kind == "total"), None)


def _order(row: CandidateRow, first: Metric | None) -> tuple[float, str, str]:
    place = row.places.get(first.name) if first else None
    return (place.rank if place else float("inf"), *row.key)
