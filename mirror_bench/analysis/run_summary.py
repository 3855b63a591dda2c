"""Reads run folders into the summary of their scores: one run, or several together."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mirror_bench.analysis.findings import read_judged
from mirror_bench.analysis.metrics import score_rating
from mirror_bench.analysis.session_outcomes import (
    HeldOutcome,
    SessionOutcome,
    SessionOutcomes,
    gather,
    held_outcome,
)
from mirror_bench.analysis.summary import Summary, compare_runs, summarize_outcomes
from mirror_bench.errors import InputError
from mirror_bench.processors import cores
from mirror_bench.schema import Rating, Session
from mirror_bench.sessions.rating import Standing, standing_of
from mirror_bench.sessions.run_data import refuse_unlike, scenarios_of_run
from mirror_bench.sessions.run_folder import (
    FilePart,
    parts_of_sessions,
    read_part_of_sessions,
    read_probes,
    read_ratings,
    read_sessions,
)
from mirror_bench.sessions.run_header import read_header
from mirror_bench.spread import spread

_PARTS_WORTH = 4
"""Parts of the sessions' file (64 MB) from which other processes help to read it."""


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
    """Returns the outcomes of a run folder's sessions; arguments and errors as for `summarize_run`."""
    header = read_header(folder)
    standing = standing_of(folder, header)
    counting = _counting(folder, standing, raters)

    def scoring(rating: Rating) -> Mapping[str, float | None]:
        try:
            return score_rating(rating, standing.form_of)
        except InputError as error:
            raise InputError(
                f"{folder / 'ratings.jsonl'}: {error}; remove the line, and rate the run again"
            ) from None

    return gather(_held(folder), read_ratings(folder), scoring, counting, standing.counts)


def _held(folder: Path) -> Iterator[Session | HeldOutcome]:
    """Yields a run's sessions, boiled down already by several processes where there are many."""
    parts = parts_of_sessions(folder)
    with spread(_boiled_down, parts, cores(), worth=_PARTS_WORTH) as results:
        if len(parts) >= _PARTS_WORTH:
            with suppress(InputError):  # reading it in one go says which line is damaged
                for found in results():
                    yield from found
                return
    yield from read_sessions(folder)


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Keeps the collector of cycles off: there are none, and looking for them in all outcomes costs half."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _boiled_down(part: FilePart) -> list[HeldOutcome]:
    with _no_collecting():
        return [held_outcome(session) for session in read_part_of_sessions(part)]


def _summarized(folder: Path, gathered: SessionOutcomes, raters: Sequence[str]) -> Summary:
    header = read_header(folder)
    standing = standing_of(folder, header)
    owing = [name for name in standing.editions if not raters or name in raters or "all" in raters]
    summary = summarize_outcomes(
        gathered,
        scenarios_of_run(folder, header),
        protocol=header.protocol.name,
        fingerprint=header.fingerprint,
        probes=read_probes(folder),
        ratings_owed=[(rater, form) for rater in owing for form in header.protocol.all_instruments],
        form_of=standing.form_of,
        judged=read_judged(folder),
    )
    return summary.model_copy(
        update={"stale_ratings": gathered.stale_ratings, "imported": header.imported is not None}
    )


def _counting(folder: Path, standing: Standing, raters: Sequence[str]) -> list[str] | None:
    if not raters:
        return list(standing.editions)
    found = sorted({rating.rater for rating in read_ratings(folder)})
    for name in raters:
        if name not in {"all", *found}:
            raise InputError(
                f"--rater {name}: has rated nothing in {folder}: known are all, {', '.join(found)}"
            )
    return None if "all" in raters else list(raters)


def summarize_runs(folders: Sequence[Path], raters: Sequence[str] = ()) -> Summary:
    """Returns the summary of one or several runs together; arguments as for `summarize_run`.

    Raises:
        InputError: If a folder is no run folder, or the runs' protocols differ.
    """
    return summarize_with_outcomes(folders, raters)[0]


def summarize_with_outcomes(
    folders: Sequence[Path], raters: Sequence[str] = ()
) -> tuple[Summary, list[SessionOutcome]]:
    """Returns the summary of one or several runs, and their sessions; as for `summarize_runs`."""
    if len(folders) > 1:
        refuse_unlike([read_header(folder) for folder in folders], [str(folder) for folder in folders])
    with _no_collecting():
        gathered = [gather_run(folder, raters) for folder in folders]
        summaries = [
            _summarized(folder, found, raters) for folder, found in zip(folders, gathered, strict=True)
        ]
    together = [outcome for found in gathered for outcome in found.outcomes]
    return summaries[0] if len(summaries) == 1 else compare_runs(summaries, together), together
