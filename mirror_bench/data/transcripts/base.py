"""What every reader of transcripts gives: conversations as their files tell them, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.data.base import Problem

LONGEST_LINE = 64 * 2**20
"""Characters of one line of a file; a longer one is left out, and listed."""


class Spoken(NamedTuple):
    """One turn of a transcript before its speaker is known to be therapist or client.

    Attributes:
        speaker: As the file names it ("user", "Dr. Lee").
        words: What is said.
        line: Where it stands in the file, as a problem names it: the line of a text file or table, the line
            or number of the record elsewhere.
        images: What the message shows: encoded images.
    """

    speaker: str
    words: str
    line: int
    images: tuple[bytes, ...] = ()


class Conversation(NamedTuple):
    """One conversation of a transcript file: its turns and what the file tells of the client.

    Attributes:
        id: The file's own name for it; unique or not.
        source: Name of the file.
        line: 1-based line or record where it begins.
        person: What is told of the client: an id or name, or a mapping of attributes; None where nothing is.
        labels: What else the file tells, such as a quality; texts alone.
        therapist: The therapist's name, where the file tells it.
    """

    id: str
    turns: tuple[Spoken, ...]
    source: str
    line: int
    person: str | Mapping[str, Any] | None = None
    labels: Mapping[str, str] = {}
    therapist: str = ""


@dataclass(frozen=True)
class TranscriptReading:
    """The user's options for reading transcripts, and the function that hears of problems.

    Attributes:
        problem: Called with each thing that could not be read as it stands.
        speakers: Names of speakers that the user mapped, in small letters, beside those that are known.
        columns: What a column is called in a table: "id", "speaker", "text" or "person" -> its name.
        lost: Called, beside `problem`, for each conversation that was left out.
    """

    problem: Callable[[Problem], None]
    speakers: frozenset[str] = frozenset()
    columns: Mapping[str, str] = field(default_factory=dict)
    lost: Callable[[], None] = lambda: None

    def say(self, source: str, line: int, message: str, *, lost: bool = False) -> None:
        """Lists what could not be read as it stands; `lost` where a conversation or row was left out."""
        self.problem(Problem(source, line, message))
        if lost:
            self.lost()


Reader = Callable[[Path, TranscriptReading], Iterator[Conversation]]
"""Yields the conversations of a file or folder, without keeping them.

Raises InputError if the path is unusable altogether.
"""


def labels_of(record: Mapping[str, Any], left_out: frozenset[str]) -> dict[str, str]:
    """Returns the plain values of a record as texts, but for the keys left out."""
    found: dict[str, str] = {}
    for key, value in record.items():
        if key in left_out or value is None or isinstance(value, dict | list | tuple):
            continue
        text = str(value).strip()[:200]
        if text and len(found) < 40:
            found[str(key)[:80]] = text
    return found
