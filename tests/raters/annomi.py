"""AnnoMI transcripts as sessions, read from where they lie beside the checkout."""

from __future__ import annotations

import csv
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from mirror_bench.schema import Ending, FaceCondition, Resistance, Session, Speaker, Turn

PATH = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "annomi_dev.csv"

needs_annomi = pytest.mark.skipif(not PATH.exists(), reason=f"AnnoMI is not beside the checkout ({PATH})")


class Utterance(NamedTuple):
    transcript: str
    speaker: Speaker
    words: str
    therapist_class: str
    client_class: str
    high: bool


class TherapistUtterance(NamedTuple):
    words: str
    heard: str
    before: tuple[str, ...]
    expert: str
    transcript: str
    high: bool


@functools.cache
def utterances() -> tuple[Utterance, ...]:
    with PATH.open(encoding="utf-8", newline="") as file:
        return tuple(
            Utterance(
                row["transcript_id"],
                Speaker(row["interlocutor"]),
                row["utterance_text"],
                row["main_therapist_behaviour"],
                row["client_talk_type"],
                row["mi_quality"] == "high",
            )
            for row in csv.DictReader(file)
        )


def therapist_utterances() -> list[TherapistUtterance]:
    found: list[TherapistUtterance] = []
    heard: dict[str, str] = {}
    before: dict[str, list[str]] = {}
    for u in utterances():
        if u.speaker is Speaker.CLIENT:
            heard[u.transcript] = u.words
        else:
            earlier = before.setdefault(u.transcript, [])
            found.append(
                TherapistUtterance(
                    u.words,
                    heard.get(u.transcript, ""),
                    tuple(earlier),
                    u.therapist_class,
                    u.transcript,
                    u.high,
                )
            )
            earlier.append(u.words)
    return found


def session(turns: Sequence[Turn], name: str = "s", ended: Ending = Ending.TURN_LIMIT) -> Session:
    return Session(
        scenario_id=name,
        pair=name,
        profile_id=name,
        resistance=Resistance.NONE,
        condition=FaceCondition.NONE,
        seed=0,
        therapist="t",
        client="c",
        turns=tuple(turns),
        ended=ended,
    )


def transcripts() -> list[tuple[Session, bool]]:
    turns: dict[str, list[Turn]] = {}
    high: dict[str, bool] = {}
    for u in utterances():
        turns.setdefault(u.transcript, []).append(Turn(speaker=u.speaker, words=u.words))
        high[u.transcript] = u.high
    return [(session(said, name), high[name]) for name, said in turns.items()]


def auc(high: Sequence[float], low: Sequence[float]) -> float:
    """The chance that a random high one is above a random low one, ties counting half."""
    wins = sum((h > x) + 0.5 * (h == x) for h in high for x in low)
    return wins / (len(high) * len(low))


def macro_f1(expert: Sequence[str], found: Sequence[str]) -> float:
    scores = []
    for name in sorted(set(expert)):
        hits = sum(e == f == name for e, f in zip(expert, found, strict=True))
        wrong = sum((e == name) != (f == name) for e, f in zip(expert, found, strict=True))
        scores.append(2 * hits / (2 * hits + wrong) if hits else 0.0)
    return sum(scores) / len(scores)
