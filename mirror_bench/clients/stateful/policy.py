"""What a client does with its turn: an act, chosen from what it just heard and how far it has come."""

from __future__ import annotations

from collections.abc import Callable

from mirror_bench.clients.stateful import perception
from mirror_bench.clients.stateful.dynamics import Temper
from mirror_bench.clients.stateful.perception import PerceivedTurn
from mirror_bench.clients.stateful.utterances import Act, Band
from mirror_bench.coding.face_remarks import FaceRemark
from mirror_bench.coding.therapist_behaviour import Behaviour
from mirror_bench.parts import StandsOn

VERSION = "1"
"""Raised with every change of what a client does next; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides what a client does next."""
    return StandsOn.of("clients.stateful.policy", VERSION) | perception.stands_on()


Drawn = Callable[[str], float]
"""Purpose -> a number in [0, 1), derived from the session and the turn."""

_MASKABLE = frozenset({Act.ANSWER, Act.REFLECTED, Act.EVADE, Act.WARMED, Act.SUSTAIN, Act.INFORMED})
_PSEUDO = frozenset({Act.ADVISED, Act.PREMATURE})
"""Acts in whose place a masking client agrees and means nothing by it."""


def choose_act(heard: PerceivedTurn, marks: tuple[str, ...], band: Band, temper: Temper, drawn: Drawn) -> Act:
    """Returns the act that the client answers a therapist's turn with, such as disclosing or resisting.

    Args:
        heard: The therapist's turn, as the client took it.
        marks: What it did to the client's state.
        band: How far the client has come, after that.
        temper: The client's resistance type.
        drawn: Derived numbers for this turn.
    """
    act = _plain(heard, frozenset(marks), band, drawn)
    if act in _PSEUDO and drawn("pseudo") < temper.masks[band]:
        return Act.MASKED_YES
    if act in _MASKABLE and drawn("mask") < temper.masks[band]:
        return Act.MASKED
    return act


def _plain(heard: PerceivedTurn, marks: frozenset[str], band: Band, drawn: Drawn) -> Act:
    for act, wanted in (
        (Act.UNANSWERED, heard.empty),
        (Act.CRISIS_ANSWERED, "crisis_answered" in marks),
        (Act.CRISIS_MISSED, "crisis_missed" in marks),
        (Act.CORRECTS, heard.seen is FaceRemark.WRONG),
        (Act.SEEN, "mask_met" in marks),
        (Act.OVERLONG, heard.overlong and drawn("overlong") < 0.6),
        (Act.ECHOED, heard.echoes and drawn("echoed") < 0.6),
        (Act.REPEATED, "repeated" in marks and drawn("repeated") < 0.7),
        (Act.CONFRONTED, Behaviour.CONFRONT in heard.codes),
        (Act.ADVISED, Behaviour.PERSUADE in heard.codes),
        (Act.ACCEPTS, "step_accepted" in marks),
        (Act.PREMATURE, "step_too_early" in marks),
        (Act.HALF_SEEN, "mask_touched" in marks),
        (Act.CHALLENGED, "challenge_taken_up" in marks),
    ):
        if wanted:
            return act
    return _conversation(heard, band, drawn)


def _conversation(heard: PerceivedTurn, band: Band, drawn: Drawn) -> Act:
    """Acts of the ordinary run of talk, drawn by band."""
    draw = drawn("act")
    if heard.asks or Behaviour.SEEK_COLLABORATION in heard.codes or heard.challenges:
        if heard.reflects and heard.fits and drawn("first") < 0.4:
            return _after_reflection(band, draw)
        return _after_question(band, draw)
    if heard.reflects and heard.fits:
        return _after_reflection(band, draw)
    if heard.reflects or Behaviour.AFFIRM in heard.codes:
        return Act.WARMED if draw < 0.75 else Act.SUSTAIN
    if Behaviour.GIVING_INFORMATION in heard.codes:
        return Act.INFORMED
    return {Band.GUARDED: Act.DISCORD if draw < 0.3 else Act.EVADE, Band.AMBIVALENT: Act.EVADE}.get(
        band, Act.ANSWER
    )


def _after_question(band: Band, draw: float) -> Act:
    if band is Band.GUARDED:
        return Act.EVADE if draw < 0.3 else Act.DISCORD if draw < 0.38 else Act.ANSWER
    if band is Band.AMBIVALENT:
        return Act.EVADE if draw < 0.15 else Act.SUSTAIN if draw < 0.3 else Act.ANSWER
    return Act.CHANGE if draw < (0.3 if band is Band.OPENING else 0.5) else Act.ANSWER


def _after_reflection(band: Band, draw: float) -> Act:
    if band in {Band.GUARDED, Band.AMBIVALENT}:
        return Act.SUSTAIN if draw < 0.2 else Act.REFLECTED
    return Act.CHANGE if draw < (0.3 if band is Band.OPENING else 0.5) else Act.REFLECTED
