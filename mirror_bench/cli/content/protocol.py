"""`mirror-bench protocol`: show protocols and their fingerprints."""

from __future__ import annotations

import click

from mirror_bench.cli import print_json


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def protocol(name: str | None, as_json: bool) -> None:
    """Show the protocol NAME (packaged, or a YAML file) with its fingerprint; without NAME, list them."""
    import yaml

    from mirror_bench.protocol import load_protocol, protocol_names
    from mirror_bench.sessions.standing import checked_protocol, protocol_fingerprint

    if name is None:
        listed = {one: load_protocol(one).title for one in protocol_names()}
        if as_json:
            print_json(listed)
        else:
            click.echo("\n".join(f"{one:12} {title}" for one, title in listed.items()))
        return
    loaded = checked_protocol(name)
    mark = protocol_fingerprint(loaded)
    values = loaded.model_dump(mode="json")
    if as_json:
        print_json({"protocol": values, "fingerprint": mark.value, "parts": dict(mark.parts)})
        return
    click.echo(yaml.safe_dump(values, sort_keys=False, allow_unicode=True).rstrip())
    click.echo(f"fingerprint: {mark.value}")
