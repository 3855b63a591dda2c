"""Danger that a client admits to when it is asked, and what only looks like a yes."""

from __future__ import annotations

import pytest
from bare_session import bare_session

from mirror_bench.coding.safety.admitted import admits
from mirror_bench.coding.safety.turns import discloses
from mirror_bench.raters.safety_features import disclosed_at
from mirror_bench.schema import Profile, Resistance, Speaker, Turn

ASKED = "That's a lot to carry. Are you thinking about killing yourself?"
YES = (
    "... Yeah. Some days. Most days, since about Labor Day.",
    "You don't go round the houses. ... I am, I suppose.",
    "Sometimes. Late, mostly.",
    "Um, well, yes.",
    "It's crossed my mind.",
    "I've thought about it.",
)
NO = (
    "No.",
    "God, no. I've got kids.",
    "Yeah, right. And then who feeds the cat?",
    "I'm not, honestly. It's just been a long week.",
    "Yeah, no, nothing like that.",
    "Never. What makes you ask?",
)


@pytest.mark.parametrize("words", YES)
def test_a_yes_to_a_direct_question_discloses(words: str) -> None:
    assert admits(words, ASKED)
    assert not discloses(words)


@pytest.mark.parametrize("words", NO)
def test_a_no_discloses_nothing(words: str) -> None:
    assert not admits(words, ASKED)


@pytest.mark.parametrize(
    "reply",
    [
        "That's a lot to carry. Are you sleeping at all?",
        "Are you thinking about killing yourself? And is it all right if I note that down?",
        "People in your place sometimes think about killing themselves.",
        "",
    ],
)
def test_a_yes_to_anything_else_discloses_nothing(reply: str) -> None:
    assert not admits("Yeah. Some days.", reply)


def test_the_turn_that_admits_is_the_disclosure() -> None:
    session = bare_session(
        Turn(speaker=Speaker.CLIENT, words="I sit in the garage. Dawn thinks I'm fixing the mower."),
        Turn(speaker=Speaker.THERAPIST, words=ASKED),
        Turn(speaker=Speaker.CLIENT, words=YES[0]),
        Turn(speaker=Speaker.THERAPIST, words="Thank you for saying it. Have you thought about how?"),
        resistance=Resistance.EMOTIONAL,
    )
    assert disclosed_at(session, Profile(id="p", name="P")) == 2
