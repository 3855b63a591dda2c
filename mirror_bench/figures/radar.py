"""Radars: the items of each instrument, a few candidates laid over each other."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mirror_bench.analysis.candidate_scores import CandidateScores
from mirror_bench.analysis.display_names import entry_labels
from mirror_bench.analysis.metrics import Metric
from mirror_bench.figures.style import (
    COLORS,
    COLUMN,
    GROUND,
    LINES,
    MARKERS,
    MUTED,
    legend_columns,
    legend_height,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AT_ONCE = 4
"""Candidates in one radar: with more, lines hide each other."""
MOST_SPOKES = 14
"""Beyond this many items, labels meet, and subscales take their place."""
LEAST_SPOKES = 3
_BANDED = 2  # Candidates whose intervals can be shaded without hiding each other.


class _Radar(NamedTuple):
    instrument: str
    spokes: Sequence[Metric]


def radars(entries: Sequence[CandidateScores], metrics: Sequence[Metric]) -> list[Figure]:
    """Draws radars of up to `AT_ONCE` candidates each, in the order given; a panel per instrument.

    The rings are the instrument's whole scale. An item that a candidate has no value of leaves a gap. With
    one or two candidates, the 95 % intervals are shaded.

    Args:
        entries: One per candidate.
        metrics: What was measured; instruments with fewer than `LEAST_SPOKES` rated items are left out.

    Returns:
        A figure for every `AT_ONCE` candidates that have values; none where nothing can be drawn.
    """
    labels = entry_labels((entry.key for entry in entries), 22)
    figures = []
    rated = [entry for entry in entries if _panels([entry], metrics)]
    for start in range(0, len(rated), AT_ONCE):
        together = rated[start : start + AT_ONCE]
        # A candidate's colour is that of its place among all, here as in other figures.
        looks = [(entries.index(entry), labels[entry.key]) for entry in together]
        figures.append(_figure(together, _panels(together, metrics), looks))
    return figures


def _panels(entries: Sequence[CandidateScores], metrics: Sequence[Metric]) -> list[_Radar]:
    panels = []
    for instrument in dict.fromkeys(metric.instrument for metric in metrics if metric.instrument):
        own = [metric for metric in metrics if metric.instrument == instrument and metric.low is not None]
        scored = [metric for metric in own if any(_value(entry, metric) is not None for entry in entries)]
        items = [metric for metric in scored if metric.kind == "item"]
        subscales = [metric for metric in scored if metric.kind == "subscale"]
        spokes = subscales if len(items) > MOST_SPOKES else items
        if len(spokes) >= LEAST_SPOKES:
            panels.append(_Radar(instrument, spokes))
    return panels


def _figure(
    entries: Sequence[CandidateScores], panels: Sequence[_Radar], looks: Sequence[tuple[int, str]]
) -> Figure:
    names = [label for _, label in looks]
    figure, axes = new_figure(
        COLUMN,
        2.6 * len(panels) + legend_height(names),
        rows=len(panels),
        subplot_kw={"projection": "polar"},
    )
    for ax, panel in zip(axes[:, 0], panels, strict=True):
        _web(ax, panel.spokes)
        for entry, (index, label) in zip(entries, looks, strict=True):
            _ring(ax, entry, panel.spokes, index, label, banded=len(entries) <= _BANDED)
        low, high = panel.spokes[0].low, panel.spokes[0].high
        kind = "subscales" if panel.spokes[0].kind == "subscale" else "items"
        top = _wrapped(panel.spokes[0]).count("\n") + 1
        title = f"{panel.instrument.upper()} {kind} ({low:g} to {high:g})"
        ax.set_title(title, loc="center", pad=9 + 8 * top)
    # All of them stand in every panel, if only as gaps.
    handles, _ = axes[0, 0].get_legend_handles_labels()
    columns = legend_columns(names)
    figure.legend(
        handles, names, loc="outside lower center", ncols=columns, columnspacing=1, handlelength=2.4
    )
    return figure  # type: ignore[no-any-return]


def _web(ax: Any, spokes: Sequence[Metric]) -> None:
    """Lays out spokes clockwise from the top, with their names around, and rings at whole numbers."""
    low, high = spokes[0].low or 0.0, spokes[0].high or 1.0
    ax.set_theta_offset(math.pi / 2)
    ax.set_theta_direction(-1)
    ax.set_ylim(low, high)
    ax.spines["polar"].set_visible(False)
    ax.set_xticks([_angle(index, len(spokes)) for index in range(len(spokes))], [])
    rings = [low + step for step in range(1, math.floor(high - low) + 1)]
    ax.set_yticks(rings, [])
    for ring in rings[:-1]:
        ax.text(
            _angle(0.5, len(spokes)),
            ring,
            f"{ring:g}",
            fontsize=5.5,
            color=MUTED,
            ha="center",
            va="center",
            zorder=1.6,  # Over the rings, under the candidates.
            bbox={"facecolor": GROUND, "edgecolor": "none", "pad": 0.6},
        )
    for index, spoke in enumerate(spokes):
        angle = _angle(index, len(spokes))
        across, up = math.sin(angle), math.cos(angle)
        ax.text(
            angle,
            low + 1.06 * (high - low),
            _wrapped(spoke),
            fontsize=6.5,
            linespacing=1.05,
            ha="center" if abs(across) < 0.1 else ("left" if across > 0 else "right"),
            va="center" if abs(up) < 0.5 else ("bottom" if up > 0 else "top"),
        )


def _ring(
    ax: Axes, entry: CandidateScores, spokes: Sequence[Metric], index: int, label: str, *, banded: bool
) -> None:
    angles = [_angle(place, len(spokes)) for place in range(len(spokes) + 1)]
    scores = [entry.score(spoke.name) for spoke in (*spokes, spokes[0])]
    values = [math.nan if score is None or score.value is None else score.value for score in scores]
    ax.plot(
        angles,
        values,
        LINES[index % len(LINES)],
        color=COLORS[index % len(COLORS)],
        linewidth=1.2,
        marker=MARKERS[index % len(MARKERS)],
        markersize=3,
        label=label,
        clip_on=False,
    )
    if banded:
        ends = [
            (score.low, score.high)
            if score and score.low is not None and score.high is not None
            else (value, value)
            for score, value in zip(scores, values, strict=True)
        ]
        lows, highs = [end[0] for end in ends], [end[1] for end in ends]
        ax.fill_between(angles, lows, highs, color=COLORS[index % len(COLORS)], alpha=0.16, linewidth=0)


def _angle(place: float, count: int) -> float:
    return 2 * math.pi * place / count


def _value(entry: CandidateScores, metric: Metric) -> float | None:
    score = entry.score(metric.name)
    return None if score is None else score.value


def _wrapped(metric: Metric) -> str:
    name = metric.title.removeprefix(metric.instrument.upper()).strip() or metric.name
    return textwrap.fill(name, 15)
