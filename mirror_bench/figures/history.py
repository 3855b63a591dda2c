"""The figure of a history: scores with intervals over runs, and where the first significant drop is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mirror_bench.analysis.display_names import short
from mirror_bench.analysis.regression.history import History
from mirror_bench.figures.style import COLORS, COLUMN, figure_style, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def history_figure(history: History) -> Figure:
    """Returns a panel per metric: scores with intervals over runs, the first significant drop marked."""
    figure, axes = new_figure(COLUMN, 0.6 + 1.5 * len(history.trends), len(history.trends), 1, sharex=True)
    for row, trend in enumerate(history.trends):
        ax = axes[row][0]
        for place, step in enumerate(trend.steps):
            score = step.score
            if score.value is None:
                continue
            color = COLORS[1] if place == trend.first_drop else COLORS[0]
            if score.low is not None and score.high is not None:
                ax.plot([place, place], [score.low, score.high], color=color, linewidth=1.3)
            ax.plot(
                [place], [score.value], "v" if place == trend.first_drop else "o", color=color, markersize=4
            )
        ax.set_title(short(trend.metric))
        ax.grid(True, axis="y")
        ax.set_xticks(range(len(trend.steps)), [short(step.run, 14) for step in trend.steps], rotation=30)
    return figure  # type: ignore[no-any-return]


def write_history(history: History, folder: Path) -> list[Path]:
    """Writes `history.png` and `history.svg`; makes the folder where missing."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "history.png", folder / "history.svg"]
    with figure_style():
        figure = history_figure(history)
        for path in paths:
            save_figure(figure, path)
    return paths
