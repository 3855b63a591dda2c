"""`mirror-bench faces make`: photographs of faces for dialogues, or a bank of them for live sessions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.making.faces.due import DueFace
    from mirror_bench.making.faces.people import Reference
    from mirror_bench.making.faces.results import FaceYield

_PACKAGED = "mini"
_CALLS = "calls.sqlite"


@click.command("make")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder; a begun one goes on."
)
@click.option(
    "--generator",
    required=True,
    metavar="NAME",
    help="diffusers/MODEL?adapter=ip-adapter|photomaker|none, or drawn/faces to try the way without weights.",
)
@click.option("--data", "source", default=_PACKAGED, show_default=True, metavar="SOURCE", help="Whose turns.")
@click.option("--split", default="", help="Only this split.")
@click.option("--bank", type=click.IntRange(1, 1000), default=None, metavar="PEOPLE", help="A bank instead.")
@click.option(
    "--each",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Of a bank: images of one expression.",
)
@click.option(
    "--expression", "expressions", multiple=True, metavar="NAME", help="Of a bank: only this one; repeatable."
)
@click.option(
    "--identities",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FOLDER",
    help="Pictures of people who agreed (metadata.csv: file_name, person, age, sex, licence); else drawn.",
)
@click.option("--describe", default="", metavar="MODEL", help="A language model that puts faces into words.")
@click.option(
    "--check", "given", multiple=True, metavar="CHECK/MODEL", help="Asks another model or limit; repeatable."
)
@click.option("--without", multiple=True, metavar="CHECK", help="Leaves a check out, on record; repeatable.")
@click.option(
    "--attempts", type=click.IntRange(1, 1000), default=10, show_default=True, help="Images tried for a face."
)
@click.option("--limit", type=click.IntRange(1), default=None, help="Only the first so many faces.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of a bank: which drawn people.")
@click.option("--devices", default="", metavar="LIST", help="One worker each, such as cuda:0,cuda:1.")
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the yield as JSON.")
def make(out: Path, generator: str, as_json: bool, quiet: bool, devices: str, **options: Any) -> None:
    """Make a photograph for each client turn of a data source, or a bank of faces for live sessions.

    An image is kept only where every check passes it: face (a frontal face is found), nsfw, gender, age
    (within ten years), identity, clip (image and stage direction) and caution (of the words). Each rejection
    is written down with its reason and tried again under another seed; a face that no attempt gives has no
    image. Exit 1 where faces are missing.

    \b
    mirror-bench faces make --generator diffusers/stabilityai/stable-diffusion-xl-base-1.0 --bank 40 -o bank
    mirror-bench faces check bank
    mirror-bench run --faces set:bank …
    """  # noqa: D301
    from mirror_bench.cli import print_json
    from mirror_bench.making.faces.results import yield_lines

    names = [name.strip() for name in devices.split(",")] if devices else [""]
    if len(set(names)) < len(names) or (devices and "" in names):
        raise InputError(f"--devices {devices}: name each device once, separated by one comma each")
    result = asyncio.run(_make(out, generator, names, quiet, **options))
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        for line in yield_lines(result, out):
            click.echo(line)
    if result.without:
        raise SystemExit(1)


async def _make(
    out: Path,
    generator: str,
    devices: list[str],
    quiet: bool,
    *,
    describe: str,
    given: tuple[str, ...],
    without: tuple[str, ...],
    attempts: int,
    **what: Any,
) -> FaceYield:
    from mirror_bench.engines.factory import engine_name
    from mirror_bench.making.faces.checks.base import CAUTION, chosen_checks, open_checks
    from mirror_bench.making.faces.generators import open_generator
    from mirror_bench.making.faces.journal import FaceJournal
    from mirror_bench.making.faces.maker import FaceMaker
    from mirror_bench.making.faces.results import write_results, yield_of
    from mirror_bench.making.settings import making_in
    from mirror_bench.schema import digest
    from mirror_bench.sessions.engine_pool import EnginePool

    chosen = chosen_checks(given, without)
    made = [open_generator(generator) for _ in devices]
    due = _due(**what)
    settings = {
        "generator": made[0].name,
        "checks": chosen,
        "without": sorted(without),
        "describe": engine_name(describe) if describe else "",
        "faces": digest(
            [[face.id, face.who.sha256, face.expression.line(), face.direction, face.words] for face in due]
        ),
    }
    checks = open_checks(chosen)
    for one, device in zip(made, devices, strict=True):
        one.start(device)
    caution = CAUTION not in without
    with making_in(out, settings):
        journal = FaceJournal(out)
        maker = FaceMaker(journal, made, checks, attempts, caution)
        if describe:
            async with EnginePool(out / _CALLS) as pool:
                maker.writer = pool.open(describe)
                await pool.start()
                await maker.make(due, quiet)
        else:
            await maker.make(due, quiet)
        asked = [*([CAUTION] if caution else []), *chosen]
        result = yield_of(journal, due, asked, sorted(without))
        write_results(journal, due, result, made[0].name)
        return result


def _due(
    *,
    source: str,
    split: str,
    bank: int | None,
    each: int,
    expressions: tuple[str, ...],
    identities: Path | None,
    limit: int | None,
    seed: int,
) -> list[DueFace]:
    from mirror_bench.data.sources.registry import load_data
    from mirror_bench.making.faces.due import faces_of_bank, faces_of_turns
    from mirror_bench.making.faces.people import drawn_people, given_people

    given = given_people(identities.expanduser()) if identities else []
    if bank is None:
        for option, value in (("--expression", expressions), ("--each", each > 1), ("--seed", seed)):
            if value:
                raise InputError(f"{option}: belongs to a bank: give --bank PEOPLE too, or leave it out")
        return faces_of_turns(load_data(source), split, given)[:limit]
    if source != _PACKAGED or split:
        raise InputError("--bank: takes no --data or --split: its people are drawn, or those of --identities")
    people = _bank_people(bank, given) if identities else drawn_people(bank, seed)
    return faces_of_bank(people, expressions, each)[:limit]


def _bank_people(count: int, given: list[Reference]) -> list[Reference]:
    if count > len(given):
        raise InputError(
            f"--bank {count}: --identities holds {len(given)} people: give more, or ask for fewer"
        )
    return given[:count]
