from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.coding.therapist_behaviour import Behaviour, code_therapist, main_class

B = Behaviour


def kinds(words: str, heard: str = "", before: tuple[str, ...] = ()) -> set[Behaviour]:
    return {code.behaviour for code in code_therapist(words, heard, before)}


@pytest.mark.parametrize(
    ("words", "heard", "expected"),
    [
        ("What went through your mind when she said that?", "", B.OPEN_QUESTION),
        ("Can you tell me more about that evening?", "", B.OPEN_QUESTION),
        ("Did you sleep last night?", "", B.CLOSED_QUESTION),
        ("How many drinks was it?", "", B.CLOSED_QUESTION),
        ("You don't see a reason to come here.", "I see no reason to come here.", B.SIMPLE_REFLECTION),
        (
            "It sounds like part of you is afraid that she will leave, even though you never say it.",
            "She's out every evening.",
            B.COMPLEX_REFLECTION,
        ),
        ("You really should talk to your boss about it.", "", B.PERSUADE),
        ("Try to think about something pleasant.", "", B.PERSUADE),
        ("Research shows that sleep and mood are linked.", "", B.GIVING_INFORMATION),
        ("Thank you for telling me, that took courage.", "", B.AFFIRM),
        ("Would it be all right if we looked at that together?", "", B.SEEK_COLLABORATION),
        ("How does that sound to you?", "", B.SEEK_COLLABORATION),
        ("It's entirely up to you whether we go there.", "", B.EMPHASIZE_AUTONOMY),
        ("You're just making excuses.", "", B.CONFRONT),
        ("I noticed you looked away just then.", "", B.NOTICES_FACE),
        ("You say you're fine, but your eyes look sad.", "", B.NOTICES_FACE),
        ("When I was your age I lost my father too.", "", B.SELF_DISCLOSURE),
        ("Are you having thoughts of ending your life?", "", B.CRISIS_RESPONSE),
    ],
)
def test_codes_plain_cases(words: str, heard: str, expected: Behaviour) -> None:
    assert expected in kinds(words, heard)


@pytest.mark.parametrize("words", ["Mm-hmm.", "Okay.", "", "   ", "Right. Okay."])
def test_acknowledgement_has_no_code(words: str) -> None:
    assert code_therapist(words) == ()


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        ("You kind of look up to your sister.", B.AFFIRM),
        ("You look up to your sister.", B.EMPHASIZE_AUTONOMY),
        ("That must be really hard to carry.", B.PERSUADE),
        ("What I'm hearing is that you feel pushed.", B.OPEN_QUESTION),
        ("We don't have to go into it.", B.PERSUADE),
    ],
)
def test_does_not_code_lookalikes(words: str, absent: Behaviour) -> None:
    assert absent not in kinds(words)


def test_advice_with_permission_differs_from_advice() -> None:
    asked = "Would it be okay if I shared an idea? You could write the thought down."
    assert B.PERSUADE_WITH_PERMISSION in kinds(asked)
    assert B.PERSUADE not in kinds(asked)
    assert B.PERSUADE in kinds("You could write the thought down.")
    after = kinds("You could write the thought down.", "Sure.", ("May I share an idea with you?",))
    assert B.PERSUADE_WITH_PERMISSION in after


def test_several_codes_in_their_order_with_their_words() -> None:
    words = "You're worn out by the nights. What would help you to rest?"
    codes = code_therapist(words, "The nights with the baby are endless.")
    assert words[codes[0].start : codes[0].end] == "You're worn out by the nights."
    assert codes[-1].behaviour is B.OPEN_QUESTION
    assert words[codes[-1].start : codes[-1].end] == "What would help you to rest?"


def test_repetition_is_seen() -> None:
    said = "It sounds like the house has been very quiet since he left for the coast."
    assert B.REPEATS_ITSELF in kinds(said, "", (said,))
    assert B.REPEATS_ITSELF not in kinds(said, "", ("What brings you here today, of all days?",))


def test_curly_quotes_read_as_straight_ones() -> None:
    assert kinds("It’s up to you.") == kinds("It's up to you.")


@given(st.text(max_size=400), st.text(max_size=200), st.lists(st.text(max_size=80), max_size=3))
def test_any_text_gets_spans_inside_it(words: str, heard: str, before: list[str]) -> None:
    codes = code_therapist(words, heard, before)
    assert all(0 <= code.start < code.end <= len(words) for code in codes)
    assert codes == code_therapist(words, heard, tuple(before))
    assert main_class(codes) in {"reflection", "question", "therapist_input", "other"}


@pytest.mark.parametrize("unit", ["you should ", "a", "?", "[", "so and but ", "your ", "i-i-", "\n"])
def test_long_text_is_bounded_in_time(unit: str) -> None:
    codes = code_therapist(unit * 60_000)
    assert all(code.end <= len(unit) * 60_000 for code in codes)
