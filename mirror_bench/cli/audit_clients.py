"""`mirror-bench audit --clients`: whether the stateful client gives in too early."""

from __future__ import annotations

from pathlib import Path

import click

from mirror_bench.cli import print_json


def audit_the_clients(sessions: int, seed: int, *, as_json: bool = False, out: Path | None = None) -> int:
    """Runs the client audit, shows it and returns the exit code: 1 where a target is missed.

    Args:
        sessions: Sessions per therapist.
        seed: First seed of the scenarios.
        as_json: Whether to print JSON instead of tables.
        out: Where plots are written; nowhere where None.
    """
    from rich.progress import Progress

    from mirror_bench.validity.clients import THERAPISTS, audit_clients, evidence_of
    from mirror_bench.validity.display import evidence_json, show_evidence, write_evidence_plots

    with Progress(transient=True, disable=as_json) as progress:
        task = progress.add_task("sessions", total=sessions * len(THERAPISTS))
        arms = audit_clients(sessions, seed, tick=lambda: progress.advance(task))
    evidence = evidence_of(arms)
    if out is not None:
        write_evidence_plots(evidence, out)
    if as_json:
        print_json(evidence_json(evidence))
    else:
        show_evidence(evidence)
        if out is not None:
            click.echo(f"plots: {out}")
    return 0 if evidence.met else 1
