"""Reads run folders into the summary of their scores: one run, or several together."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from mirror_bench.analysis.findings import read_judged
from mirror_bench.analysis.metrics import score_rating
from mirror_bench.analysis.session_outcomes import (
    HeldOutcome,
    RatedOutcome,
    SessionOutcome,
    SessionOutcomes,
    gather,
    held_outcome,
    rated_outcome,
)
from mirror_bench.analysis.summary import Summary, compare_runs, summarize_outcomes
from mirror_bench.errors import InputError
from mirror_bench.processors import spread
from mirror_bench.schema import ItemRating, Rating
from mirror_bench.sessions.rating import Standing, standing_of
from mirror_bench.sessions.run_data import refuse_unlike, scenarios_of_run
from mirror_bench.sessions.run_folder import (
    FilePart,
    parts_of,
    read_part_of_ratings,
    read_part_of_sessions,
    read_probes,
    read_ratings,
    read_sessions,
)
from mirror_bench.sessions.run_header import read_header

B = TypeVar("B")
_PARTS_WORTH = 4
"""Parts of a file (64 MB) from which other processes help to read it."""


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


def gather_run(folder: Path, raters: Sequence[str] = (), workers: int = 1) -> SessionOutcomes:
    """Returns the outcomes of a run folder's sessions; other arguments and errors as for `summarize_run`.

    Args:
        folder: The run.
        raters: Whose ratings count.
        workers: How many processes read a large run. They begin by loading the calling script once more, so
            that a script must do its work under `if __name__ == "__main__"` to use several.
    """
    standing = standing_of(folder, read_header(folder))
    counting = _counting(folder, standing, raters)
    with _no_collecting():
        return gather(
            _held_outcomes(folder, workers),
            _rated_outcomes(folder, workers),
            partial(_scored_in, folder, standing),
            counting,
            standing.counts,
        )


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
    folders: Sequence[Path], raters: Sequence[str] = (), workers: int = 1
) -> tuple[Summary, list[SessionOutcome]]:
    """Returns the summary of one or several runs, and their sessions; as for `summarize_runs`.

    `workers` are the processes that read large runs; see `gather_run`.
    """
    if len(folders) > 1:
        refuse_unlike([read_header(folder) for folder in folders], [str(folder) for folder in folders])
    with _no_collecting():
        gathered = [gather_run(folder, raters, workers) for folder in folders]
        summaries = [
            _summarized(folder, found, raters) for folder, found in zip(folders, gathered, strict=True)
        ]
    together = [outcome for found in gathered for outcome in found.outcomes]
    return summaries[0] if len(summaries) == 1 else compare_runs(summaries, together), together


def _held_outcomes(folder: Path, workers: int) -> Iterator[HeldOutcome]:
    """Yields the sessions of a run folder, boiled down, in their order."""
    boiled = _by_others(folder / "sessions.jsonl", _held_in, workers)
    return (held_outcome(session) for session in read_sessions(folder)) if boiled is None else boiled


def _rated_outcomes(folder: Path, workers: int) -> Iterator[Rating | RatedOutcome]:
    """Yields the ratings of a run folder in their order, boiled down where other processes have read them."""
    boiled = _by_others(folder / "ratings.jsonl", _rated_in, workers)
    return read_ratings(folder) if boiled is None else boiled


def _scored_in(folder: Path, standing: Standing, rating: Rating) -> Mapping[str, float | None]:
    """Returns the metrics of a rating of a run folder.

    Raises:
        InputError: If it cannot be scored, with its file and the remedy.
    """
    try:
        return score_rating(rating, standing.form_of)
    except InputError as error:
        raise InputError(
            f"{folder / 'ratings.jsonl'}: {error}; remove the line, and rate the run again"
        ) from None


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


def _by_others(path: Path, boil: Callable[[FilePart], list[B]], workers: int) -> Iterator[B] | None:
    """Returns a file's records as other processes boil them down; None where it is for this one to read.

    It is where there are few, and where one is damaged: reading in one go then says which line.
    """
    parts = parts_of(path) if workers > 1 else []
    if len(parts) < _PARTS_WORTH:
        return None
    with spread(boil, parts, workers, worth=_PARTS_WORTH) as results, suppress(InputError):
        return (record for found in results() for record in found)
    return None


def _held_in(part: FilePart) -> list[HeldOutcome]:
    with _no_collecting():
        return [held_outcome(session) for session in read_part_of_sessions(part)]


def _rated_in(part: FilePart) -> list[RatedOutcome]:
    folder = part.path.parent
    standing = standing_of(folder, read_header(folder))
    scoring, shared = partial(_scored_in, folder, standing), dict[tuple[object, ...], ItemRating]()
    with _no_collecting():
        return [
            rated_outcome(rating, scoring, shared, standing.counts(rating))
            for rating in read_part_of_ratings(part)
        ]
