"""What the client makes of the therapist's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.clients.stateful.perception import PerceivedTurn, hear
from mirror_bench.coding.face_remarks import FaceRemark
from mirror_bench.coding.feelings import named_feelings

SAD = "Brows drawn up in the middle, mouth corners down, eyes on the floor"
SCEPTICAL = "One eyebrow raised, lips pressed together"
SAID = ("It's fine. I don't think about the promotion much.",)


def _heard(words: str, direction: str = SAD, before: tuple[str, ...] = ()) -> PerceivedTurn:
    return hear(words, SAID, direction, before)


@pytest.mark.parametrize(
    "words",
    [
        "You say it's fine, and you look sad to me.",
        "I notice your eyes went down just then. There is something heavy in it.",
        "Your face tells me you might be hurt.",
        "I can see it in your face, you're not angry, you're sad.",
    ],
)
def test_the_right_feeling_is_seen(words: str) -> None:
    assert _heard(words).seen is FaceRemark.RIGHT
    assert _heard(words, SCEPTICAL).seen is not FaceRemark.RIGHT


def test_a_wrong_feeling_is_wrong() -> None:
    assert _heard("You look angry to me.").seen is FaceRemark.WRONG
    assert _heard("I see in your face how happy you are.").seen is FaceRemark.WRONG


def test_naming_every_feeling_sees_nothing() -> None:
    words = "Your face looks sad, angry, worried, bored and doubtful."
    assert _heard(words).seen is FaceRemark.VAGUE
    assert _heard(words, SCEPTICAL).seen is FaceRemark.VAGUE


def test_one_of_two_guesses_is_no_reading() -> None:
    assert _heard("You look sad and angry to me.").seen is FaceRemark.VAGUE
    assert _heard("You look sad and ashamed to me.").seen is FaceRemark.RIGHT


def test_naming_the_gap_without_a_feeling_is_vague() -> None:
    assert _heard("You say it's fine, but I wonder whether it is.").seen is FaceRemark.VAGUE


def test_words_without_a_remark_see_nothing() -> None:
    assert _heard("What brings you here today?").seen is FaceRemark.NOTHING
    assert _heard("That sounds sad.").seen is FaceRemark.NOTHING


def test_negated_feelings_are_not_named() -> None:
    assert named_feelings("you don't look angry, you look sad") == ("sadness",)
    assert named_feelings("not at all afraid") == ()


def test_a_reflection_fits_what_was_said() -> None:
    assert _heard("It sounds as if the promotion weighs on you more than you let on.").fits
    assert not _heard("That sounds incredibly painful for you.").fits


def test_proposals_ask_and_advice_does_not() -> None:
    assert _heard("Would you be willing to try one small step this week?").proposes
    assert not _heard("You should try one small step this week.").proposes


def test_gentle_challenges() -> None:
    assert _heard("What tells you that it's so, and what doesn't quite fit?").challenges
    assert not _heard("You're just making excuses. Where's the evidence?").challenges


def test_echoes() -> None:
    assert _heard("It's fine. I don't think about the promotion much.").echoes
    assert not _heard("What would change first if this got a little easier?").echoes


@pytest.mark.parametrize("words", ["", "   ", "\n", "...", "​", "?!"])
def test_nothing_said(words: str) -> None:
    assert _heard(words).empty


def test_long_turns_wear_out() -> None:
    assert _heard("and so on and so forth " * 900).overlong
    assert not _heard("That must have been a long week.").overlong


@given(words=st.text(max_size=300), direction=st.text(max_size=80))
def test_any_text_is_heard(words: str, direction: str) -> None:
    first = hear(words, SAID, direction, ("Hello.",))
    assert first == hear(words, SAID, direction, ("Hello.",))
    assert isinstance(first.codes, frozenset)
