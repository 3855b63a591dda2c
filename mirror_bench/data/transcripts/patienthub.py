"""Session files of PatientHub: a profile and its messages, a JSON file a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mirror_bench.data.transcripts.base import Conversation, TranscriptReading
from mirror_bench.data.transcripts.messages import read_messages
from mirror_bench.errors import InputError


def read_patienthub(path: Path, reading: TranscriptReading) -> Iterator[Conversation]:
    """Yields the sessions of a file, or of all JSON files below a folder; see `base.Reader`.

    A session that bears no id is called after its file.
    """
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*.json*") if file.is_file())
    if not files:
        raise InputError(f"{path}: no such file, or a folder without JSON files")
    for file in files:
        try:
            for held in read_messages(file, reading):
                name = held.id.removesuffix("-1") if held.id == f"{file.stem}-1" else held.id
                yield held._replace(id="-".join(dict.fromkeys((*_place(path, file), name))))
        except InputError as error:
            if len(files) == 1:
                raise
            reading.say(file.name, 1, f"{str(error).partition(': ')[2]}: left out", lost=True)


def _place(root: Path, file: Path) -> tuple[str, ...]:
    """Returns the folders between a folder that was named and its file: they tell the two characters."""
    return file.parent.relative_to(root).parts if root.is_dir() else ()
