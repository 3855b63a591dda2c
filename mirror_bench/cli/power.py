"""`mirror-bench power`: how many scenarios and profiles a comparison needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.cli.options.numbers import Number
from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.analysis.regression.planning import ComparisonPlan, Plans, Question
    from mirror_bench.analysis.session_outcomes import SessionOutcome

CONDITIONS = ("matched", "none", "neutral", "shuffled", "incongruent")


@click.command()
@click.option(
    "--effect", type=Number(), required=True, help="The difference to find, in points of the score."
)
@click.option(
    "--runs", multiple=True, type=click.Path(path_type=Path), help="A past run; may stand several times."
)
@click.option("--standardized", is_flag=True, help="The effect is in standard deviations: dz, or d unpaired.")
@click.option(
    "--power", "wanted", type=Number(), default=0.8, show_default=True, help="Chance of finding it."
)
@click.option(
    "--alpha",
    type=Number(),
    default=0.05,
    show_default=True,
    help="Chance of finding one where there is none.",
)
@click.option("--metric", default="", help="ctrs, wai, or any score such as wai.bond; the runs' first total.")
@click.option(
    "--paired/--unpaired", default=True, show_default=True, help="Whether both sides meet the same scenarios."
)
@click.option(
    "--condition",
    multiple=True,
    type=click.Choice(CONDITIONS),
    help="Only these face conditions of the runs.",
)
@click.option(
    "--per-profile", type=click.IntRange(min=1), default=None, help="Sessions per profile; as in the runs."
)
@click.option(
    "--margin",
    type=Number(),
    help="Plan for `gate --margin`: how many it takes to prove a drop of --effect beyond this.",
)
@click.option(
    "--metrics",
    type=click.IntRange(min=1),
    help="With --margin: how many metrics the gate holds; as many as the runs have totals, or 1.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the plans as JSON.")
def power(
    effect: float,
    runs: tuple[Path, ...],
    standardized: bool,
    wanted: float,
    alpha: float,
    metric: str,
    paired: bool,
    condition: tuple[str, ...],
    per_profile: int | None,
    margin: float | None,
    metrics: int | None,
    as_json: bool,
) -> None:
    """Say how many scenarios and profiles it takes to find an effect.

    How scores scatter is read from past runs: the differences between every two candidates or face conditions
    on the same scenarios, or unpaired the scores themselves, and how alike sessions of one profile are. One
    run of one candidate gives the most that it can take. A two-sided t test over profiles' means, or with
    --margin the gate's test; a standardized effect needs no run.
    """
    from mirror_bench.analysis.regression.planning import (
        Plans,
        Question,
        plan_from_runs,
        plan_standardized,
    )
    from mirror_bench.analysis.regression.rated_runs import profiles_in
    from mirror_bench.sessions.run_header import read_header

    question = Question(effect, wanted, alpha, paired, standardized, per_profile, margin, metrics or 1)
    _check(question, runs)
    known = None
    if runs:
        metric, outcomes, totals = _read(runs, metric, condition)
        known = profiles_in(runs[0], read_header(runs[0]))
        if metrics is None:
            question = question._replace(metrics=max(1, totals))
        plans = plan_from_runs(outcomes, metric, question)
    else:
        plans = Plans([plan_standardized(question)], [])
    _show(plans, question, metric, known, as_json)


def _check(question: Question, runs: Sequence[Path]) -> None:
    if not question.effect or abs(question.effect) == float("inf") or question.effect != question.effect:
        raise InputError("--effect: must be a number other than 0")
    if not 0 < question.alpha < question.power < 1:
        raise InputError("--power and --alpha: must lie between 0 and 1, and power above alpha")
    if question.margin is not None and not 0 < question.margin < abs(question.effect):
        raise InputError(
            f"--margin {question.margin:g}: must be above 0 and below --effect {abs(question.effect):g}: a "
            "gate cannot prove a drop that it tolerates"
        )
    if question.margin is not None and not question.paired:
        raise InputError("--margin: a gate is paired: leave --unpaired out")
    if not runs and not question.standardized:
        raise InputError(
            "an effect in points needs to know how scores scatter: give a past run with --runs DIR, or the "
            "effect in standard deviations with --standardized"
        )
    if not runs and (question.per_profile or 1) > 1:
        raise InputError(
            "--per-profile: only runs tell how alike sessions of one profile are: add --runs DIR"
        )


def _read(
    runs: Sequence[Path], metric: str, conditions: Sequence[str]
) -> tuple[str, list[SessionOutcome], int]:
    """Returns the metric's full name, the runs' sessions, and how many totals they have."""
    from mirror_bench.analysis.run_summary import gather_run
    from mirror_bench.sessions.run_header import read_header

    prints = {read_header(folder).fingerprint: folder for folder in runs}
    if len(prints) > 1:
        first, second = list(prints.values())[:2]
        raise InputError(f"--runs {first} and {second}: stand under different protocols; plan from one")
    gathered = [gather_run(folder) for folder in dict.fromkeys(runs)]
    names = list(dict.fromkeys(name for run in gathered for name in run.metrics))
    totals = [name for name in names if name.endswith(".total")]
    wanted = f"{metric}.total" if f"{metric}.total" in names else metric or next(iter(sorted(totals)), "")
    if wanted not in names:
        raise InputError(f"--metric {wanted or '(none)'}: these runs hold {', '.join(names) or 'no ratings'}")
    kept = [o for run in gathered for o in run.outcomes if not conditions or o.key.condition in conditions]
    keys: dict[object, Path] = {}
    for folder, gathered_run in zip(dict.fromkeys(runs), gathered, strict=True):
        for key in {outcome.key for outcome in gathered_run.outcomes}:
            if keys.setdefault(key, folder) != folder:
                raise InputError(f"--runs {keys[key]} and {folder}: hold the same candidate; leave one out")
    return wanted, kept, len(totals)


def _show(made: Plans, question: Question, metric: str, known: int | None, as_json: bool) -> None:
    from mirror_bench.cli import print_json

    plans, left_out = made
    largest = max(plans, key=lambda plan: (plan.profiles, plan.scenarios))
    if as_json:
        print_json(
            {
                **question._asdict(),
                "metric": metric,
                "profiles": largest.profiles,
                "scenarios": largest.scenarios,
                "profiles_in_data": known,
                "plans": [plan._asdict() for plan in plans],
                "left_out": left_out,
            }
        )
        return
    _table(plans, question, metric, largest)
    if known is not None and largest.profiles > known:
        click.echo(
            f"The data have {known} profiles: more sessions of each (--per-profile) help as far as sessions "
            "of one profile differ; beyond that, look for a larger effect or bring more profiles."
        )
    for name in left_out:
        click.echo(f"left out: {name}: too few, or without any difference in scores")


def _table(plans: Sequence[ComparisonPlan], question: Question, metric: str, largest: ComparisonPlan) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=SIMPLE, pad_edge=False)
    for head in ("from", "SD", "ICC", "per profile", "d", "profiles", "scenarios", "power now"):
        table.add_column(head, justify="left" if head == "from" else "right")
    for plan in plans:
        table.add_row(
            Text(plan.comparison),
            *("–" if value is None else f"{value:.2f}" for value in (plan.sd, plan.icc)),
            f"{plan.per_profile:g}",
            f"{plan.standardized:.2f}",
            str(plan.profiles),
            str(plan.scenarios),
            "–" if plan.power_at_hand is None else f"{plan.power_at_hand:.2f} ({plan.at_hand})",
        )
    console.print(table)
    unit = "standard deviations" if question.standardized else f"points of {metric}"
    each = "" if question.paired else " on each side"
    if question.margin is None:
        test = f"{'paired' if question.paired else 'unpaired'}, two-sided"
        aim = f"To find {question.effect:g} {unit}"
    else:
        test = f"gate with margin {question.margin:g} over {question.metrics} metrics, one-sided"
        aim = f"To prove a drop of {abs(question.effect):g} {unit}"
    console.print(
        Text(
            f"{aim} with power {question.power:g} at alpha {question.alpha:g} ({test}): {largest.profiles} "
            f"profiles, {largest.scenarios} scenarios{each}, by the comparison that needs most."
        )
    )
    if any(plan.assumed for plan in plans):
        console.print(
            "One candidate does not tell how alike two are on the same scenario: this is the most that it "
            "takes, as if they were not alike at all. Add another candidate's run with --runs for less."
        )
