"""Do the rater's scores part sessions that experts call good from those they call poor? AnnoMI knows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from math import exp
from typing import TYPE_CHECKING, Any

from mirror_bench.raters.coded import CodedRater
from mirror_bench.stats.intervals import Interval
from mirror_bench.validity.annomi import read_annomi
from mirror_bench.validity.evidence import Evidence, Plot, Setting, Table, Target
from mirror_bench.validity.separation import (
    CALIPER,
    TOTAL,
    EqualLength,
    KnownGroups,
    measure_separation,
    rate_transcripts,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Known groups: good and poor sessions of others"
DEVELOPED = "Known groups: the half of AnnoMI on which the rater was developed"
WANTED, WANTED_MATCHED = 0.90, 0.85
NO_ANNOMI = "AnnoMI is outside data and was not at hand; give its CSV file with --annomi PATH"


def examine(setting: Setting) -> Evidence:
    """Rates AnnoMI with the coded rater and tells how well its totals part high from low quality.

    Without targets: the rater was developed on these sessions. `left_out_sets` aims at those that it was not
    fitted on.
    """
    if setting.annomi is None:
        return Evidence(title=TITLE, tested="", skipped=NO_ANNOMI)
    rater = CodedRater()
    rated = asyncio.run(rate_transcripts(read_annomi(setting.annomi), rater))
    return replace(evidence_of(measure_separation(rated, rater.name)), title=DEVELOPED, targets=())


def evidence_of(groups: KnownGroups) -> Evidence:
    """Returns how scores part the known groups as evidence, with targets, tables and the ROC curve."""
    total = next(separation for separation in groups.totals if separation.metric == TOTAL)
    equal = next(separation for separation in groups.equal_length if separation.metric == TOTAL)
    left_out = f" {groups.unrated} transcripts have no total and are left out." if groups.unrated else ""
    return Evidence(
        title=TITLE,
        tested=(
            f"The rater `{groups.rater}` filled in CTRS and WAI for {groups.high} transcripts of AnnoMI that "
            f"were published as high and {groups.low} that were published as low examples of motivational "
            "interviewing; nobody on this project wrote or rated them. The total is the mean of the two "
            "instruments' totals, each scaled to 0..1 over its answers. AUC is the chance that a high "
            "transcript scores above a low one, with the interval of Brunner and Munzel, joined near the "
            f"ends with Newcombe's.{left_out} Length alone also parts "
            f"the groups (AUC of the therapist's words: {shown(groups.length)}), so AUCs are given again at "
            "equal length: one high transcript matched to each low one on log words, each used once, as "
            f"near as can be and within {CALIPER} standard deviations (a factor of "
            f"{exp(groups.caliper):.2f}), which gives the share of pairs that the high one wins; and every "
            "pair within that caliper. A logistic regression holds the score beside length."
        ),
        targets=(
            Target("AUC of the total", f">= {WANTED:.2f}", shown(total.auc), total.auc.value >= WANTED),
            Target(
                f"Share of pairs matched on length that the high one wins ({equal.pairs} pairs)",
                f">= {WANTED_MATCHED:.2f}",
                shown(equal.matched),
                equal.matched is not None and equal.matched.value >= WANTED_MATCHED,
            ),
        ),
        tables=(_totals(groups), _equal_length(groups), _partial(groups), _parts(groups)),
        plots=(
            Plot(
                "known-groups-roc",
                "ROC curves of the totals: high against low quality.",
                lambda: _roc(groups),
            ),
        ),
        not_shown=(
            "How the coded rater does on sessions that nobody saw who wrote it: one half of AnnoMI was at "
            "hand when its phrases and weights were set, and on that half these figures flatter.",
            "That scores order sessions inside a group, or therapists who are nearly alike.",
            "That scores hold for cognitive behavioral therapy: AnnoMI is motivational interviewing, in "
            "English, mostly played for teaching, where poor sessions are poor on purpose.",
            "That a therapist who knows the phrases could not earn points with them.",
        ),
    )


def known_groups_json(groups: KnownGroups) -> dict[str, Any]:
    """Returns what was found for machines: `auc`, `auc_length_matched`, and the details."""
    by_metric = {separation.metric: separation for separation in groups.equal_length}
    matched = by_metric[TOTAL].matched
    return {
        "auc": next(separation.auc.value for separation in groups.totals if separation.metric == TOTAL),
        "auc_length_matched": None if matched is None else matched.value,
        "rater": groups.rater,
        "transcripts": {"high": groups.high, "low": groups.low, "unrated": groups.unrated},
        "total": "mean of the instruments' totals, each scaled to 0..1",
        "auc_of_length": _interval(groups.length),
        "caliper_log_tokens": groups.caliper,
        "metrics": {
            separation.metric: {
                "auc": _interval(separation.auc),
                "correlation_with_length": _interval(separation.with_length),
            }
            for separation in (*groups.totals, *groups.parts)
        },
        "equal_length": {metric: _equal_json(separation) for metric, separation in by_metric.items()},
        "partial": {
            metric: {
                "reason": fit.reason,
                **{
                    name: {"coefficient": _interval(predictor.coefficient), "p": predictor.p}
                    for name, predictor in fit.partials.items()
                },
            }
            for metric, fit in groups.partial.items()
        },
        "roc": {metric: [list(point) for point in points] for metric, points in groups.roc.items()},
    }


def shown(interval: Interval | None) -> str:
    """Returns a figure with its interval as text; a dash where there is none."""
    if interval is None:
        return "–"
    if interval.low is None or interval.high is None:
        return f"{interval.value:.2f}"
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _interval(interval: Interval | None) -> dict[str, float | None] | None:
    if interval is None:
        return None
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _equal_json(separation: EqualLength) -> dict[str, Any]:
    return {
        "matched": _interval(separation.matched),
        "pairs": separation.pairs,
        "near": _interval(separation.near),
        "near_pairs": separation.near_pairs,
    }


def _totals(groups: KnownGroups) -> Table:
    rows = tuple(
        (separation.metric, shown(separation.auc), shown(separation.with_length))
        for separation in groups.totals
    )
    return Table("Totals", ("metric", "AUC", "correlation with length"), rows)


def _equal_length(groups: KnownGroups) -> Table:
    rows = tuple(
        (
            separation.metric,
            f"{shown(separation.matched)} ({separation.pairs} pairs)",
            f"{shown(separation.near)} ({separation.near_pairs} pairs)",
        )
        for separation in groups.equal_length
    )
    heads = ("metric", "matched pairs", "every pair within the caliper")
    return Table("AUC at equal length", heads, rows)


def _partial(groups: KnownGroups) -> Table:
    rows = []
    for metric, fit in groups.partial.items():
        if fit.reason:
            rows.append((metric, fit.reason, "–", "–"))
        for name, predictor in fit.partials.items():
            rows.append(
                (
                    metric,
                    name,
                    shown(predictor.coefficient),
                    "< 0.001" if predictor.p < 0.001 else f"{predictor.p:.3f}",
                )
            )
    return Table(
        "Quality regressed on score and length",
        ("metric", "predictor", "log odds ratio per SD", "p"),
        tuple(rows),
    )


def _parts(groups: KnownGroups) -> Table:
    rows = tuple(
        (separation.metric, shown(separation.auc), shown(separation.with_length))
        for separation in groups.parts
    )
    return Table("Items and subscales", ("metric", "AUC", "correlation with length"), rows)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _roc(groups: KnownGroups) -> Figure:
    from mirror_bench.figures.style import COLORS, COLUMN, LINES, MUTED, new_figure

    figure, axes = new_figure(COLUMN, 2.9)
    ax = axes[0, 0]
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=0.6)
    for place, separation in enumerate(groups.totals):
        points = groups.roc[separation.metric]
        ax.step(
            [point.false_positive for point in points],
            [point.true_positive for point in points],
            LINES[place],
            where="post",
            color=COLORS[place],
            linewidth=1.3,
            label=f"{separation.metric}, AUC {separation.auc.value:.2f}",
        )
    ax.set(
        xlabel="Low transcripts at or above the score",
        ylabel="High transcripts at or above it",
        xlim=(-0.01, 1.01),
        ylim=(-0.01, 1.01),
    )
    ax.grid(True)
    ax.legend(loc="lower right")
    result: Figure = figure
    return result
