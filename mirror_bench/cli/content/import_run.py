"""`mirror-bench import`: a run folder of conversations that were held elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json
from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.sessions.imported.runs import Imported


@click.command(name="import")
@click.argument("format", metavar="FORMAT")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The run folder to make.")
@click.option("--name", default="", help="What records call the therapist; as the file tells it by default.")
@click.option("--only", default="", help="Only conversations of this therapist, as the file names it.")
@click.option(
    "--client", multiple=True, help="A name that the file gives the client; may stand several times."
)
@click.option("--therapist", multiple=True, help="A name that the file gives the therapist.")
@click.option("--ignore", multiple=True, help="A speaker whose turns are left out.")
@click.option(
    "--column", multiple=True, metavar="PART=NAME", help="csv: the column of id, speaker, text or person."
)
@click.option(
    "--people", default="", help="A data source in which clients are looked up by name, such as vera:FOLDER."
)
@click.option("--client-from", default="", metavar="REGEX", help="Finds the client in a conversation's id.")
@click.option("--stage-directions", is_flag=True, help="Brackets in the words are stage directions.")
@click.option("--redact", is_flag=True, help="Put marks in the place of names, mails, numbers and addresses.")
@click.option("--protocol", default="offline", show_default=True, help="Whose raters and instruments count.")
@click.option("--judge", multiple=True, help="coded, or a model: provider/name; in place of the protocol's.")
@click.option("--instrument", multiple=True, help="As for run: names or files; +NAME adds to the protocol's.")
@click.option("--safety/--no-safety", default=None, help="Whether safety is rated; as the protocol says.")
@click.option("--json", "as_json", is_flag=True, help="Print what was imported as JSON.")
def import_run(
    format: str,
    path: Path,
    out: Path,
    name: str,
    only: str,
    client: tuple[str, ...],
    therapist: tuple[str, ...],
    ignore: tuple[str, ...],
    column: tuple[str, ...],
    people: str,
    client_from: str,
    stage_directions: bool,
    redact: bool,
    protocol: str,
    judge: tuple[str, ...],
    instrument: tuple[str, ...],
    safety: bool | None,
    as_json: bool,
) -> None:
    """Make a run folder of the conversations in PATH, a file or folder of the form FORMAT.

    FORMAT is messages (one JSON object a line, OpenAI chat form), csv (AnnoMI's columns), text ("user:",
    "agent:"), patienthub, mindeval or inspect (.eval). rate, report, compare, plot and gate then work on OUT.
    What could not be read is listed in OUT/problems.txt by file and line. Exit code 1 where a conversation
    was left out, 2 where nothing was imported.
    """
    from rich.progress import Progress

    from mirror_bench.data.sources.registry import load_data
    from mirror_bench.data.transcripts.speakers import Cast
    from mirror_bench.sessions.choosing import chosen_protocol
    from mirror_bench.sessions.imported.runs import Import, import_run

    wanted = Import(
        format=format,
        path=path.expanduser(),
        out=out.expanduser(),
        protocol=chosen_protocol(protocol, judge=judge, instrument=instrument, safety=safety),
        cast=Cast.of(client, therapist, ignore),
        therapist=name,
        only=only,
        columns=dict(map(_column, column)),
        people=load_data(people) if people else None,
        client_from=client_from,
        directions=stage_directions,
        redact=redact,
    )
    with Progress(transient=True, disable=as_json) as progress:
        task = progress.add_task("importing", total=None)
        imported = import_run(wanted, lambda sessions: progress.update(task, completed=sessions))
    if as_json:
        print_json(
            {**imported.facts.model_dump(mode="json"), "people": imported.people, "turns": imported.turns}
        )
    else:
        _say(imported, out)
    if imported.facts.left_out:
        sys.exit(1)


def _column(text: str) -> tuple[str, str]:
    part, equals, name = text.partition("=")
    if part not in {"id", "speaker", "text", "person", "order"} or not (equals and name.strip()):
        raise InputError(
            f"--column {text!r}: write id=NAME, speaker=NAME, text=NAME, person=NAME or order=NAME"
        )
    return part, name.strip()


def _say(imported: Imported, out: Path) -> None:
    facts = imported.facts
    click.echo(f"{out}: {facts.sessions} sessions of {imported.people} clients, {imported.turns} turns")
    for line in imported.first_problems:
        click.echo(line, err=True)
    if facts.problems:
        more = facts.problems - len(imported.first_problems)
        left = f", {facts.left_out} conversations or rows left out" if facts.left_out else ""
        rest = f" and {more} more" if more else ""
        click.echo(
            f"{facts.problems} things could not be read as they stand{left}{rest}: {out / 'problems.txt'}",
            err=True,
        )
    told = ", ".join(f"{many} {kind}" for kind, many in facts.details.items()) or "none found"
    done = (
        "marks stand in their place" if facts.redacted else "they stand in the words; --redact takes them out"
    )
    click.echo(
        f"personal details: {told}{f' ({done})' if facts.details else ''}; looked for {facts.examined}",
        err=True,
    )
    click.echo(f"rate it with: mirror-bench rate {quote(str(out))}")
