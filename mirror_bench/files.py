"""Writing files so that a full or read-only disk loses nothing and says in one line what to do."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from pydantic import BaseModel

R = TypeVar("R", bound="BaseModel")
BOM = b"\xef\xbb\xbf"
"""What some editors write before UTF-8 text."""

_REMEDIES = {
    errno.ENOSPC: "free some space and run the same command again; what was kept stays",
    errno.EDQUOT: "free some space and run the same command again; what was kept stays",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f) and run the same command again",
    errno.EROFS: "name a writable folder with --out",
    errno.EACCES: "get the right to write there, or name another folder with --out",
    errno.EPERM: "get the right to write there, or name another folder with --out",
    errno.ENOTDIR: "a part of the path is a file: name another folder",
    errno.EISDIR: "is a folder: name a file",
    errno.ELOOP: "the links of the path lead round in a circle: name another folder",
    errno.ENAMETOOLONG: "the name is too long: name a shorter one",
    errno.EMFILE: "raise the limit on open files (ulimit -n), or lower --concurrency",
    errno.ENFILE: "raise the limit on open files, or lower --concurrency",
    errno.EIO: "the disk or its connection fails: check it and run the same command again",
}


def disk_problem(error: OSError, path: Path | str = "") -> InputError:
    """Returns what the system refused as one line, with the file and the remedy.

    Args:
        error: What was raised.
        path: The file or folder, where the error does not name one.
    """
    where = str(path or error.filename or "")
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    remedy = _REMEDIES.get(error.errno or 0, "check the path and the right to use it")
    return InputError(f"{where}: {reason}: {remedy}" if where else f"{reason}: {remedy}")


@contextlib.contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turns what the system refuses within the block into one line about `path`.

    Raises:
        InputError: In place of an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise disk_problem(error, path) from None


def read_record(path: Path, kind: type[R], absent: str, remedy: str) -> R:
    """Returns the record of its kind that a JSON file holds.

    Args:
        path: The file.
        kind: What it must hold.
        absent: What is said where there is no such file.
        remedy: What is said after what is wrong with it.

    Raises:
        InputError: If the file is absent, cannot be read or is damaged.
    """
    from pydantic import ValidationError  # not above: `mirror-bench --help` imports this module

    try:
        return kind.model_validate_json(path.read_bytes().removeprefix(BOM))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(absent) from None
    except OSError as error:
        raise disk_problem(error, path) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where or 'its start'}: {first['msg']}: {remedy}") from None


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that it is there whole or not at all; makes its folder where missing.

    Raises:
        InputError: If it cannot be written; what was there before stays.
    """
    with guarded(path):
        make_folder(path.parent)
        part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
        try:
            part.write_bytes(content)
            part.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def append_whole(descriptor: int, content: bytes) -> None:
    """Appends to an open log all of `content`, or nothing where the disk takes only a part.

    Raises:
        OSError: If it cannot be written.
    """
    before = os.fstat(descriptor).st_size
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    except OSError:
        # Half a line in the middle of a log would make the records after it unreadable.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, before)
        raise


def make_folder(folder: Path) -> None:
    """Makes a folder, its parents included.

    Raises:
        InputError: If it is a link to nowhere or a file, or cannot be made.
    """
    with guarded(folder):
        for place in (folder, *folder.parents):
            if place.is_symlink() and not place.exists():
                raise InputError(
                    f"{place} is a link to {place.readlink()}, which does not exist: "
                    "make that folder, or name another"
                )
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file: name a folder")
        folder.mkdir(parents=True, exist_ok=True)
