"""`mirror-bench study agree`: how far people agree with each other and with every judge in the runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json
from mirror_bench.cli.compare import score_table, with_ends
from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.raters.instruments import Instrument
    from mirror_bench.study.agreeing import StudyAgreement
    from mirror_bench.study.ordering import StudyOrder

AGREEMENT = "agreement.json"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--against",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Of a pairwise study: a folder of compare --out, whose judge is held against the people too.",
)
@click.option("--items", is_flag=True, help="Show every item, and not totals and subscales alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def agree(folder: Path, against: tuple[Path, ...], items: bool, as_json: bool) -> None:
    """Say how far the people of the study in FOLDER agree, with each other and with every judge in its runs.

    Of ratings: ICC(2,1), Krippendorff's alpha and weighted kappa, and how far each judge lies above or below
    the people. Of comparisons: Bradley-Terry strengths, and each judge's order held against the people's.
    """
    from mirror_bench.files import write_atomically
    from mirror_bench.study.agreeing import agree_on_ratings
    from mirror_bench.study.ordering import order_of_study
    from mirror_bench.study.records import read_key

    key = read_key(folder)
    agreement: StudyAgreement | StudyOrder
    if key.form == "rating":
        if against:
            raise InputError(
                "--against: this study has ratings; add a judge's to the runs: mirror-bench rate RUN "
                "--judge …"
            )
        agreement = agree_on_ratings(folder, key)
    else:
        agreement = order_of_study(folder, key, against)
    write_atomically(folder / AGREEMENT, f"{agreement.model_dump_json(indent=1)}\n".encode())
    if as_json:
        print_json(agreement.model_dump(mode="json"))
        return
    from mirror_bench.study.agreeing import StudyAgreement as Ratings

    if isinstance(agreement, Ratings):
        _show_ratings(
            agreement, {item for form in key.instruments for item in _items(form)} if not items else set()
        )
    else:
        _show_order(agreement)
    for name in agreement.unlike:
        click.echo(f"{name}: ratings by another edition do not enter: mirror-bench rate RUN makes them anew")
    click.echo(f"written: {folder / AGREEMENT}")


def _items(form: Instrument) -> Sequence[str]:
    """Returns what is shown with --items alone."""
    # An instrument without total and subscales has nothing but items to show.
    return [f"{form.name}.{item.id}" for item in form.items] if form.total != "none" or form.subscales else []


def _show_ratings(agreement: StudyAgreement, hidden: set[str]) -> None:
    from rich.console import Console

    console = Console()
    people = score_table(
        f"{len(agreement.raters)} people on {agreement.rated} of {agreement.sessions} sessions",
        "sessions",
        "ICC",
        "alpha",
        "kappa",
    )
    for metric in agreement.people:
        if metric.metric not in hidden:
            people.add_row(
                metric.metric, str(metric.sessions), *map(with_ends, (metric.icc, metric.alpha, metric.kappa))
            )
    console.print(people)
    for judge in dict.fromkeys(judged.judge for judged in agreement.judges):
        table = score_table(judge, "sessions", "ICC", "alpha", "kappa", "tau", "above people")
        for own in agreement.judges:
            if own.judge == judge and own.metric not in hidden:
                table.add_row(
                    own.metric,
                    str(own.sessions),
                    *map(with_ends, (own.icc, own.alpha, own.kappa, own.tau)),
                    with_ends(own.difference, "+.2f"),
                )
        console.print(table)
    if not agreement.judges:
        console.print(
            "no judge has rated these sessions on these instruments: mirror-bench rate RUN --judge … "
            "--instrument …"
        )
    console.print(
        "ICC(2,1), and of a judge with the people's mean; kappa with quadratic weights, and of a judge "
        "with each single person: hold it against the people's own"
    )


def _show_order(ordered: StudyOrder) -> None:
    from rich.console import Console

    console = Console()
    table = score_table(
        f"{len(ordered.raters)} people on {ordered.compared} of {ordered.pairs} pairs",
        "rank",
        "strength",
        "ranks",
    )
    for standing in ordered.people.standings:
        table.add_row(
            standing.name,
            str(standing.rank),
            with_ends(standing.strength, "+.2f"),
            f"{standing.best_rank} to {standing.worst_rank}",
        )
    console.print(table)
    for match in ordered.people.matches:
        console.print(
            f"{match.first} over {match.second}: {match.wins} won, {match.ties} ties, {match.losses} lost; "
            f"win rate {with_ends(match.win_rate)}",
            markup=False,
            highlight=False,
        )
    for group in ordered.people.groups:
        if len(group) > 1:
            console.print(f"cannot be told apart: {', '.join(group)}", markup=False)
    console.print(
        f"people with each other: kappa {with_ends(ordered.kappa)}, alpha {with_ends(ordered.alpha)}",
        highlight=False,
    )
    for judge in ordered.judges:
        order = " > ".join(standing.name for standing in judge.standings) or "no order"
        tau = "–" if judge.tau is None else f"{judge.tau:.2f}"
        console.print(
            f"{judge.judge}: {order}; tau with the people's order {tau}; on {judge.pairs} pairs kappa "
            f"{with_ends(judge.kappa)}, the same side as a person in {with_ends(judge.agreed)}",
            markup=False,
            highlight=False,
        )
