"""Keeps a run folder: one candidate under one protocol, appended to as sessions end, never rewritten."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from pydantic import ValidationError

from mirror_bench.errors import InputError
from mirror_bench.faces.base import Face
from mirror_bench.protocol import Fingerprint, Protocol
from mirror_bench.schema import Ending, Rating, Record, Session
from mirror_bench.sessions.probe import Probe

R = TypeVar("R", bound=Record)


class RunHeader(Record):
    """What a run is: `run.json`.

    Attributes:
        candidate: Therapist, method and what else the candidate chose.
        selection: Which scenarios are due: conditions, limit, how many.
        environment: Versions and hardware; two runs may differ in it.
        seeds: How seeds are derived.
    """

    protocol: Protocol
    fingerprint: str
    parts: Mapping[str, Any]
    candidate: Mapping[str, str]
    selection: Mapping[str, Any]
    environment: Mapping[str, Any] = {}
    seeds: str = "first 31 bits of SHA-256 of scenario, role, step and turn"


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    part.write_bytes(content)
    part.replace(path)


def read_header(folder: Path) -> RunHeader:
    """Returns the header of a run folder.

    Raises:
        InputError: If the folder is no run folder or its header is damaged.
    """
    path = folder / "run.json"
    try:
        return RunHeader.model_validate_json(path.read_bytes())
    except OSError:
        raise InputError(
            f"{folder} is no run folder: it has no run.json (make one with mirror-bench run)"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{path}: {where}: {first['msg']}: the header is damaged or of another version"
        ) from None


class RunFolder:
    """An open run folder; use as a context manager.

    Args:
        folder: Where the run is kept; made where it does not exist.
        header: What the run is. A folder that holds another run is refused.

    Raises:
        InputError: If the folder holds a run under another fingerprint, of another candidate or with other
            scenarios, naming the difference; or if another process has it open.
    """

    def __init__(self, folder: Path, header: RunHeader) -> None:
        self.folder = folder
        self.header = header
        if folder.is_file():
            raise InputError(f"--out {folder} is a file: name a folder")
        if (folder / "run.json").exists():
            _refuse_other(folder, read_header(folder), header)
        elif folder.is_dir() and any(
            path.name != "faces" for path in folder.iterdir() if path.name[0] != "."
        ):
            raise InputError(f"--out {folder} holds other files and no run.json: name a new or empty folder")
        (folder / "faces").mkdir(parents=True, exist_ok=True)
        self._lock = (folder / ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise InputError(
                f"{folder} is in use by another process: wait for it, or name another --out"
            ) from None
        self._new = not (folder / "run.json").exists()
        if self._new:
            content = json.dumps(header.model_dump(mode="json"), indent=1, ensure_ascii=False)
            write_atomically(folder / "run.json", content.encode())
        self._sessions = _open_log(folder / "sessions.jsonl")
        self._ratings = _open_log(folder / "ratings.jsonl")

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._sessions)
        os.close(self._ratings)
        self._lock.close()

    def discard_if_new(self) -> None:
        """Takes a folder away again that was made just now, since the run could not begin."""
        if self._new:
            for name in ("run.json", "sessions.jsonl", "ratings.jsonl", ".lock"):
                (self.folder / name).unlink(missing_ok=True)
            for memory in self.folder.glob("calls.sqlite*"):
                memory.unlink()
            with contextlib.suppress(OSError):  # something else lies in it
                (self.folder / "faces").rmdir()
                self.folder.rmdir()

    def keep_session(self, session: Session) -> None:
        """Appends a session."""
        _append(self._sessions, session)

    def keep_rating(self, rating: Rating) -> None:
        """Appends a rating."""
        _append(self._ratings, rating)

    def keep_face(self, face: Face) -> None:
        """Keeps a shown face as `faces/<sha256>.png`; safe to call from several threads."""
        path = self.folder / "faces" / f"{face.sha256}.png"
        if not path.exists():
            write_atomically(path, face.png)

    def sessions(self) -> Iterator[Session]:
        """Yields the sessions kept so far, one at a time."""
        return read_sessions(self.folder)

    def ratings(self) -> Iterator[Rating]:
        """Yields the ratings kept so far, one at a time."""
        return read_ratings(self.folder)


def read_sessions(folder: Path) -> Iterator[Session]:
    """Yields the sessions of a run folder; where one was held twice, both."""
    return _records(folder / "sessions.jsonl", Session)


def read_ratings(folder: Path) -> Iterator[Rating]:
    """Yields the ratings of a run folder."""
    return _records(folder / "ratings.jsonl", Rating)


def read_probes(folder: Path) -> Iterator[Probe]:
    """Yields the probes of a run folder; none where no turn was asked for again."""
    return _records(folder / "probes.jsonl", Probe)


def write_probes(folder: Path, probes: Iterable[Probe]) -> None:
    """Writes the probes of a run folder anew, whole or not at all."""
    write_atomically(folder / "probes.jsonl", "".join(f"{probe.line()}\n" for probe in probes).encode())


def drop_failed(folder: Path) -> None:
    """Takes the sessions recorded as failed out of a run folder, so that they are held again."""
    path = folder / "sessions.jsonl"
    if path.exists():
        kept = [session.line() for session in read_sessions(folder) if session.ended is not Ending.FAILED]
        write_atomically(path, "".join(f"{line}\n" for line in kept).encode())


def _records(path: Path, kind: type[R]) -> Iterator[R]:
    if not path.exists():
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return  # torn by a kill; the record is made again
            try:
                yield kind.model_validate_json(line)
            except ValidationError as error:
                first = error.errors()[0]
                raise InputError(
                    f"{path}:{number}: is no {kind.__name__.lower()} record ({first['msg']}): "
                    "remove the line and run again"
                ) from None


def _open_log(path: Path) -> int:
    """Opens a log for appending, without the torn line that a kill may have left."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        os.ftruncate(descriptor, path.read_bytes().rfind(b"\n") + 1)
    return descriptor


def _append(descriptor: int, record: Record) -> None:
    content = record.line().encode() + b"\n"
    while content:
        content = content[os.write(descriptor, content) :]


def _refuse_other(folder: Path, kept: RunHeader, wanted: RunHeader) -> None:
    differing = Fingerprint(wanted.fingerprint, wanted.parts).differences(kept.parts)
    for kind in ("candidate", "selection"):
        mine, theirs = getattr(wanted, kind), getattr(kept, kind)
        differing += [
            f"{kind}.{key} ({theirs.get(key, 'absent')} -> {mine.get(key, 'absent')})"
            for key in sorted({*mine, *theirs})
            if mine.get(key) != theirs.get(key)
        ]
    if differing:
        raise InputError(
            f"{folder} holds another run and cannot go on with this one: {'; '.join(differing)}. "
            "Give another --out, or the settings of that run"
        )
