"""The file that holds every answer an engine gave, `calls.sqlite`: found by key, kept at once."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from filelock import SoftFileLock

from mirror_bench.engines.base import Answer
from mirror_bench.engines.prices import Usage
from mirror_bench.errors import InputError
from mirror_bench.locks import has_locks, hold_without_locks

# "MIRB" in ASCII: tells our files from any other SQLite database.
_APPLICATION = 0x4D49_5242
_VERSION = 2
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""Where pages are damaged, what SQLite says of them may be no text either."""
# Files of version 1 lack the last column, and are given it.
_UPGRADE = "ALTER TABLE answers ADD COLUMN raw TEXT NOT NULL DEFAULT ''"
_TABLE = """
CREATE TABLE answers (
  key BLOB PRIMARY KEY, engine TEXT NOT NULL, text TEXT NOT NULL, finish TEXT NOT NULL,
  prompt_tokens INTEGER NOT NULL, tokens INTEGER NOT NULL, raw TEXT NOT NULL DEFAULT ''
)
"""


@dataclass
class Pending:
    """A question being asked of an engine: the task that asks it, and how many await its answer.

    Attributes:
        task: It ends with what was asked for.
        waiting: How many await it.
    """

    task: asyncio.Task[Any]
    waiting: int = 0


class Memo:
    """Answers by key in one SQLite file, shared by all engines of a run.

    Answers of one tick of the event loop are written in one transaction, and `keep` returns only after the
    commit: whatever a caller has seen survives the killing of the process. The file is locked as long as
    it is open.

    Args:
        path: The file; made where missing, its folder included.

    Raises:
        InputError: If the file is in use by another process, damaged, not ours or not writable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pending: dict[bytes, Pending] = {}
        self._queue: dict[bytes, tuple[str, Answer]] = {}
        self._committed: asyncio.Future[None] | None = None
        self._connection: sqlite3.Connection | None = None
        self._lock: SoftFileLock | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not (locks := has_locks(path.parent)):
                self._lock = hold_without_locks(path, _in_use(path))
            # nolock=1 would still ask for a lock where a killed process left a journal.
            way = "" if locks else "?vfs=unix-none"
            # A process that was just killed may hold the lock for a moment longer.
            self._connection = sqlite3.connect(
                f"file:{quote(str(path))}{way}",
                timeout=1.0,
                isolation_level=None,
                check_same_thread=False,
                uri=True,
            )
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise InputError(f"{path}: cannot be opened ({error}); choose a writable folder") from None
        try:
            _prepare(self._connection, path, "WAL" if locks else "TRUNCATE")
        except (*_UNREADABLE, InputError) as error:
            self.close()
            raise (error if isinstance(error, InputError) else _input_error(path, error)) from None

    def __len__(self) -> int:
        (count,) = self._open().execute("SELECT count(*) FROM answers").fetchone()
        return int(count)

    def find(self, key: bytes) -> Answer | None:
        """Returns the remembered answer to `key`, marked as such, or None.

        Raises:
            InputError: If the file is closed or damaged.
        """
        try:
            row = (
                self._open()
                .execute("SELECT text, finish, prompt_tokens, tokens, raw FROM answers WHERE key = ?", (key,))
                .fetchone()
            )
        except _UNREADABLE as error:
            raise _input_error(self.path, error) from None
        if not row:
            return None
        text, finish, prompt_tokens, tokens, raw = row
        return Answer(text, finish, prompt_tokens, tokens, remembered=True, raw=raw)

    def usage(self) -> dict[str, Usage]:
        """Returns engine -> what its answers took in all, also in earlier starts; refusals cost nothing.

        Raises:
            InputError: If the file is closed or damaged.
        """
        asked = (
            "SELECT engine, count(*), sum(prompt_tokens), sum(tokens) FROM answers "
            "WHERE finish != 'too_much' GROUP BY engine"
        )
        try:
            rows = self._open().execute(asked).fetchall()
        except _UNREADABLE as error:
            raise _input_error(self.path, error) from None
        return {
            name: Usage(calls=calls, prompt_tokens=asked, tokens=told) for name, calls, asked, told in rows
        }

    async def keep(self, key: bytes, engine: str, answer: Answer) -> Answer:
        """Writes an answer; returns it, as it will be read back, once it is on the disk's side of a crash.

        Raises:
            InputError: If it cannot be written.
        """
        # SQLite holds UTF-8, so a lone surrogate is replaced now rather than differ on the replay.
        answer = replace(answer, text=_storable(answer.text), raw=_storable(answer.raw))
        self._queue[key] = (engine, answer)
        if self._committed is None:
            loop = asyncio.get_running_loop()
            self._committed = loop.create_future()
            loop.call_soon(self._commit)
        await asyncio.shield(self._committed)
        return answer

    def close(self) -> None:
        """Writes what waits and closes the file; safe to call twice."""
        if self._connection is not None:
            if self._queue:
                self._commit()
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            self._lock.release()

    def _commit(self) -> None:
        committed, self._committed = self._committed, None
        queue, self._queue = self._queue, {}
        problem: InputError | None = None
        if queue:
            try:
                self._write(queue)
            except sqlite3.Error as error:
                problem = _input_error(self.path, error)
            except InputError as error:
                problem = error
        if committed is None or committed.done() or committed.get_loop().is_closed():
            return
        if problem:
            committed.set_exception(problem)
            committed.exception()  # seen: a waiter that was cancelled meanwhile would leave it unretrieved
        else:
            committed.set_result(None)

    def _write(self, queue: dict[bytes, tuple[str, Answer]]) -> None:
        connection = self._open()
        rows = [
            (key, engine, answer.text, answer.finish, answer.prompt_tokens, answer.tokens, answer.raw)
            for key, (engine, answer) in queue.items()
        ]
        connection.execute("BEGIN")
        try:
            connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise InputError(f"{self.path}: the memory of answers is closed already")
        return self._connection


def _prepare(connection: sqlite3.Connection, path: Path, journal: str) -> None:
    # Exclusive locking keeps a second process out and needs no shared-memory file; it takes hold with the
    # first write. NORMAL loses nothing when a process dies, and costs no fsync per commit.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != _APPLICATION:
        raise InputError(f"{path}: is a database of something else; name another file or move this one away")
    if tables and version not in {1, _VERSION}:
        raise InputError(f"{path}: was written by another version of mirror-bench; start a new run folder")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise InputError(f"{path}: is damaged; remove it (its answers will be asked again) or restore a copy")
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    if not tables:
        connection.execute(_TABLE)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    elif version == 1:
        connection.execute(_UPGRADE)
    if version != _VERSION:
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    connection.execute("COMMIT")


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _in_use(path: Path) -> str:
    return f"{path}: is in use by another process; wait for that run or use another run folder"


def _input_error(path: Path, error: Exception) -> InputError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if isinstance(error, UnicodeDecodeError):
        code = sqlite3.SQLITE_CORRUPT
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return InputError(_in_use(path))
    if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT}:
        return InputError(f"{path}: is damaged or no answer memory; remove it (answers will be asked again)")
    if code == sqlite3.SQLITE_FULL:
        return InputError(f"{path}: the disk is full; free some space and run the same command again")
    return InputError(f"{path}: cannot be read or written ({error}); check the folder's permissions")
