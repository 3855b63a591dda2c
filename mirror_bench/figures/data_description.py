"""Figures of a data set's description, as PNG and SVG, in the style of the reports' figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirror_bench.data.checks.description import Counts, DataStats
from mirror_bench.figures.style import (
    COLORS,
    COLUMN,
    GROUND,
    INK,
    LINES,
    figure_style,
    name_rows,
    new_figure,
    save_figure,
)
from mirror_bench.schema import Resistance, Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Draw = Callable[[DataStats], "Figure | None"]
_HATCHES = ("", "///", "...", "\\\\\\", "xxx", "++")
_ROW, _HEAD = 0.165, 0.42
"""Inches of a row of bars, and of a panel's title and axis."""
_MOST_ROWS = 30
_LONGEST_LABEL = 34
_BINS = 16


def write_data_plots(stats: DataStats, folder: Path) -> list[Path]:
    """Writes every figure that there is data for, as `folder/<name>.png` (300 dpi) and `.svg`.

    Equal descriptions give equal bytes under one version of matplotlib.

    Args:
        stats: What is drawn.
        folder: Made where missing; figures without data, of an earlier description, are removed.

    Returns:
        The paths written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with figure_style():
        for name, draw in DATA_FIGURES.items():
            figure = draw(stats)
            if figure is not None:
                _settle(figure)
            for suffix in (".png", ".svg"):
                path = folder / (name + suffix)
                if figure is None:
                    path.unlink(missing_ok=True)
                    continue
                save_figure(figure, path)
                written.append(path)
    return written


def clients(stats: DataStats) -> Figure | None:
    """Draws who the clients are: resistance, gender, age, crisis; bars are split by split."""
    titles = {"resistance": "Resistance", "gender": "Gender", "age": "Age", "crisis": "Crisis"}
    return _panels(stats, [(title, stats.profiles.get(name)) for name, title in titles.items()], "profiles")


def troubles(stats: DataStats) -> Figure | None:
    """Draws what the clients come with: areas of life and thinking traps."""
    titles = {"area": "Area", "trap": "Thinking traps"}
    return _panels(stats, [(title, stats.profiles.get(name)) for name, title in titles.items()], "profiles")


def sessions(stats: DataStats) -> Figure | None:
    """Draws how the written sessions go: resistance, ending, technique."""
    titles = {"resistance": "Resistance", "ending": "Ending", "technique": "Technique"}
    panels = [(title, stats.screenplays.get(name)) for name, title in titles.items()]
    return _panels(stats, panels, "screenplays")


def techniques(stats: DataStats) -> Figure | None:
    """Draws how often each technique meets each way of resisting, as a labelled heat map."""
    import numpy as np

    names = list(stats.techniques)[:_MOST_ROWS]
    kinds = [kind.value for kind in Resistance if any(kind.value in row for row in stats.techniques.values())]
    if not names:
        return None
    values = np.array([[stats.techniques[name].get(kind, 0) for kind in kinds] for name in names])
    figure, axes = new_figure(COLUMN, 0.6 + 1.2 * _ROW * len(names))
    ax = axes[0, 0]
    image = ax.imshow(values, cmap="cividis", aspect="auto", vmin=0, vmax=max(1, values.max()))
    for (row, column), value in np.ndenumerate(values):
        color = "#fefefe" if image.norm(value) < 0.5 else "#101010"
        ax.text(column, row, str(value), ha="center", va="center", color=color)
    ax.set_xticks(range(len(kinds)), kinds, fontsize=6)
    name_rows(ax, _labels(names))
    ax.grid(False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title("Screenplays")
    return figure  # type: ignore[no-any-return]


def lengths(stats: DataStats) -> Figure | None:
    """Draws words per turn of each speaker, and lines per screenplay."""
    if not stats.lines.n:
        return None
    figure, axes = new_figure(COLUMN, 3.3, rows=2)
    words, lines = axes[:, 0]
    most = max((size for spread in stats.words_per_turn.values() for size in spread.counts), default=1)
    width = -(-most // _BINS)
    for place, speaker in enumerate((Speaker.CLIENT, Speaker.THERAPIST)):
        spread = stats.words_per_turn.get(speaker.value)
        if spread is None or not spread.n:
            continue
        shares = [0.0] * (most // width + 1)
        for size, times in spread.counts.items():
            shares[size // width] += 100 * times / spread.n
        words.stairs(
            shares,
            [width * edge for edge in range(len(shares) + 1)],
            color=COLORS[place],
            linestyle=LINES[place],
            linewidth=1.3,
            label=f"{speaker.value} (median {spread.median:g})",
        )
    words.set_xlim(left=0)
    words.set_ylim(bottom=0)
    words.set_xlabel("words")
    words.set_ylabel("% of turns")
    words.legend(loc="upper right")
    words.grid(True, axis="y")
    words.set_title("Words per turn")
    lines.bar(list(stats.lines.counts), list(stats.lines.counts.values()), width=0.8, color=COLORS[0])
    lines.set_xlabel("lines")
    lines.set_ylabel("screenplays")
    lines.grid(True, axis="y")
    for axis in (lines.xaxis, lines.yaxis):
        axis.set_major_locator(_whole_numbers())
    lines.set_title("Lines per screenplay")
    return figure  # type: ignore[no-any-return]


def expressions(stats: DataStats) -> Figure | None:
    """Draws what the client's stage directions show."""
    found = stats.expressions
    return _plain_panels(
        [(f"Expressions of {found.directions} stage directions", found.labels)], "directions"
    )


def moments(stats: DataStats) -> Figure | None:
    """Draws what the annotated lines ask of the next turn, and what they forbid."""
    found = stats.moments
    kinds = {"masked": found.masked, "missed by the therapist": found.missed}
    panels = [
        (f"{found.moments} annotated client lines", kinds if found.moments else {}),
        ("The next turn ought to", found.wants),
        ("The next turn ought not to", found.avoids),
    ]
    return _plain_panels(panels, "client lines")


DATA_FIGURES: Mapping[str, Draw] = {
    "clients": clients,
    "troubles": troubles,
    "sessions": sessions,
    "techniques": techniques,
    "lengths": lengths,
    "expressions": expressions,
    "moments": moments,
}


def _settle(figure: Figure) -> None:
    """Lays the panels out for good, in places without the solver's last digits, which differ between runs."""
    figure.draw_without_rendering()
    places = [(ax, [round(edge, 5) for edge in ax.get_position().bounds]) for ax in figure.axes]
    figure.set_layout_engine("none")
    for ax, (left, bottom, width, height) in places:
        ax.set_position((left, bottom, width, height))


def _panels(stats: DataStats, panels: Sequence[tuple[str, Counts | None]], unit: str) -> Figure | None:
    """Draws a panel of stacked bars per dimension; a dimension without a value is left out."""
    known = [(title, counts) for title, counts in panels if counts is not None and counts.values]
    if not known:
        return None
    figure, axes = _stack(
        [len(counts.values) for _, counts in known], 0.1 + 0.18 * -(-len(stats.splits) // 4)
    )
    for ax, (title, counts) in zip(axes, known, strict=True):
        values = list(counts.values)[:_MOST_ROWS]
        left = [0] * len(values)
        for place, split in enumerate(stats.splits):
            sizes = [counts.values[value].get(split, 0) for value in values]
            ax.barh(
                range(len(values)),
                sizes,
                left=left,
                height=0.74,
                color=COLORS[place % len(COLORS)],
                hatch=_HATCHES[place % len(_HATCHES)],
                edgecolor=GROUND,
                linewidth=0.5,
                label=split,
            )
            left = [a + b for a, b in zip(left, sizes, strict=True)]
        even = "" if counts.evenness is None else f" (evenness {counts.evenness:.2f})"
        _finish_bars(ax, values, left, title + even)
    axes[-1].set_xlabel(unit)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower left", ncols=4, columnspacing=1, handlelength=1.6)
    return figure  # type: ignore[no-any-return]


def _plain_panels(panels: Sequence[tuple[str, Mapping[str, int]]], unit: str) -> Figure | None:
    known = [(title, values) for title, values in panels if values]
    if not known:
        return None
    figure, axes = _stack([len(values) for _, values in known], 0.1)
    for ax, (title, values) in zip(axes, known, strict=True):
        names = list(values)[:_MOST_ROWS]
        sizes = [values[name] for name in names]
        ax.barh(range(len(names)), sizes, height=0.74, color=COLORS[0], edgecolor=GROUND, linewidth=0.5)
        _finish_bars(ax, names, sizes, title)
    axes[-1].set_xlabel(unit)
    return figure  # type: ignore[no-any-return]


def _stack(rows: Sequence[int], more: float) -> tuple[Any, Sequence[Any]]:
    """Returns a figure and its panels, each as high as its rows of bars need."""
    heights = [_HEAD + _ROW * min(size, _MOST_ROWS) for size in rows]
    options: dict[str, Any] = {"gridspec_kw": {"height_ratios": heights}}
    figure, axes = new_figure(COLUMN, sum(heights) + more + 0.15, rows=len(rows), **options)
    return figure, axes[:, 0]


def _finish_bars(ax: Axes, names: Sequence[str], totals: Sequence[int], title: str) -> None:
    name_rows(ax, _labels(names))
    for row, total in enumerate(totals):
        ax.annotate(
            str(total), (total, row), (2, 0), textcoords="offset points", va="center", fontsize=6, color=INK
        )
    ax.set_xlim(0, 1.08 * max(1, *totals, 1))
    ax.xaxis.set_major_locator(_whole_numbers())
    ax.set_title(title)


def _labels(names: Sequence[str]) -> list[str]:
    plain = [name.replace("_", " ") for name in names]
    return [name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + "…" for name in plain]


def _whole_numbers() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=6, integer=True)
