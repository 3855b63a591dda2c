"""What a command shows at its end: the table of scores, and where the report lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from mirror_bench.analysis.flows import FlowResult
    from mirror_bench.analysis.summary import Summary
    from mirror_bench.schema import Score


def finish(
    folders: Sequence[Path], out: Path, *, raters: Sequence[str] = (), as_json: bool = False
) -> Summary:
    """Writes the report of one or several runs into `out`, shows the scores and returns them.

    Raises:
        InputError: If a folder is no run folder, or the runs cannot be compared.
    """
    from mirror_bench.pages.run_report import report_runs

    summary = report_runs(folders, out, raters)
    if as_json:
        print_json(summary.model_dump(mode="json"))
    else:
        show(summary)
        click.echo(f"\nreport: {out / 'report.html'}")
    return summary


def show(summary: Summary) -> None:
    """Prints the table of totals with 95 % intervals, visual gains and reliance."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    from mirror_bench.analysis.display_names import candidate_label
    from mirror_bench.analysis.overview.first_look import in_one_sentence

    console = Console()
    totals = [metric for metric in summary.metrics if metric.kind == "total"]
    measures = [*(metric.name for metric in totals), "attunement", "dropout", "resistance_change"]
    table = Table(title=f"Protocol {summary.protocol} ({summary.fingerprint[:12]})", title_justify="left")
    table.box, table.pad_edge = SIMPLE, False
    table.add_column("therapist, face")
    for title in (*(metric.title for metric in totals), "attunement", "drop-out", "resistance"):
        table.add_column(title, justify="right")
    for entry in summary.entries:
        name = f"{candidate_label(entry.therapist, entry.method, 22)}\n{entry.condition.value}"
        table.add_row(name, *(shown(entry.score(measure), "\n") for measure in measures))
    console.print(table)
    console.print("below each: its 95 % interval; resistance: change from the first to the last third")
    for face in summary.face_verdicts:
        name = candidate_label(face.therapist, face.method, 22)
        console.print(f"{name}: {face.in_words}", highlight=False, markup=False)
    for one in summary.safety:
        name = candidate_label(one.therapist, one.method, 22)
        style = "bold red" if one.verdict == "failed" else None
        console.print(f"{name}: {one.in_words}", highlight=False, markup=False, style=style)
    for shares in summary.attunement:
        name = candidate_label(shares.therapist, shares.method, 22)
        console.print(f"{name}, {shares.condition.value}: {shares.in_words}", highlight=False, markup=False)
    for replies in summary.replies:
        name = candidate_label(replies.therapist, replies.method, 22)
        style = "red" if replies.short else None
        console.print(f"replies: {name}: {replies.in_words}", highlight=False, markup=False, style=style)
    for line in _length_lines(summary):
        console.print(line, highlight=False, markup=False)
    _show_people(summary, console)
    for flow in summary.flows:
        console.print(_flow(flow))
    for entry in summary.entries:
        share = min((score.coverage for m in totals if (score := entry.score(m.name))), default=0.0)
        if share < 1:
            console.print(
                f"[red]{entry.therapist} {entry.method}, {entry.condition.value}: coverage {share:.1%}[/]"
            )
    if summary.gains:
        console.print(_gains(summary))
    if summary.reliance:
        console.print(_reliance(summary))
    console.print(f"\n{in_one_sentence(summary)}", highlight=False, markup=False, style="bold")


def _flow(flow: FlowResult) -> Table:
    """Returns the table of one flow instrument: a row per dimension, and one for all."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    from mirror_bench.analysis.display_names import candidate_label

    name = candidate_label(flow.therapist, flow.method, 30)
    title = f"{flow.title}, by {flow.rater}: {name}, {flow.condition.value}"
    table = Table(title=Text(title), title_justify="left", box=SIMPLE, pad_edge=False)
    for column in ("", "score, 0 to 100", "best practice", "harm", "n"):
        table.add_column(column, justify="right" if column else "left")
    for one in (*flow.dimensions, flow.together):
        table.add_row(one.title, *(shown(s, " ") for s in (one.score, one.best, one.harm)), str(one.best.n))
    return table


def _show_people(summary: Summary, console: Console) -> None:
    """Says who played the client and who rated, and what speaks against relying on them."""
    from mirror_bench.analysis.display_names import candidate_label
    from mirror_bench.analysis.fitness import ClientFitness, RaterFitness

    clients = ", ".join(dict.fromkeys(entry.client for entry in summary.entries if entry.client))
    raters = ", ".join(dict.fromkeys(one.rater for one in summary.raters))
    console.print(
        f"client: {clients or 'none'}; rated by: {raters or 'nobody'}", highlight=False, markup=False
    )
    for judge in summary.judges:
        granted = judge.licence is not None and judge.licence.granted
        console.print(judge.in_words, highlight=False, markup=False, style=None if granted else "yellow")
    several = len({(entry.therapist, entry.method) for entry in summary.entries}) > 1
    found: list[ClientFitness | RaterFitness] = [*summary.clients, *summary.raters]
    for one in found:
        short_of = isinstance(one, RaterFitness) and one.missing
        if one.findings or short_of or isinstance(one, ClientFitness):
            of = f"{candidate_label(one.therapist, one.method, 22)}: " if several else ""
            console.print(
                f"{of}{one.in_words}",
                highlight=False,
                markup=False,
                style="bold red" if one.findings else "red" if short_of else None,
            )
    if summary.stale_ratings:
        console.print(
            f"{summary.stale_ratings} ratings do not count: their instrument or rater has changed since; "
            "make them anew with mirror-bench rate",
            highlight=False,
            markup=False,
            style="red",
        )


def _length_lines(summary: Summary) -> list[str]:
    """One line per entry: how totals go with the length of what the therapist says, and totals without it."""
    from mirror_bench.analysis.display_names import candidate_label

    lines = []
    for entry in summary.entries:
        parts = []
        for metric in summary.metrics:
            effect = summary.length_effect(entry.key, metric.name) if metric.kind == "total" else None
            if effect is None or effect.correlation.value is None:
                continue
            part = f"{metric.title} r={shown(effect.correlation)}"
            parts.append(part + (f", at equal length {shown(effect.adjusted)}" if effect.adjusted else ""))
        if parts:
            name = candidate_label(entry.therapist, entry.method, 22)
            lines.append(f"length: {name}, {entry.condition.value}: {'; '.join(parts)}")
    return lines


def _gains(summary: Summary) -> Table:
    """The visual gains: what each candidate scores more under matched faces, on the same scenarios."""
    from rich.box import SIMPLE
    from rich.table import Table

    from mirror_bench.analysis.display_names import candidate_label

    table = Table(
        title="Visual gain: matched minus another face", title_justify="left", box=SIMPLE, pad_edge=False
    )
    for column in ("therapist", "against", "metric", "gain", "pairs"):
        table.add_column(column, justify="right" if column in {"gain", "pairs"} else "left")
    for gain in summary.gains:
        score = gain.difference
        name = candidate_label(gain.therapist, gain.method, 22)
        table.add_row(name, gain.against.value, score.metric, shown(score), str(score.n))
    return table


def _reliance(summary: Summary) -> Table:
    """The visual reliance: what changes with the face alone, and what a wrong face costs."""
    from rich.box import SIMPLE
    from rich.table import Table

    from mirror_bench.analysis.display_names import candidate_label

    table = Table(title="Visual reliance", title_justify="left", box=SIMPLE, pad_edge=False)
    for column in ("therapist", "measure", "face shown", "value", "n"):
        table.add_column(column, justify="right" if column in {"value", "n"} else "left", no_wrap=True)
    for one in summary.reliance:
        again = one.shown.value == "matched" and one.measure != "read"
        table.add_row(
            candidate_label(one.therapist, one.method, 22),
            f"cost {one.value.metric}" if one.measure == "cost" else one.measure,
            "same (noise)" if again else one.shown.value,
            shown(one.value),
            str(one.value.n),
        )
    table.caption = (
        "words, remarks: share of turns that change with the face alone; read: share of remarks that fit it; "
        "cost: what a wrong face takes (above 0: harm)"
    )
    table.caption_justify = "left"
    return table


def shown(score: Score | None, gap: str = " ") -> str:
    """Returns a score with its interval as text."""
    if score is None or score.value is None:
        return "–"
    interval = "" if score.low is None or score.high is None else f"{gap}[{score.low:.2f}, {score.high:.2f}]"
    return f"{score.value:.2f}{interval}"
