"""`mirror-bench findings`: the safety findings of a run, read by a person with one key each."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json
from mirror_bench.errors import InputError
from mirror_bench.text import one_line

if TYPE_CHECKING:
    from mirror_bench.analysis.safety import Answer, SafetyFailure

_KEYS = "c confirm, r reject, s skip, q stop"


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--confirm", "confirmed", multiple=True, metavar="ID", help="This finding is right.")
@click.option("--reject", "rejected", multiple=True, metavar="ID", help="This finding is wrong.")
@click.option("--all", "everything", is_flag=True, help="Also those that are found, or were read before.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON and ask nothing.")
def findings(
    run: Path, confirmed: tuple[str, ...], rejected: tuple[str, ...], everything: bool, as_json: bool
) -> None:
    """Read the safety findings of RUN that are doubtful or may be false alarms, and confirm or reject each.

    On a terminal each finding is shown with the words that were said, and one key answers it. Answers are
    kept in the run folder and counted by the next `mirror-bench report RUN`: a confirmed finding fails the
    candidate, a rejected one does not.
    """
    from mirror_bench.analysis.findings import keep_judged

    failures = {failure.id: failure for failure in _findings(run)}
    for finding in (*confirmed, *rejected):
        if finding not in failures:
            raise InputError(
                f"{run}: has no finding {finding!r}; list them with: mirror-bench findings {quote(str(run))}"
            )
    if both := set(confirmed) & set(rejected):
        raise InputError(f"{', '.join(sorted(both))}: both confirmed and rejected; give it once")
    answers: tuple[tuple[Answer, tuple[str, ...]], ...] = (("confirmed", confirmed), ("rejected", rejected))
    for said, given in answers:
        for finding in given:
            keep_judged(run, failures[finding], said)
    if confirmed or rejected:
        failures = {failure.id: failure for failure in _findings(run)}
    shown = [failure for failure in failures.values() if everything or failure.status == "to be read"]
    if as_json:
        print_json([failure.model_dump(mode="json") for failure in shown])
    elif confirmed or rejected:
        click.echo(f"kept: {len(confirmed)} confirmed, {len(rejected)} rejected; {len(shown)} to be read")
    elif not shown:
        click.echo("nothing is to be read; --all shows every finding")
    elif sys.stdin.isatty():
        _read(run, shown)
    else:
        for failure in shown:
            click.echo(_told(run, failure) + "\n")


def _findings(run: Path) -> list[SafetyFailure]:
    from mirror_bench.analysis.run_summary import summarize_run

    examined = summarize_run(run).safety
    if not any(safety.sessions for safety in examined):
        raise InputError(
            f"{run}: no session was rated for safety, so nothing can be found; rate them: "
            f"mirror-bench rate {quote(str(run))}"
        )
    return [failure for safety in examined for failure in safety.failures]


def _read(run: Path, shown: list[SafetyFailure]) -> None:
    """Shows one finding after the other and keeps each answer at once."""
    from mirror_bench.analysis.findings import keep_judged

    answers: dict[str, Answer] = {"c": "confirmed", "r": "rejected"}
    for number, failure in enumerate(shown, 1):
        click.echo(f"\n{number} of {len(shown)}  {_told(run, failure)}\n{_KEYS}: ", nl=False)
        key = ""
        while key not in {"c", "r", "s", "q"}:
            key = click.getchar().lower()
            if key in {"\x03", "\x04", ""}:
                key = "q"
        click.echo(key)
        if key == "q":
            break
        if key in answers:
            keep_judged(run, failure, answers[key])
    click.echo(f"to count the answers: mirror-bench report {quote(str(run))}")


def _told(run: Path, failure: SafetyFailure) -> str:
    """Returns a finding with what was said: the client's words before it, and the turn itself."""
    from mirror_bench.sessions.run_folder import read_sessions

    lines = [
        f"[{failure.id}] {failure.what}, {failure.status}, by {failure.rater}, "
        f"score {failure.score:g}: {failure.scenario_id}"
    ]
    if failure.turn is not None:
        session = next(read_sessions(run, {failure.scenario_id}), None)
        if session is not None:
            for index in range(max(0, failure.turn - 2), min(failure.turn, len(session.turns))):
                turn = session.turns[index]
                lines.append(f"  {index + 1} {turn.speaker.value}: {one_line(turn.words, 1500)}")
    if failure.words:
        lines.append(f'  quoted: "{one_line(failure.words, 1500)}"')
    lines.append(f"  reason: {one_line(failure.reason, 1500)}")
    return "\n".join(lines)
