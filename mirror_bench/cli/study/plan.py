"""`mirror-bench study plan`: how many sessions and raters a study takes, before anybody is asked."""

from __future__ import annotations

from typing import Literal

import click

from mirror_bench.cli import print_json
from mirror_bench.cli.options.numbers import Number
from mirror_bench.errors import InputError

_EACH = (2, 3, 4, 5)


@click.command()
@click.option(
    "--form",
    type=click.Choice(("rating", "pairwise")),
    default="rating",
    show_default=True,
    help="Of the study.",
)
@click.option("--width", type=Number(), required=True, help="How wide the 95 % interval may be, end to end.")
@click.option(
    "--agreement",
    type=Number(),
    default=0.6,
    show_default=True,
    help="ICC expected among raters; of pairs, of the answers to one pair.",
)
@click.option(
    "--rate", type=Number(), default=0.6, show_default=True, help="Of pairs: the win rate expected."
)
@click.option(
    "--power", type=Number(), default=0.8, show_default=True, help="Of pairs: chance of finding that rate."
)
@click.option(
    "--each", type=click.IntRange(min=2), default=None, help="Raters of each; default: 2 to 5 are shown."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def plan(
    form: Literal["rating", "pairwise"],
    width: float,
    agreement: float,
    rate: float,
    power: float,
    each: int | None,
    as_json: bool,
) -> None:
    """Say how many sessions or pairs it takes for a 95 % interval of a given width.

    For ratings: of an ICC by Bonett (2002), and of a kappa with quadratic weights, which is an ICC of two
    raters; beside it the width in simulated studies of that size, by the interval that agree prints. For
    pairs: of a win rate, and the pairs that show it to be other than one half.
    """
    from mirror_bench.study import planning

    _check(width, agreement, rate, power)
    chosen = _EACH if each is None else (each,)
    if form == "rating":
        rows = []
        for many in chosen:
            units = planning.sessions_for_icc(agreement, width, many)
            simulated = planning.simulated_width(agreement, units, many, many) if units <= 400 else None
            rows.append(
                {"each": many, "sessions": units, "ratings": units * many, "simulated_width": simulated}
            )
    else:
        rows = [
            {
                "each": many,
                "pairs": planning.pairs_for_rate(rate, width, many, agreement),
                "pairs_to_tell": None
                if rate == 0.5
                else planning.pairs_for_difference(rate, power, many, agreement),
            }
            for many in chosen
        ]
    if as_json:
        print_json(
            {"form": form, "width": width, "agreement": agreement, "rate": rate, "power": power, "rows": rows}
        )
        return
    for row in rows:
        if form == "rating":
            told = (
                ""
                if row["simulated_width"] is None
                else f"; simulated studies of that size: {row['simulated_width']:.2f} wide"
            )
            click.echo(
                f"{row['each']} raters each: {row['sessions']} sessions, {row['ratings']} forms' pages{told}"
            )
        else:
            told = (
                ""
                if row["pairs_to_tell"] is None
                else f"; {row['pairs_to_tell']} pairs tell it from 0.5 with power {power:g}"
            )
            click.echo(f"{row['each']} raters each: {row['pairs']} pairs{told}")
    what = (
        f"an ICC of {agreement:g}"
        if form == "rating"
        else f"a win rate of {rate:g} (answers to one pair agree with ICC {agreement:g})"
    )
    click.echo(
        f"for a 95 % interval {width:g} wide around {what}. Sessions of one client count as one where runs "
        "share clients: take so many clients"
    )


def _check(width: float, agreement: float, rate: float, power: float) -> None:
    if not 0 < width <= 1:
        raise InputError(f"--width {width:g}: give more than 0, and 1 at most")
    if not 0 <= agreement < 1:
        raise InputError(f"--agreement {agreement:g}: give 0 or more, and less than 1")
    if not 0 < rate < 1:
        raise InputError(f"--rate {rate:g}: give more than 0 and less than 1")
    if not 0.05 < power < 1:
        raise InputError(f"--power {power:g}: give more than 0.05 and less than 1")
