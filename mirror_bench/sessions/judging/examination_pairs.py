"""The pairs of short sessions, alike but for one reply, on which a judge is examined for its licence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mirror_bench.content import content_path, read_yaml
from mirror_bench.digests import digest
from mirror_bench.errors import InputError
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.raters.instruments import Instrument, load_instrument
from mirror_bench.schema import Ending, FaceCondition, Profile, Resistance, Session, Speaker, Turn

VERSION = "1"
"""Raised with every change of how the examination is held or marked."""

ORDERED = ("misread_face", "ignored_crisis", "advice", "flattery")
"""Kinds of pairs of which the better must get more."""
UNPAID = ("added_length", "injection")
"""Kinds of pairs in which what was added must earn nothing."""
KINDS = (*ORDERED, *UNPAID)


class ExamPair(NamedTuple):
    """Two sessions that differ in one reply.

    Attributes:
        kind: One of `KINDS`.
        dialogue: The dialogue that both are made from, the cluster of intervals.
        better: The session that must not get less.
        worse: The other.
        profile: Who the client is.
    """

    kind: str
    dialogue: str
    better: Session
    worse: Session
    profile: Profile


class Examination(NamedTuple):
    """All pairs of sessions that a judge is examined on, and the items that it is asked about each.

    Attributes:
        pairs: In the order of dialogues, each kind once in each.
        asks: Kind -> the instruments with the items that are asked about its pairs.
        digest: Of content and code.
    """

    pairs: tuple[ExamPair, ...]
    asks: Mapping[str, tuple[Instrument, ...]]
    digest: str


def load_examination(dialogues: int | None = None) -> Examination:
    """Returns the packaged examination, or its first dialogues.

    Raises:
        InputError: If the content is malformed.
    """
    path = content_path("licence", "examination.yaml")
    content = read_yaml(path)
    try:
        pairs = [
            pair
            for number, dialogue in enumerate(content["dialogues"][:dialogues])
            for pair in _pairs(content, dialogue, number)
        ]
        asks = {
            kind: tuple(_shortened(load_instrument(name), ids) for name, ids in content["asks"][kind].items())
            for kind in KINDS
        }
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path}: lacks or misspells {error}") from None
    return Examination(tuple(pairs), asks, digest([VERSION, content])[:24])


def _shortened(instrument: Instrument, ids: Sequence[str]) -> Instrument:
    items = tuple(item for item in instrument.items if item.id in ids)
    if len(items) < len(ids):
        missing = next(name for name in ids if name not in {item.id for item in items})
        raise InputError(f"the examination asks for {instrument.name}.{missing}, which is no item")
    return instrument.model_copy(update={"items": items, "subscales": {}, "total": "none"})


def _pairs(content: Mapping[str, Any], dialogue: Mapping[str, Any], number: int) -> list[ExamPair]:
    """Returns the pairs of one dialogue: as it is, and with the reply that changes, for every kind."""
    profile = Profile(
        id=dialogue["id"],
        name=dialogue["name"],
        presenting_problem=dialogue["problem"],
        distorted_thought=dialogue["thought"],
    )
    flattery = content["flattery"][number % len(content["flattery"])].format(name=dialogue["name"])
    injection = content["injection"][number % len(content["injection"])].format()
    padded = f"{dialogue['reflection']} {content['padding']}"
    changes: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
        "misread_face": ({"second": dialogue["right"]}, {"second": dialogue["wrong"]}),
        "advice": ({"third": dialogue["reflection"]}, {"third": dialogue["advice"]}),
        "added_length": ({"third": dialogue["reflection"]}, {"third": padded}),
        "flattery": ({"third": dialogue["reflection"]}, {"third": flattery}),
        "injection": ({"third": content["plain"]}, {"third": injection}),
        "ignored_crisis": (
            {"next": dialogue["crisis"], "fourth": dialogue["meets"]},
            {"next": dialogue["crisis"], "fourth": dialogue["ignores"]},
        ),
    }
    pairs = []
    for kind in KINDS:
        better, worse = changes[kind]
        sessions = _session(dialogue, kind, "better", better), _session(dialogue, kind, "worse", worse)
        pairs.append(ExamPair(kind, dialogue["id"], *sessions, profile))
    return pairs


def _session(dialogue: Mapping[str, Any], kind: str, side: str, changed: Mapping[str, str]) -> Session:
    said = {
        "second": dialogue["right"],
        "third": dialogue["reflection"],
        "next": dialogue["next"],
        "fourth": dialogue["close"],
        **changed,
    }
    masked = Turn(
        speaker=Speaker.CLIENT,
        words=dialogue["masked"],
        direction=dialogue["direction"],
        expression=read_direction(dialogue["direction"]).expression,
        marks=("masked",),
    )

    def client(words: str) -> Turn:
        return Turn(speaker=Speaker.CLIENT, words=words)

    def therapist(words: str) -> Turn:
        return Turn(speaker=Speaker.THERAPIST, words=words)

    name = digest([dialogue["id"], kind, side])[:12]  # tells the judge nothing
    return Session(
        scenario_id=name,
        pair=name,
        profile_id=dialogue["id"],
        resistance=Resistance.EMOTIONAL,
        condition=FaceCondition.MATCHED,
        seed=0,
        therapist="examination",
        client="examination",
        turns=(
            client(dialogue["opening"]),
            therapist(dialogue["first"]),
            masked,
            therapist(said["second"]),
            client(dialogue["answer"]),
            therapist(said["third"]),
            client(said["next"]),
            therapist(said["fourth"]),
            client(dialogue["last"]),
        ),
        ended=Ending.SCRIPT_END,
    )
