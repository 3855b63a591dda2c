"""Score against size, cost or speed, with the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mirror_bench.reports.entries import Entry
from mirror_bench.reports.labels import entry_labels
from mirror_bench.reports.metrics import Metric
from mirror_bench.reports.outcomes import EntryKey
from mirror_bench.reports.plot_style import COLORS, COLUMN, GROUND, MARKERS, MUTED, new_figure
from mirror_bench.reports.sizes import MEASURES, Measure, Size, size_of
from mirror_bench.schema import Score
from mirror_bench.stats.pareto import pareto_front

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SPREAD = 20
"""Sizes further apart than this, the largest over the smallest, stand on a logarithmic axis."""


class _Point(NamedTuple):
    key: EntryKey
    size: float
    value: float
    score: Score


def pareto_figures(
    entries: Sequence[Entry], metrics: Sequence[Metric], sizes: Mapping[str, Size]
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
    entries: Sequence[Entry], metric: Metric, measure: Measure, sizes: Mapping[str, Size]
) -> list[_Point]:
    points = []
    for entry in entries:
        found, score = size_of(entry.key, sizes), entry.score(metric.name)
        size = None if found is None else found.of(measure)
        if size is not None and score is not None and score.value is not None:
            points.append(_Point(entry.key, size, score.value, score))
    return points


def _figure(
    measure: Measure, panels: Sequence[tuple[Metric, Sequence[_Point]]], keys: Sequence[EntryKey]
) -> Figure:
    shown = [key for key in keys if any(point.key == key for _, points in panels for point in points)]
    labels = entry_labels(shown, 22)
    legend = 0.16 * -(-(len(shown) + 1) // 2) + 0.1
    figure, axes = new_figure(COLUMN, 0.3 + 1.55 * len(panels) + legend, rows=len(panels), sharex=True)
    handles: dict[str, Any] = {}
    for ax, (metric, points) in zip(axes[:, 0], panels, strict=True):
        _panel(ax, measure, metric, points, {key: (shown.index(key), labels[key]) for key in shown})
        for handle, name in zip(*ax.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    _size_axis(axes[-1, 0], measure, [point.size for _, points in panels for point in points])
    order = [*(labels[key] for key in shown), "Pareto front"]
    figure.legend(
        [handles[name] for name in order],
        order,
        loc="outside lower left",
        ncols=2,
        columnspacing=1,
        handlelength=1.8,
    )
    return figure  # type: ignore[no-any-return]


def _panel(
    ax: Axes,
    measure: Measure,
    metric: Metric,
    points: Sequence[_Point],
    looks: Mapping[EntryKey, tuple[int, str]],
) -> None:
    larger_is_better = measure == "tokens_per_second"
    upward = -1.0 if metric.better == "lower" else 1.0
    front = pareto_front([(p.size if larger_is_better else -p.size, upward * p.value) for p in points])
    line = sorted((points[index].size, points[index].value) for index in front)
    # A stair, not a slope: between two candidates there is no third that would reach the line.
    ax.plot(
        [size for size, _ in line],
        [value for _, value in line],
        "--",
        drawstyle="steps-pre" if larger_is_better else "steps-post",
        color=MUTED,
        linewidth=0.9,
        label="Pareto front",
        zorder=1,
    )
    for index, point in enumerate(points):
        place, label = looks[point.key]
        color = COLORS[place % len(COLORS)]
        if point.score.low is not None and point.score.high is not None:
            ax.plot([point.size] * 2, [point.score.low, point.score.high], color=color, linewidth=1, zorder=2)
        ax.plot(
            [point.size],
            [point.value],
            # The second six candidates have the same colours with other markers.
            MARKERS[(place + place // len(COLORS)) % len(MARKERS)],
            color=color,
            markerfacecolor=color if index in front else GROUND,
            markersize=4.5,
            linestyle="none",
            label=label,
            zorder=3,
        )
    ax.margins(x=0.08, y=0.12)
    ax.set_title(metric.title + ("" if metric.low is None else f" ({metric.low:g} to {metric.high:g})"))
    ax.grid(True, axis="y")


def _size_axis(ax: Axes, measure: Measure, sizes: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    wide = max(sizes) > _SPREAD * min(sizes)
    if wide:
        ax.set_xscale("log")
        ax.xaxis.set_minor_formatter(NullFormatter())
    elif len(set(sizes)) > 1:
        ax.set_xlim(left=max(0.0, min(sizes) - 0.08 * (max(sizes) - min(sizes))))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}" if math.isfinite(value) else ""))
    better = "higher" if measure == "tokens_per_second" else "lower"
    ax.set_xlabel(f"{MEASURES[measure]}{', log scale' if wide else ''} ({better} is better)")
