"""A session's turns, coded: what the features are counted over."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field, replace

from mirror_bench.coding import attunement, client_talk, session_moves, therapist_behaviour
from mirror_bench.coding.attunement import misread_replies
from mirror_bench.coding.client_talk import RESISTANCES, ClientBehaviour, code_client
from mirror_bench.coding.phrase_lexicon import lexicon
from mirror_bench.coding.sentence_forms import FormWeights
from mirror_bench.coding.session_moves import moves
from mirror_bench.coding.therapist_behaviour import (
    INPUT,
    NON_ADHERENT,
    QUESTIONS,
    REFLECTIONS,
    Behaviour,
    Code,
    code_therapist,
)
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Ending, Profile, Session, Speaker
from mirror_bench.text import content_words, count_words, echo_share, sentences, shared

VERSION = "2"
"""Raised with every change of how a session is coded; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides how a session is coded."""
    return (
        StandsOn.of("raters.coded_session", VERSION)
        | therapist_behaviour.stands_on()
        | client_talk.stands_on()
        | session_moves.stands_on()
        | attunement.stands_on()
    )


_SPOKEN = 70
"""Words up to which a turn is a few spoken sentences."""
_REFLECTS = 0.2
"""The share of a turn that must reflect; a long speech with one reflective phrase does not."""
_INVENTED = re.compile(
    r"(?:^|[\n\r\u2028\u2029])[\s*_#>\[(\"]*(?:\d+ )?(?:client|patient|user|human)[\s\])*_\"]*:",
    re.IGNORECASE,
)
"""Where a therapist begins to write the client's words."""


@dataclass(frozen=True)
class CodedTherapistTurn:
    """A therapist turn with its codes and the measures that the coded rater's features read.

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
        invents: Whether it goes on in the client's name; what follows is read as nobody's.
        agrees: Whether it agrees, without a question, with words that do not speak for change.
        mends: Whether it answers a client who resists.
        misreads: Whether it names a feeling that the client's logged face contradicts, or the client denies.
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
    invents: bool = False
    agrees: bool = False
    mends: bool = False
    misreads: bool = False

    @property
    def room(self) -> float:
        """What anything good in it counts, from 0 to 1: all of it in a turn of a few spoken sentences.

        A longer turn holds more of everything; each thing in it then counts less, so length pays nothing.
        """
        return min(1.0, _SPOKEN / max(1, self.length))

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
        return not self.idle and not self.agrees and not self.behaviours & NON_ADHERENT

    @property
    def takes_up(self) -> float:
        """How far it reflects this client.

        1 where it takes up the client's own matter in other words, half where only the form of its sentences
        tells, 0 for comfort that would fit anyone.
        """
        if not self.facilitates or self.reflecting_share < _REFLECTS:
            return 0.0
        return self.room * (1.0 if self.tailored else 0.0 if "comforts_only" in self.moves else 0.5)


@dataclass(frozen=True)
class CodedClientTurn:
    """A client turn with its codes and the measures that the coded rater's features read.

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
class CodedSession:
    """A session whose turns are coded: therapist behaviours, client talk and moves.

    Attributes:
        therapist: Turns of the therapist; one without words acknowledges.
        client: Turns of the client.
        left: Whether the client broke it off.
        last: Index of the last turn.
    """

    therapist: list[CodedTherapistTurn] = field(default_factory=list)
    client: list[CodedClientTurn] = field(default_factory=list)
    left: bool = False
    last: int = 0


def read(session: Session, profile: Profile, weights: FormWeights | None = None) -> CodedSession:
    """Codes every turn of a session: its words, whether the client broke it off, and what faces contradict.

    Args:
        session: What was said.
        profile: Who the client is.
        weights: How the signs of a sentence's form are weighed; as shipped where None.
    """
    spoken = tuple((turn.speaker, turn.words) for turn in session.turns)
    misread = misread_replies(session)
    return _read(spoken, session.ended is Ending.CLIENT_LEFT, profile.distorted_thought, misread, weights)


@functools.lru_cache(maxsize=64)  # a session's instruments are filled in one after another
def _read(
    spoken: tuple[tuple[Speaker, str], ...],
    left: bool,
    distorted_thought: str,
    misread: frozenset[int],
    weights: FormWeights | None,
) -> CodedSession:
    reading = CodedSession(left=left, last=max(0, len(spoken) - 1))
    thought = content_words(distorted_thought)
    before: list[str] = []
    heard = ""
    answered: CodedClientTurn | None = None
    said: frozenset[str] = frozenset()
    for index, (speaker, words) in enumerate(spoken):
        if speaker is Speaker.CLIENT:
            answered = _client_turn(index, words)
            reading.client.append(answered)
            heard = words
            said |= content_words(words)
            continue
        own = without_invented(words)
        turn = _therapist_turn(index, own, heard, tuple(before), said, thought, weights)
        turn = replace(turn, misreads=index in misread)
        reading.therapist.append(_answering(turn, answered, invents=own != words))
        if own.strip():
            before.append(own)
    return reading


def without_invented(words: str) -> str:
    """Returns a therapist's words up to where it begins to write the client's next turn."""
    invented = _INVENTED.search(words)
    return words[: invented.start()] if invented else words


def _answering(
    turn: CodedTherapistTurn, client: CodedClientTurn | None, *, invents: bool
) -> CodedTherapistTurn:
    """Returns a turn with what it is only as an answer to the client's last one."""
    agrees = "agrees" in turn.moves and not turn.behaviours & QUESTIONS
    for_change = client is not None and ClientBehaviour.CHANGE_TALK in client.behaviours
    resists = client is not None and bool(client.behaviours & RESISTANCES)
    return replace(turn, invents=invents, agrees=agrees and not for_change and not resists, mends=resists)


def _client_turn(index: int, words: str) -> CodedClientTurn:
    disclosure = lexicon("client")["disclosure"]
    return CodedClientTurn(
        index=index,
        behaviours=frozenset(code.behaviour for code in code_client(words)),
        length=count_words(words),
        discloses=any(disclosure.search(sentence.text) for sentence in sentences(words)),
    )


def _therapist_turn(
    index: int,
    words: str,
    heard: str,
    before: tuple[str, ...],
    said: frozenset[str],
    thought: frozenset[str],
    weights: FormWeights | None,
) -> CodedTherapistTurn:
    codes = code_therapist(words, heard, before, weights=weights)
    mine = content_words(words)
    echoes = len(mine) >= 1 and (
        echo_share(words, heard) >= 0.5 or (len(mine) >= 3 and shared(words, heard) >= 0.85)
    )
    return CodedTherapistTurn(
        index=index,
        behaviours=frozenset(code.behaviour for code in codes),
        moves=moves(words),
        length=count_words(words),
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
