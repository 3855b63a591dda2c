"""Tables of utterances, a row each: AnnoMI's columns, and those of others under the names that they give."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from mirror_bench.data.transcripts.base import (
    LONGEST_LINE,
    Conversation,
    Spoken,
    TranscriptReading,
    labels_of,
)
from mirror_bench.data.transcripts.lines import read_lines
from mirror_bench.data.untrusted_input import clean, delimiter_of, header_of
from mirror_bench.errors import InputError

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("transcript_id", "conversation_id", "session_id", "dialogue_id", "dialog_id", "chat_id", "id"),
    "speaker": ("interlocutor", "speaker", "role", "author", "sender", "from"),
    "text": ("utterance_text", "text", "utterance", "content", "message", "words"),
    "person": ("profile", "profile_id", "client_id", "patient_id", "member_id", "user_id", "persona"),
    "order": ("utterance_id", "turn", "turn_id", "index", "position"),
}
"""What a column is for -> what it is called in files that we know; the first that is there counts."""
_NEEDED = ("id", "speaker", "text")
_OF_UTTERANCES = frozenset({"main_therapist_behaviour", "client_talk_type", "timestamp", "annotator_id"})
KEPT_WHOLE = 64 * 2**20
"""Bytes of a table up to which rows of one transcript may stand apart."""


def read_table(path: Path, reading: TranscriptReading) -> Iterator[Conversation]:
    """Yields the transcripts of a CSV or TSV file; see `base.Reader`.

    Rows of several annotators of one utterance count once. In a file of up to 64 MiB the rows of a transcript
    may stand anywhere; in a larger one a transcript ends where the next begins, so that it is not kept.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder: name a CSV file")
    rows = _rows(path, reading)
    if path.is_file() and path.stat().st_size <= KEPT_WHOLE:
        held: dict[str, list[_Row]] = {}
        for row in rows:
            held.setdefault(row[1], []).append(row)
        for name, own in held.items():
            yield _conversation(name, own, path.name, reading)
        return
    current: list[_Row] = []
    for row in rows:
        if current and row[1] != current[0][1]:
            yield _conversation(current[0][1], current, path.name, reading)
            current = []
        current.append(row)
    if current:
        yield _conversation(current[0][1], current, path.name, reading)


_Row = tuple[int, str, str, str, str, dict[str, str]]
"""Line, transcript, utterance's number, speaker, words, and the whole row."""


def _rows(path: Path, reading: TranscriptReading) -> Iterator[_Row]:
    lines = read_lines(path, reading)
    ends: list[int] = [0]
    latest = [""]

    def texts() -> Iterator[str]:
        for number, line in lines:
            ends[0], latest[0] = number, line
            yield line + "\n"

    source = texts()
    first = next(source, "")
    while first and not first.strip():
        first = next(source, "")
    delimiter = delimiter_of(first)
    header = header_of(first, delimiter)
    places = _places(path, header, reading.columns)
    # Strict: else a quotation mark that is never closed takes all that follows into one cell, without a word.
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        begins = ends[0] + 1
        limit = csv.field_size_limit(LONGEST_LINE)
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if ends[0] > begins:
                what = f"lines {begins} to {ends[0]} were left out"
                reading.say(path.name, begins, f"is not CSV ({error}): {what}", lost=True)
                continue
            row = next(csv.reader(latest, delimiter=delimiter), [])  # a mark within one line swallows nothing
        finally:
            csv.field_size_limit(limit)
        if not any(cell.strip() for cell in row):
            continue
        named = dict(zip(header, row, strict=False))
        values = {part: named.get(column, "").strip() for part, column in places.items()}
        unlike = f"has {len(row)} cells where the header has {len(header)}"
        lacking = [part for part in ("id", "speaker") if not values[part]]
        if any(cell.strip() for cell in row[len(header) :]):
            dropped = f"{unlike} (words that hold {delimiter!r} must stand in quotes): the row was left out"
        elif lacking:
            dropped = f"its column {places[lacking[0]]} is empty: the row was left out"
        else:
            dropped = ""
        if dropped or len(row) < len(header):
            reading.say(path.name, begins, dropped or unlike, lost=bool(dropped))
        if dropped:
            continue
        words = clean(values["text"])
        yield begins, values["id"], values.get("order", ""), values["speaker"], words, named


def _places(path: Path, header: list[str], given: Mapping[str, str]) -> dict[str, str]:
    """Returns which column is for what.

    Raises:
        InputError: If one that is needed is not there.
    """
    lower = {name.lower(): name for name in reversed(header)}
    places = {}
    for part, names in COLUMNS.items():
        wanted = given.get(part)
        if wanted is not None and wanted.lower() not in lower:
            raise InputError(
                f"{path}:1: --column {part}={wanted}: no such column; it has {', '.join(header)[:300]}"
            )
        found = wanted or next((name for name in names if name in lower), "")
        if found:
            places[part] = lower[found.lower()]
        elif part in _NEEDED:
            raise InputError(
                f"{path}:1: no column for the {part}: known are {', '.join(names)}; it has "
                f"{', '.join(header)[:300] or 'none'}: say --column {part}=NAME"
            )
    return places


def _conversation(name: str, rows: list[_Row], source: str, reading: TranscriptReading) -> Conversation:
    turns: list[Spoken] = []
    met: set[tuple[str, str, str]] = set()
    numbers = [row[2] for row in rows]
    if all(number.isdigit() for number in numbers) and numbers != sorted(numbers, key=int):
        reading.say(source, rows[0][0], f"the rows of {name!r} were put in the order of their numbers")
        rows = sorted(rows, key=lambda row: int(row[2]))
    for line, _, number, speaker, words, _ in rows:
        # One utterance stands once for each of its annotators.
        key = (number, speaker, words)
        if number and key in met:
            continue
        met.add(key)
        turns.append(Spoken(speaker, words, line))
    first = rows[0][5]
    used = {column for names in COLUMNS.values() for column in names} | {*reading.columns.values()}
    lower = {key.lower(): value for key, value in first.items()}
    person = next(
        (lower[key] for key in (reading.columns.get("person", ""), *COLUMNS["person"]) if lower.get(key)), ""
    )
    return Conversation(
        id=name,
        turns=tuple(turns),
        source=source,
        line=rows[0][0],
        person=person or None,
        labels=labels_of(first, frozenset(used) | _OF_UTTERANCES),
    )
