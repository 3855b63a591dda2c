"""Keeps other processes out of a folder or file, also on file systems that have no locks."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from pathlib import Path

from filelock import SoftFileLock, Timeout

from mirror_bench.errors import InputError
from mirror_bench.files import disk_problem, guarded

_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What network file systems answer that are mounted without locks."""
_MARK = ".held"
"""What is added to the name of a lock's file where that file's being there is the lock."""


class HeldLock:
    """A lock that is held until it is closed; a process that dies holds none.

    Args:
        path: The lock's file; made where it does not exist, and left.
        in_use: What is said where another process holds it.

    Raises:
        InputError: If another process holds it, or the file cannot be made.
    """

    def __init__(self, path: Path, in_use: str) -> None:
        self._soft: SoftFileLock | None = None
        self._descriptor: int | None = None
        with guarded(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._descriptor = descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise InputError(in_use) from None
        except OSError as error:
            os.close(descriptor)
            if error.errno not in _NO_LOCKS:
                raise disk_problem(error, path) from None
            self._soft = hold_without_locks(path, in_use)

    def close(self) -> None:
        """Lets go of it; a second time does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._soft is not None:
            self._soft.release()


def hold_without_locks(path: Path, in_use: str) -> SoftFileLock:
    """Returns a lock that is a file beside `path`, for file systems without locks.

    The file names machine and process. It is taken over where that process is no more; from another machine
    this cannot be seen, so a person has to remove it.

    Raises:
        InputError: If another process holds it, or it cannot be made.
    """
    mark = path.with_name(path.name + _MARK)
    lock = SoftFileLock(mark, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:  # is an OSError too
        raise InputError(f"{in_use} (if no such process runs on any machine, remove {mark})") from None
    except OSError as error:
        raise disk_problem(error, mark) from None
    return lock


def has_locks(folder: Path) -> bool:
    """Tells whether files of an existing folder can be locked.

    Raises:
        InputError: If no file can be made there.
    """
    with guarded(folder), tempfile.TemporaryFile(dir=folder) as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in _NO_LOCKS
    return True


def is_held(path: Path) -> bool:
    """Tells whether some process holds the lock of this file."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:
        return error.errno in _NO_LOCKS and path.with_name(path.name + _MARK).exists()
    return False
