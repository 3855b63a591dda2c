"""`python -m benchmarks.campaigns mutated --count 10000`: holds a campaign, or goes on with it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from benchmarks.campaigns.bad_luck import BadLuck
from benchmarks.campaigns.base import Campaign, hold
from benchmarks.campaigns.hostile import Hostile
from benchmarks.campaigns.kills import Kills
from benchmarks.campaigns.mutated import Mutated
from benchmarks.campaigns.tampered import Tampered
from benchmarks.campaigns.wire import Wire
from mirror_bench.errors import InputError

CAMPAIGNS: dict[str, tuple[Campaign, int]] = {
    "mutated": (Mutated(), 10_000),
    "wire": (Wire(), 500),
    "bad-luck": (BadLuck(), 400),
    "kills": (Kills(), 200),
    "tampered": (Tampered(), 1_000),
    "hostile": (Hostile(), 50),
}
"""Name -> the campaign, and its cases where no number is given."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(list(CAMPAIGNS)))
@click.option("--count", type=click.IntRange(min=1), default=None, help="Cases of each.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/campaigns"),
    show_default=True,
    help="Where it is kept how far each has come; the same command goes on from there.",
)
def main(names: tuple[str, ...], count: int | None, seed: int, state: Path) -> None:
    """Hold campaigns (all where no NAMES are given), a line per finding and one for each at its end.

    Exits with 0 where nothing was found, with 1 where something was.
    """
    found = 0
    try:
        for name in names or tuple(CAMPAIGNS):
            campaign, usual = CAMPAIGNS[name]
            report = hold(campaign, count or usual, seed, state, click.echo)
            click.echo(report.line)
            found += len(report.findings)
    except InputError as error:
        click.echo(f"campaigns: {error}", err=True)
        sys.exit(2)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
