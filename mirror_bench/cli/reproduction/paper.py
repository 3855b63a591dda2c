"""`mirror-bench paper`: the set-up of Kim et al. (2025) by one command, from data to the table."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mirror_bench.cli import print_json
from mirror_bench.cli.options.numbers import NumberRange
from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.api.paper_study import PaperStudy, StudyEstimate
    from mirror_bench.engines.prices import PriceList

_METHODS = "direct,ec,p,p+ec"


@click.command()
@click.option("--data", default="", help="mirror:PATH, the official files; else MIRROR-Mini's test split.")
@click.option("--split", default=None, help="train, dev or test; '' for all profiles.")
@click.option("--therapist", multiple=True, help="A model that sees faces; may stand several times.")
@click.option("--methods", default=_METHODS, show_default=True, help="How each --therapist is asked.")
@click.option(
    "--text", multiple=True, help="A model that reads words alone; by default each --therapist again."
)
@click.option("--planned-text", multiple=True, help="The same, but it plans first, as Camel does.")
@click.option("--client", default="", help="Who plays the client: provider/name; openai/gpt-4o by default.")
@click.option("--judge", multiple=True, help="Who rates, openai/gpt-4o by default; the first also compares.")
@click.option("--samples", type=click.IntRange(1, 64), default=3, show_default=True, help="Answers per item.")
@click.option("--faces", default="", help="drawn, or set:FOLDER: images that you have or made.")
@click.option("--limit", type=click.IntRange(1), default=None, help="At most N profiles, over all types.")
@click.option(
    "--pairwise",
    type=click.IntRange(0),
    default=200,
    show_default=True,
    help="Sessions of each two candidates that are compared; 0 for none.",
)
@click.option("--safety/--no-safety", default=None, help="Also rate safety, and meet whoever is in a crisis.")
@click.option("--max-client-turns", type=click.IntRange(2, 200), default=None, help="20 by default.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The study's folder.")
@click.option("--estimate-only", is_flag=True, help="Say what it would take, and stop.")
@click.option(
    "--max-cost",
    type=NumberRange(min=0, min_open=True),
    default=None,
    metavar="USD",
    help="Begin only where the estimate is below, and stop before more was spent.",
)
@click.option(
    "--prices", type=click.Path(path_type=Path), default=None, help="Prices of your own (estimate)."
)
@click.option("--reply-tokens", type=click.IntRange(1, 100_000), default=None, help="As for estimate.")
@click.option("--concurrency", type=click.IntRange(1, 4096), default=32, show_default=True)
@click.option(
    "--min-coverage",
    type=NumberRange(0, 1),
    default=0.95,
    show_default=True,
    help="Exit with 1 where a smaller share of a run's sessions was held and rated.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the table (or the estimate) as JSON.")
def paper(
    out: Path,
    estimate_only: bool,
    max_cost: float | None,
    prices: Path | None,
    reply_tokens: int | None,
    min_coverage: float,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Repeat the study of MIRROR's authors: hold, rate and compare all candidates, and write their table.

    Each --therapist is asked by the paper's four methods; text baselines read words alone. What it takes is
    estimated first. The same command goes on where a study stopped. OUT gets paper.txt, paper.csv and
    paper.json (skills and alliance by resistance type, and who is preferred), report.html, and a run folder
    for each candidate. What is the same as in the paper and what differs stands in docs/paper.md.
    """
    from mirror_bench.api.paper_study import estimate_study, with_spending
    from mirror_bench.cli.run import run_until_done
    from mirror_bench.engines.prices import SpendingLimit, load_prices

    study = _study(out, options, quiet=quiet or as_json)
    listed = load_prices(prices)
    estimated = asyncio.run(estimate_study(study, reply_tokens=reply_tokens or 0))
    cost = _cost(estimated, listed)
    if as_json and estimate_only:
        print_json({**estimated.model_dump(mode="json"), "usd": cost, "prices_of": listed.date.isoformat()})
    elif not as_json:
        for line in _estimate_lines(estimated, listed, cost):
            click.echo(line)
    if estimate_only:
        return
    if max_cost is not None and cost is not None and cost > max_cost:
        raise InputError(
            f"--max-cost {max_cost:g}: the study would take about {cost:,.2f} USD: raise it, or give --limit "
            "or a smaller --pairwise"
        )
    spending = None if max_cost is None else SpendingLimit(max_cost, listed)
    study = with_spending(study, spending)
    run_until_done(*study.evaluations)
    _finish(study, spending, listed, min_coverage, quiet=quiet, as_json=as_json)


def _study(out: Path, options: dict[str, Any], *, quiet: bool) -> PaperStudy:
    from mirror_bench.api.paper_study import plan_study
    from mirror_bench.sessions.choosing import chosen_protocol
    from mirror_bench.therapists.methods import METHODS

    methods = [name.strip() for name in options["methods"].split(",") if name.strip()]
    for name in methods:
        METHODS.get(name)  # says which there are
    protocol = chosen_protocol(
        "paper",
        **{key: options[key] for key in ("data", "split", "client", "judge", "samples", "faces")},
        max_client_turns=options["max_client_turns"],
        safety=options["safety"],
    )
    # Whoever judges is asked as the protocol asks its own: turns and anchors in their order.
    asked = {"shuffled": False, "samples": options["samples"]}
    raters = tuple(rater.model_copy(update=asked) if rater.model else rater for rater in protocol.raters)
    protocol = protocol.model_copy(update={"raters": raters})
    first = protocol.raters[0]
    return plan_study(
        protocol,
        out,
        therapists=options["therapist"],
        methods=methods,
        text=options["text"],
        planned_text=options["planned_text"],
        judge=(first.model or first.kind) if options["pairwise"] else "",
        cases=options["pairwise"] or 1,
        limit=options["limit"],
        concurrency=options["concurrency"],
        quiet=quiet,
    )


def _finish(
    study: PaperStudy, spending: Any, prices: PriceList, min_coverage: float, *, quiet: bool, as_json: bool
) -> None:
    """Compares, writes the report and the table, and exits with 1 where too little was measured."""
    from rich.progress import Progress

    from mirror_bench.analysis.run_summary import summarize_run
    from mirror_bench.api.paper_study import finish_study
    from mirror_bench.cli.coverage import covered
    from mirror_bench.cli.reproduction.paper_text import as_csv, as_text
    from mirror_bench.engines.prices import SpendingLimit
    from mirror_bench.files import write_atomically
    from mirror_bench.pages.run_report import report_runs

    left = None if spending is None else SpendingLimit(max(1e-9, spending.most - spending.spent), prices)
    with Progress(transient=True, disable=quiet or as_json) as progress:
        task = progress.add_task("comparing", total=None)
        table = finish_study(
            study, spending=left, tick=lambda due: progress.update(task, total=due, advance=1)
        )
    report_runs(study.folders, study.out)
    text = as_text(table)
    told = json.dumps(table.model_dump(mode="json"), ensure_ascii=False, indent=1)
    for name, content in (("paper.txt", text), ("paper.csv", as_csv(table)), ("paper.json", f"{told}\n")):
        write_atomically(study.out / name, content.encode())
    if as_json:
        print_json(table.model_dump(mode="json"))
    else:
        click.echo()
        click.echo(text, nl=False)
        click.echo(
            f"\nwritten: {study.out / 'paper.txt'}, .csv and .json; report: {study.out / 'report.html'}"
        )
    told_of_all = [covered(folder, summarize_run(folder), min_coverage) for folder in study.folders]
    if not all(told_of_all):
        sys.exit(1)


def _cost(estimated: StudyEstimate, prices: PriceList) -> float | None:
    """The cost of all roles, or None where a price is not known."""
    costs = [None if (p := prices.of(role.model)) is None else p.of(role.usage) for role in estimated.roles]
    return None if None in costs else sum(cost for cost in costs if cost is not None)


def _estimate_lines(estimated: StudyEstimate, prices: PriceList, cost: float | None) -> list[str]:
    lines = [
        f"{estimated.runs} runs, {estimated.sessions} sessions, about {estimated.turns:,.0f} client turns, "
        f"{estimated.comparisons} comparisons ({estimated.held} sessions held dry; lengths are assumed)"
    ]
    if not estimated.roles:
        return [*lines, "no model is asked: this study costs nothing"]
    lines.append(f"{'role':<15} {'calls':>11} {'prompt tokens':>16} {'answer tokens':>15} {'USD':>12}")
    for role in estimated.roles:
        price, use = prices.of(role.model), role.usage
        paid = "unknown" if price is None else f"{price.of(use):,.2f}"
        counts = f"{use.calls:>11,.0f} {use.prompt_tokens:>16,.0f} {use.tokens:>15,.0f}"
        lines.append(f"{role.role:<15} {counts} {paid:>12}  {role.model}")
    if cost is None:
        lines.append("In all: unknown, as a price is; give --prices FILE (see mirror-bench estimate --help).")
    else:
        lines.append(f"In all about {cost:,.2f} USD, by prices of {prices.date.isoformat()}.")
    return lines
