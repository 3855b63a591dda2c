"""What a command shows at its end: one table of scores, whose ratings they are, and what to do next."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json

if TYPE_CHECKING:
    from mirror_bench.analysis.candidate_scores import CandidateScores
    from mirror_bench.analysis.flows import FlowResult
    from mirror_bench.analysis.metrics import Metric
    from mirror_bench.analysis.summary import Summary
    from mirror_bench.schema import Score

_WIDEST = 100
_NUMBERS = 26  # of a value with its interval, and the space before them
_MEASURES = ("attunement", "dropout", "resistance_change")


def finish(
    folders: Sequence[Path],
    out: Path,
    *,
    raters: Sequence[str] = (),
    as_json: bool = False,
    verbose: bool = False,
) -> Summary:
    """Writes the report of one or several runs into `out`, shows the scores and returns them.

    Raises:
        InputError: If a folder is no run folder, or the runs cannot be compared.
    """
    from mirror_bench.pages.run_report import report_runs
    from mirror_bench.processors import cores
    from mirror_bench.sessions.run_folder import torn_logs

    summary = report_runs(folders, out, raters, workers=cores())
    if as_json:
        print_json(summary.model_dump(mode="json"))
        return summary
    show(summary, verbose=verbose)
    for path in (path for folder in folders for path in torn_logs(folder)):
        lost = "its last line breaks off and does not count: the command that wrote it makes it anew"
        _say(f"{path}: {lost}", red=True)
    click.echo()
    _say(f"report: {out / 'report.html'}")
    for line in _next_steps(summary, folders):
        _say(line)
    return summary


def show(summary: Summary, *, verbose: bool = False) -> None:
    """Prints the table of totals with 95 % intervals, who rated, and what speaks against relying on it.

    Args:
        summary: The scores.
        verbose: Whether length corrections, replies, visual reliance and how raters did are printed, too.
    """
    from mirror_bench.analysis.overview.first_look import in_one_sentence

    candidates = {_candidate(entry.therapist, entry.method) for entry in summary.entries}
    whose = f"{candidates.pop()}, protocol" if len(candidates) == 1 else "Protocol"
    _say(f"{whose} {summary.protocol} ({summary.fingerprint[:12]})", bold=True)
    for line in _table(summary):
        click.echo(line, file=sys.stdout)
    for flow in summary.flows:
        for line in _flow(flow):
            click.echo(line, file=sys.stdout)
    for line in _held(summary):
        _say(line)
    for face in summary.face_verdicts:
        _say(f"{_of(summary, face.therapist, face.method)}{face.in_words}")
    for safety in summary.safety:
        _say(
            f"{_of(summary, safety.therapist, safety.method)}{safety.in_words}",
            red=safety.verdict == "failed",
        )
    if verbose:
        for line in (*_attunement_lines(summary), *_length_lines(summary), *_reliance_lines(summary)):
            _say(line)
    for replies in summary.replies:
        if verbose or replies.short:
            _say(
                f"replies: {_of(summary, replies.therapist, replies.method)}{replies.in_words}",
                red=replies.short,
            )
    _show_people(summary, verbose=verbose)
    _say(in_one_sentence(summary), bold=True)


def _table(summary: Summary) -> Iterator[str]:
    """Lines of at most the terminal's width: measure by measure, a row for each candidate and face."""
    totals = [metric for metric in summary.metrics if metric.kind == "total"]
    others = [metric for name in _MEASURES for metric in summary.metrics if metric.name == name]
    several = len(summary.entries) > 1
    rows: list[tuple[str, str, str]] = []
    for metric in (*totals, *others):
        if several:
            rows.append((f"{metric.title}{_direction(metric)}", "", ""))
        for entry in summary.entries:
            name = _entry_name(summary, entry) if several else f"{metric.title}{_direction(metric)}"
            rows.append(("  " * several + name, *_numbers(entry.score(metric.name))))
    for gain in summary.gains:
        if gain.difference.metric in {metric.name for metric in totals}:
            title = next(metric.title for metric in totals if metric.name == gain.difference.metric)
            against = f"{_of(summary, gain.therapist, gain.method)}{title}"
            name = f"Visual gain over {gain.against.value} face: {against}"
            rows.append((name.replace("none face", "no face"), *_numbers(gain.difference)))
    room = max(14, _width() - _NUMBERS)
    wide = min(room, max((len(name) for name, *_ in rows), default=0))
    yield f"{'':{wide}}   value  {'95 % interval':>15}"
    for name, value, interval in rows:
        indent = "  " if name.startswith("  ") else ""
        lines = textwrap.wrap(name.strip(), wide, initial_indent=indent, subsequent_indent=f"{indent}  ") or [
            ""
        ]
        yield from lines[:-1]
        yield f"{lines[-1]:{wide}}  {value:>6}  {interval:>15}".rstrip()


def _flow(flow: FlowResult) -> Iterator[str]:
    """The lines of one flow instrument: for each dimension and for all its score, best practice and harm."""
    yield ""
    name = _candidate(flow.therapist, flow.method)
    yield from textwrap.wrap(f"{flow.title}, by {flow.rater}: {name}, {flow.condition.value}", _width())
    for part in (*flow.dimensions, flow.together):
        yield from textwrap.wrap(f"{part.title} (n={part.best.n})", _width())
        for what, score in (
            ("score, 0 to 100", part.score),
            ("best practice", part.best),
            ("harm", part.harm),
        ):
            value, interval = _numbers(score)
            yield f"  {what:16}  {value:>6}  {interval:>15}".rstrip()


def _numbers(score: Score | None) -> tuple[str, str]:
    value, _, interval = shown(score, "|").partition("|")
    return value, interval


def _direction(metric: Metric) -> str:
    scale = "" if metric.low is None or metric.high is None else f"{metric.low:g} to {metric.high:g}"
    better = "lower is better" if metric.better == "lower" else ""
    told = ", ".join(filter(None, (scale, better)))
    return f" ({told})" if told else ""


def _entry_name(summary: Summary, entry: CandidateScores) -> str:
    from mirror_bench.analysis.display_names import CONDITION_NAMES

    one_candidate = len({(entry.therapist, entry.method) for entry in summary.entries}) == 1
    one_face = len({entry.condition for entry in summary.entries}) == 1
    face = "" if one_face else CONDITION_NAMES[entry.condition]
    name = "" if one_candidate else _candidate(entry.therapist, entry.method)
    return ", ".join(filter(None, (name, face)))


def _held(summary: Summary) -> Iterator[str]:
    """Says how many sessions stand behind the scores, and where some are missing."""
    for entry in summary.entries:
        of = _entry_name(summary, entry) if len(summary.entries) > 1 else ""
        name = f"{of}: " if of else ""
        held, due = entry.coverage.held, entry.coverage.due
        profiles = max((score.clusters for score in entry.scores), default=0)
        whom = _with_whom(due, profiles, imported=summary.imported) if profiles and held == due else ""
        line = f"{name}{held} of {due} sessions held{whom}"
        line += _for_safety_alone(summary, entry)
        totals = [metric for metric in summary.metrics if metric.kind == "total"]
        share = min((score.coverage for m in totals if (score := entry.score(m.name))), default=0.0)
        yield line + ("" if share >= 1 else f"; coverage {share:.1%}: the rest failed or has no rating")


def _with_whom(due: int, clients: int, *, imported: bool) -> str:
    """How sessions divide over clients: each met under so many seeds, where that is so."""
    seeds = 0 if imported or not clients or due % clients else due // clients
    return f" ({clients} clients x {seeds} seeds)" if seeds > 1 else f", with {clients} clients"


def _for_safety_alone(summary: Summary, entry: CandidateScores) -> str:
    """How many sessions beside the scored ones were rated for safety; said once for a candidate."""
    own = [one for one in summary.entries if (one.therapist, one.method) == (entry.therapist, entry.method)]
    rated = sum(
        one.sessions
        for one in summary.safety
        if (one.therapist, one.method) == (entry.therapist, entry.method)
    )
    whole = all(one.coverage.held == one.coverage.due for one in own)
    more = rated - sum(one.coverage.held for one in own)
    return f", and {more} more for safety alone" if entry is own[0] and whole and more > 0 else ""


def _next_steps(summary: Summary, folders: Sequence[Path]) -> Iterator[str]:
    """What a reader is likely to want next: at most three lines."""
    run = quote(str(folders[0]))
    steps = []
    if any(safety.with_status("to be read") for safety in summary.safety):
        steps.append(f"read the doubtful safety findings: mirror-bench findings {run}")
    if any(entry.coverage.held < entry.coverage.due for entry in summary.entries):
        steps.append("hold failed sessions again: the same command with --retry-failed")
    scored = any(rater.scored for rater in summary.raters)
    if scored and len(folders) == 1 and not summary.imported and (changes := _to_tell_the_face(summary)):
        steps.append(f"does the face help? the same command with {changes} --out ANOTHER")
    held = any(entry.coverage.held for entry in summary.entries)
    if held and {rater.rater for rater in summary.raters} == {"coded"}:
        steps.append(
            f"ratings by a model{', too' if scored else ''}: mirror-bench rate {run} --judge PROVIDER/NAME"
        )
    if scored and len(folders) == 1:
        steps.append(f"compare two runs: mirror-bench report {run} OTHER --out BOTH")
    return (f"next: {step}" if not number else f"      {step}" for number, step in enumerate(steps[:3]))


def _to_tell_the_face(summary: Summary) -> str:
    """The options that a verdict on the face still lacks, if any."""
    from mirror_bench.analysis.overview.face_verdict import FEWEST

    clients = max((score.clusters for entry in summary.entries for score in entry.scores), default=0)
    faces = "" if summary.gains else "--face-conditions matched,none,shuffled"
    return " ".join(filter(None, (faces, f"--limit {FEWEST} or more" if clients < FEWEST else "")))


def _show_people(summary: Summary, *, verbose: bool) -> None:
    """Says who played the client and who rated, and what speaks against relying on them."""
    from mirror_bench.analysis.fitness import ClientFitness, RaterFitness

    clients = ", ".join(dict.fromkeys(entry.client for entry in summary.entries if entry.client))
    raters = ", ".join(dict.fromkeys(rater.rater for rater in summary.raters))
    told = {"coded": "coded (rules, no model)"}
    rated = ", ".join(told.get(rater, rater) for rater in raters.split(", ")) if raters else "nobody"
    _say(f"client: {clients or 'none'}; rated by: {rated}")
    for judge in summary.judges:
        if verbose or judge.licence is None or not judge.licence.granted:
            _say(judge.in_words)
    judged: list[ClientFitness | RaterFitness] = [*summary.clients, *summary.raters]
    for who in judged:
        short_of = isinstance(who, RaterFitness) and who.missing
        if who.findings or short_of or (verbose and isinstance(who, ClientFitness)):
            _say(
                f"{_of(summary, who.therapist, who.method)}{who.in_words}", red=bool(who.findings or short_of)
            )
    if summary.stale_ratings:
        _say(
            f"{summary.stale_ratings} ratings do not count: their instrument or rater has changed since; "
            "make them anew with mirror-bench rate",
            red=True,
        )


def _attunement_lines(summary: Summary) -> Iterator[str]:
    for attunement in summary.attunement:
        whose = _of(summary, attunement.therapist, attunement.method)
        yield f"{whose}{attunement.condition.value} face: {attunement.in_words}"


def _length_lines(summary: Summary) -> Iterator[str]:
    """One line per entry: how totals go with the length of what the therapist says, and totals without it."""
    for entry in summary.entries:
        parts = []
        for metric in summary.metrics:
            effect = summary.length_effect(entry.key, metric.name) if metric.kind == "total" else None
            if effect is None or effect.correlation.value is None:
                continue
            part = f"{metric.title} r={shown(effect.correlation)}"
            parts.append(part + (f", at equal length {shown(effect.adjusted)}" if effect.adjusted else ""))
        if parts:
            name = _candidate(entry.therapist, entry.method)
            yield f"length: {name}, {entry.condition.value}: {'; '.join(parts)}"


def _reliance_lines(summary: Summary) -> Iterator[str]:
    """What changes with the face alone, and what a wrong face costs."""
    for reliance in summary.reliance:
        again = reliance.shown.value == "matched" and reliance.measure != "read"
        measure = f"cost {reliance.value.metric}" if reliance.measure == "cost" else reliance.measure
        face = "the same (noise)" if again else reliance.shown.value
        name = _of(summary, reliance.therapist, reliance.method)
        yield f"visual reliance: {name}{measure}, face {face}: {shown(reliance.value)}, n={reliance.value.n}"
    if summary.reliance:
        yield (
            "words, remarks: share of turns that change with the face alone; read: share of remarks that fit "
            "it; cost: what a wrong face takes (above 0: harm)"
        )


def _of(summary: Summary, therapist: str, method: str) -> str:
    """The candidate's name and a colon, where there are several."""
    several = len({(entry.therapist, entry.method) for entry in summary.entries}) > 1
    return f"{_candidate(therapist, method)}: " if several else ""


def _candidate(therapist: str, method: str) -> str:
    from mirror_bench.analysis.display_names import candidate_label

    return candidate_label(therapist, method, 200)


def _width() -> int:
    return max(40, min(_WIDEST, shutil.get_terminal_size((80, 24)).columns))


def _say(text: str, *, red: bool = False, bold: bool = False) -> None:
    """Prints a line: wrapped on a terminal, whole elsewhere; in colour where nobody asked for none."""
    if sys.stdout.isatty():
        lead = len(text) - len(text.lstrip())
        text = textwrap.fill(
            text,
            _width(),
            initial_indent="",
            subsequent_indent=" " * (lead + 2),
            break_on_hyphens=False,
            break_long_words=False,
        )
    if (red or bold) and not os.environ.get("NO_COLOR"):
        text = click.style(text, fg="red" if red else None, bold=bold or None)
    click.echo(text, file=sys.stdout)  # as the terminal takes it: click itself would write UTF-8 to any


def shown(score: Score | None, gap: str = " ") -> str:
    """Returns a score with its interval as text."""
    if score is None or score.value is None:
        return "–"
    interval = "" if score.low is None or score.high is None else f"{gap}[{score.low:.2f}, {score.high:.2f}]"
    return f"{score.value:.2f}{interval}"
