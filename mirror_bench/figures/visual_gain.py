"""The figure of gain and reliance: does a candidate use the face, or is it only swayed by it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirror_bench.analysis.display_names import CONDITION_NAMES, entry_labels
from mirror_bench.analysis.session_outcomes import CandidateKey
from mirror_bench.analysis.summary import Summary
from mirror_bench.figures.style import COLORS, COLUMN, MARKERS, MUTED, new_figure
from mirror_bench.schema import FaceCondition, Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Candidate = tuple[str, str]


def gain_and_reliance(summary: Summary) -> Figure | None:
    """Draws, per total, the gain from the own face over the change of words that another face brings.

    A candidate keeps its colour, a face condition its marker. None without probes or gains.
    """
    words = {
        (one.therapist, one.method, one.shown): one.value
        for one in summary.reliance
        if one.measure == "words"
    }
    gains = [gain for gain in summary.gains if (gain.therapist, gain.method, gain.against) in words]
    metrics = [m for m in summary.metrics if any(gain.difference.metric == m.name for gain in gains)]
    if not metrics:
        return None
    candidates = list(dict.fromkeys((gain.therapist, gain.method) for gain in gains))
    conditions = [c for c in FaceCondition if any(gain.against is c for gain in gains)]
    legend = 0.16 * (len(candidates) + -(-len(conditions) // 2)) + 0.1
    figure, axes = new_figure(COLUMN, 2.1 * len(metrics) + legend, rows=len(metrics), sharex=True)
    for ax, metric in zip(axes[:, 0], metrics, strict=True):
        ax.axhline(0, color=MUTED, linewidth=0.8)
        ax.axvline(0, color=MUTED, linewidth=0.8)
        for gain in gains:
            if gain.difference.metric == metric.name:
                color = COLORS[candidates.index((gain.therapist, gain.method)) % len(COLORS)]
                marker = MARKERS[conditions.index(gain.against) % len(MARKERS)]
                value = words[gain.therapist, gain.method, gain.against]
                _cross(ax, value, gain.difference, color, marker)
        ax.set_title(f"{metric.title}: gain over another face")
        ax.grid(True)
    axes[-1, 0].set_xlabel("share of turns whose words change with the face")
    _legend(figure, candidates, conditions)
    return figure  # type: ignore[no-any-return]


def _cross(ax: Axes, across: Score, up: Score, color: str, marker: str) -> None:
    if across.value is None or up.value is None:
        return
    if across.low is not None and across.high is not None:
        ax.plot([across.low, across.high], [up.value, up.value], color=color, linewidth=1)
    if up.low is not None and up.high is not None:
        ax.plot([across.value, across.value], [up.low, up.high], color=color, linewidth=1)
    ax.plot([across.value], [up.value], marker, color=color, markersize=4.5, fillstyle="none")


def _legend(figure: Figure, candidates: list[Candidate], conditions: list[FaceCondition]) -> None:
    from matplotlib.lines import Line2D

    keys = [CandidateKey(therapist, method, FaceCondition.MATCHED) for therapist, method in candidates]
    labels = [label.replace("\n", " ") for label in entry_labels(keys, 30).values()]
    handles = [
        Line2D([], [], color=COLORS[place % len(COLORS)], linewidth=2, label=label)
        for place, label in enumerate(labels)
    ]
    handles += [
        Line2D(
            [],
            [],
            color=MUTED,
            marker=MARKERS[place % len(MARKERS)],
            linestyle="none",
            markersize=4.5,
            label=f"over {CONDITION_NAMES[condition]}",
        )
        for place, condition in enumerate(conditions)
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=2, columnspacing=1)
