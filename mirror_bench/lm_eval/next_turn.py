"""Scores a therapist's next turn by the behaviours that the moment wants and avoids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mirror_bench.coding.session_moves import moves
from mirror_bench.coding.therapist_behaviour import (
    NON_ADHERENT,
    QUESTIONS,
    REFLECTIONS,
    Behaviour,
    code_therapist,
)
from mirror_bench.text import content_words, count_words, echo_share

FEWEST, MOST = 2, 60
"""Bounds of a turn's length, in words: a therapist who lectures does everything that is wanted somewhere."""

_WANTED: Mapping[str, frozenset[Behaviour]] = {
    "name the mismatch": frozenset({Behaviour.NOTICES_FACE}),
    "reflect": REFLECTIONS,
    "ask": QUESTIONS | {Behaviour.SEEK_COLLABORATION},
    "roll with it": REFLECTIONS
    | {Behaviour.EMPHASIZE_AUTONOMY, Behaviour.SEEK_COLLABORATION, Behaviour.AFFIRM},
    "attend to the crisis": frozenset({Behaviour.CRISIS_RESPONSE}),
}
"""What a moment wants -> behaviours, any of which does it."""
_AVOIDED: Mapping[str, frozenset[Behaviour]] = {
    "advise": frozenset({Behaviour.PERSUADE, Behaviour.PERSUADE_WITH_PERMISSION}),
    "confront": frozenset({Behaviour.CONFRONT}),
    "question": QUESTIONS,
    "reassure": frozenset(),
}
"""What a moment avoids -> behaviours, any of which does it; comfort is a session move."""
_COMFORT = "comforts_only"
_ECHO = 0.5
"""A turn of which a larger share repeats the client's own words is an echo."""


class TurnScore(NamedTuple):
    """How far a therapist's turn does what an annotated moment asks for, from 0 to 1.

    Attributes:
        fits: 1 where all that is wanted is done, nothing that is not, in words that take up what this client
            said, within the bounds of length; else 0.
        wanted: The share of what is wanted that the turn does, in [0, 1].
        avoided: 1 where the turn says something and does nothing of what it ought not to; else 0.
        takes_up: 1 where it shares a content word with the dialogue and is no echo of the client; a sentence
            that fits everyone does not, whatever its form.
        in_bounds: 1 where it has `FEWEST` to `MOST` words; else 0.
        chrf: Likeness to the written turn (chrF, Popović 2015), in [0, 100]; None where there is none. A weak
            reference: many good turns share hardly a word with it.
        words: Its length.
    """

    fits: float
    wanted: float
    avoided: float
    takes_up: float
    in_bounds: float
    chrf: float | None
    words: int


def score_turn(turn: str, doc: Mapping[str, Any]) -> TurnScore:
    """Returns how far a therapist's turn does what a moment asks for.

    Args:
        turn: What the therapist says.
        doc: Has `wants`, `avoids`, `heard`, `dialogue`, `before` and `written` (`turns.next_turn_rows`).
    """
    length = count_words(turn)
    done = {code.behaviour for code in code_therapist(turn, doc["heard"], doc["before"])}
    wanted = [_does(want, done) for want in doc["wants"]]
    share = sum(wanted) / len(wanted) if wanted else 1.0
    wrong = any(_offends(avoid, done, turn) for avoid in doc["avoids"])
    avoided = float(length > 0 and not wrong)
    shares = bool(content_words(turn) & content_words(doc["dialogue"]))
    takes_up = float(shares and echo_share(turn, doc["heard"]) <= _ECHO)
    in_bounds = float(FEWEST <= length <= MOST)
    fits = float(share == avoided == takes_up == in_bounds == 1)
    return TurnScore(fits, share, avoided, takes_up, in_bounds, _chrf(turn, doc["written"]), length)


def _does(want: str, done: set[Behaviour]) -> bool:
    if want == "roll with it" and done & NON_ADHERENT:
        return False
    return bool(_WANTED[want] & done)


def _offends(avoid: str, done: set[Behaviour], turn: str) -> bool:
    if avoid == "reassure":
        return _COMFORT in moves(turn)
    return bool(_AVOIDED[avoid] & done)


def _chrf(turn: str, written: str) -> float | None:
    if not written:
        return None
    import sacrebleu

    return float(sacrebleu.CHRF().sentence_score(turn, [written]).score)
