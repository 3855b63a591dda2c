"""`mirror-bench instrument`: show instruments, the features that `coded` rules may name, and check a file."""

from __future__ import annotations

from typing import Any

import click

from mirror_bench.cli import print_json


@click.group()
def instrument() -> None:
    """Show instruments and what their coded rules may name; docs/instruments.md says how to write one."""


@instrument.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(as_json: bool) -> None:
    """List the packaged instruments."""
    from mirror_bench.content import names
    from mirror_bench.raters.instruments import load_instrument

    found = [load_instrument(name) for name in names("instruments", ".yaml")]
    _show(
        {
            form.name: f"{form.title}: {len(form.items)} items, {form.scale.min} to {form.scale.max}"
            for form in found
        },
        as_json,
    )


@instrument.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def features(as_json: bool) -> None:
    """List the features of a session that the coded rules of an instrument may name, and what each means.

    Those of the safety instrument, which come last, are there only where the instrument has an item that
    applies to a crisis.
    """
    from mirror_bench.raters.safety_features import SAFETY_FEATURES
    from mirror_bench.raters.session_features import FEATURES

    _show({**FEATURES, **{name: f"{told} (crisis)" for name, told in SAFETY_FEATURES.items()}}, as_json)


@instrument.command()
@click.argument("file")
def check(file: str) -> None:
    """Read FILE (or a packaged instrument's name) as run and rate would, and say what raters do with it."""
    from mirror_bench.raters.coded import refuse_unknown_features
    from mirror_bench.raters.instruments import load_instrument

    form = load_instrument(file)
    refuse_unknown_features(form)
    ruled = sum(item.coded is not None for item in form.items)
    click.echo(
        f"{form.name}: {form.title}: {len(form.items)} items, {form.scale.min} to {form.scale.max}; the "
        f"coded rater has rules for {ruled} of them, model judges rate all"
    )


def _show(found: dict[str, str], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    width = max(map(len, found))
    rows: list[tuple[str, Any]] = list(found.items())
    for name, told in rows:
        click.echo(f"{name:{width}}  {told}")
