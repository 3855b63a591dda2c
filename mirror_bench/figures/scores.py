"""Figures of a summary, as PNG and SVG: sized for one column of a paper, safe for colour-blind readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mirror_bench.analysis.candidate_scores import CandidateScores
from mirror_bench.analysis.display_names import CONDITION_NAMES, entry_labels
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.session_outcomes import CandidateKey
from mirror_bench.analysis.summary import Summary, VisualGain
from mirror_bench.figures.style import (
    COLORS,
    COLUMN,
    GRID,
    GROUND,
    LINES,
    MARKERS,
    MUTED,
    draw_point,
    figure_style,
    legend_columns,
    legend_height,
    name_markers,
    name_rows,
    new_figure,
    save_figure,
)
from mirror_bench.figures.visual_gain import gain_and_reliance
from mirror_bench.schema import Ending, FaceCondition, Resistance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = {
    Ending.RESOLVED: ("resolved", "#009e73", ""),
    Ending.TURN_LIMIT: ("turn limit", "#56b4e9", "///"),
    Ending.SCRIPT_END: ("script ended", "#cc79a7", "..."),
    Ending.IMPORTED: ("held elsewhere", "#999999", "xx"),
    Ending.CLIENT_LEFT: ("client left", "#d55e00", "\\\\\\"),
}
Draw = Callable[[Summary], "Figure | None"]


def write_plots(summary: Summary, folder: Path) -> list[Path]:
    """Writes every figure that the summary has data for, as `folder/<name>.png` (300 dpi) and `.svg`.

    Equal summaries give equal bytes under one version of matplotlib.

    Args:
        summary: Of one run or several.
        folder: Made where missing; figures without data, of an earlier summary, are removed.

    Returns:
        The paths written, in the order in which a report shows them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with figure_style():
        for name, draw in FIGURES.items():
            figure = draw(summary)
            for suffix in (".png", ".svg"):
                path = folder / (name + suffix)
                if figure is None:
                    path.unlink(missing_ok=True)
                    continue
                save_figure(figure, path)
                written.append(path)
    return written


def score_forest(summary: Summary) -> Figure | None:
    """Draws each instrument's total with its interval: a row per candidate, a marker per face condition."""
    totals = _scored_totals(summary)
    if not totals:
        return None
    rows, labels = _candidates(summary.entries)
    conditions = [c for c in FaceCondition if any(entry.condition is c for entry in summary.entries)]
    height = max(0.3, 0.13 * len(conditions)) * len(rows)
    figure, axes = new_figure(COLUMN, len(totals) * (0.5 + height) + 0.3, rows=len(totals))
    for ax, metric in zip(axes[:, 0], totals, strict=True):
        for entry in summary.entries:
            score = entry.score(metric.name)
            row = rows[entry.therapist, entry.method]
            if score is not None and score.value is not None:
                index = conditions.index(entry.condition)
                place = row + 0.2 * (index - (len(conditions) - 1) / 2)
                draw_point(
                    ax,
                    place,
                    score.value,
                    score.low,
                    score.high,
                    entry.condition,
                    CONDITION_NAMES[entry.condition],
                )
        name_rows(ax, labels)
        scale = "" if metric.low is None else f" ({metric.low:g} to {metric.high:g})"
        ax.set_title(metric.title + scale)
    if len(conditions) > 1:
        name_markers(figure)
    return figure  # type: ignore[no-any-return]


def resistance_map(summary: Summary) -> Figure | None:
    """Draws each instrument's total per resistance type as a labelled heat map, with the own face."""
    import numpy as np

    totals, entries = _scored_totals(summary), _own_face(summary.entries)
    kinds = [kind for kind in Resistance if any(kind in entry.by_resistance for entry in entries)]
    if not totals or not kinds:
        return None
    labels = _entry_names(entries)
    figure, axes = new_figure(COLUMN, len(totals) * (0.55 + 0.3 * len(entries)), rows=len(totals))
    for ax, metric in zip(axes[:, 0], totals, strict=True):
        values = np.full((len(entries), len(kinds)), np.nan)
        for row, entry in enumerate(entries):
            for column, kind in enumerate(kinds):
                score = entry.score(metric.name, kind)
                if score is not None and score.value is not None:
                    values[row, column] = score.value
        # The whole scale, so that colours mean the same in every figure and small differences look small.
        image = ax.imshow(values, cmap="cividis", aspect="auto", vmin=metric.low, vmax=metric.high)
        for (row, column), value in np.ndenumerate(values):
            missing = bool(np.isnan(value))
            dark = not missing and image.norm(value) < 0.5
            ax.text(
                column,
                row,
                "–" if missing else f"{value:.2f}",
                ha="center",
                va="center",
                # Not the ground's own white, which a page in dark colours replaces.
                color=MUTED if missing else ("#fefefe" if dark else "#101010"),
            )
        ax.set_xticks(range(len(kinds)), [kind.value for kind in kinds])
        name_rows(ax, labels)
        ax.grid(False)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_title(metric.title)
    return figure  # type: ignore[no-any-return]


def trajectories(summary: Summary) -> Figure | None:
    """Draws the mean resistance and alliance over client turns, with intervals."""
    entries = _own_face([entry for entry in summary.entries if entry.trajectories])
    if not entries:
        return None
    labels = entry_labels((entry.key for entry in entries), 20)
    figure, axes = new_figure(COLUMN, 2.9 + legend_height(list(labels.values())), rows=2, sharex=True)
    for ax, name in zip(axes[:, 0], ("resistance", "alliance"), strict=True):
        for index, entry in enumerate(entries):
            points = entry.trajectories.get(name, ())
            turns = [point.turn for point in points]
            color = COLORS[index % len(COLORS)]
            style = LINES[index // len(COLORS) % len(LINES)]
            ax.plot(
                turns,
                [point.value for point in points],
                style,
                color=color,
                linewidth=1.2,
                marker=MARKERS[index % len(MARKERS)],
                markersize=2.6,
                label=labels[entry.key],
            )
            banded = [p for p in points if p.low is not None and p.high is not None]
            ax.fill_between(
                [p.turn for p in banded],
                [max(0.0, p.low or 0.0) for p in banded],
                [min(1.0, p.high or 0.0) for p in banded],
                color=color,
                alpha=0.14,
                linewidth=0,
            )
        ax.set_ylim(0, 1)
        ax.set_title(f"{name.capitalize()} (client's state, 0 to 1)")
        ax.grid(True, axis="y")
    axes[1, 0].set_xlabel("client turn")
    axes[1, 0].xaxis.get_major_locator().set_params(integer=True)
    handles, names = axes[0, 0].get_legend_handles_labels()
    columns = legend_columns(names)
    figure.legend(handles, names, loc="outside lower left", ncols=columns, columnspacing=1, handlelength=2.4)
    return figure  # type: ignore[no-any-return]


def visual_gain(summary: Summary) -> Figure | None:
    """Draws what each candidate gains from the own face over other faces, on the same scenarios."""
    gains = [gain for gain in summary.gains if gain.difference.value is not None]
    metrics = [m for m in summary.metrics if any(gain.difference.metric == m.name for gain in gains)]
    if not gains:
        return None
    against = [c for c in FaceCondition if any(gain.against is c for gain in gains)]
    rows, labels = _candidates(gains)
    height = max(0.3, 0.15 * len(against)) * len(rows)
    figure, axes = new_figure(COLUMN, len(metrics) * (0.5 + height) + 0.3, rows=len(metrics))
    for ax, metric in zip(axes[:, 0], metrics, strict=True):
        ax.axvline(0, color=MUTED, linewidth=0.8)
        for gain in gains:
            difference = gain.difference
            if difference.metric == metric.name and difference.value is not None:
                index = against.index(gain.against)
                place = rows[gain.therapist, gain.method] + 0.2 * (index - (len(against) - 1) / 2)
                name = f"over {CONDITION_NAMES[gain.against]}"
                draw_point(ax, place, difference.value, difference.low, difference.high, gain.against, name)
        name_rows(ax, labels)
        ax.set_title(f"{metric.title}, own face minus other")
    name_markers(figure)
    return figure  # type: ignore[no-any-return]


def endings(summary: Summary) -> Figure | None:
    """Draws how sessions with the own face ended, as shares of those due; the failed stay in view."""
    entries = _own_face(summary.entries)
    if not any(entry.coverage.due for entry in entries):
        return None
    figure, axes = new_figure(COLUMN, 0.95 + 0.3 * len(entries))
    ax = axes[0, 0]
    parts: list[tuple[str, str, str, list[float]]] = [
        (name, color, hatch, [_share(entry, entry.endings.get(ending, 0)) for entry in entries])
        for ending, (name, color, hatch) in ENDINGS.items()
    ]
    unheld = [_share(entry, entry.coverage.failed + entry.coverage.missing) for entry in entries]
    parts.append(("failed or missing", GRID, "xxx", unheld))
    left = [0.0] * len(entries)
    for name, color, hatch, shares in parts:
        if any(shares):
            ax.barh(
                range(len(entries)),
                shares,
                left=left,
                height=0.66,
                color=color,
                hatch=hatch,
                edgecolor=GROUND,
                linewidth=0.6,
                label=name,
            )
            left = [a + b for a, b in zip(left, shares, strict=True)]
    name_rows(ax, _entry_names(entries))
    ax.set_xlim(0, 100)
    ax.set_xlabel("% of the sessions due")
    figure.legend(loc="outside lower left", ncols=3, columnspacing=1, handlelength=1.6)
    return figure  # type: ignore[no-any-return]


FIGURES: Mapping[str, Draw] = {
    "scores": score_forest,
    "resistance": resistance_map,
    "visual_gain": visual_gain,
    "visual_reliance": gain_and_reliance,
    "trajectories": trajectories,
    "endings": endings,
}


def _scored_totals(summary: Summary) -> list[Metric]:
    return [
        metric
        for metric in summary.metrics
        if metric.kind == "total"
        and any((score := entry.score(metric.name)) and score.value is not None for entry in summary.entries)
    ]


def _share(entry: CandidateScores, count: int) -> float:
    return 100 * count / entry.coverage.due if entry.coverage.due else 0.0


def _own_face(entries: Sequence[CandidateScores]) -> list[CandidateScores]:
    """Returns the entries with the own face; all where there are none."""
    return [e for e in entries if e.condition is FaceCondition.MATCHED] or list(entries)


def _candidates(
    parts: Iterable[CandidateScores | VisualGain],
) -> tuple[dict[tuple[str, str], int], list[str]]:
    """Returns each candidate's row, and the rows' labels."""
    rows: dict[tuple[str, str], int] = {}
    for part in parts:
        rows.setdefault((part.therapist, part.method), len(rows))
    keys = [CandidateKey(therapist, method, FaceCondition.MATCHED) for therapist, method in rows]
    return rows, [label.replace(" · ", "\n") for label in entry_labels(keys, 22).values()]


def _entry_names(entries: Sequence[CandidateScores]) -> list[str]:
    labels = entry_labels((entry.key for entry in entries), 22)
    return [label.replace(" · ", "\n") for label in labels.values()]
