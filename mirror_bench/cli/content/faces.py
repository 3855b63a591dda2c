"""`mirror-bench faces`: draw faces and contact sheets, make photographs, look over a prepared set."""

from __future__ import annotations

from pathlib import Path

import click

from mirror_bench.cli.content.faces_make import make
from mirror_bench.errors import InputError


@click.group()
def faces() -> None:
    """Draw faces and contact sheets, make photographs, look over a prepared set."""


faces.add_command(make)


@faces.command()
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("faces.png"), show_default=True)
@click.option("--identities", type=click.IntRange(1, 40), default=6, show_default=True, help="Rows.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which identities.")
def sheet(out: Path, identities: int, seed: int) -> None:
    """Draw every named expression on several identities, labelled."""
    from mirror_bench.faces.contact_sheet import write_sheet

    if out.suffix.lower() != ".png":
        raise InputError(f"--out {out}: name a file that ends in .png")
    write_sheet(out, identities, seed)
    click.echo(f"wrote {out}")


@faces.command()
@click.argument("direction")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("face.png"), show_default=True)
@click.option("--identity", type=int, default=0, show_default=True, help="Seed of the identity.")
@click.option("--json", "as_json", is_flag=True, help="Print what was read of the direction as JSON.")
def draw(direction: str, out: Path, identity: int, as_json: bool) -> None:
    """Draw the face of a stage direction, such as "Looks away, arms crossed"."""
    from mirror_bench.cli import print_json
    from mirror_bench.faces import FACE_SOURCES
    from mirror_bench.faces.directions.reader import read_direction
    from mirror_bench.faces.identity import random_identity
    from mirror_bench.files import write_atomically

    reading = read_direction(direction)
    png = FACE_SOURCES.get("drawn")().render(random_identity(identity), reading.expression)
    write_atomically(out, png)
    if as_json:
        read = reading.expression.model_dump(mode="json")
        print_json({"file": str(out), "expression": read, "unknown": list(reading.unknown)})
        return
    units = ", ".join(f"{unit} {strength:.1f}" for unit, strength in reading.expression.units.items())
    click.echo(f"wrote {out}: {reading.expression.label} ({units or 'no action units'})")
    if reading.unknown:
        click.echo(f"not understood: {', '.join(reading.unknown)}")


@faces.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def check(folder: Path, as_json: bool) -> None:
    """Say what a prepared set of faces covers; exit 1 where a person lacks a basic expression.

    FOLDER holds images and metadata.csv (file_name, expression or units; person, age, sex, skin, licence), as
    for mirror-bench run --faces set:FOLDER.
    """
    from mirror_bench.cli import print_json
    from mirror_bench.faces.facs.expressions import EXPRESSIONS
    from mirror_bench.faces.sets.source import read_set

    found = read_set(folder.expanduser())
    covered = {person.name: person.covers() for person in found.people}
    lacking = {person.name: person.lacks() for person in found.people if person.lacks()}
    if as_json:
        facts = {"digest": found.digest, "licence": found.licence, "people": covered, "lacking": lacking}
        print_json(facts)
    else:
        images = sum(len(person.images) for person in found.people)
        click.echo(
            f"{images} images of {len(found.people)} people; {found.licence}; digest {found.digest[:12]}"
        )
        for name in EXPRESSIONS:
            counts = [of[name] for of in covered.values() if name in of]
            click.echo(f"  {name:<14} {len(counts)} people, {sum(counts)} images")
        for name, names in lacking.items():
            click.echo(f"person {name!r} lacks {', '.join(names)}", err=True)
        if not lacking:
            click.echo(f"usable: mirror-bench run --faces set:{folder}")
    if lacking:
        raise SystemExit(1)
