"""A folder in which something is made: begun under settings, and gone on with under the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mirror_bench.errors import InputError
from mirror_bench.files import guarded, make_folder, write_atomically
from mirror_bench.locks import HeldLock

SETTINGS = "making.json"


@contextmanager
def making_in(folder: Path, settings: Mapping[str, Any]) -> Iterator[None]:
    """Holds a folder for one process while something is made in it.

    Args:
        folder: Made where missing; one that was begun goes on.
        settings: What decides the outcome.

    Raises:
        InputError: If the folder holds something else, was begun under other settings, or is in use.
    """
    make_folder(folder)
    begun = folder / SETTINGS
    with guarded(folder):
        strange = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if strange and not begun.exists():
        raise InputError(
            f"--out {folder}: holds {strange[0]} and was not begun by this command: name a new folder"
        )
    lock = HeldLock(
        folder / ".lock", f"--out {folder}: another process works there: wait for it, or name another folder"
    )
    try:
        if begun.exists():
            _must_agree(begun, settings)
        else:
            text = json.dumps(settings, indent=1, sort_keys=True, ensure_ascii=False)
            write_atomically(begun, (text + "\n").encode())
        yield
    finally:
        lock.close()


def _must_agree(path: Path, settings: Mapping[str, Any]) -> None:
    try:
        begun = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}): name a new folder by --out") from None
    now = json.loads(json.dumps(settings))
    if not isinstance(begun, dict):
        raise InputError(f"{path}: holds no settings: name a new folder by --out")
    for key in sorted({*begun, *now}):
        if begun.get(key) != now.get(key):
            raise InputError(
                f"{path.parent}: was begun with another {key} ({str(begun.get(key))[:80]}, now "
                f"{str(now.get(key))[:80]}): give the same, or name a new folder by --out"
            )
