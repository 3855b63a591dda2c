"""The figure of a comparison: strengths with intervals and tie groups."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mirror_bench.analysis.comparison import Compared
from mirror_bench.analysis.display_names import short
from mirror_bench.figures.style import COLORS, COLUMN, MUTED, figure_style, name_rows, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def strengths_figure(compared: Compared) -> Figure:
    """Returns candidates from the strongest down, with intervals; bars beside join tie groups."""
    rows = {standing.name: row for row, standing in enumerate(compared.standings)}
    figure, axes = new_figure(COLUMN, 0.9 + 0.28 * len(rows))
    ax = axes[0][0]
    for standing in compared.standings:
        row, score = rows[standing.name], standing.strength
        if score.low is not None and score.high is not None:
            ax.plot([score.low, score.high], [row, row], color=COLORS[0], linewidth=1.3)
        ax.plot([score.value], [row], "o", color=COLORS[0], markersize=4)
    groups = [sorted(rows[name] for name in group) for group in compared.groups if len(group) > 1]
    for place, group in enumerate(groups):
        at = 1.03 + 0.03 * place
        ax.plot([at, at], [group[0] - 0.2, group[-1] + 0.2], color=MUTED, linewidth=2, clip_on=False,
                transform=ax.get_yaxis_transform())  # fmt: skip
    ax.axvline(0, color=MUTED, linewidth=0.6, linestyle=":")
    ax.set_xlabel("Bradley-Terry log strength (95 % interval); bars join ties")
    name_rows(ax, [short(name) for name in rows])
    return figure  # type: ignore[no-any-return]


def write_strengths(compared: Compared, folder: Path) -> list[Path]:
    """Writes `strengths.png` and `strengths.svg`; nothing where no two candidates were ranked."""
    if not compared.standings:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "strengths.png", folder / "strengths.svg"]
    with figure_style():
        figure = strengths_figure(compared)
        for path in paths:
            save_figure(figure, path)
    return paths
