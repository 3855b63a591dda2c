"""Rank stability: how often each candidate would have each rank, had other profiles been drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mirror_bench.analysis.candidate_scores import CandidateScores
from mirror_bench.analysis.display_names import entry_labels
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.session_outcomes import CandidateKey, SessionOutcome
from mirror_bench.figures.style import COLUMN, name_rows, new_figure
from mirror_bench.stats.rank_stability import RankStability, rank_stability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def stability_of(
    outcomes: Sequence[SessionOutcome], keys: Sequence[CandidateKey], metric: Metric
) -> RankStability | None:
    """Returns how firm the order of candidates is on one metric; see `stats.rank_stability`.

    Args:
        outcomes: Sessions of all runs.
        keys: The candidates, each under one face condition.
        metric: Which; the highest mean is rank 1, or the lowest where lower is better.

    Returns:
        The ranks, in the order of `keys`; None where there are fewer than two candidates, or their common
        scenarios come from fewer than two profiles.
    """
    if len(keys) < 2:
        return None
    sign = -1.0 if metric.better == "lower" else 1.0
    values: dict[str, dict[CandidateKey, float]] = {}
    profiles: dict[str, str] = {}
    for outcome in outcomes:
        value = outcome.value(metric.name)
        if outcome.key in keys and value is not None:
            values.setdefault(outcome.pair, {})[outcome.key] = sign * value
            profiles[outcome.pair] = outcome.profile_id
    table = [[own.get(key) for key in keys] for own in values.values()]
    return rank_stability(table, [profiles[pair] for pair in values])


def rank_map(
    outcomes: Sequence[SessionOutcome], entries: Sequence[CandidateScores], metrics: Sequence[Metric]
) -> Figure | None:
    """Draws, per instrument, the share of resamples in which each candidate has each rank.

    Args:
        outcomes: Sessions of all runs.
        entries: One per candidate.
        metrics: What was measured; totals are drawn.

    Returns:
        The figure, best candidates on top; None where no total ranks two candidates.
    """
    keys = [entry.key for entry in entries]
    found = [
        (metric, ranks)
        for metric in metrics
        if metric.kind == "total" and (ranks := stability_of(outcomes, keys, metric)) is not None
    ]
    if not found:
        return None
    labels = [label.replace(" · ", "\n") for label in entry_labels(keys, 22).values()]
    figure, axes = new_figure(COLUMN, len(found) * (0.87 + 0.3 * len(keys)), rows=len(found))
    for ax, (metric, ranks) in zip(axes[:, 0], found, strict=True):
        _map(ax, ranks, labels)
        ax.set_title(f"{metric.title}\n{ranks.units} scenarios, {ranks.clusters} profiles")
    axes[-1, 0].set_xlabel("rank (cells: % of resamples of profiles)")
    return figure  # type: ignore[no-any-return]


def _map(ax: Axes, ranks: RankStability, labels: Sequence[str]) -> None:
    import numpy as np

    shares = 100 * np.array(ranks.shares)[list(ranks.order)]
    ax.imshow(shares, cmap="Blues", aspect="auto", vmin=0, vmax=100)
    for (row, column), share in np.ndenumerate(shares):
        # A share that is not quite none or all is not shown as if it were.
        text = "" if share == 0 else "<1" if share < 1 else ">99" if 99 < share < 100 else f"{share:.0f}"
        color = "#fefefe" if share > 55 else "#101010"
        ax.text(column, row, text, ha="center", va="center", color=color)
    ax.set_xticks(range(len(labels)), [str(rank) for rank in range(1, len(labels) + 1)])
    name_rows(ax, [labels[index] for index in ranks.order])
    ax.grid(False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
