"""The records of a run folder boiled down to what scores need, by several processes where there are many."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from mirror_bench.analysis.metrics import score_rating
from mirror_bench.analysis.session_outcomes import HeldOutcome, RatedOutcome, held_outcome, rated_outcome
from mirror_bench.errors import InputError
from mirror_bench.schema import ItemRating, Rating
from mirror_bench.sessions.rating import Standing, standing_of
from mirror_bench.sessions.run_folder import (
    FilePart,
    parts_of,
    read_part_of_ratings,
    read_part_of_sessions,
    read_ratings,
    read_sessions,
)
from mirror_bench.sessions.run_header import read_header
from mirror_bench.spread import spread

B = TypeVar("B")
_PARTS_WORTH = 4
"""Parts of a file (64 MB) from which other processes help to read it."""


def held_outcomes(folder: Path, workers: int = 1) -> Iterator[HeldOutcome]:
    """Yields the sessions of a run folder, boiled down, in their order."""
    boiled = _by_others(folder / "sessions.jsonl", _held_in, workers)
    return (held_outcome(session) for session in read_sessions(folder)) if boiled is None else boiled


def rated_outcomes(folder: Path, workers: int = 1) -> Iterator[Rating | RatedOutcome]:
    """Yields the ratings of a run folder in their order, boiled down where other processes have read them."""
    boiled = _by_others(folder / "ratings.jsonl", _rated_in, workers)
    return read_ratings(folder) if boiled is None else boiled


def scored_in(folder: Path, standing: Standing, rating: Rating) -> Mapping[str, float | None]:
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
def no_collecting() -> Iterator[None]:
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
    with no_collecting():
        return [held_outcome(session) for session in read_part_of_sessions(part)]


def _rated_in(part: FilePart) -> list[RatedOutcome]:
    folder = part.path.parent
    standing = standing_of(folder, read_header(folder))
    scoring, shared = partial(scored_in, folder, standing), dict[tuple[object, ...], ItemRating]()
    with no_collecting():
        return [
            rated_outcome(rating, scoring, shared, standing.counts(rating))
            for rating in read_part_of_ratings(part)
        ]
