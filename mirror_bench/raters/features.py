"""What a session's words show: features in [0, 1] with the turns that show them, for the coded rater.

Features count turns, not phrases, and only turns that say something of their own, so that neither long text
nor repetition nor echoing the client earns anything.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from mirror_bench.raters.behaviour import (
    INPUT,
    NON_ADHERENT,
    QUESTIONS,
    REFLECTIONS,
    Behaviour,
    Code,
    code_therapist,
)
from mirror_bench.raters.client_talk import (
    DISCORD,
    RESISTANCES,
    ClientBehaviour,
    code_client,
)
from mirror_bench.raters.lexicon import lexicon
from mirror_bench.raters.moves import TECHNIQUES, moves
from mirror_bench.raters.wording import content_words, echo_share, sentences, shared, tokens
from mirror_bench.schema import Ending, Profile, Session, Speaker

FEWEST_TURNS = 6
"""Shares are taken of at least so many turns: one good sentence is not a good session."""

_REFLECTS = 0.2
"""The share of a turn that must reflect; a long speech with one reflective phrase does not."""
_LECTURE = 18
"""Words from which a turn that mostly tells is a lecture rather than an answer."""


class Feature(NamedTuple):
    """How much of something a session shows.

    Attributes:
        value: 0 (none) to 1 (as much as counts).
        turns: Indices of the session's turns that show it.
    """

    value: float
    turns: tuple[int, ...] = ()


@dataclass(frozen=True)
class TherapistTurn:
    """A therapist turn as the features read it.

    Attributes:
        index: Place in the session.
        codes: Behaviours found.
        moves: Session moves found.
        length: Words.
        input_share: Share of its characters that inform, advise or confront.
        reflecting_share: Share of its characters that reflect.
        echoes: Whether it gives the client's own words back.
        tailored: Whether it takes up what this client has said, in other words than theirs.
        key: Whether it touches the client's distorted thought.
    """

    index: int
    behaviours: frozenset[Behaviour]
    moves: frozenset[str]
    length: int
    input_share: float
    reflecting_share: float
    echoes: bool
    tailored: bool
    key: bool

    @property
    def acknowledges(self) -> bool:
        """Whether it is no more than "okay" or "mm-hmm"."""
        return self.length < 5 and not self.behaviours

    @property
    def idle(self) -> bool:
        """Whether it says nothing of its own."""
        return self.echoes or Behaviour.REPEATS_ITSELF in self.behaviours or self.acknowledges

    @property
    def facilitates(self) -> bool:
        """Whether what it does well counts: a reflection that leads to pressure is part of the pressure."""
        return not self.idle and not self.behaviours & NON_ADHERENT

    @property
    def takes_up(self) -> float:
        """How far it reflects this client.

        1 where it takes up the client's own matter in other words, half where only the form of its sentences
        tells, 0 for comfort that would fit anyone.
        """
        if not self.facilitates or self.reflecting_share < _REFLECTS:
            return 0.0
        return 1.0 if self.tailored else 0.0 if "comforts_only" in self.moves else 0.5


@dataclass(frozen=True)
class ClientTurn:
    """A client turn as the features read it.

    Attributes:
        index: Place in the session.
        behaviours: Client behaviours found.
        length: Words.
        discloses: Whether it tells something of its own that it need not have told.
    """

    index: int
    behaviours: frozenset[ClientBehaviour]
    length: int
    discloses: bool

    @property
    def moves(self) -> bool:
        """Whether it speaks for change and does not resist in the same breath."""
        return ClientBehaviour.CHANGE_TALK in self.behaviours and not self.behaviours & RESISTANCES

    @property
    def holds_back(self) -> bool:
        """Whether it resists, or speaks against change, and nothing else."""
        against = self.behaviours & (RESISTANCES | {ClientBehaviour.SUSTAIN_TALK})
        return bool(against) and ClientBehaviour.CHANGE_TALK not in self.behaviours


@dataclass
class Reading:
    """A session's turns, coded.

    Attributes:
        therapist: Turns of the therapist that have words.
        client: Turns of the client.
        left: Whether the client broke it off.
        last: Index of the last turn.
    """

    therapist: list[TherapistTurn] = field(default_factory=list)
    client: list[ClientTurn] = field(default_factory=list)
    left: bool = False
    last: int = 0


def read(session: Session, profile: Profile) -> Reading:
    """Codes every turn of a session. Only words are read, and whether the client broke it off."""
    spoken = tuple((turn.speaker, turn.words) for turn in session.turns)
    return _read(spoken, session.ended is Ending.CLIENT_LEFT, profile.distorted_thought)


@functools.lru_cache(maxsize=64)  # a session's instruments are filled in one after another
def _read(spoken: tuple[tuple[Speaker, str], ...], left: bool, distorted_thought: str) -> Reading:
    reading = Reading(left=left, last=max(0, len(spoken) - 1))
    thought = content_words(distorted_thought)
    before: list[str] = []
    heard = ""
    said: frozenset[str] = frozenset()
    for index, (speaker, words) in enumerate(spoken):
        if speaker is Speaker.CLIENT:
            reading.client.append(_client_turn(index, words))
            heard = words
            said |= content_words(words)
        elif words.strip():
            reading.therapist.append(_therapist_turn(index, words, heard, tuple(before), said, thought))
            before.append(words)
    return reading


def _client_turn(index: int, words: str) -> ClientTurn:
    disclosure = lexicon("client")["disclosure"]
    return ClientTurn(
        index=index,
        behaviours=frozenset(code.behaviour for code in code_client(words)),
        length=len(tokens(words)),
        discloses=any(disclosure.search(sentence.text) for sentence in sentences(words)),
    )


def _therapist_turn(
    index: int,
    words: str,
    heard: str,
    before: tuple[str, ...],
    said: frozenset[str],
    thought: frozenset[str],
) -> TherapistTurn:
    codes = code_therapist(words, heard, before)
    mine = content_words(words)
    echoes = len(mine) >= 1 and (
        echo_share(words, heard) >= 0.5 or (len(mine) >= 3 and shared(words, heard) >= 0.85)
    )
    return TherapistTurn(
        index=index,
        behaviours=frozenset(code.behaviour for code in codes),
        moves=moves(words),
        length=len(tokens(words)),
        input_share=_covered(codes, INPUT, words),
        reflecting_share=_covered(codes, REFLECTIONS, words),
        echoes=echoes,
        tailored=not echoes
        and (len(mine & said) >= 2 or (bool(mine) and len(mine & said) / len(mine) >= 0.2)),
        key=not echoes and len(mine & thought) >= min(2, max(1, len(thought))),
    )


def _covered(codes: tuple[Code, ...], behaviours: frozenset[Behaviour], words: str) -> float:
    """Returns the share of a turn's characters that earned one of the behaviours."""
    covered = sum(code.end - code.start for code in codes if code.behaviour in behaviours)
    return min(1.0, covered / max(1, len(words)))


def features(reading: Reading) -> Mapping[str, Feature]:
    """Returns every feature of a session, by name; the names are those that instruments weigh."""
    return _therapist_features(reading) | _shape_features(reading) | _client_features(reading)


FEATURES = (
    *(
        "reflects",
        "deepens",
        "asks_openly",
        "affirms",
        "validates",
        "collaborates",
        "autonomy",
        "notices_face",
    ),
    *("presses", "confronts", "lectures", "interrogates", "overlong", "echoes", "repeats_itself", "canned"),
    *(
        "names_aims",
        "aimless",
        "asks_particulars",
        "names_thought",
        "key_thought",
        "technique",
        "step_agreed",
    ),
    *("premature", "summarises", "checks_understanding", "repairs", "explains_why"),
    *("client_moves", "client_opposes", "client_holds_back", "client_opens", "left"),
)
"""Names of all features."""


def _share(turns: list[int], of: int, full: float) -> Feature:
    """A feature that is full when `full` of the turns show it."""
    return Feature(min(1.0, len(turns) / (full * max(of, FEWEST_TURNS))), tuple(turns))


def _taken_up(turns: list[TherapistTurn], of: int, full: float) -> Feature:
    """As `_share`, each turn counting as much as it takes up."""
    weight = sum(turn.takes_up for turn in turns)
    return Feature(min(1.0, weight / (full * max(of, FEWEST_TURNS))), tuple(turn.index for turn in turns))


def _count(turns: list[int], full: int) -> Feature:
    """A feature that is full with `full` turns, however long the session."""
    return Feature(min(1.0, len(turns) / full), tuple(turns))


def _therapist_features(reading: Reading) -> dict[str, Feature]:
    """What the therapist does in single turns."""
    spoken = [turn for turn in reading.therapist if not turn.acknowledges]
    own = [turn for turn in spoken if not turn.idle]
    n = len(spoken)

    def doing(*behaviours: Behaviour) -> list[int]:
        return [t.index for t in own if t.facilitates and t.behaviours & set(behaviours)]

    taking_up = [t for t in own if t.takes_up]
    deepening = [t for t in taking_up if Behaviour.COMPLEX_REFLECTION in t.behaviours]
    lecturing = [t.index for t in own if t.input_share > 0.5 and t.length >= _LECTURE]
    asking = [t.index for t in own if t.behaviours & QUESTIONS]
    canned = [
        t.index for t in own if not t.tailored and not t.behaviours & QUESTIONS and "comforts_only" in t.moves
    ]
    pressing = [
        t.index
        for t in own
        if t.behaviours & {Behaviour.PERSUADE, Behaviour.CONFRONT} and t.input_share > 0.2
    ]
    surplus = (len(asking) - len(taking_up)) / max(n, FEWEST_TURNS) - 0.35
    mean_length = sum(t.length for t in spoken) / n if n else 0.0
    silent = sum(t.acknowledges for t in reading.therapist) / max(1, len(reading.therapist))
    echoing = [t.index for t in spoken if t.echoes]
    empty = max(0.0, (silent - 0.6) / 0.4)
    echoes = _share(echoing, n, 0.5)
    return {
        "reflects": _taken_up(taking_up, n, 0.5),
        "deepens": _taken_up(deepening, n, 0.35),
        "asks_openly": _share(doing(Behaviour.OPEN_QUESTION), n, 0.4),
        "affirms": _share(doing(Behaviour.AFFIRM), n, 0.2),
        "collaborates": _share(doing(Behaviour.SEEK_COLLABORATION), n, 0.3),
        "autonomy": _share(doing(Behaviour.EMPHASIZE_AUTONOMY), n, 0.15),
        "notices_face": _share(doing(Behaviour.NOTICES_FACE), n, 0.2),
        "presses": _share(pressing, n, 0.45),
        "confronts": _share([t.index for t in spoken if Behaviour.CONFRONT in t.behaviours], n, 0.2),
        "lectures": _share(lecturing, n, 0.4),
        "interrogates": Feature(max(0.0, min(1.0, surplus / 0.45)), tuple(asking) if surplus > 0 else ()),
        "overlong": Feature(max(0.0, min(1.0, (mean_length - 80) / 100))),
        "echoes": Feature(max(echoes.value, empty), echoes.turns),
        "repeats_itself": _share(
            [t.index for t in spoken if Behaviour.REPEATS_ITSELF in t.behaviours], n, 0.4
        ),
        "canned": _share(canned, n, 0.4),
    }


def _shape_features(reading: Reading) -> dict[str, Feature]:
    """What gives the session its shape."""
    own = [turn for turn in reading.therapist if turn.facilitates]

    def making(*names: str) -> list[int]:
        return [turn.index for turn in own if turn.moves & set(names)]

    aims = making("names_aims")
    n = len([turn for turn in reading.therapist if not turn.acknowledges])
    early, fitting = _steps(reading)
    return {
        "names_aims": _count(aims, 2),
        "aimless": Feature(0.0 if aims else min(1.0, n / 8)),
        "validates": _share(making("validates"), n, 0.25),
        "asks_particulars": _count(
            [t.index for t in own if "asks_particulars" in t.moves and t.behaviours & QUESTIONS], 3
        ),
        "names_thought": _count(making("names_thought"), 2),
        "key_thought": _count([turn.index for turn in own if turn.key], 3),
        "technique": _technique(own),
        "step_agreed": _agreed(reading, fitting),
        "offers_change": _count(sorted({*early, *fitting}), 3),
        "premature": _count(early, 2),
        "summarises": _count(making("summarises"), 2),
        "checks_understanding": _count(making("checks_understanding"), 2),
        "repairs": _count(making("repairs"), 1),
        "explains_why": _count(making("explains_why"), 2),
    }


def _technique(own: list[TherapistTurn]) -> Feature:
    """One technique carried through: full with three turns of the same one, half of it for scattered ones."""
    used = {name: [t.index for t in own if name in t.moves and t.tailored] for name in TECHNIQUES}
    best = max(used.values(), key=len)
    scattered = {index for turns in used.values() for index in turns} - set(best)
    value = min(1.0, len(best) / 3 + 0.1 * min(3, len(scattered)))
    return Feature(value, tuple(sorted({*best, *scattered})))


def _steps(reading: Reading) -> tuple[list[int], list[int]]:
    """Returns the turns that propose a change too early or unasked, and those that do so fittingly.

    Fitting is a proposal after at least two turns that took up what the client said, made together with the
    client: it asks, leaves the choice, or has permission.
    """
    early, fitting = [], []
    understood = 0
    shared_making = {
        Behaviour.SEEK_COLLABORATION,
        Behaviour.EMPHASIZE_AUTONOMY,
        Behaviour.PERSUADE_WITH_PERMISSION,
    }
    for turn in reading.therapist:
        if turn.idle:
            continue
        together = bool(turn.behaviours & shared_making)
        if "proposes_step" in turn.moves and understood >= 2 and (together or turn.behaviours & QUESTIONS):
            fitting.append(turn.index)
        elif turn.behaviours & {Behaviour.PERSUADE} and (understood < 2 or not together):
            early.append(turn.index)
        if turn.tailored and turn.behaviours & (REFLECTIONS | QUESTIONS):
            understood += 1
    return early, fitting


def _agreed(reading: Reading, fitting: list[int]) -> Feature:
    """Steps proposed fittingly; one that the client takes up at once counts fully, another a third."""
    taken = {turn.index for turn in reading.client if turn.moves}
    value = sum(1.0 if index + 1 in taken else 1 / 3 for index in fitting)
    return Feature(min(1.0, value / 1.5), tuple(fitting))


def _client_features(reading: Reading) -> dict[str, Feature]:
    """How the client answers: the second half against the first, so a willing client earns nothing."""
    turns = reading.client
    half = len(turns) // 2
    first, second = turns[:half], turns[half:]
    moving = [t.index for t in second if t.moves]
    gain = _moving_share(second) - _moving_share(first)
    telling = [t.index for t in second if t.discloses]
    more = _mean_length(second) / max(4.0, _mean_length(first)) - 1 if half >= 2 else 0.0
    opens = 2.0 * len(telling) / max(3, len(second)) + 0.5 * max(0.0, more)
    return {
        "client_moves": Feature(
            max(0.0, min(1.0, 0.8 * len(moving) / max(3, len(second)) + max(0.0, gain))), tuple(moving)
        ),
        "client_opposes": _share([t.index for t in second if t.behaviours & DISCORD], len(second), 0.4),
        "client_holds_back": _share([t.index for t in second if t.holds_back], len(second), 0.8),
        "client_opens": Feature(min(1.0, opens), tuple(telling)),
        "left": Feature(1.0, (reading.last,)) if reading.left else Feature(0.0),
    }


def _moving_share(turns: list[ClientTurn]) -> float:
    return sum(turn.moves for turn in turns) / len(turns) if turns else 0.0


def _mean_length(turns: list[ClientTurn]) -> float:
    return sum(turn.length for turn in turns) / len(turns) if turns else 0.0
