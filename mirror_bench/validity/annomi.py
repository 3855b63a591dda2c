"""AnnoMI as sessions with their experts' codes, read from the CSV file that its authors publish.

AnnoMI (Wu et al. 2022, "AnnoMI: a dataset of expert-annotated counselling dialogues") holds transcripts of
motivational interviewing, each shown to the public as a high or a low example of it, with a code per
utterance. It is outside data: it is read where it lies, and nothing of it stands in this project. Both files
are read: one row per utterance, or one per utterance and annotator, of whose codes the majority is taken.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mirror_bench.errors import InputError
from mirror_bench.schema import Ending, FaceCondition, Resistance, Session, Speaker, Turn
from mirror_bench.text import count_words

COLUMNS = (
    "transcript_id",
    "mi_quality",
    "interlocutor",
    "utterance_text",
    "main_therapist_behaviour",
    "client_talk_type",
)
"""The columns that are read; others may stand between them, in any order."""
THERAPIST_CLASSES = ("reflection", "question", "therapist_input", "other")
CLIENT_CLASSES = ("change", "sustain", "neutral")
UNCODED = ("", "n/a", "na", "nan", "none")


class ExpertUtterance(NamedTuple):
    """One utterance of AnnoMI with the class that experts gave it.

    Attributes:
        speaker: Who says it.
        words: What is said, as transcribed.
        expert: One of `THERAPIST_CLASSES` or `CLIENT_CLASSES`; empty where no annotator coded it.
    """

    speaker: Speaker
    words: str
    expert: str


class ExpertTranscript(NamedTuple):
    """One transcript of AnnoMI with its utterances and its published quality.

    Attributes:
        name: Its `transcript_id`.
        high: Whether it was published as an example of high quality.
        utterances: What was said, in order.
    """

    name: str
    high: bool
    utterances: tuple[ExpertUtterance, ...]

    @property
    def therapist_tokens(self) -> int:
        """How many words the therapist says."""
        return sum(count_words(u.words) for u in self.utterances if u.speaker is Speaker.THERAPIST)

    def session(self) -> Session:
        """Returns the transcript as a session that no rule of the benchmark ended."""
        return Session(
            scenario_id=self.name,
            pair=self.name,
            profile_id=self.name,
            resistance=Resistance.NONE,
            condition=FaceCondition.NONE,
            seed=0,
            therapist="annomi",
            client="annomi",
            turns=tuple(Turn(speaker=u.speaker, words=u.words) for u in self.utterances),
            ended=Ending.TURN_LIMIT,
        )


class _Row(NamedTuple):
    line: int
    transcript: str
    utterance: str
    high: bool
    speaker: Speaker
    words: str
    expert: str


def read_annomi(path: Path) -> tuple[ExpertTranscript, ...]:
    """Returns AnnoMI's transcripts with the experts' codes.

    Args:
        path: A CSV file in UTF-8 with at least `COLUMNS`; `utterance_id`, where there is one, joins rows of
            several annotators of one utterance.

    Returns:
        The transcripts in the order of the file, both qualities among them.

    Raises:
        InputError: If the file is missing, no such CSV file or empty, lacks a column, holds a value that is
            not known or contradicts itself, or holds transcripts of one quality only; it names file, line
            and column.
    """
    rows: dict[str, dict[str, list[_Row]]] = {}
    for row in _rows(path):
        rows.setdefault(row.transcript, {}).setdefault(row.utterance, []).append(row)
    if not rows:
        raise InputError(f"{path}: holds no utterances; give the CSV file that AnnoMI's authors publish")
    found = tuple(_transcript(path, name, said) for name, said in rows.items())
    qualities = {transcript.high for transcript in found}
    if len(qualities) < 2:
        only = "high" if qualities == {True} else "low"
        raise InputError(
            f"{path}: column mi_quality is {only!r} throughout; telling groups apart takes both high and low"
        )
    return found


def _rows(path: Path) -> Iterator[_Row]:
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the path of AnnoMI's CSV file")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(
                    f"{path}:1: no column {missing[0]}; AnnoMI's CSV file has {', '.join(COLUMNS)}"
                )
            for row in reader:
                yield _row(path, reader.line_num, row)
        except csv.Error as error:
            raise InputError(f"{path}:{reader.line_num}: not CSV: {error}; export it again") from None
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: not UTF-8 ({error.reason}); save it as UTF-8") from None


def _row(path: Path, line: int, row: Mapping[str, str | None]) -> _Row:
    def cell(column: str) -> str:
        value = row.get(column)
        if value is None:
            raise InputError(
                f"{path}:{line}: column {column} is missing: the line is too short; mend the line"
            )
        return value.strip()

    def one_of(column: str, known: tuple[str, ...], *, also_none: bool = False) -> str:
        value = cell(column).lower()
        if also_none and value in UNCODED:
            return ""
        if value not in known:
            raise InputError(f"{path}:{line}: column {column} is {value!r}; known are {', '.join(known)}")
        return value

    if not cell("transcript_id"):
        raise InputError(f"{path}:{line}: column transcript_id is empty; say which transcript it belongs to")
    speaker = Speaker(one_of("interlocutor", ("therapist", "client")))
    if speaker is Speaker.THERAPIST:
        expert = one_of("main_therapist_behaviour", THERAPIST_CLASSES, also_none=True)
    else:
        expert = one_of("client_talk_type", CLIENT_CLASSES, also_none=True)
    return _Row(
        line,
        cell("transcript_id"),
        (row.get("utterance_id") or "").strip() or f"line {line}",
        one_of("mi_quality", ("high", "low")) == "high",
        speaker,
        cell("utterance_text"),
        expert,
    )


def _transcript(path: Path, name: str, said: Mapping[str, list[_Row]]) -> ExpertTranscript:
    first = next(iter(said.values()))[0]
    for rows in said.values():
        for row in rows:
            if row.high != first.high:
                raise InputError(
                    f"{path}:{row.line}: column mi_quality contradicts line {first.line} of the same "
                    f"transcript {name!r}; mend one of them"
                )
            if (row.speaker, row.words) != (rows[0].speaker, rows[0].words):
                raise InputError(
                    f"{path}:{row.line}: column utterance_id is {row.utterance!r}, as on line "
                    f"{rows[0].line}, with another speaker or other words; number utterances apart"
                )
    return ExpertTranscript(name, first.high, tuple(_utterance(rows) for rows in said.values()))


def _utterance(rows: list[_Row]) -> ExpertUtterance:
    """Joins the annotators of one utterance: the code that most gave, among equals the first in the file."""
    codes = Counter(row.expert for row in rows if row.expert)
    expert = codes.most_common(1)[0][0] if codes else ""
    return ExpertUtterance(rows[0].speaker, rows[0].words, expert)
