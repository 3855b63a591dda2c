"""Lines of a file of any size and encoding, one at a time: memory does not grow with the file."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from mirror_bench.data.transcripts.base import LONGEST_LINE, TranscriptReading
from mirror_bench.data.untrusted_input import encoding_of
from mirror_bench.errors import InputError
from mirror_bench.files import guarded

_BLOCK = 2**20


def read_lines(path: Path, reading: TranscriptReading) -> Iterator[tuple[int, str]]:
    """Yields each line of a text file with its number, from 1, without its end.

    UTF-8, and UTF-16 or UTF-32 with or without their mark, are known by their bytes; a file that turns out
    not to be UTF-8 is read as Windows-1252 from there on, which is listed. Every kind of line end counts.

    Raises:
        InputError: If the file is missing, unreadable, empty, or no text.
    """
    number, held, skipping = 0, "", False
    for piece in _decoded(path, reading):
        held += piece
        if "\n" not in piece and len(held) <= LONGEST_LINE:
            continue
        *whole, held = held.split("\n")
        for line in whole:
            number += 1
            if skipping or len(line) > LONGEST_LINE:
                reading.say(path.name, number, _too_long(), lost=True)
                skipping = False
            else:
                yield number, line
        if len(held) > LONGEST_LINE:
            skipping, held = True, ""
    if skipping:
        reading.say(path.name, number + 1, _too_long(), lost=True)
    elif held:
        yield number + 1, held


def _too_long() -> str:
    return f"the line is longer than {LONGEST_LINE >> 20} million characters: it was left out"


def _decoded(path: Path, reading: TranscriptReading) -> Iterator[str]:
    """Yields a file's text in pieces, with newlines alone as line ends."""
    lines = 0
    ends_in_return = False
    decoder: codecs.IncrementalDecoder | None = None
    with guarded(path), path.open("rb") as file:
        if path.stat().st_size == 0:
            raise InputError(f"{path}: is empty")
        while block := file.read(_BLOCK):
            if decoder is None:
                decoder = codecs.getincrementaldecoder(encoding_of(block, path, foreign=True))()
            before = decoder.getstate()
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError as error:
                if "utf-8" not in error.encoding.replace("_", "-"):
                    text = block.decode(error.encoding, errors="replace")
                    done = "they were replaced by U+FFFD"
                else:
                    kept = before[0] if isinstance(before[0], bytes) else b""
                    decoder = codecs.getincrementaldecoder("cp1252")(errors="replace")
                    text = decoder.decode(kept + block)
                    done = "the file was read as Windows-1252 from there on"
                bad = lines + 1 + block.count(b"\n", 0, max(0, error.start))
                reading.say(path.name, bad, f"holds bytes that are not {error.encoding.upper()}: {done}")
            if ends_in_return and text.startswith("\n"):
                text = text[1:]
            ends_in_return = text.endswith("\r")
            text = text.replace("\r\n", "\n").replace("\r", "\n")
            lines += text.count("\n")
            yield text
        if decoder is not None and (left := decoder.decode(b"", True) if _whole(decoder) else "\ufffd"):
            yield left


def _whole(decoder: codecs.IncrementalDecoder) -> bool:
    """Whether a file's bytes end with a whole character."""
    return not decoder.getstate()[0]
