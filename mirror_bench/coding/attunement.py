"""Attunement: what a therapist makes of the moments in which the client's face and words disagree.

It reads what is logged of the client (state and face) and what the therapist says next, so it is the same
whoever rates, and under whatever face the therapist was shown.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from mirror_bench.coding import client_talk, face_remarks
from mirror_bench.coding.client_talk import ClientBehaviour, code_client
from mirror_bench.coding.face_remarks import (
    ALIKE,
    FaceRemark,
    judge_remark,
    remarks_on_face,
)
from mirror_bench.coding.feelings import ascribed_feelings, compile_frames, mentions_feeling, named_feelings
from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.faces.facs.expressions import EXPRESSIONS, similarity, valence
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Expression, Session, Speaker, Turn
from mirror_bench.text import lower, sentences

VERSION = "2"
"""Raised with every change of how attunement is measured; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides the attunement of a session."""
    return StandsOn.of("coding.attunement", VERSION) | face_remarks.stands_on() | client_talk.stands_on()


MASKED = "masked"
"""The mark by which a client says itself that its words play down what its face shows."""
_UNPLEASANT = -0.15
"""Valence from which a face is at odds with words that play things down."""
_PLAYS_DOWN = frozenset({ClientBehaviour.MINIMIZING, ClientBehaviour.PSEUDO_COMPLIANCE})
_LONGEST_MASK = 30
"""Words up to which a client without a logged state plays down rather than tells."""
_MOST_FEELINGS = 2


class MaskedMoment(NamedTuple):
    """A client's turn in which face and words disagree, and what the next reply makes of it.

    Attributes:
        turn: The client's turn, an index into the session's turns.
        reply: The therapist's turn that answers it.
        taken: `RIGHT` where it names what the face shows, `WRONG` where it names what the face contradicts,
            `VAGUE` where it speaks of the face or of a mismatch without a reading that holds or that the
            client takes, `NOTHING` where it passes it over.
    """

    turn: int
    reply: int
    taken: FaceRemark


class Attunement(NamedTuple):
    """How a therapist answered each of a session's turns in which face and words disagree.

    Attributes:
        moments: In the order of the session; those that were answered.
        misread: Replies at other turns that speak of the face and name what it does not show.
        examined: Whether the session logs any face: without one, nothing can be said.
    """

    moments: tuple[MaskedMoment, ...] = ()
    misread: tuple[int, ...] = ()
    examined: bool = False

    def count(self, taken: FaceRemark) -> int:
        """Returns how many moments were answered by this kind of remark."""
        return sum(moment.taken is taken for moment in self.moments)

    @property
    def value(self) -> float | None:
        """The session's attunement, from -1 to 1.

        1 where every moment is taken up rightly, 0 where the therapist says nothing of them (or only that
        something does not fit), -1 where a wrong feeling is named each time; wrong remarks on a face at other
        turns count against it too. None where no face is logged, or no moment came.
        """
        if not self.moments:
            return None
        wrong = self.count(FaceRemark.WRONG) + len(self.misread)
        return max(-1.0, (self.count(FaceRemark.RIGHT) - wrong) / len(self.moments))


def attunement(session: Session) -> Attunement:
    """Returns what the therapist made of the moments of a session in which face and words disagree."""
    turns = session.turns
    moments: list[MaskedMoment] = []
    misread: list[int] = []
    examined = False
    for index, turn in enumerate(turns):
        if turn.speaker is not Speaker.CLIENT or not _shows(turn.expression):
            continue
        examined = True
        if index + 1 >= len(turns) or turns[index + 1].speaker is not Speaker.THERAPIST:
            continue
        answer = turns[index + 2].words if index + 2 < len(turns) else ""
        said = [one.words for one in turns[: index + 1] if one.speaker is Speaker.CLIENT]
        assert turn.expression is not None
        if disagrees(turn):
            taken = _taken(turns[index + 1].words, turn.expression, said, answer)
            moments.append(MaskedMoment(index, index + 1, taken))
        elif judge_remark(turns[index + 1].words, turn.expression) is FaceRemark.WRONG:
            misread.append(index + 1)
    return Attunement(tuple(moments), tuple(misread), examined)


def misread_replies(session: Session) -> frozenset[int]:
    """Returns the replies that name a feeling which the logged face contradicts or the client sends back."""
    turns = session.turns
    found = attunement(session)
    wrong = {moment.reply for moment in found.moments if moment.taken is FaceRemark.WRONG} | {*found.misread}
    said: list[str] = []
    for index, turn in enumerate(turns[:-1]):
        if turn.speaker is Speaker.CLIENT:
            said.append(turn.words)
        elif sends_back(turns[index + 1].words, turn.words) and (
            remarks_on_face(turn.words) or guessed_feelings(turn.words, said)
        ):
            wrong.add(index)
    return frozenset(wrong)


def disagrees(turn: Turn) -> bool:
    """Tells whether a client's face and words disagree.

    A client with a logged state says so itself; of any other it is read from an unpleasant face beside words
    that play things down and name no unpleasant feeling.
    """
    if turn.state or MASKED in turn.marks:
        return MASKED in turn.marks
    if not _shows(turn.expression) or not turn.words.strip():
        return False
    assert turn.expression is not None
    if valence(turn.expression) > _UNPLEASANT or len(turn.words.split()) > _LONGEST_MASK:
        return False
    plays_down = any(code.behaviour in _PLAYS_DOWN for code in code_client(turn.words))
    named = named_feelings(lower(turn.words))
    return plays_down and not any(valence(EXPRESSIONS[name]) <= _UNPLEASANT for name in named)


def sends_back(answer: str, reply: str) -> bool:
    """Tells whether a client's answer sends back what the therapist's reply has just read into it.

    A bare "no" answers what was said last: a question there about something else is all that it denies, and
    where it asks whether the reading is off, "no" lets the reading stand.
    """
    words, patterns = lower(answer[:400]), _patterns()
    if patterns.rejected.search(words) or (mentions_feeling(words) and patterns.denied.search(words)):
        return True
    if patterns.bare_no.search(words) is None:
        return False
    asked = next((one.text for one in sentences(reply)[-1:] if one.text.endswith("?")), "")
    if patterns.checks_error.search(asked):
        return False
    return not asked or bool(named_feelings(asked) or patterns.checks_in.search(asked))


def guessed_feelings(words: str, said: Sequence[str]) -> tuple[str, ...]:
    """Returns the feelings that a reply ascribes to the client and that the client has not named itself."""
    own = {name for told in said for name in named_feelings(lower(told))}
    return tuple(name for name in ascribed_feelings(words) if name not in own)


def _taken(words: str, shown: Expression, said: Sequence[str], answer: str) -> FaceRemark:
    """A reading is right where the face shows it and the client lets it stand."""
    remark = judge_remark(words, shown)
    guessed = guessed_feelings(words, said) if remark in (FaceRemark.NOTHING, FaceRemark.VAGUE) else ()
    if guessed:
        alike = [similarity(EXPRESSIONS[name], shown) >= ALIKE for name in guessed]
        if not any(alike):
            remark = FaceRemark.WRONG
        elif all(alike) and len(guessed) <= _MOST_FEELINGS:
            remark = FaceRemark.RIGHT
        else:
            remark = FaceRemark.VAGUE
    elif remark is FaceRemark.NOTHING and face_remarks.names_mismatch(words):
        remark = FaceRemark.VAGUE
    if remark is FaceRemark.RIGHT and sends_back(answer, words):
        return FaceRemark.VAGUE
    return remark


def _shows(expression: Expression | None) -> bool:
    return expression is not None and bool(expression.units or expression.posture)


class _Patterns(NamedTuple):
    rejected: re.Pattern[str]
    denied: re.Pattern[str]
    bare_no: re.Pattern[str]
    checks_in: re.Pattern[str]
    checks_error: re.Pattern[str]


@functools.cache
def _patterns() -> _Patterns:
    path = content_path("behaviours", "feelings.yaml")
    content = read_yaml(path)
    try:
        return _Patterns(*(compile_frames(content[name], content) for name in _Patterns._fields))
    except (KeyError, TypeError, re.error) as error:
        raise InputError(f"{path}: lacks or misspells a pattern: {error}") from None
