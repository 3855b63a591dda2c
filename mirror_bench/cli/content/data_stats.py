"""`mirror-bench data stats`: what a data set is like, as tables, JSON and figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mirror_bench.cli import print_json
from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from mirror_bench.data.base import DataSet
    from mirror_bench.data.checks.description import Counts, DataStats

_SHOWN = 12
_TITLES = {
    "splits": "digests of the splits",
    "variety": "the stateful client's words, in sessions with the scripted therapists",
}


@click.command()
@click.option(
    "--data",
    "source",
    default="mini",
    show_default=True,
    metavar="SOURCE",
    help="mini, mini:FOLDER, mirror:PATH, mirror:hub or cactus:PATH.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write stats.json and plots/ into this folder; what stands there under these names is replaced.",
)
@click.option(
    "--sessions",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    help="Sessions of scripted therapists over which the variety of the clients' words is measured.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def stats(source: str, out: Path | None, sessions: int, as_json: bool) -> None:
    """Describe a data source: counts, balance, lengths, wording, expressions, near-duplicates, clients."""
    from mirror_bench.data.checks.description import describe_data
    from mirror_bench.data.sources.registry import load_data

    data = load_data(source)
    described = describe_data(data)
    sections: dict[str, Mapping[str, Any]] = {"splits": _splits(data)}
    if sessions and data.profiles:
        sections["variety"] = _variety(data, sessions)
    record = described.model_dump(mode="json") | sections
    if as_json:
        print_json(record)
    else:
        _show(described, sections)
    if out is not None:
        plots = _write(described, record, out)
        if not as_json:
            click.echo(f"written: {out / 'stats.json'} and {plots} plots in {out / 'plots'}")


def _splits(data: DataSet) -> dict[str, Any]:
    """Returns split -> digest."""
    from mirror_bench.data.checks.splits import splits_of

    return {name: split.digest for name, split in splits_of(data).items()}


def _variety(data: DataSet, sessions: int) -> dict[str, Any]:
    """Measures what the stateful client says to three different therapists, twelve turns at most."""
    from mirror_bench.analysis.client_variety import bank_variety, measure_variety
    from mirror_bench.sessions.offline_sessions import rehearse_many
    from mirror_bench.therapists.policies.comparison import Attuned, Directive, Reflective

    held = rehearse_many(data.profiles, (Attuned, Reflective, Directive), sessions)
    bank = bank_variety(data.profiles)
    return {**measure_variety(held)._asdict(), **{f"bank_{name}": value for name, value in bank.items()}}


def _write(described: DataStats, record: Mapping[str, Any], out: Path) -> int:
    """Returns the number of figures."""
    from mirror_bench.figures.data_description import write_data_plots

    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "stats.json").write_text(
            json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        return len({path.stem for path in write_data_plots(described, out / "plots")})
    except OSError as error:
        raise InputError(f"--out {out}: cannot be written ({error.strerror or error})") from None


def _show(described: DataStats, sections: Mapping[str, Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    console.print(Text(f"{described.source}  digest {described.digest}", style="bold"))
    for unit, dimensions in (("profiles", described.profiles), ("screenplays", described.screenplays)):
        if any(counts.values for counts in dimensions.values()):
            console.print(_dimensions(unit, dimensions, described.splits))
    if described.lines.n:
        for table in (_lengths(described), _wording(described)):
            console.print(table)
        for title, values in _frequencies(described):
            if values:
                console.print(Text(title, style="italic"), _pairs(values), sep="\n")
    for name, values in sections.items():
        console.print(Text(_TITLES.get(name, name), style="italic"), _pairs(values), sep="\n")


def _dimensions(unit: str, dimensions: Mapping[str, Counts], splits: tuple[str, ...]) -> Table:
    """Returns the table of all values of all dimensions; the rare ones of a long dimension are summed up."""
    from rich.text import Text

    table = _table(unit, ("", "value"), (*splits, "all", "evenness"))
    for name, counts in dimensions.items():
        values = list(counts.values)
        shown, rest = (values[:_SHOWN], values[_SHOWN:]) if len(values) > _SHOWN + 1 else (values, [])
        for place, value in enumerate(shown):
            cells = [str(counts.values[value].get(split, 0)) for split in splits]
            even = f"{counts.evenness:.2f}" if place == 0 and counts.evenness is not None else ""
            head = "" if place or name == "all" else name
            table.add_row(head, Text(value), *cells, str(counts.total(value)), even)
        if rest:
            cells = [str(sum(counts.values[value].get(split, 0) for value in rest)) for split in splits]
            table.add_row("", f"{len(rest)} more", *cells, str(sum(map(counts.total, rest))), "")
        table.add_section()
    return table


def _lengths(described: DataStats) -> Table:
    table = _table("lengths", ("",), ("mean", "sd", "least", "median", "most"))
    spreads = {"lines per screenplay": described.lines}
    spreads |= {f"words per {name}'s turn": spread for name, spread in described.words_per_turn.items()}
    for name, spread in spreads.items():
        cells = (f"{spread.mean:.1f}", f"{spread.sd:.1f}", spread.least, f"{spread.median:g}", spread.most)
        table.add_row(name, *map(str, cells))
    return table


def _wording(described: DataStats) -> Table:
    heads = ("turns", "words", "vocabulary", "per 100", "distinct-1", "distinct-2")
    table = _table("wording", ("speaker",), heads)
    table.caption = "per 100: different words of 100 in a row, mean share"
    for name, found in described.wording.items():
        ratios = (found.type_token, found.distinct_1, found.distinct_2)
        whole = (found.utterances, found.words, found.vocabulary)
        table.add_row(name, *map(str, whole), *(f"{ratio:.3f}" for ratio in ratios))
    return table


def _frequencies(described: DataStats) -> list[tuple[str, Mapping[str, Any]]]:
    """Returns the tables of two columns: title, and name -> figure."""
    shown, marked, like = described.expressions, described.moments, described.likeness
    labels = {name.replace("_", " "): times for name, times in list(shown.labels.items())[: 2 * _SHOWN]}
    title = f"expressions of {shown.directions} stage directions, {shown.not_understood} not understood"
    moments: dict[str, Any] = {}
    if marked.moments:
        moments = {
            "annotated screenplays": marked.screenplays,
            "moments": marked.moments,
            "masked moments": marked.masked,
            "screenplays with one": marked.masked_screenplays,
            "missed by the therapist": marked.missed,
        }
        moments |= {f"wants: {name}": times for name, times in marked.wants.items()}
        moments |= {f"avoids: {name}": times for name, times in marked.avoids.items()}
    likeness: dict[str, Any] = {
        "near-duplicate pairs": like.near_duplicates,
        "equal openings": len(like.equal_openings),
        "equal endings": len(like.equal_endings),
    }
    likeness |= {f"{one} ~ {other}": f"{index:.2f}" for one, other, index in like.pairs[:_SHOWN]}
    return [(title, labels), ("moments", moments), ("likeness of screenplays", likeness)]


def _pairs(values: Mapping[str, Any]) -> Table:
    from rich.text import Text

    table = _table("", ("",), ("",))
    for name, value in values.items():
        table.add_row(Text(str(name)), Text(f"{value:.3f}" if isinstance(value, float) else str(value)))
    return table


def _table(title: str, left: tuple[str, ...], right: tuple[str, ...]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title) if title else None, title_justify="left", box=SIMPLE, pad_edge=False)
    table.show_header = any((*left, *right))
    for name in left:
        table.add_column(Text(name))
    for name in right:
        table.add_column(Text(name), justify="right")
    return table
