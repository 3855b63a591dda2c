"""`mirror-bench validate`: how far scores can be trusted, measured on sessions whose quality is known."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mirror_bench.cli import print_json
from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.validity.annomi import ExpertTranscript
    from mirror_bench.validity.evidence import Evidence
    from mirror_bench.validity.separation import KnownGroups

_ANNOMI = "annomi:"


@click.command()
@click.option("--data", metavar="annomi:PATH", help="Sessions of known quality: AnnoMI's CSV file.")
@click.option(
    "--rater",
    default="coded",
    show_default=True,
    help="Whose scores are tested: coded, or a model as a judge: provider/name. With --data.",
)
@click.option(
    "--all", "everything", is_flag=True, help="Hold every examination and write VALIDITY.md with its figures."
)
@click.option(
    "--annomi",
    type=click.Path(path_type=Path),
    envvar="ANNOMI",
    help="AnnoMI's CSV file for --all; without it, what needs it is marked as skipped.  [env: ANNOMI]",
)
@click.option("--quick", is_flag=True, help="With --all: a small part of everything, to see that it works.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of what is drawn."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="With --data: write validity.json and plots there. With --all: where VALIDITY.md is written "
    "(default: docs).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def validate(
    data: str | None,
    rater: str,
    everything: bool,
    annomi: Path | None,
    quick: bool,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure how far scores can be trusted.

    With --data annomi:PATH: whether a rater's scores part transcripts that experts published as good from
    those published as poor (AUC), also at equal length, item by item and beside length in a regression; and
    how the behaviour codes agree with the experts' codes (macro-F1, confusion, kappa). The total is the mean
    of the CTRS and WAI totals, each scaled to 0..1.

    With --all: every examination there is, written as VALIDITY.md.

    The command measures and does not judge: it exits 0 where targets are missed, and the tables say so.
    """
    if everything == (data is not None):
        raise InputError("validate takes either --data annomi:PATH or --all")
    if data is None:
        _validate_all(annomi, quick, seed, out or Path("docs"), as_json)
    else:
        _validate_on(data, rater, out, as_json)


def _validate_on(data: str, rater: str, out: Path | None, as_json: bool) -> None:
    from mirror_bench.validity import coding, known_groups
    from mirror_bench.validity.annomi import read_annomi
    from mirror_bench.validity.display import show_evidence, write_evidence_plots

    if not data.startswith(_ANNOMI) or data == _ANNOMI:
        raise InputError(f"--data {data}: sessions of known quality are read as annomi:PATH")
    transcripts = read_annomi(Path(data.removeprefix(_ANNOMI)))
    groups = _measure(transcripts, rater, out)
    codings = coding.measure_coding(transcripts)
    result: dict[str, Any] = {**known_groups.known_groups_json(groups), **coding.coding_json(codings)}
    evidences = (known_groups.evidence_of(groups), coding.evidence_of(codings))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(result, ensure_ascii=False, indent=1)
        (out / "validity.json").write_text(text + "\n", encoding="utf-8")
        for evidence in evidences:
            write_evidence_plots(evidence, out)
    if as_json:
        print_json(result)
        return
    for evidence in evidences:
        show_evidence(evidence)
    if out is not None:
        click.echo(f"written: {out / 'validity.json'} and plots beside it")


def _measure(transcripts: tuple[ExpertTranscript, ...], rater: str, out: Path | None) -> KnownGroups:
    """Rates the transcripts; a model's answers are kept in `out`, where there is one, and not asked again."""
    from mirror_bench.sessions.choosing import judge_settings
    from mirror_bench.sessions.engine_pool import EnginePool, open_raters
    from mirror_bench.validity.separation import measure_separation, rate_transcripts

    settings = judge_settings((rater,))

    async def measure(folder: Path) -> KnownGroups:
        async with EnginePool(folder / "calls.sqlite") as pool:
            (opened,) = open_raters(settings, pool)
            await pool.start()
            return measure_separation(await rate_transcripts(transcripts, opened), opened.name)

    if out is not None and any(one.model for one in settings):
        out.mkdir(parents=True, exist_ok=True)
        return asyncio.run(measure(out))
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measure(Path(folder)))


def _validate_all(annomi: Path | None, quick: bool, seed: int, out: Path, as_json: bool) -> None:
    from rich.console import Console

    from mirror_bench.validity.display import evidence_json
    from mirror_bench.validity.document import write_document
    from mirror_bench.validity.evidence import Setting
    from mirror_bench.validity.registry import examine_all

    if annomi is not None and not annomi.is_file():
        raise InputError(f"--annomi {annomi}: no such file; give the path of AnnoMI's CSV file")
    console = Console(stderr=True)
    found = examine_all(
        Setting(annomi=annomi, quick=quick, seed=seed),
        begin=lambda name: console.print(f"examining {name} …", highlight=False),
    )
    path = write_document(found, out, quick=quick)
    if as_json:
        print_json({name: evidence_json(evidence) for name, evidence in found.items()})
        return
    _show_summary(found)
    click.echo(f"written: {path}")


def _show_summary(found: dict[str, Evidence]) -> None:
    from mirror_bench.validity.display import show_evidence, targets_table
    from mirror_bench.validity.evidence import Evidence

    for evidence in found.values():
        if not evidence.skipped:
            show_evidence(Evidence(title="", tested="", tables=(targets_table(evidence, evidence.title),)))
    skipped = [name for name, evidence in found.items() if evidence.skipped]
    if skipped:
        reason = next(evidence.skipped for evidence in found.values() if evidence.skipped)
        click.echo(f"skipped: {', '.join(skipped)} ({reason})")
