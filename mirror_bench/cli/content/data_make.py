"""`mirror-bench data make`: screenplays by a writer, from profiles to a split data set."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.cli.options.numbers import NumberRange
from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.data.base import DataSet
    from mirror_bench.making.screenplays.maker import DataYield
    from mirror_bench.making.screenplays.writer import Brief

_CALLS = "calls.sqlite"
_KINDS = ("emotional", "cognitive", "behavioral", "none")
_HELD_BACK = ("dev", "test")


@click.command()
@click.option(
    "--data", "source", required=True, metavar="SOURCE", help="Whose profiles: cactus:PATH, mini, …"
)
@click.option("--split", default="", help="Only profiles of this split.")
@click.option("--writer", required=True, metavar="MODEL", help="Writes the sessions.")
@click.option(
    "--planner", default="", metavar="MODEL", help="Plans the resistance; the writer where not given."
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder; a begun one goes on."
)
@click.option(
    "--resistance",
    "kinds",
    multiple=True,
    type=click.Choice(_KINDS),
    help="Each profile shows it; repeatable.",
)
@click.option(
    "--each", type=click.IntRange(1, 1000), default=1, show_default=True, help="Sessions of each kind."
)
@click.option("--limit", type=click.IntRange(1), default=None, help="Only the first so many profiles.")
@click.option("--shares", default="80,10,10", show_default=True, help="Of train, dev and test, by people.")
@click.option("--against", multiple=True, metavar="SOURCE", help="Must not be repeated either; repeatable.")
@click.option(
    "--above",
    type=NumberRange(0, 1, max_open=True),
    default=0.15,
    show_default=True,
    help="Likeness of 5-grams above which the later of two sessions falls.",
)
@click.option("--concurrency", type=click.IntRange(1, 10_000), default=16, show_default=True)
@click.option("--estimate", "only_estimate", is_flag=True, help="Say what it would cost, and ask nothing.")
@click.option("--max-cost", type=NumberRange(0, min_open=True), default=None, help="Stop at so many USD.")
@click.option("--prices", type=click.Path(path_type=Path), default=None, help="Prices of your own.")
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the yield, or the estimate, as JSON.")
def make(
    source: str,
    split: str,
    writer: str,
    planner: str,
    out: Path,
    kinds: tuple[str, ...],
    each: int,
    limit: int | None,
    shares: str,
    against: tuple[str, ...],
    above: float,
    concurrency: int,
    only_estimate: bool,
    max_cost: float | None,
    prices: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Write sessions with resisting clients: profile, plan, screenplay, filters, duplicates out, split.

    Every rejection is counted and written down with its reason. What shares eight words in a row with the dev
    or test split of MIRROR-Mini is left out. Killed or stopped, the same command goes on: answers are kept.
    Exit 1 where nothing is kept, or a model could not be asked for some.

    \b
    mirror-bench data make --data cactus:intakes.json --writer openai/gpt-4o --resistance emotional -o made
    mirror-bench run --data mini:made/data …
    """  # noqa: D301
    from mirror_bench.cli import print_json
    from mirror_bench.data.sources.registry import load_data
    from mirror_bench.engines.prices import load_prices
    from mirror_bench.making.screenplays.costs import cost_lines, costs
    from mirror_bench.making.screenplays.maker import yield_lines
    from mirror_bench.making.screenplays.splitting import read_shares
    from mirror_bench.making.screenplays.writer import briefs
    from mirror_bench.schema import Resistance

    parts = read_shares(shares)
    data = load_data(source).of_split(split)
    if not data.profiles:
        raise InputError(f"--split {split}: {source} has no profile of it")
    due = briefs(data.profiles[:limit], [Resistance(kind) for kind in dict.fromkeys(kinds)], each)
    if only_estimate:
        listed = load_prices(prices)
        found = asyncio.run(costs(due, planner or writer, writer, listed))
        if as_json:
            print_json([{**one._asdict(), "usage": one.usage.model_dump(mode="json")} for one in found])
        else:
            click.echo("\n".join([f"{len(due)} screenplays", *cost_lines(found, listed)]))
        return
    counts = asyncio.run(
        _make(
            data,
            due,
            out,
            planner=planner or writer,
            writer=writer,
            shares=parts,
            against=against,
            above=above,
            concurrency=concurrency,
            max_cost=max_cost,
            prices=prices,
            canary=source.partition(":")[0] == "mini",
            quiet=quiet,
        )
    )
    if as_json:
        print_json(counts.model_dump(mode="json"))
    else:
        for line in yield_lines(counts, out):
            click.echo(line)
    if counts.lost or not counts.kept:
        raise SystemExit(1)


async def _make(
    data: DataSet,
    due: list[Brief],
    out: Path,
    *,
    planner: str,
    writer: str,
    shares: tuple[float, ...],
    against: tuple[str, ...],
    above: float,
    concurrency: int,
    max_cost: float | None,
    prices: Path | None,
    canary: bool,
    quiet: bool,
) -> DataYield:
    from mirror_bench.data.checks.contamination import Protected
    from mirror_bench.data.sources.registry import load_data
    from mirror_bench.engines.factory import engine_name
    from mirror_bench.engines.prices import SpendingLimit, load_prices
    from mirror_bench.making.screenplays.maker import ScreenplayMaker, write_made
    from mirror_bench.making.settings import making_in
    from mirror_bench.schema import digest
    from mirror_bench.sessions.engine_pool import EnginePool

    mini = load_data("mini")
    held_back = [*(mini.of_split(name) for name in _HELD_BACK), *map(load_data, against)]
    settings = {
        "profiles": data.digest,
        "screenplays": digest([brief.id for brief in due]),
        "planner": engine_name(planner),
        "writer": engine_name(writer),
        "shares": list(shares),
        "above": above,
        "against": sorted(one.digest for one in held_back),
    }
    spending = None if max_cost is None else SpendingLimit(max_cost, load_prices(prices))
    with making_in(out, settings):
        async with EnginePool(out / _CALLS, spending=spending) as pool:
            maker = ScreenplayMaker(
                planner=pool.open(planner),
                writer=pool.open(writer),
                protected=[Protected(one) for one in held_back],
                shares=shares,
                concurrency=concurrency,
                above=above,
            )
            await pool.start()
            made = await maker.make(due, f"made:{out}", quiet)
        write_made(made, out, canary=canary)
    return made.counts
