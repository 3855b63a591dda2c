"""What was tried: a line for each attempt at a face, kept before all else is done, so that runs resume."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from mirror_bench.errors import InputError
from mirror_bench.files import append_whole, guarded, write_atomically
from mirror_bench.schema import Record, canonical_json

ATTEMPTS = "attempts.jsonl"
FACES = "faces"


class Attempt(Record):
    """One image made for a face, and the check that it fell to, if any.

    Attributes:
        face: `DueFace.id`.
        number: Of the attempt, from 0.
        rejected_by: The check that the image fell to; empty where it was kept.
        reason: Why, in one line.
        measured: Check -> what it measured, of the checks that were asked.
        sha256: Digest of the image that was kept.
        face_words: What the image was to show, in words.
        contrast: What it was not to show.
        final: Whether another attempt would end the same.
    """

    face: str
    number: int
    seed: int = 0
    rejected_by: str = ""
    reason: str = ""
    measured: Mapping[str, float] = {}
    sha256: str = ""
    face_words: str = ""
    contrast: str = ""
    final: bool = False


class FaceJournal:
    """What a folder of faces in the making holds: images that passed, and a line for each attempt.

    A process that is killed loses the attempt in hand alone: an image is written before its line.

    Args:
        folder: Begun by `making.settings.making_in`.

    Raises:
        InputError: If what was tried cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.attempts: dict[str, list[Attempt]] = {}
        self._lock = threading.Lock()
        self._path = folder / ATTEMPTS
        self._read()

    def file_of(self, person: str, face: str) -> Path:
        """Returns where the image of a face lies."""
        return self.folder / FACES / person / f"{face}.png"

    def kept(self, face: str) -> Attempt | None:
        """Returns the attempt whose image was kept, or None."""
        return next((one for one in self.attempts.get(face, ()) if not one.rejected_by), None)

    def over(self, face: str, most: int) -> bool:
        """Tells whether nothing more is tried for a face: it was kept, or `most` attempts were in vain."""
        tried = self.attempts.get(face, [])
        return len(tried) >= most or any(one.final or not one.rejected_by for one in tried)

    def add(self, attempt: Attempt, path: Path | None = None, png: bytes = b"") -> None:
        """Keeps an attempt, and its image where it passed. Safe to call from threads.

        Raises:
            InputError: If it cannot be written.
        """
        if path is not None:
            write_atomically(path, png)
            attempt = attempt.model_copy(update={"sha256": hashlib.sha256(png).hexdigest()})
        with self._lock, guarded(self._path):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                append_whole(descriptor, (canonical_json(attempt.model_dump(mode="json")) + "\n").encode())
            finally:
                os.close(descriptor)
            self._take(attempt)

    def forget_lost_images(self, files: Mapping[str, Path]) -> list[str]:
        """Drops kept attempts whose image is gone or changed, to be made again; returns the faces."""
        lost = []
        for face, path in files.items():
            kept = self.kept(face)
            if kept is None:
                continue
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != kept.sha256:
                self.attempts[face].remove(kept)
                lost.append(face)
        return lost

    def _read(self) -> None:
        if not self._path.exists():
            return
        with guarded(self._path):
            content = self._path.read_bytes()
        whole, newline, rest = content.rpartition(b"\n")
        if rest:  # the process was killed while it wrote
            with guarded(self._path):
                os.truncate(self._path, len(whole) + len(newline))
        for number, row in enumerate(whole.decode("utf-8", "replace").split("\n") if whole else (), start=1):
            try:
                attempt = Attempt.model_validate_json(row)
            except ValidationError:
                raise InputError(
                    f"{self._path}:{number}: is no attempt at a face: remove the line, to have it made again"
                ) from None
            self._take(attempt)

    def _take(self, attempt: Attempt) -> None:
        """Adds an attempt; one that was made anew takes the place of what it was."""
        tried = [one for one in self.attempts.get(attempt.face, ()) if one.number != attempt.number]
        self.attempts[attempt.face] = [*tried, attempt]
