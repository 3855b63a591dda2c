"""Score against size, cost or speed, with the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mirror_bench.analysis.candidate_costs import MEASURES, CandidateCost, Measure, size_of
from mirror_bench.analysis.candidate_scores import CandidateScores
from mirror_bench.analysis.display_names import entry_labels
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.session_outcomes import CandidateKey
from mirror_bench.figures.style import (
    COLORS,
    COLUMN,
    GROUND,
    MARKERS,
    MUTED,
    legend_columns,
    legend_height,
    new_figure,
)
from mirror_bench.schema import Score
from mirror_bench.stats.pareto import pareto_front

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SPREAD = 20
"""Sizes further apart than this, the largest over the smallest, stand on a logarithmic axis."""
_FRONT = "Pareto front (filled)"


class _Point(NamedTuple):
    key: CandidateKey
    size: float
    value: float
    score: Score


def pareto_figures(
    entries: Sequence[CandidateScores], metrics: Sequence[Metric], sizes: Mapping[str, CandidateCost]
) -> dict[Measure, Figure]:
    """Draws every total against each measure of size that a candidate has; a panel per total.

    A filled marker stands on the Pareto front, drawn as a dashed line: no other candidate is both better and
    smaller (cheaper, faster). The front is that of the means; intervals say how firm it is.

    Args:
        entries: One per candidate; those without a size or a score are left out.
        metrics: What was measured.
        sizes: Candidate -> size, as `read_sizes` returns.

    Returns:
        A figure per measure; none where no candidate has both a size and a total.
    """
    figures: dict[Measure, Figure] = {}
    for measure in MEASURES:
        panels = [
            (metric, _points(entries, metric, measure, sizes)) for metric in metrics if metric.kind == "total"
        ]
        panels = [(metric, points) for metric, points in panels if points]
        if panels:
            figures[measure] = _figure(measure, panels, [entry.key for entry in entries])
    return figures


def _points(
    entries: Sequence[CandidateScores], metric: Metric, measure: Measure, sizes: Mapping[str, CandidateCost]
) -> list[_Point]:
    points = []
    for entry in entries:
        found, score = size_of(entry.key, sizes), entry.score(metric.name)
        size = None if found is None else found.of(measure)
        if size is not None and score is not None and score.value is not None:
            points.append(_Point(entry.key, size, score.value, score))
    return points


def _figure(
    measure: Measure, panels: Sequence[tuple[Metric, Sequence[_Point]]], keys: Sequence[CandidateKey]
) -> Figure:
    shown = [key for key in keys if any(point.key == key for _, points in panels for point in points)]
    labels = entry_labels(shown, 22)
    order = [*(labels[key] for key in shown), _FRONT]
    figure, axes = new_figure(
        COLUMN, 0.3 + 1.55 * len(panels) + legend_height(order), rows=len(panels), sharex=True
    )
    handles: dict[str, Any] = {}
    for ax, (metric, points) in zip(axes[:, 0], panels, strict=True):
        _panel(ax, measure, metric, points, {key: (keys.index(key), labels[key]) for key in shown})
        for handle, name in zip(*ax.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    _size_axis(axes[-1, 0], measure, [point.size for _, points in panels for point in points])
    figure.legend(
        [handles[name] for name in order],
        order,
        loc="outside lower left",
        ncols=legend_columns(order),
        columnspacing=1,
        handlelength=1.8,
    )
    return figure  # type: ignore[no-any-return]


def _panel(
    ax: Axes,
    measure: Measure,
    metric: Metric,
    points: Sequence[_Point],
    looks: Mapping[CandidateKey, tuple[int, str]],
) -> None:
    larger_is_better = measure == "tokens_per_second"
    upward = -1.0 if metric.better == "lower" else 1.0
    front = pareto_front([(p.size if larger_is_better else -p.size, upward * p.value) for p in points])
    line = sorted((points[index].size, points[index].value) for index in front)
    # What is best stays so for whoever would pay more, up to the largest (or slowest) that is shown.
    best = line[0][1] if larger_is_better else line[-1][1]
    sizes = [point.size for point in points]
    line = [(min(sizes), best), *line] if larger_is_better else [*line, (max(sizes), best)]
    # A stair, not a slope: between two candidates there is no third that would reach the line.
    ax.plot(
        [size for size, _ in line],
        [value for _, value in line],
        "--",
        drawstyle="steps-pre" if larger_is_better else "steps-post",
        color=MUTED,
        linewidth=0.9,
        label=_FRONT,
        zorder=1,
    )
    for index, point in enumerate(points):
        place, label = looks[point.key]
        color = COLORS[place % len(COLORS)]
        if point.score.low is not None and point.score.high is not None:
            ax.plot([point.size] * 2, [point.score.low, point.score.high], color=color, linewidth=1, zorder=2)
        # The second six candidates have the same colours with other markers.
        marker = MARKERS[(place + place // len(COLORS)) % len(MARKERS)]
        look: dict[str, Any] = {"marker": marker, "color": color, "markersize": 4.5, "linestyle": "none"}
        face = color if index in front else GROUND
        ax.plot([point.size], [point.value], **look, markerfacecolor=face, zorder=3)
        ax.plot([], [], **look, label=label)
    ax.margins(x=0.08, y=0.12)
    ax.set_title(metric.title + ("" if metric.low is None else f" ({metric.low:g} to {metric.high:g})"))
    ax.grid(True, axis="y")


def _size_axis(ax: Axes, measure: Measure, sizes: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    wide = max(sizes) > _SPREAD * min(sizes)
    if wide:
        ax.set_xscale("log")
        few = max(sizes) > _SPREAD**2 * min(sizes)
        ax.xaxis.set_major_locator(LogLocator(subs=(1,) if few else (1, 2, 5)))
        ax.xaxis.set_minor_locator(NullLocator())
    elif len(set(sizes)) > 1:
        ax.set_xlim(left=max(0.0, min(sizes) - 0.08 * (max(sizes) - min(sizes))))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    better = "higher" if measure == "tokens_per_second" else "lower"
    ax.set_xlabel(f"{MEASURES[measure]}{', log scale' if wide else ''} ({better} is better)")
