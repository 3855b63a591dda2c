"""Reports run folders, one or several side by side: `summary.json`, plots and `report.html`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path

from mirror_bench.analysis.display_names import candidate_label
from mirror_bench.analysis.overview.telling_sessions import telling_sessions
from mirror_bench.analysis.run_summary import summarize_with_outcomes
from mirror_bench.analysis.summary import Summary, write_summary
from mirror_bench.faces.sets.source import IMAGES
from mirror_bench.figures.scores import write_plots
from mirror_bench.pages.report import RunInfo, write_report
from mirror_bench.pages.session_viewer import choose_sessions
from mirror_bench.schema import Ending, Rating, Session, SessionKey
from mirror_bench.sessions.fits import fit_lines
from mirror_bench.sessions.rating import counted_ratings, standing_of
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import RunHeader, read_header


def report_runs(folders: Sequence[Path], out: Path, raters: Sequence[str] = (), workers: int = 1) -> Summary:
    """Writes `summary.json`, `plots/` and `report.html` of one or several run folders into `out`.

    Args:
        folders: The runs.
        out: Where to.
        raters: Whose ratings count; see `summarize_run`.
        workers: How many processes read large runs; see `gather_run`.

    Raises:
        InputError: If a folder is no run folder, or the runs' protocols differ.
    """
    summary, outcomes = summarize_with_outcomes(folders, raters, workers)
    write_summary(out / "summary.json", summary)
    plots = write_plots(summary, out / "plots")
    chosen = telling_sessions(summary, outcomes)
    wanted = {one.key for one in chosen}
    # Of a session that stands twice the last counts, as in the scores.
    some = _held(folders, {key.scenario_id for key in wanted})
    read = {session.key: session for session in some if session.key in wanted}
    sessions = tuple(read.values()) or choose_sessions(_held(folders), 1)
    write_report(
        out / "report.html",
        summary,
        sessions,
        _ratings_of(folders, {session.key for session in sessions}),
        plots,
        lambda sha256: _face(folders, sha256),
        _info([read_header(folder) for folder in folders]),
        chosen,
    )
    return summary


def _held(folders: Sequence[Path], of: Collection[str] | None = None) -> Iterator[Session]:
    held = chain.from_iterable(read_sessions(folder, of) for folder in folders)
    return (session for session in held if session.ended is not Ending.FAILED)


def _ratings_of(folders: Sequence[Path], wanted: set[SessionKey]) -> list[Rating]:
    of = {key.scenario_id for key in wanted}
    made = chain.from_iterable(
        counted_ratings(folder, standing_of(folder, read_header(folder)), of) for folder in folders
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
        "Software": f"mirror-bench {header.environment.packages.get('mirror-bench', '')}".strip(),
    }
    adapted = {name: lines for header in headers for name, lines in header.adapted.items()}
    if adapted:
        facts["Put otherwise"] = "; ".join(f"{name}: {'; '.join(lines)}" for name, lines in adapted.items())
    notes = tuple(
        f"{candidate_label(one.candidate.therapist, one.candidate.method)}: {line}."
        for one in headers
        for line in fit_lines(one.fits)
    )
    return RunInfo(facts=facts, notes=(*_import_notes(headers), *notes))


def _import_notes(headers: Sequence[RunHeader]) -> tuple[str, ...]:
    """Returns what is to be known of runs whose sessions were held elsewhere."""
    notes = []
    for header in headers:
        if (told := header.imported) is None:
            continue
        name = candidate_label(header.candidate.therapist, header.candidate.method)
        notes.append(
            f"{name}: imported from {told.source} ({told.format}): held elsewhere with other people, not "
            "under this protocol; nothing of it can be replayed."
        )
        if told.left_out:
            notes.append(f"{name}: {told.left_out} conversations or rows could not be read (problems.txt).")
    return tuple(notes)


def _faces(header: RunHeader) -> str:
    """Returns the face source with its version; of a prepared set, its digits and licence too."""
    kind = header.protocol.faces.kind
    version = header.parts.get(f"code.faces.{kind}", "")
    held, _, licence = str(header.parts.get(f"code.{IMAGES}", "")).partition(" ")
    return " ".join(filter(None, (f"{kind}/{version}".rstrip("/"), held[:12], licence)))
