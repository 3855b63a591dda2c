"""How figures look: sizes, colours, and the few marks that all of them share."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirror_bench.schema import FaceCondition

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN = 3.5  # Inches; a column of a two-column paper.
GROUND, INK, MUTED, GRID = "#ffffff", "#20242b", "#5b6470", "#d9dde3"
# Okabe & Ito 2008, "Color universal design", less black and yellow, which vanish on a dark or a light ground.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
LINES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P")
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 7.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "figure.facecolor": GROUND,
    "axes.facecolor": GROUND,
    "savefig.facecolor": GROUND,
    "svg.hashsalt": "mirror-bench",
    "pdf.fonttype": 42,  # Letters as letters, which publishers ask for, not as drawings.
    "text.parse_math": False,  # A dollar sign in a model's name is a dollar sign.
}
# What would otherwise hold the time, or the machine's version of a library.
METADATA: Mapping[str, Mapping[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Figures made and saved inside look alike, whatever the user's own settings."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # Names may hold scripts that the font lacks; a box in a label is no reason to warn or fail.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def save_figure(figure: Figure, path: Path, dpi: int = 300) -> None:
    """Writes a figure in the format of its suffix, one of `METADATA`; equal figures give equal bytes."""
    figure.savefig(path, dpi=dpi, metadata=dict(METADATA[path.suffix.removeprefix(".")]))


def new_figure(
    width: float, height: float, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Any, Any]:
    """Returns a figure of `width` x `height` inches and its axes, (rows, columns)."""
    # The object interface, not pyplot: no global state, no display, safe beside other figures.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def draw_point(
    ax: Axes,
    row: float,
    value: float,
    low: float | None,
    high: float | None,
    condition: FaceCondition,
    name: str,
) -> None:
    """Draws a value, and its interval where there is one, at height `row`."""
    # A condition keeps its colour and marker in every figure, whichever others are there.
    style = tuple(FaceCondition).index(condition)
    if low is not None and high is not None:
        ax.plot([low, high], [row, row], color=COLORS[style], linewidth=1.3, solid_capstyle="butt")
    ax.plot([value], [row], MARKERS[style], color=COLORS[style], markersize=4, label=name, linestyle="none")


def name_markers(figure: Figure) -> None:
    """Names the markers of all axes below the figure, each once."""
    once = {}
    for ax in figure.axes:
        handles, names = ax.get_legend_handles_labels()
        once.update(dict(zip(names, handles, strict=True)))
    figure.legend(once.values(), once.keys(), loc="outside lower left", ncols=3, columnspacing=1)


def legend_columns(labels: Sequence[str]) -> int:
    """Returns into how many columns a legend goes below a figure one column wide, so that no name is cut."""
    return 2 if max(map(len, labels), default=0) <= 22 else 1


def legend_height(labels: Sequence[str]) -> float:
    """Returns the inches that such a legend takes."""
    return 0.16 * -(-len(labels) // legend_columns(labels)) + 0.1


def name_rows(ax: Axes, labels: Sequence[str]) -> None:
    """Labels rows from the top."""
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.grid(True, axis="x")
    ax.tick_params(axis="y", length=0)
