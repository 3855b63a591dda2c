"""A file of AnnoMI's form with words of our own, in which good and poor sessions are easily told apart."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

COLUMNS = (
    "mi_quality",
    "transcript_id",
    "video_title",
    "utterance_id",
    "interlocutor",
    "timestamp",
    "utterance_text",
    "main_therapist_behaviour",
    "client_talk_type",
)
TALK = (
    ("The kiln keeps me up until three most nights.", "neutral"),
    ("I want to stop firing on weekdays.", "change"),
    ("I don't think I want to change anything.", "sustain"),
    ("My brother says the smoke is in his curtains.", "neutral"),
)
GOOD = (
    ("It sounds like the kiln takes your nights, and part of you is worn out by it.", "reflection"),
    ("What would weekdays without firing look like for you?", "question"),
    ("You feel torn: something in you wants to keep all of it as it is.", "reflection"),
    ("Okay, mm-hmm.", "other"),
)
POOR = (
    ("You need to sell that kiln and get some sleep.", "therapist_input"),
    ("You should just stop firing on weekdays, it's that simple.", "therapist_input"),
    ("Did you even read the leaflet?", "question"),
    ("Okay.", "other"),
)


def made_rows(good: int = 12, poor: int = 12) -> list[dict[str, str]]:
    """Returns rows of `good` + `poor` transcripts, of lengths that differ inside both groups alike."""
    rows = []
    for number in range(good + poor):
        high = number < good
        place = number if high else number - good
        said = GOOD if high else POOR
        for turn in range(4 + 2 * (place % 5)):
            client, talk = TALK[turn % 4]
            therapist, behaviour = said[(turn + place) % 4]
            # The last good and the first poor one are mixed, so that the groups overlap.
            if place == 0 and turn % 2:
                therapist, behaviour = (POOR if high else GOOD)[turn % 4]
            for speaker, words, codes in (
                ("client", client, ("n/a", talk)),
                ("therapist", therapist, (behaviour, "n/a")),
            ):
                rows.append(
                    {
                        "mi_quality": "high" if high else "low",
                        "transcript_id": str(number),
                        "video_title": "Own words, with a comma",
                        "utterance_id": str(2 * turn + (speaker == "therapist")),
                        "interlocutor": speaker,
                        "timestamp": "00:00:00",
                        "utterance_text": words,
                        "main_therapist_behaviour": codes[0],
                        "client_talk_type": codes[1],
                    }
                )
    return rows


def write_annomi(
    path: Path, rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS, encoding: str = "utf-8"
) -> Path:
    """Writes rows as CSV and returns the path."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path
