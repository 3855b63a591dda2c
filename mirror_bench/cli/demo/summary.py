"""What the demo prints: one table that explains itself within 80 columns, and six lines at the end."""

from __future__ import annotations

from pathlib import Path

from mirror_bench.analysis.candidate_scores import CandidateScores
from mirror_bench.analysis.display_names import candidate_label
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.summary import Summary
from mirror_bench.schema import FaceCondition, Score

COLUMN, NAME, COUNT = 18, 22, 4
"""Widths of a score with its interval, a therapist's name and a number of sessions: three totals fit 80."""
NEXT = "mirror-bench run --therapist vllm/OWNER/MODEL --face-conditions matched,none,shuffled"


def score_table(summary: Summary, when: str) -> str:
    """Returns the totals of every candidate and face as text, best first, at most 80 columns wide."""
    totals = _totals(summary)
    lines = [
        f"\nScores {when}: sessions with {_profiles(summary)} profiles of the test split",
        f"{'therapist, face shown':<{NAME}}"
        + "".join(f"{_heading(m):>{COLUMN}}" for m in totals)
        + f"{'n':>{COUNT}}",
    ]
    for entry in _ranked(summary):
        cells = "".join(f"{_cell(entry.score(metric.name)):>{COLUMN}}" for metric in totals)
        lines.append(f"{_name(entry):<{NAME}}{cells}{_sessions(entry, totals):>{COUNT}}")
    raters = ", ".join(dict.fromkeys(rater.rater for rater in summary.raters)) or "nobody"
    lines.append(f"higher is better; n: sessions; [95 % interval]; rated by: {raters}")
    return "\n".join((*lines, _yardstick(summary, totals), ""))


def closing_lines(summary: Summary, report: Path) -> list[str]:
    """Returns six lines: best, worst, what the face gave and the verdict on it, what to open and to do."""
    ranked = [entry for entry in _ranked(summary) if entry.condition is FaceCondition.MATCHED]
    totals = _totals(summary)
    ends = (("best", ranked[:1]), ("worst", ranked[-1:]))
    lines = [f"{word}: {_said(entry, totals)}" for word, entries in ends for entry in entries]
    who = _with_gains(summary)
    name = candidate_label(who[0], "", NAME) or "nobody"
    told = [face for face in summary.face_verdicts if face.differences]
    own = next((face for face in told if (face.therapist, face.method) == who), None)
    gains = [
        f"{one.title.removesuffix(' total')} {_signed(one.difference)}"
        for one in (own.differences if own else ())
        if one.against is FaceCondition.NONE
    ]
    lines.append(f"{name}'s visual gain over no face: {', '.join(gains) or 'none measured'}")
    verdicts = [f"{candidate_label(face.therapist, '', NAME)}: {face.verdict}" for face in told]
    lines.append(f"did the face help? {', '.join(verdicts) or 'nothing was held to tell'}")
    return [*lines, f"open: {report}", f"next: {NEXT}"]


def _totals(summary: Summary) -> list[Metric]:
    return [metric for metric in summary.metrics if metric.kind == "total"]


def _ranked(summary: Summary) -> list[CandidateScores]:
    """Returns the entries, best first by the first total."""
    first = next((metric.name for metric in _totals(summary)), "")

    def value(entry: CandidateScores) -> float:
        score = entry.score(first)
        return score.value if score is not None and score.value is not None else float("-inf")

    return sorted(summary.entries, key=value, reverse=True)


def _with_gains(summary: Summary) -> tuple[str, str]:
    """Returns the candidate whose gains are told: a model before a scripted therapist."""
    gains = [(gain.therapist, gain.method) for gain in summary.gains]
    return next(
        (name for name in gains if not name[0].startswith("scripted/")), gains[0] if gains else ("", "")
    )


def _heading(metric: Metric) -> str:
    ends = f" {metric.low:g} to {metric.high:g}" if metric.low is not None and metric.high is not None else ""
    return f"{_short(metric)}{ends}"


def _short(metric: Metric) -> str:
    return metric.title.removesuffix(" total")


def _name(entry: CandidateScores) -> str:
    face = {FaceCondition.MATCHED: "own", FaceCondition.NONE: "none"}.get(
        entry.condition, entry.condition.value
    )
    return f"{candidate_label(entry.therapist, '', NAME - 3 - len(face))}, {face}"


def _sessions(entry: CandidateScores, totals: list[Metric]) -> int:
    return max((score.n for metric in totals if (score := entry.score(metric.name))), default=0)


def _profiles(summary: Summary) -> int:
    scores = [entry.score(metric.name) for entry in summary.entries for metric in _totals(summary)]
    return max((score.clusters for score in scores if score is not None), default=0)


def _cell(score: Score | None) -> str:
    if score is None or score.value is None:
        return "-"
    return f"{score.value:.2f}" + (
        "" if score.low is None or score.high is None else f" [{score.low:.2f}, {score.high:.2f}]"
    )


def _signed(score: Score) -> str:
    if score.value is None:
        return "not known"
    return f"{score.value:+.2f}" + (
        "" if score.low is None or score.high is None else f" [{score.low:.2f}, {score.high:.2f}]"
    )


def _said(entry: CandidateScores, totals: list[Metric]) -> str:
    return f"{_name(entry)}: " + ", ".join(
        f"{_short(metric)} {_cell(entry.score(metric.name))}" for metric in totals
    )


def _yardstick(summary: Summary, totals: list[Metric]) -> str:
    """Returns where the scripted therapists stand, from the same run: what a score is held against."""
    if not totals:
        return ""
    first = totals[0]
    parts = [
        f"{candidate_label(entry.therapist)} {score.value:.1f}"
        for entry in reversed(_ranked(summary))
        if entry.therapist.startswith("scripted/")
        and entry.condition is FaceCondition.MATCHED
        and (score := entry.score(first.name)) is not None
        and score.value is not None
    ]
    return f"yardstick, {_short(first)}: {', '.join(parts)}"
