"""`mirror-bench audit`: whether scores can be gamed, or the simulated client won over too early."""

from __future__ import annotations

from pathlib import Path

import click

from mirror_bench.cli import print_json
from mirror_bench.errors import InputError


@click.command()
@click.option(
    "--profiles",
    type=click.IntRange(min=2),
    default=48,
    show_default=True,
    help="Packaged profiles to hold sessions with, spread evenly over the set.",
)
@click.option(
    "--seeds", type=click.IntRange(min=1), default=2, show_default=True, help="Sessions per profile."
)
@click.option(
    "--cheat",
    "cheats",
    multiple=True,
    metavar="NAME",
    help="Only this cheat, a file of tasks/gaming; may stand several times. Default: all.",
)
@click.option(
    "--clients",
    is_flag=True,
    help="Audit the simulated client instead: whether it gives in too early, and to whom.",
)
@click.option(
    "--sessions",
    type=click.IntRange(min=2),
    default=None,
    help="With --clients: sessions per therapist; 500 where not given.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="First seed.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the plots (SVG and PNG).",
)
@click.option("--json", "as_json", is_flag=True, help="Print targets and tables as JSON.")
@click.pass_context
def audit(
    ctx: click.Context,
    profiles: int,
    seeds: int,
    cheats: tuple[str, ...],
    clients: bool,
    sessions: int | None,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Try to be rated well without helping.

    Cheating therapists (tasks/gaming: a parrot, praise only, caption dumping, orders to the judge, …) hold
    sessions with the stateful client on the scenarios of scripted/reflective, and the coded rater rates them
    all. Shown are totals with 95 % intervals clustered by profile, paired differences, and what stops each
    cheat. Exit code 1 where one gets through: where its interval does not lie below that of reflective, apart
    from it, on both CTRS and WAI. No model is needed. A cheat can also be run: --therapist cheat/NAME.
    """
    if clients:
        _refuse(ctx, ("profiles", "seeds", "cheats"), "--clients: takes --sessions and --seed, not --{}")
        from mirror_bench.cli.audit_clients import audit_the_clients

        ctx.exit(audit_the_clients(sessions or 500, seed, as_json=as_json, out=out))
    _refuse(ctx, ("sessions",), "--{}: goes with --clients; the cheats take --profiles and --seeds")
    ctx.exit(_audit_cheats(profiles, seeds, seed, cheats, out, as_json))


def _refuse(ctx: click.Context, names: tuple[str, ...], message: str) -> None:
    """Raises InputError where an option was given that does not apply."""
    for name in names:
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise InputError(message.format("cheat" if name == "cheats" else name))


def _audit_cheats(
    profiles: int, seeds: int, seed: int, cheats: tuple[str, ...], out: Path | None, as_json: bool
) -> int:
    from rich.progress import Progress

    from mirror_bench.therapists.cheats import cheat_names
    from mirror_bench.validity.display import evidence_json, show_evidence, write_evidence_plots
    from mirror_bench.validity.gaming import audit_cheats, evidence_of, scenarios_of
    from mirror_bench.validity.gaming_tables import figures

    names = tuple(dict.fromkeys(cheats))
    scenarios = scenarios_of(profiles, seeds, seed)
    with Progress(transient=True, disable=as_json) as progress:
        task = progress.add_task("sessions", total=len(scenarios) * (1 + len(names or cheat_names())))
        found = audit_cheats(scenarios, names, tick=lambda: progress.advance(task))
    evidence = evidence_of(found)
    if out is not None:
        write_evidence_plots(evidence, out)
    if as_json:
        print_json({**evidence_json(evidence), "through": found.through, "cheats": figures(found)})
    else:
        show_evidence(evidence)
        click.echo(f"gets through: {', '.join(found.through)}" if found.through else "No cheat gets through.")
        if out is not None:
            click.echo(f"plots: {out}")
    return 0 if evidence.met else 1
