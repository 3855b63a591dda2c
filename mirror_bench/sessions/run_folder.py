"""Keeps a run folder: one candidate under one protocol, appended to as sessions end, never rewritten."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from mirror_bench.errors import InputError
from mirror_bench.faces.base import Face
from mirror_bench.files import BOM, append_whole, guarded, make_folder, write_atomically
from mirror_bench.locks import HeldLock
from mirror_bench.protocol import Fingerprint, form_name
from mirror_bench.raters.instruments import TABLES, Instrument, load_instrument, read_instrument
from mirror_bench.schema import Ending, Rating, Record, Session, canonical_json
from mirror_bench.sessions.counterfactual_turns import Probe
from mirror_bench.sessions.run_header import RunHeader, read_header, write_header

R = TypeVar("R", bound=Record)
S = TypeVar("S", Session, Rating)

_OF_VOLUMES = frozenset({"lost+found", "System Volume Information", "$RECYCLE.BIN"})
"""What a freshly made volume holds, which is nobody's."""
_LONGEST_LINE = 2**22  # bytes
_GIVEN = {"limit": "--limit", "conditions": "--face-conditions"}
"""What of a selection the user gives, and how; how many sessions that makes follows from it."""


class RunFolder:
    """A run folder open for writing, held by one process; use as a context manager.

    Args:
        folder: Where the run is kept; made where it does not exist.
        header: What the run is. A folder that holds another run is refused, unless no session was held in it
            yet: there the new header takes the place of the old one. Where only settings differ that decide
            no answer, such as a server's address, `run.json` takes over the new ones.

    Raises:
        InputError: If the folder holds a run under another fingerprint, of another candidate or with other
            scenarios, naming the difference; if another process has it open; or if it cannot be written.
    """

    def __init__(self, folder: Path, header: RunHeader) -> None:
        self.folder = folder
        self.header = header
        make_folder(folder)
        with guarded(folder):
            if not (folder / "run.json").exists() and any(map(_is_foreign, folder.iterdir())):
                raise InputError(
                    f"--out {folder} holds other files and no run.json: name a new or empty folder"
                )
            (folder / "faces").mkdir(exist_ok=True)
        self._lock = HeldLock(
            folder / ".lock", f"{folder} is in use by another process: wait for it, or name another --out"
        )
        try:
            self._take(folder, header)
        except BaseException:
            self._lock.close()
            raise

    def _take(self, folder: Path, header: RunHeader) -> None:
        """Opens the locked folder's files."""
        self._new = not (folder / "run.json").exists()
        if not self._new:
            kept = read_header(folder)
            if not (differing := _differences(kept, header)):
                self.header = kept.model_copy(update={"protocol": header.protocol})
            elif _holds_records(folder):
                raise InputError(_other_run(folder, differing))
        if self._new or self.header != kept:
            write_header(folder, self.header)
        with guarded(folder):
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
        if not self._new:
            return
        with contextlib.suppress(OSError):  # something else lies in it, or the disk is gone
            self._lock.close()
            for name in ("run.json", "sessions.jsonl", "ratings.jsonl", ".lock"):
                (self.folder / name).unlink(missing_ok=True)
            for memory in self.folder.glob("calls.sqlite*"):
                memory.unlink()
            (self.folder / "faces").rmdir()
            self.folder.rmdir()

    def complete(self, header: RunHeader) -> None:
        """Writes what the run is anew, now that all of it is known; for a run that is being imported."""
        self.header = header
        write_header(self.folder, header)

    def note_fits(self, fits: Mapping[str, Mapping[str, int]]) -> None:
        """Writes into `run.json` what of the sessions the run's models could not read."""
        if dict(self.header.fits) != dict(fits):
            self.header = self.header.model_copy(update={"fits": fits})
            write_header(self.folder, self.header)

    def keep_session(self, session: Session) -> None:
        """Appends a session.

        Raises:
            InputError: If it cannot be written; the file then ends with the session before.
        """
        with guarded(self.folder / "sessions.jsonl"):
            append_whole(self._sessions, _bytes(session))

    def keep_rating(self, rating: Rating) -> None:
        """Appends a rating; errors as for `keep_session`."""
        with guarded(self.folder / "ratings.jsonl"):
            append_whole(self._ratings, _bytes(rating))

    def keep_face(self, face: Face) -> None:
        """Keeps a shown face as `faces/<sha256>.png`; safe to call from several threads."""
        path = self.folder / "faces" / f"{face.sha256}.png"
        if not path.exists():
            write_atomically(path, face.png)

    def keep_instrument(self, path: Path) -> None:
        """Keeps a copy of an instrument's file, by which reports know its items when the file is gone."""
        with guarded(path):
            content = path.read_bytes()
        suffix = path.suffix if path.suffix in TABLES else ".yaml"
        write_atomically(self.folder / "instruments" / f"{form_name(str(path))}{suffix}", content)

    def drop_failed(self) -> None:
        """Takes out the sessions that were recorded as failed, so that they are held again."""
        path = self.folder / "sessions.jsonl"
        kept = [session for session in self.sessions() if session.ended is not Ending.FAILED]
        write_atomically(path, b"".join(map(_bytes, kept)))
        os.close(self._sessions)
        with guarded(path):
            self._sessions = _open_log(path)

    def restate(self, fingerprint: Fingerprint) -> None:
        """Records under which fingerprint the ratings stand now that they were made anew."""
        self.header = self.header.model_copy(
            update={"fingerprint": fingerprint.value, "parts": dict(fingerprint.parts)}
        )
        write_header(self.folder, self.header)

    def keep_adapted(self, adapted: Mapping[str, Sequence[str]]) -> None:
        """Adds to `run.json` what engines put to their servers other than asked for; what is there stays."""
        known = {name: list(lines) for name, lines in self.header.adapted.items()}
        for name, lines in adapted.items():
            told = known.setdefault(name, [])
            told += [line for line in lines if line not in told]
        found = {name: tuple(lines) for name, lines in known.items()}
        if found != self.header.adapted:
            self.header = self.header.model_copy(update={"adapted": found})
            write_header(self.folder, self.header)

    def sessions(self) -> Iterator[Session]:
        """Yields the sessions kept so far, one at a time."""
        return read_sessions(self.folder)

    def ratings(self) -> Iterator[Rating]:
        """Yields the ratings kept so far, one at a time."""
        return read_ratings(self.folder)


def instrument_of(folder: Path, name: str) -> Instrument:
    """Returns an instrument by its name in a run's ratings: the user's own that lies in the folder, or ours.

    Raises:
        InputError: If there is neither, or the file is malformed.
    """
    own = kept_instrument(folder, name)
    return load_instrument(name) if own is None else read_instrument(own)


def kept_instrument(folder: Path, name: str) -> Path | None:
    """Returns the copy of an instrument of the user's that lies in a run folder; None where there is none."""
    places = (folder / "instruments" / f"{name}{suffix}" for suffix in (".yaml", *TABLES))
    return next((place for place in places if place.is_file()), None)


def own_instruments(folder: Path) -> list[str]:
    """Returns the names of the instruments of the user's whose copies lie in a run folder."""
    return sorted(
        path.stem for path in (folder / "instruments").glob("*") if path.suffix in (".yaml", *TABLES)
    )


def read_sessions(folder: Path, of: Collection[str] | None = None) -> Iterator[Session]:
    """Yields the sessions of a run folder; where one was held twice, both.

    Args:
        folder: The run.
        of: Ids of scenarios: other sessions are passed over unread, which is many times as fast.
    """
    return _of_scenarios(_records(folder / "sessions.jsonl", Session, of), of)


def read_ratings(folder: Path, of: Collection[str] | None = None) -> Iterator[Rating]:
    """Yields the ratings of a run folder; `of` as for `read_sessions`."""
    return _of_scenarios(_records(folder / "ratings.jsonl", Rating, of), of)


def _of_scenarios(records: Iterable[S], of: Collection[str] | None) -> Iterator[S]:
    return (record for record in records if of is None or record.scenario_id in of)


def read_probes(folder: Path) -> Iterator[Probe]:
    """Yields the probes of a run folder; none where no turn was asked for again."""
    return _records(folder / "probes.jsonl", Probe)


def write_probes(folder: Path, probes: Iterable[Probe]) -> None:
    """Writes the probes of a run folder anew, whole or not at all."""
    write_atomically(folder / "probes.jsonl", "".join(f"{probe.line()}\n" for probe in probes).encode())


class FilePart(NamedTuple):
    """Whole lines of a file, from one byte to another.

    Attributes:
        path: The file.
        start: Where the first line begins.
        end: Where the last one ends.
    """

    path: Path
    start: int
    end: int


def parts_of(path: Path, size: int = 1 << 24) -> list[FilePart]:
    """Returns a run's file of sessions or ratings in parts of about `size` bytes, for several processes."""
    if not path.exists():
        return []
    parts, start = [], 0
    with guarded(path), path.open("rb") as file:
        whole = file.seek(0, os.SEEK_END)
        while start < whole:
            file.seek(min(start + size, whole))
            file.readline()
            parts.append(FilePart(path, start, file.tell()))
            start = file.tell()
    return parts


def read_part_of_sessions(part: FilePart) -> Iterator[Session]:
    """Yields the sessions of one part; as for `read_sessions`, but an error tells a line within the part."""
    return _records(part.path, Session, within=part)


def read_part_of_ratings(part: FilePart) -> Iterator[Rating]:
    """Yields the ratings of one part; as for `read_part_of_sessions`."""
    return _records(part.path, Rating, within=part)


def _lines(path: Path, within: FilePart | None) -> Iterator[bytes]:
    with path.open("rb") as lines:
        if within is None:
            yield from lines
            return
        lines.seek(within.start)
        left = within.end - within.start
        while left > 0 and (line := lines.readline()):
            left -= len(line)
            yield line


def _records(
    path: Path, kind: type[R], of: Collection[str] | None = None, within: FilePart | None = None
) -> Iterator[R]:
    if not path.exists():
        return
    # Both ways of writing an id in JSON: as we do, and with everything but ASCII escaped.
    mentioned = (
        None if of is None else {f(name).encode() for name in of for f in (canonical_json, json.dumps)}
    )
    with guarded(path):
        for number, line in enumerate(_lines(path, within), 1):
            first_of_file = number == 1 and (within is None or within.start == 0)
            content = line.removeprefix(BOM) if first_of_file else line
            if not content.strip():
                continue  # an editor's blank line
            if mentioned is not None and not any(name in line for name in mentioned):
                continue
            try:
                record = kind.model_validate_json(content)
            except ValidationError as error:
                if not line.endswith(b"\n") and not _is_whole(line):
                    return  # torn by a kill; the record is made again
                first = error.errors()[0]
                raise InputError(
                    f"{path}:{number}: is no {kind.__name__.lower()} record ({first['msg']}): "
                    "remove the line and run again"
                ) from None
            yield record


def _open_log(path: Path) -> int:
    """Opens a log for appending, without the torn line that a kill may have left.

    A whole last line whose end an editor took away gets it back.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        start = path.read_bytes().rfind(b"\n") + 1
        if _is_whole(os.pread(descriptor, size - start, start)):
            append_whole(descriptor, b"\n")
        else:
            os.ftruncate(descriptor, start)
    return descriptor


def torn_logs(folder: Path) -> list[Path]:
    """Returns the logs of a run folder whose last line breaks off, as after a kill; it does not count."""
    torn = []
    for path in (folder / "sessions.jsonl", folder / "ratings.jsonl"):
        if path.is_file():
            with path.open("rb") as log:
                log.seek(max(0, path.stat().st_size - _LONGEST_LINE))
                last = log.read().rpartition(b"\n")[2]
            torn += [path] if last.strip() and not _is_whole(last) else []
    return torn


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line.removeprefix(BOM))
    except (ValueError, RecursionError):
        return False
    return True


def _bytes(record: Record) -> bytes:
    return record.line().encode() + b"\n"


def _is_foreign(path: Path) -> bool:
    """Whether a path in a folder without run.json is anybody's."""
    return path.name[0] != "." and path.name != "faces" and path.name not in _OF_VOLUMES


def _holds_records(folder: Path) -> bool:
    return any(True for _ in chain(read_sessions(folder), read_ratings(folder)))


def _differences(kept: RunHeader, wanted: RunHeader) -> list[str]:
    """What decides answers or scenarios and differs between two headers, in words: first what a user gave."""
    differing = Fingerprint(wanted.fingerprint, wanted.parts).differences(kept.parts)
    given: list[str] = []
    following: list[str] = []
    for kind in ("candidate", "selection"):
        mine = getattr(wanted, kind).model_dump(mode="json", exclude_defaults=True)
        theirs = getattr(kept, kind).model_dump(mode="json", exclude_defaults=True)
        for key in sorted({*mine, *theirs}):
            if mine.get(key) == theirs.get(key):
                continue
            if kind == "selection" and key in _GIVEN:
                given.append(
                    f"{_GIVEN[key]} was {_as_given(theirs.get(key))}, now {_as_given(mine.get(key))}"
                )
            else:
                shown = (
                    "changed"
                    if key == "code"
                    else f"{theirs.get(key, 'absent')} -> {mine.get(key, 'absent')}"
                )
                (following if kind == "selection" else differing).append(f"{kind}.{key} ({shown})")
    return [*given, *differing] or following


def _as_given(value: object) -> str:
    """What an option was given as; nothing stands for all."""
    return ",".join(map(str, value)) if isinstance(value, list) else "all" if value is None else str(value)


def _other_run(folder: Path, differing: list[str]) -> str:
    remedy = "Give another --out, or the settings of that run"
    if any(part.startswith("candidate.code ") for part in differing):
        remedy = (
            "The therapist's code is not the one that held these sessions: give another --out, or remove "
            f"{folder} to hold them anew"
        )
    return f"{folder} holds another run and cannot go on with this one: {'; '.join(differing)}. {remedy}"
