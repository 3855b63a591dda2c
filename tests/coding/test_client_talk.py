from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.coding.client_talk import ClientBehaviour, code_client, talk_class

C = ClientBehaviour


def kinds(words: str) -> set[ClientBehaviour]:
    return {code.behaviour for code in code_client(words)}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("I'd like to try that this week.", C.CHANGE_TALK),
        ("I need to stop doing this to them.", C.CHANGE_TALK),
        ("I don't think I want to change anything.", C.SUSTAIN_TALK),
        ("The train was twenty minutes behind.", C.NEUTRAL),
        ("How would you know what that's like?", C.CHALLENGING),
        ("I've tried all that, it didn't work.", C.DISCOUNTING),
        ("My boss started it, it's his fault.", C.BLAMING),
        ("No, that's not how it was.", C.DISAGREEING),
        ("I was too busy with work this week.", C.EXCUSING),
        ("It's not a big deal, I'm fine.", C.MINIMIZING),
        ("Nothing will ever change.", C.PESSIMISM),
        ("I'm not sure if I can talk about it.", C.RELUCTANCE),
        ("I won't do that homework.", C.UNWILLINGNESS),
        ("No.", C.MINIMUM_TALK),
        ("I don't want to talk about my mother.", C.LIMIT_SETTING),
        ("Sorry, what was the question?", C.INATTENTION),
        ("Is that a new plant over there?", C.SIDETRACKING),
        ("Can we talk about something else?", C.TOPIC_SHIFT),
        ("I guess so.", C.PSEUDO_COMPLIANCE),
        ("If you say so.", C.PSEUDO_COMPLIANCE),
    ],
)
def test_codes_plain_cases(words: str, expected: ClientBehaviour) -> None:
    assert expected in kinds(words)


def test_spans_hold_the_words_that_earned_the_code() -> None:
    words = "The tram was late. Um, well, I-I, you know, I don't want to talk about my mother. Bye."
    spans = {code.behaviour: words[code.start : code.end] for code in code_client(words)}
    assert "don't want to talk about my mother" in spans[C.LIMIT_SETTING]
    assert "tram" not in spans[C.LIMIT_SETTING]
    smooth = "The tram was late. I don't want to talk about my mother."
    spans = {code.behaviour: smooth[code.start : code.end] for code in code_client(smooth)}
    assert spans[C.LIMIT_SETTING] == "I don't want to talk about my mother"


def test_the_class_of_a_turn_is_the_talk_with_more_places() -> None:
    assert talk_class(code_client("The tram was late.")) == "neutral"
    assert talk_class(code_client("I want to stop drinking.")) == "change"
    assert talk_class(code_client("I don't think I want to change anything.")) == "sustain"
    assert talk_class([]) == "neutral"


def test_neutral_excludes_talk_about_change() -> None:
    assert C.NEUTRAL not in kinds("I want to stop drinking.")
    assert {C.NEUTRAL, C.MINIMUM_TALK} == kinds("")


def test_a_short_yes_to_change_is_not_minimum_talk() -> None:
    assert C.MINIMUM_TALK not in kinds("I'll try it.")


@given(st.text(max_size=300))
def test_any_text_gets_codes_inside_it(words: str) -> None:
    codes = code_client(words)
    assert codes
    assert all(0 <= code.start <= code.end <= len(words) for code in codes)
