"""The lines of a profile's own, from `voices/<profile id>.yaml`: act -> lines, or act -> band -> lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mirror_bench.content import read_yaml
from mirror_bench.errors import InputError
from mirror_bench.schema import VoiceLine

MAX_LINES = 2_000
"""Lines of one voice."""
MAX_WORDS = 1_000
"""Characters of one line."""


def read_voice(path: Path) -> tuple[VoiceLine, ...]:
    """Reads one profile's voice; which acts and bands there are is the client's to know.

    Raises:
        InputError: If the file is not YAML or not of this form, naming the act.
    """
    lines: list[VoiceLine] = []
    for act, bands in read_yaml(path).items():
        by_band = bands if isinstance(bands, dict) else {"": bands}
        for band, texts in by_band.items():
            lines += [
                VoiceLine(act=str(act), band=str(band), words=words)
                for words in _texts(path, act, band, texts)
            ]
    if len(lines) > MAX_LINES:
        raise InputError(f"{path}: holds {len(lines)} lines: at most {MAX_LINES} are read")
    return tuple(lines)


def _texts(path: Path, act: object, band: object, value: Any) -> list[str]:
    where = f"{path}: {act}" + (f": {band}" if band else "")
    if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
        raise InputError(f"{where}: must be a list of texts (quote a text that holds a colon)")
    if any(len(text) > MAX_WORDS for text in value):
        raise InputError(f"{where}: holds a line of over {MAX_WORDS} characters")
    return [" ".join(text.split()) for text in value]
