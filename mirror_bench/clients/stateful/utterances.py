"""The utterance bank: what a client of one resistance type may say and do, read from `tasks/clients/`."""

from __future__ import annotations

import functools
import string
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Resistance, VoiceLine

VERSION = "1"
"""Raised with every change of the lines that a client may say; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides the lines that a client may say."""
    files = ("common", "moods", *Resistance)
    return StandsOn(tuple(f"clients/{name}.yaml" for name in files), {"clients.stateful.utterances": VERSION})


class Band(StrEnum):
    """How far a client has come; chosen from the latent state."""

    GUARDED = "guarded"
    AMBIVALENT = "ambivalent"
    OPENING = "opening"
    COMMITTED = "committed"


class Act(StrEnum):
    """What the client does in a turn, such as opening up, resisting or leaving."""

    FIRST = "first"
    FIRST_MASKED = "first_masked"
    MASKED = "masked"
    MASKED_YES = "masked_yes"
    EVADE = "evade"
    ANSWER = "answer"
    REFLECTED = "reflected"
    SEEN = "seen"
    HALF_SEEN = "half_seen"
    CORRECTS = "corrects"
    ADVISED = "advised"
    INFORMED = "informed"
    PREMATURE = "premature"
    ACCEPTS = "accepts"
    WARMED = "warmed"
    CONFRONTED = "confronted"
    CHALLENGED = "challenged"
    CHANGE = "change"
    SUSTAIN = "sustain"
    DISCORD = "discord"
    REPEATED = "repeated"
    ECHOED = "echoed"
    UNANSWERED = "unanswered"
    OVERLONG = "overlong"
    LEAD_IN = "lead_in"
    DISCLOSED = "disclosed"
    CRISIS_LEAD = "crisis_lead"
    CRISIS_ANSWERED = "crisis_answered"
    CRISIS_MISSED = "crisis_missed"
    LEAVES = "leaves"
    RESOLVED = "resolved"
    TIME = "time"


SLOTS = frozenset({"topic", "other", "comfort", "thought"})
"""What a line may leave open, in braces; filled from the profile."""

MASKS = frozenset({Act.FIRST_MASKED, Act.MASKED, Act.MASKED_YES})
"""Acts whose words minimise over a face that does not."""

_COLD = frozenset({Act.WARMED, Act.ADVISED, Act.INFORMED, Act.PREMATURE})
"""Acts that show moods of their own only while the client resists."""


@dataclass(frozen=True)
class Utterance:
    """One line that a client may say, with slots that its profile fills.

    Attributes:
        text: The line, its slots in braces.
        slots: The slots it holds.
    """

    text: str
    slots: frozenset[str]


@dataclass(frozen=True)
class Bank:
    """All lines and stage directions of one resistance type, by act and by band.

    Attributes:
        lines: Act -> band -> lines; an act that does not depend on the band has the same lines in each.
        moods: Act or band -> moods, of which the face shows one; an act's own come before its band's.
        directions: Mood -> stage directions that show it.
    """

    lines: Mapping[Act, Mapping[Band, tuple[Utterance, ...]]]
    moods: Mapping[str, tuple[str, ...]]
    directions: Mapping[str, tuple[str, ...]]

    def all_lines(self) -> list[Utterance]:
        """Returns every line once."""
        return list(
            {
                line.text: line for bands in self.lines.values() for ls in bands.values() for line in ls
            }.values()
        )

    def moods_of(self, act: Act, band: Band) -> tuple[str, ...]:
        """Returns the moods that an act can show in a band."""
        if act in MASKS:
            return self.moods["masked"]
        if act in _COLD and band in {Band.OPENING, Band.COMMITTED}:
            return self.moods[band.value]
        return self.moods.get(act.value) or self.moods[band.value]


@functools.cache
def load_bank(resistance: Resistance) -> Bank:
    """Returns the bank of one resistance type, with the lines that all types share.

    Raises:
        InputError: If a file is wrong, naming it and the act, band, slot or mood.
    """
    directions = _directions(content_path("clients", "moods.yaml"))
    lines: dict[Act, dict[Band, tuple[Utterance, ...]]] = {}
    moods: dict[str, tuple[str, ...]] = {}
    for name in ("common", resistance.value):
        path = content_path("clients", f"{name}.yaml")
        content = read_yaml(path)
        if set(content) - {"moods", "lines"}:
            raise InputError(f"{path}: holds more than moods and lines: {', '.join(sorted(content))}")
        moods |= _moods(path, content.get("moods") or {}, directions)
        for act, bands in _lines(path, content.get("lines") or {}).items():
            own = lines.setdefault(act, dict.fromkeys(Band, ()))
            for band in Band:
                own[band] = bands.get(band, ()) + own[band]
    missing = [act.value for act in Act if not any(lines.get(act, {}).values())]
    missing += [name for name in ("masked", *Band) if not moods.get(name)]
    if missing:
        raise InputError(f"{content_path('clients', f'{resistance}.yaml')}: lacks {', '.join(missing)}")
    return Bank(lines, moods, directions)


@functools.lru_cache(maxsize=1024)
def load_voice(
    profile_id: str, voice: tuple[VoiceLine, ...]
) -> Mapping[Act, Mapping[Band, tuple[Utterance, ...]]]:
    """Returns a profile's own lines by act and band; a line without a band stands in every one.

    Raises:
        InputError: If a line names no known act, band or slot.
    """
    gathered: dict[Act, dict[Band, list[Utterance]]] = {}
    for line in voice:
        where = f"voice of {profile_id}: {line.act}"
        if line.act not in {*Act}:
            raise InputError(f"{where}: no act has that name: known are {', '.join(Act)}")
        if line.band not in {"", *Band}:
            raise InputError(f"{where}: no band is named {line.band!r}: known are {', '.join(Band)}")
        utterance = _utterance(where, line.words)
        for band in [Band(line.band)] if line.band else Band:
            gathered.setdefault(Act(line.act), {}).setdefault(band, []).append(utterance)
    return {act: {band: tuple(lines) for band, lines in bands.items()} for act, bands in gathered.items()}


def _directions(path: Path) -> dict[str, tuple[str, ...]]:
    return {str(mood): _texts(f"{path}: {mood}", texts) for mood, texts in read_yaml(path).items()}


def _moods(path: Path, content: Any, known: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    moods = {}
    for name, wanted in content.items():
        if name not in {*Act, *Band}:
            raise InputError(f"{path}: moods: no act or band is named {name!r}")
        moods[str(name)] = _texts(f"{path}: moods: {name}", wanted)
        for mood in moods[name]:
            if mood not in known:
                raise InputError(
                    f"{path}: moods: {name}: no mood {mood!r}: known are {', '.join(sorted(known))}"
                )
    return moods


def _lines(path: Path, content: Any) -> dict[Act, dict[Band, tuple[Utterance, ...]]]:
    lines: dict[Act, dict[Band, tuple[Utterance, ...]]] = {}
    for name, given in content.items():
        where = f"{path}: {name}"
        if name not in {*Act}:
            raise InputError(f"{where}: no act has that name: known are {', '.join(Act)}")
        bands = given if isinstance(given, dict) else dict.fromkeys(Band, given)
        for band in bands:
            if band not in {*Band}:
                raise InputError(f"{where}: no band is named {band!r}: known are {', '.join(Band)}")
        lines[Act(name)] = {
            Band(band): tuple(_utterance(where, text) for text in _texts(f"{where}: {band}", texts))
            for band, texts in bands.items()
        }
    return lines


def _utterance(where: str, text: str) -> Utterance:
    try:
        slots = frozenset(slot for _, slot, _, _ in string.Formatter().parse(text) if slot is not None)
    except ValueError as error:
        raise InputError(f"{where}: {text!r}: {error}") from None
    if slots - SLOTS:
        raise InputError(
            f"{where}: {text!r}: no slot {sorted(slots - SLOTS)[0]!r}: known are {', '.join(sorted(SLOTS))}"
        )
    return Utterance(text, slots)


def _texts(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
        raise InputError(f"{where}: must be a list of texts (quote a text that holds a colon)")
    return tuple(text.strip() for text in value)
