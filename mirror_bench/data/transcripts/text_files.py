"""Plain text, a conversation a file: a turn begins with its speaker, as "user:" and "agent:" of VERA-MH."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mirror_bench.data.transcripts.base import Conversation, Spoken, TranscriptReading
from mirror_bench.data.transcripts.lines import read_lines
from mirror_bench.data.transcripts.speakers import CLIENT, SILENT, THERAPIST, spelt
from mirror_bench.data.untrusted_input import clean
from mirror_bench.errors import InputError

_LABEL = re.compile(
    r"^\s*(?:\[?\(?\d{1,2}:\d{2}(?::\d{2})?\)?\]?[\s-]*)?[*_#>\[]{0,4}\s*(?P<name>[^\W\d_][^:：\n]{0,40}?)\s*"
    r"[*_\]]{0,3}\s*[:：][*_]{0,3}[ \t]*(?P<words>.*)$"
)
_MARKER = re.compile(r"^\s*\[(?P<why>[^\[\]]*\b(?:conversation|session|chat)\b[^\[\]]*)\]\s*$", re.IGNORECASE)
_OF_VERA = re.compile(
    r"^(?:conversation_)?(?:[0-9a-f]{6,}_)?(?P<person>[A-Z][A-Za-z]+(?:_[A-Z])?)_(?P<model>.+?)_run\d+",
    re.ASCII,
)
_STRANGERS = 3
"""So many lines of one file must begin with a name before it is taken for a speaker that nobody mapped."""


def read_text_files(path: Path, reading: TranscriptReading) -> Iterator[Conversation]:
    """Yields the conversation of a text file, or of every .txt file below a folder; see `base.Reader`.

    A line that does not begin with a speaker's name goes on with the turn before.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*.txt") if file.is_file())
        if not files:
            raise InputError(f"{path}: holds no .txt file, of which each would be a conversation")
    else:
        files = [path]
    for file in files:
        try:
            held = _read(file, reading)
        except InputError as error:
            if len(files) == 1:
                raise
            reading.say(file.name, 1, f"{str(error).partition(': ')[2]}: left out", lost=True)
            continue
        if held is not None:
            yield held


def _read(file: Path, reading: TranscriptReading) -> Conversation | None:
    known = CLIENT | THERAPIST | SILENT | reading.speakers
    turns: list[Spoken] = []
    ended = ""
    strangers: dict[str, list[int]] = {}
    before: list[int] = []
    open_turn: tuple[str, list[str], int] | None = None

    def close() -> None:
        if open_turn is not None:
            speaker, said, begins = open_turn
            turns.append(Spoken(speaker, clean("\n".join(said)).strip(), begins))

    for number, line in read_lines(file, reading):
        if marker := _MARKER.match(line):
            ended = " ".join(marker["why"].split())
            continue
        label = _LABEL.match(line)
        name = spelt(label["name"]) if label else ""
        if label and name in known:
            close()
            open_turn = (label["name"].strip(), [label["words"]], number)
            continue
        if label and len(name.split()) <= 3:
            strangers.setdefault(label["name"].strip(), []).append(number)
        if open_turn is not None:
            open_turn[1].append(line)
        elif line.strip():
            before.append(number)
    close()
    if before:
        why = f"{len(before)} lines stand before the first speaker's: left out"
        reading.say(file.name, before[0], why)
    for stranger, lines in strangers.items():
        if len(lines) >= _STRANGERS or not turns:
            why = f"{len(lines)} lines begin with {stranger + ':'!r}, which is no speaker that is known"
            remedy = f"name it with --client, --therapist or --ignore {stranger!r}, if it is one"
            reading.say(file.name, lines[0], f"{why}: {remedy}")
    if not turns:
        reading.say(file.name, 1, "no line begins with a speaker's name (user:, agent:): left out", lost=True)
        return None
    named = _OF_VERA.match(file.stem)
    return Conversation(
        id=file.stem,
        turns=tuple(turns),
        source=file.name,
        line=1,
        person=named["person"].replace("_", " ") if named else None,
        labels={"ended": ended} if ended else {},
    )
