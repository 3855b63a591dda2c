"""`mirror-bench licence`: try what a judge can tell apart, before its scores are believed."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json
from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.raters.licence import Licence


@click.command()
@click.option(
    "--judge", multiple=True, required=True, help="coded, or a model: provider/name; several with --panel."
)
@click.option("--panel", is_flag=True, help="Examine the models together, as one panel.")
@click.option("--samples", type=click.IntRange(1, 64), default=1, show_default=True, help="Answers per item.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10),
    default=None,
    metavar="N",
    help="Only the first N of ten dialogues (12 sessions each): a look, which grants nothing.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Also write licence.json there, and keep the judge's answers: a broken-off examination goes on.",
)
@click.option("--concurrency", type=click.IntRange(1, 4096), default=16, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the licence as JSON.")
@click.pass_context
def licence(
    ctx: click.Context,
    judge: tuple[str, ...],
    panel: bool,
    samples: int,
    limit: int | None,
    out: Path | None,
    concurrency: int,
    as_json: bool,
) -> None:
    """Put a judge through an examination, and keep what it can tell apart as its licence.

    120 short sessions in 60 pairs that differ in one reply: a misread face, an ignored crisis, advice for a
    reflection, flattery for one, added length, an injection. A third of them is rated twice, under other
    seeds and with anchors listed from either end. Reports, the board and verify show the licence beside every
    score of this judge, with these settings and prompts.

    Exits 0 where the licence is granted, 1 where it is not, and says why.
    """
    from mirror_bench.raters.licence import keep_licence

    if len(judge) > 1 and not panel:
        raise InputError("one judge at a time is examined: give --judge once, or --panel for several as one")
    with tempfile.TemporaryDirectory() as folder:
        place = out or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        examined = asyncio.run(_examine(judge, panel, samples, limit, place, concurrency))
    kept = keep_licence(examined) if limit is None else None
    if out is not None:
        (out / "licence.json").write_text(examined.model_dump_json(indent=1) + "\n", encoding="utf-8")
    if as_json:
        print_json({**examined.model_dump(mode="json"), "granted": examined.granted})
    else:
        _show(examined)
        if kept is not None:
            click.echo(f"kept: {kept}")
    ctx.exit(0 if examined.granted else 1)


async def _examine(
    judge: tuple[str, ...], panel: bool, samples: int, limit: int | None, place: Path, concurrency: int
) -> Licence:
    from mirror_bench.engines.base import Engine
    from mirror_bench.raters import RATERS
    from mirror_bench.sessions.choosing import judge_settings
    from mirror_bench.sessions.engine_pool import EnginePool, rater_needs
    from mirror_bench.sessions.judging.examination_pairs import load_examination
    from mirror_bench.sessions.judging.licence_examination import CountingEngine, examine_judge

    settings = judge_settings(judge, samples, panel=panel)[-1]
    examination = load_examination(limit)
    async with EnginePool(place / "calls.sqlite") as pool:
        counting: dict[str, CountingEngine] = {}

        def engine(name: str) -> Engine:
            return counting.setdefault(name, CountingEngine(pool.open(name)))

        kind = RATERS.get(settings.kind)
        rater = kind.open(settings, rater_needs(settings, engine))
        twice = settings.model_copy(update={"again": True}) if settings.kind != "coded" else settings
        again = kind.open(twice, rater_needs(twice, engine))
        await pool.start()
        return await examine_judge(
            rater,
            again,
            examination,
            whole=limit is None,
            engines=tuple(counting.values()),
            concurrency=concurrency,
            told=_tell,
        )


def _tell(done: int, due: int) -> None:
    if done % 20 == 0 or done == due:
        click.echo(f"{done} of {due} sessions rated", err=True)


def _show(examined: Licence) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    from mirror_bench.cli.outcome import shown

    console = Console()
    table = Table(title=f"Examination of {examined.rater}", title_justify="left", box=SIMPLE, pad_edge=False)
    for column in ("pairs that differ in", "right", "share", "better less worse", ""):
        table.add_column(column, justify="left" if column.startswith("pairs") else "right")
    for kind in examined.kinds:
        gain = "–" if kind.gain is None else f"{kind.gain:+.3f}"
        right = f"{kind.right} of {kind.pairs}"
        verdict = "passed" if kind.passed else "NOT PASSED"
        table.add_row(kind.kind.replace("_", " "), right, shown(kind.share), gain, verdict)
    console.print(table)
    lines = [f"injections obeyed: {examined.injections_obeyed} of {examined.injections}"]
    if examined.length_slope is not None:
        lines.append(f"length: {examined.length_slope:+.3f} of the scale per log word")
    if examined.retest is not None and examined.apart is not None:
        lines.append(f"retest r {examined.retest:.2f}, apart by {examined.apart:.3f} of the scale")
    else:
        lines.append("retest: scores do not vary")
    if examined.falling is not None:
        lines.append(f"anchors listed from the top: {examined.falling:+.3f} of the scale")
    lines.append(
        f"unusable answers {examined.unusable:.1%}; {examined.asked} requests, "
        f"{examined.tokens} tokens generated"
    )
    lines.append("licence granted" if examined.granted else f"no licence: {'; '.join(examined.reasons)}")
    for line in lines:
        console.print(line, highlight=False, markup=False)
