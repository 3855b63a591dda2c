"""Agreement of raters: two against each other session by session, or a matrix of more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mirror_bench.analysis.display_names import entry_labels, short
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.session_outcomes import CandidateKey, SessionOutcome
from mirror_bench.figures.style import (
    COLORS,
    COLUMN,
    GRID,
    MARKERS,
    MUTED,
    legend_columns,
    legend_height,
    name_rows,
    new_figure,
)
from mirror_bench.raters.names import single
from mirror_bench.schema import FaceCondition
from mirror_bench.stats.agreement import icc
from mirror_bench.stats.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class _Rated(NamedTuple):
    """One metric as several raters gave it.

    Attributes:
        raters: k names.
        rows: A row of k values per session, None where a rater gave none.
        profiles: The session's profile.
        candidates: The session's candidate.
        labels: Each candidate's label, in the order of the runs.
    """

    metric: Metric
    raters: tuple[str, ...]
    rows: tuple[tuple[float | None, ...], ...]
    profiles: tuple[str, ...]
    candidates: tuple[CandidateKey, ...]
    labels: Mapping[CandidateKey, str]


def agreement_figure(outcomes: Sequence[SessionOutcome], metrics: Sequence[Metric]) -> Figure | None:
    """Draws how far raters agree on every total, over all candidates and face conditions.

    Two raters are drawn against each other; more as a matrix of ICC(2,1), absolute agreement (Shrout & Fleiss
    1979), of each two. The title gives the ICC of all with its interval, clustered by profile. It counts
    differences between candidates as things to agree on, and is higher than within one candidate. A panel
    is left out beside its own judges, and so is a judge's second answer: neither is a rater of its own.

    Args:
        outcomes: Sessions of all runs, with every rater's scores.
        metrics: What was measured.

    Returns:
        The figure; None where no total has been given by two raters of one session.
    """
    panels = [rated for metric in metrics if metric.kind == "total" and (rated := _rated(outcomes, metric))]
    if not panels:
        return None
    heights = [2.8 if len(panel.raters) == 2 else 0.9 + 0.3 * len(panel.raters) for panel in panels]
    named = [label for panel in panels if len(panel.raters) == 2 for label in panel.labels.values()]
    height = sum(heights) + legend_height(list(dict.fromkeys(named)))
    figure, axes = new_figure(COLUMN, height, rows=len(panels), height_ratios=heights)
    for ax, panel in zip(axes[:, 0], panels, strict=True):
        (_scatter if len(panel.raters) == 2 else _matrix)(ax, panel)
        overall = icc(panel.rows, panel.profiles)
        ax.set_title(f"{panel.metric.title}\nICC {_told(overall)}")
    handles: dict[str, Any] = {}
    for ax in figure.axes:
        for handle, name in zip(*ax.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    if handles:
        names = list(handles)
        figure.legend(
            handles.values(),
            names,
            loc="outside lower left",
            ncols=legend_columns(names),
            columnspacing=1,
            markerscale=1.4,
        )
    return figure  # type: ignore[no-any-return]


def _rated(outcomes: Sequence[SessionOutcome], metric: Metric) -> _Rated | None:
    given = []
    # In an order of their own, so that a figure does not depend on that of the records.
    for outcome in sorted(outcomes, key=lambda outcome: outcome.session_key):
        own = {rater: scores.get(metric.name) for (rater, _), scores in outcome.by_rater.items()
               if scores.get(metric.name) is not None}  # fmt: skip
        given.append((own, outcome.profile_id, _candidate(outcome)))
    raters = single(rater for own, _, _ in given for rater in own)
    kept = [(own, profile, name) for own, profile, name in given if sum(r in own for r in raters) > 1]
    if not kept:
        return None
    return _Rated(
        metric,
        raters,
        tuple(tuple(own.get(rater) for rater in raters) for own, _, _ in kept),
        tuple(profile for _, profile, _ in kept),
        tuple(name for _, _, name in kept),
        entry_labels(dict.fromkeys(_candidate(outcome) for outcome in outcomes), 22),
    )


def _candidate(outcome: SessionOutcome) -> CandidateKey:
    return outcome.key._replace(condition=FaceCondition.MATCHED)


def _scatter(ax: Axes, rated: _Rated) -> None:
    low, high = rated.metric.low or 0.0, rated.metric.high or 1.0
    ax.plot([low, high], [low, high], color=MUTED, linewidth=0.7, linestyle=":")
    for index, (key, label) in enumerate(rated.labels.items()):
        if key not in rated.candidates:
            continue
        pairs: Any = [row for row, own in zip(rated.rows, rated.candidates, strict=True) if own == key]
        ax.plot(
            [row[0] for row in pairs],
            [row[1] for row in pairs],
            MARKERS[(index + index // len(COLORS)) % len(MARKERS)],
            color=COLORS[index % len(COLORS)],
            markersize=3.2,
            markeredgewidth=0,
            alpha=0.6,
            linestyle="none",
            label=label,
        )
    ax.set_aspect("equal")
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    ax.grid(True)
    ax.set_xlabel(short(rated.raters[0], 34))
    ax.set_ylabel(short(rated.raters[1], 34))


def _matrix(ax: Axes, rated: _Rated) -> None:
    import numpy as np

    count = len(rated.raters)
    values = np.full((count, count), np.nan)
    for row in range(count):
        for column in range(row):
            pairs = [(cells[row], cells[column]) for cells in rated.rows]
            correlation = icc(pairs)
            values[row, column] = np.nan if correlation is None else correlation.value
    image: Any = ax.imshow(values[1:, :-1], cmap="cividis", aspect="auto", vmin=0, vmax=1)
    for row in range(1, count):
        for column in range(row):
            value = values[row, column]
            missing = bool(np.isnan(value))
            color = MUTED if missing else "#fefefe" if image.norm(max(0.0, float(value))) < 0.5 else "#101010"
            ax.text(
                column, row - 1, "–" if missing else f"{value:.2f}", ha="center", va="center", color=color
            )
    labels = [short(name.removeprefix("llm:"), 20) for name in rated.raters]
    ax.set_xticks(range(count - 1), labels[:-1], rotation=25, ha="right", rotation_mode="anchor")
    name_rows(ax, labels[1:])
    ax.grid(False)
    ax.tick_params(length=0)
    ax.spines[:].set_color(GRID)


def _told(interval: Interval | None) -> str:
    if interval is None:
        return "unknown"
    if interval.low is None or interval.high is None:
        return f"{interval.value:.2f}, n = {interval.n}"
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}], n = {interval.n}"
