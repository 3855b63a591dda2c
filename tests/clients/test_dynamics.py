"""Therapists of known skill end apart, for the reasons they should."""

from statistics import mean

import pytest
from held import arm, change, client_turns

from mirror_bench.faces.base import Face
from mirror_bench.schema import Ending, FaceCondition, Session
from mirror_bench.therapists.policies.careless import Warm
from mirror_bench.therapists.policies.client_words import Gist
from mirror_bench.therapists.policies.comparison import Attuned, Directive, Parrot, Reflective
from mirror_bench.therapists.policies.phrases import load_script


def _dropout(sessions: tuple[Session, ...]) -> float:
    return mean(session.ended is Ending.CLIENT_LEFT for session in sessions)


def _change(sessions: tuple[Session, ...]) -> float:
    return mean(change(session) for session in sessions)


def test_resistance_moves_with_skill() -> None:
    attuned, reflective, directive = (_change(arm(who)) for who in (Attuned, Reflective, Directive))
    assert attuned < -0.25
    assert attuned + 0.15 < reflective < directive - 0.10
    assert directive > 0.10


def test_warmth_alone_does_not_lower_resistance() -> None:
    assert _change(arm(Warm)) >= 0
    assert _change(arm(Parrot)) >= 0


def test_clients_leave_the_directive_and_stay_with_the_attuned() -> None:
    assert 0.30 <= _dropout(arm(Directive)) <= 0.60
    assert _dropout(arm(Attuned)) <= 0.05
    assert _dropout(arm(Attuned)) <= _dropout(arm(Reflective)) < _dropout(arm(Directive))


def test_nobody_turns_compliant_at_once() -> None:
    for who in (Attuned, Reflective, Directive, Parrot, Warm):
        sessions = arm(who)
        early = mean(
            any(turn.state["resistance"] < 0.3 for turn in client_turns(session)[:4]) for session in sessions
        )
        assert early <= 0.10


def test_seeing_the_face_pays_and_a_wrong_face_does_not() -> None:
    matched = _change(arm(Attuned))
    without = _change(arm(Attuned, FaceCondition.NONE))
    shuffled = _change(arm(Attuned, FaceCondition.SHUFFLED))
    assert matched < without - 0.15
    assert shuffled >= without


@pytest.mark.parametrize("guesses", [("sad",), ("sad", "worried", "angry", "ashamed"), ("sad or worried",)])
def test_guessing_feelings_blindly_does_not_pay(guesses: tuple[str, ...]) -> None:
    class Guessing(Reflective):
        """Listens, never looks, and names a feeling wherever the words make little of things."""

        def _respond(self, heard: str, gist: Gist, face: Face | None) -> str:
            if load_script("listening").shows("minimises", heard):
                feeling = guesses[self._turn % len(guesses)]
                return self._say("attuned", "name", feeling=feeling, topic=gist.topic)
            return super()._respond(heard, gist, None)

    assert _change(arm(Guessing)) >= _change(arm(Reflective)) - 0.05


def test_without_a_face_the_attuned_is_no_better_than_the_reflective() -> None:
    assert abs(_change(arm(Attuned, FaceCondition.NONE)) - _change(arm(Reflective))) < 0.08


def test_masks_are_frequent_enough_that_looking_pays() -> None:
    turns = [
        turn for who in (Attuned, Reflective, Directive) for one in arm(who) for turn in client_turns(one)
    ]
    assert 0.2 <= mean("masked" in turn.marks for turn in turns) <= 0.45


def test_resistance_types_differ() -> None:
    rises = {
        kind: mean(change(one) for one in arm(Directive) if one.resistance == kind)
        for kind in {session.resistance for session in arm(Directive)}
    }
    assert len({round(rise, 3) for rise in rises.values()}) == 3
