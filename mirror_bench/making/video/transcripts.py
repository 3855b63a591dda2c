"""Transcripts with times, and on what ground their videos may be used."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mirror_bench.data.screenplays.parser import split_directions
from mirror_bench.data.sources.record_files import read_records
from mirror_bench.data.untrusted_input import cell, identifier
from mirror_bench.errors import InputError
from mirror_bench.schema import Speaker

RIGHTS = "rights.csv"
VIDEOS = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v")
_COLUMNS = ("transcript_id", "interlocutor", "timestamp", "utterance_text")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)|(\d+(?:\.\d+)?)")
_LAST = 8.0
"""Seconds that a last turn is taken to go on."""


class TimedTurn(NamedTuple):
    """What one speaker says until the other one does.

    Attributes:
        words: Without what stands in brackets.
        directions: What stands in brackets, such as "laughs".
        start: Seconds into the video; `end` where the other one begins.
    """

    speaker: Speaker
    words: str
    directions: tuple[str, ...]
    start: float
    end: float


class TimedTranscript(NamedTuple):
    """A transcript whose turns alternate, beginning with the client's first.

    Attributes:
        id: As in the file, in letters that a file's name may have.
    """

    id: str
    turns: tuple[TimedTurn, ...]


class Rights(NamedTuple):
    """The stated ground on which a part of a video may be used, and from when to when.

    Attributes:
        consent: Who agreed to what, and how it is known.
        start: Seconds from which it holds; `end` until which.
    """

    licence: str
    consent: str
    start: float = 0.0
    end: float = float("inf")


def read_timed(path: Path) -> list[TimedTranscript]:
    """Returns the transcripts of AnnoMI's file (or one with its columns) in which a client speaks.

    Utterances of one speaker in a row become one turn; what the therapist says before the client's first
    words is left out. Rows of several annotators of one utterance count once.

    Raises:
        InputError: If a column is missing, or a time or speaker cannot be read; it names file and line.
    """
    said: dict[str, dict[str, TimedTurn]] = {}
    records = read_records(path)
    for number, record in records.rows:
        if lacking := [name for name in _COLUMNS if name not in record]:
            raise InputError(
                f"{path}: has no column {lacking[0]!r}: it needs {', '.join(_COLUMNS)}, as "
                "AnnoMI-full.csv has"
            )
        where = f"{path}:{number}"
        try:
            speaker = Speaker(cell(record["interlocutor"]).lower())
        except ValueError:
            raise InputError(f"{where}: interlocutor must be client or therapist") from None
        directions, words, _ = split_directions(cell(record["utterance_text"]))
        start = read_clock(cell(record["timestamp"]), where)
        turn = TimedTurn(speaker, words, directions, start, start)
        utterance = cell(record.get("utterance_id")) or str(number)
        said.setdefault(identifier(cell(record["transcript_id"])), {}).setdefault(utterance, turn)
    transcripts = [_joined(id, list(turns.values())) for id, turns in said.items()]
    if not (transcripts := [transcript for transcript in transcripts if transcript.turns]):
        raise InputError(f"{path}: holds no transcript in which a client speaks")
    return transcripts


def read_clock(text: str, where: str) -> float:
    """Returns seconds of "1:02:03", "02:03" or "123.5".

    Raises:
        InputError: If it is none of these.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{where}: timestamp {text[:40]!r} is no time: write it as 00:01:23")
    hours, minutes, seconds, plain = match.groups()
    return float(plain) if plain else int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)


def read_rights(folder: Path) -> Mapping[str, Sequence[Rights]]:
    """Returns transcript -> on what ground its video may be used, by `rights.csv` beside the videos.

    Columns: transcript_id, licence, consent; start and end where a row holds for a part alone.

    Raises:
        InputError: If it is missing, a column is, or a row states no licence or consent.
    """
    path = folder / RIGHTS
    if not path.is_file():
        raise InputError(
            f"{path} is missing: write a row for each video with transcript_id, licence and consent (who "
            "agreed to what, and how you know); frames of which nothing is stated are not taken"
        )
    by_transcript: dict[str, list[Rights]] = {}
    for number, record in read_records(path).rows:
        where = f"{path}:{number}"
        if lacking := [
            name for name in ("transcript_id", "licence", "consent") if not cell(record.get(name))
        ]:
            raise InputError(f"{where}: states no {lacking[0]}")
        start, end = cell(record.get("start")), cell(record.get("end"))
        rights = Rights(
            cell(record["licence"]),
            cell(record["consent"]),
            read_clock(start, where) if start else 0.0,
            read_clock(end, where) if end else float("inf"),
        )
        by_transcript.setdefault(identifier(cell(record["transcript_id"])), []).append(rights)
    return by_transcript


def rights_at(rights: Sequence[Rights], seconds: float) -> Rights | None:
    """Returns what is stated of a moment, or None where nothing is."""
    return next((right for right in rights if right.start <= seconds <= right.end), None)


def find_videos(folder: Path) -> Mapping[str, Path]:
    """Returns transcript -> its video, called by the transcript's id.

    Raises:
        InputError: If the folder holds none, or two of one name.
    """
    if not folder.is_dir():
        raise InputError(f"--videos {folder}: is no folder")
    videos: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in VIDEOS:
            if path.stem in videos:
                raise InputError(
                    f"--videos {folder}: {videos[path.stem].name} and {path.name} are of one transcript"
                )
            videos[path.stem] = path
    if not videos:
        raise InputError(
            f"--videos {folder}: holds no video: name each by its transcript_id, such as 17.mp4 "
            f"({', '.join(VIDEOS)})"
        )
    return videos


def _joined(id: str, said: list[TimedTurn]) -> TimedTranscript:
    turns: list[TimedTurn] = []
    for utterance in said:
        if not turns and utterance.speaker is not Speaker.CLIENT:
            continue
        if turns and turns[-1].speaker is utterance.speaker:
            last = turns[-1]
            words = " ".join(filter(None, (last.words, utterance.words)))
            turns[-1] = last._replace(words=words, directions=last.directions + utterance.directions)
        else:
            if turns:
                turns[-1] = turns[-1]._replace(end=max(utterance.start, turns[-1].start))
            turns.append(utterance)
    if turns:
        turns[-1] = turns[-1]._replace(end=turns[-1].start + _LAST)
    return TimedTranscript(id, tuple(turns))
