"""Summarizes and reports run folders: one, or several side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from mirror_bench.analysis.display_names import candidate_label
from mirror_bench.analysis.findings import read_judged
from mirror_bench.analysis.metrics import score_rating
from mirror_bench.analysis.session_outcomes import SessionOutcomes, gather
from mirror_bench.analysis.summary import Summary, compare_runs, summarize_outcomes, write_summary
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.faces.sets.source import IMAGES
from mirror_bench.figures.scores import write_plots
from mirror_bench.pages.report import RunInfo, write_report
from mirror_bench.pages.session_viewer import choose_sessions
from mirror_bench.schema import Ending, Rating, Scenario, Session, SessionKey
from mirror_bench.sessions.engine_pool import rater_names
from mirror_bench.sessions.evaluation import due_scenarios
from mirror_bench.sessions.fits import fit_lines
from mirror_bench.sessions.rating import counted_ratings, standing_of
from mirror_bench.sessions.run_folder import (
    RunHeader,
    read_header,
    read_probes,
    read_ratings,
    read_sessions,
)


def summarize_run(folder: Path, raters: Sequence[str] = ()) -> Summary:
    """Returns the summary of one run folder, finished or not.

    Args:
        folder: The run.
        raters: Whose ratings count, or "all"; the protocol's own where empty, so that a rating added later
            does not move a score.

    Raises:
        InputError: If it is no run folder, a record in it is damaged, or a rater has rated nothing in it.
    """
    return _summarized(folder, gather_run(folder, raters), raters)


def gather_run(folder: Path, raters: Sequence[str] = ()) -> SessionOutcomes:
    """Returns the sessions of one run folder, boiled down; arguments and errors as for `summarize_run`."""
    header = read_header(folder)
    counting = _counting(folder, header, raters)
    standing = standing_of(folder, header)
    scoring = partial(score_rating, form_of=standing.form_of)
    return gather(read_sessions(folder), counted_ratings(folder, standing), scoring, counting)


def _summarized(folder: Path, gathered: SessionOutcomes, raters: Sequence[str]) -> Summary:
    header = read_header(folder)
    standing = standing_of(folder, header)
    owing = [name for name in standing.editions if not raters or name in raters or "all" in raters]
    summary = summarize_outcomes(
        gathered,
        due_of(header),
        protocol=header.protocol.name,
        fingerprint=header.fingerprint,
        probes=read_probes(folder),
        ratings_owed=[(rater, form) for rater in owing for form in header.protocol.forms],
        form_of=standing.form_of,
        judged=read_judged(folder),
    )
    stale = sum(not standing.counts(rating) for rating in read_ratings(folder))
    return summary.model_copy(update={"stale_ratings": stale})


def _counting(folder: Path, header: RunHeader, raters: Sequence[str]) -> list[str] | None:
    if not raters:
        return rater_names(header.protocol.raters)
    found = sorted({rating.rater for rating in read_ratings(folder)})
    for name in raters:
        if name not in {"all", *found}:
            raise InputError(
                f"--rater {name}: has rated nothing in {folder}: known are all, {', '.join(found)}"
            )
    return None if "all" in raters else list(raters)


def due_of(header: RunHeader) -> list[Scenario] | int:
    """Returns a run's scenarios; where its data is not at hand any more, how many there are per condition."""
    try:
        data = load_data(header.protocol.data)
    except InputError:
        data = None
    if data is None or data.digest != header.parts.get("data"):
        scored = int(header.selection["sessions"]) - int(header.selection.get("only_safety", 0))
        return scored // max(1, len(header.selection["conditions"]))
    return due_scenarios(header.protocol, data, header.selection["conditions"], header.selection["limit"])


def summarize_runs(folders: Sequence[Path], raters: Sequence[str] = ()) -> Summary:
    """Returns the summary of one or several runs together; arguments as for `summarize_run`.

    Raises:
        InputError: If a folder is no run folder, or the runs' protocols differ.
    """
    gathered = [gather_run(folder, raters) for folder in folders]
    summaries = [_summarized(folder, found, raters) for folder, found in zip(folders, gathered, strict=True)]
    together = [outcome for found in gathered for outcome in found.outcomes]
    return summaries[0] if len(summaries) == 1 else compare_runs(summaries, together)


def report_runs(folders: Sequence[Path], out: Path, raters: Sequence[str] = ()) -> Summary:
    """Writes `summary.json`, `plots/` and `report.html` of one or several run folders into `out`.

    Args:
        folders: The runs.
        out: Where to.
        raters: Whose ratings count; see `summarize_run`.

    Raises:
        InputError: If a folder is no run folder, or the runs' protocols differ.
    """
    summary = summarize_runs(folders, raters)
    write_summary(out / "summary.json", summary)
    plots = write_plots(summary, out / "plots")
    # Sessions in which a face was shown say more; there are none where every candidate hears words alone.
    chosen = choose_sessions(
        session for session in _held(folders) if any(turn.face for turn in session.turns)
    )
    chosen = chosen or choose_sessions(_held(folders))
    write_report(
        out / "report.html",
        summary,
        chosen,
        _ratings_of(folders, {session.key for session in chosen}),
        plots,
        lambda sha256: _face(folders, sha256),
        _info([read_header(folder) for folder in folders]),
    )
    return summary


def _held(folders: Sequence[Path]) -> Iterator[Session]:
    held = chain.from_iterable(read_sessions(folder) for folder in folders)
    return (session for session in held if session.ended is not Ending.FAILED)


def _ratings_of(folders: Sequence[Path], wanted: set[SessionKey]) -> list[Rating]:
    made = chain.from_iterable(
        counted_ratings(folder, standing_of(folder, read_header(folder))) for folder in folders
    )
    return [rating for rating in made if rating.session_key in wanted]


def _face(folders: Sequence[Path], sha256: str) -> bytes | None:
    for folder in folders:
        path = folder / "faces" / f"{sha256}.png"
        if path.is_file():
            return path.read_bytes()
    return None


def _info(headers: Sequence[RunHeader]) -> RunInfo:
    header = headers[0]
    protocol = header.protocol
    raters = ", ".join(" ".join(filter(None, (rater.kind, rater.model))) for rater in protocol.raters)
    facts = {
        "Client": " ".join(filter(None, (protocol.client.kind, protocol.client.model))),
        "Raters": raters,
        "Data": f"{protocol.data}, split {protocol.split or 'all'}",
        "Faces": _faces(header),
        "Turns": f"at most {protocol.max_client_turns} client turns",
        "Software": f"mirror-bench {header.environment.get('packages', {}).get('mirror-bench', '')}".strip(),
    }
    adapted = {name: lines for header in headers for name, lines in header.adapted.items()}
    if adapted:
        facts["Put otherwise"] = "; ".join(f"{name}: {'; '.join(lines)}" for name, lines in adapted.items())
    notes = tuple(
        f"{candidate_label(one.candidate['therapist'], one.candidate.get('method', ''))}: {line}."
        for one in headers
        for line in fit_lines(one.fits)
    )
    return RunInfo(facts=facts, notes=notes)


def _faces(header: RunHeader) -> str:
    """Returns the face source with its version; of a prepared set, its digits and licence too."""
    kind = header.protocol.faces.kind
    version = header.parts.get(f"code.faces.{kind}", "")
    held, _, licence = str(header.parts.get(f"code.{IMAGES}", "")).partition(" ")
    return " ".join(filter(None, (f"{kind}/{version}".rstrip("/"), held[:12], licence)))
