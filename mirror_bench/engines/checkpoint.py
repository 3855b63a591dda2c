"""What identifies a checkpoint in a local folder: its content, since a path can come to hold another model."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

_SUFFIXES = {".json", ".safetensors", ".bin", ".jinja", ".txt", ".model"}
_SAMPLE = 1 << 20


def checkpoint_digest(name: str) -> str:
    """Returns a SHA-256 over a local checkpoint's files, or "" where `name` is no local folder.

    Of a large file, its size, its first and its last MiB count: enough to tell checkpoints apart without
    reading gigabytes at every start.
    """
    folder = Path(name)
    if not folder.is_dir():
        return ""
    stamp = tuple(
        (str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.iterdir())
        if path.suffix in _SUFFIXES
    )
    return _digest(folder.resolve(), stamp)


@functools.lru_cache(maxsize=64)
def _digest(folder: Path, stamp: tuple[tuple[str, int, int], ...]) -> str:
    total = hashlib.sha256()
    for file, size, _ in stamp:
        total.update(f"{file}\0{size}\0".encode())
        with (folder / file).open("rb") as content:
            total.update(content.read(_SAMPLE))
            if size > _SAMPLE:
                content.seek(max(_SAMPLE, size - _SAMPLE))
                total.update(content.read(_SAMPLE))
    return total.hexdigest()
