"""Summarizes and reports run folders: one, or several side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from mirror_bench.data.sources import load_data
from mirror_bench.errors import InputError
from mirror_bench.reports.findings import read_judged
from mirror_bench.reports.metrics import score_rating
from mirror_bench.reports.outcomes import Outcomes, gather
from mirror_bench.reports.page import RunInfo, write_report
from mirror_bench.reports.plots import write_plots
from mirror_bench.reports.summary import Summary, compare_runs, summarize_outcomes, write_summary
from mirror_bench.reports.transcripts import choose_sessions
from mirror_bench.schema import Ending, Rating, Scenario, Session, SessionKey
from mirror_bench.sessions.evaluation import due_scenarios
from mirror_bench.sessions.pool import rater_names
from mirror_bench.sessions.store import RunHeader, read_header, read_probes, read_ratings, read_sessions


def summarize_run(folder: Path, raters: Sequence[str] = ()) -> Summary:
    """Returns the summary of one run folder, finished or not.

    Args:
        folder: The run.
        raters: Whose ratings count, or "all"; the protocol's own where empty, so that a rating added later
            does not move a score.

    Raises:
        InputError: If it is no run folder, a record in it is damaged, or a rater has rated nothing in it.
    """
    return _summarized(folder, gather_run(folder, raters))


def gather_run(folder: Path, raters: Sequence[str] = ()) -> Outcomes:
    """Returns the sessions of one run folder, boiled down; arguments and errors as for `summarize_run`."""
    counting = _counting(folder, read_header(folder), raters)
    return gather(read_sessions(folder), read_ratings(folder), score_rating, counting)


def _summarized(folder: Path, gathered: Outcomes) -> Summary:
    header = read_header(folder)
    return summarize_outcomes(
        gathered,
        _due(header),
        protocol=header.protocol.name,
        fingerprint=header.fingerprint,
        probes=read_probes(folder),
        judged=read_judged(folder),
    )


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


def _due(header: RunHeader) -> list[Scenario] | int:
    """The run's scenarios; where its data is not at hand any more, how many there are per face condition."""
    try:
        data = load_data(header.protocol.data)
    except InputError:
        data = None
    if data is None or data.digest != header.parts.get("data"):
        scored = int(header.selection["sessions"]) - int(header.selection.get("only_safety", 0))
        return scored // max(1, len(header.selection["conditions"]))
    return due_scenarios(header.protocol, data, header.selection["conditions"], header.selection["limit"])


def report_runs(folders: Sequence[Path], out: Path, raters: Sequence[str] = ()) -> Summary:
    """Writes `summary.json`, `plots/` and `report.html` of one or several run folders into `out`.

    Args:
        folders: The runs.
        out: Where to.
        raters: Whose ratings count; see `summarize_run`.

    Raises:
        InputError: If a folder is no run folder, or the runs' protocols differ.
    """
    gathered = [gather_run(folder, raters) for folder in folders]
    summaries = [_summarized(folder, found) for folder, found in zip(folders, gathered, strict=True)]
    together = [outcome for found in gathered for outcome in found.outcomes]
    summary = summaries[0] if len(summaries) == 1 else compare_runs(summaries, together)
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
        _info(read_header(folders[0])),
    )
    return summary


def _held(folders: Sequence[Path]) -> Iterator[Session]:
    held = chain.from_iterable(read_sessions(folder) for folder in folders)
    return (session for session in held if session.ended is not Ending.FAILED)


def _ratings_of(folders: Sequence[Path], wanted: set[SessionKey]) -> list[Rating]:
    made = chain.from_iterable(read_ratings(folder) for folder in folders)
    return [rating for rating in made if rating.session_key in wanted]


def _face(folders: Sequence[Path], sha256: str) -> bytes | None:
    for folder in folders:
        path = folder / "faces" / f"{sha256}.png"
        if path.is_file():
            return path.read_bytes()
    return None


def _info(header: RunHeader) -> RunInfo:
    protocol = header.protocol
    raters = ", ".join(" ".join(filter(None, (rater.kind, rater.model))) for rater in protocol.raters)
    facts = {
        "Client": " ".join(filter(None, (protocol.client.kind, protocol.client.model))),
        "Raters": raters,
        "Data": f"{protocol.data}, split {protocol.split or 'all'}",
        "Faces": str(protocol.faces),
        "Turns": f"at most {protocol.max_client_turns} client turns",
        "Software": f"mirror-bench {header.environment.get('packages', {}).get('mirror-bench', '')}".strip(),
    }
    return RunInfo(facts=facts)
