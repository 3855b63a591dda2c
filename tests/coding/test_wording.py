from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.text import LONGEST, content_words, echo_share, lower, repeats, sentences, shared


def test_sentences_keep_their_places() -> None:
    words = "Well... I know. Do YOU?\nYes!"
    found = sentences(words)
    assert [words[s.start : s.end] for s in found] == ["Well...", "I know.", "Do YOU?", "Yes!"]
    assert found[2].text == "do you?"


def test_disfluencies_are_taken_out_of_the_text_but_not_of_the_place() -> None:
    words = "I-I feel, um, fine [laughs] now."
    (sentence,) = sentences(words)
    assert sentence.text == "i feel, fine now."
    assert words[sentence.start : sentence.end] == words


@given(st.text(max_size=500))
def test_any_text_splits_into_ordered_places(words: str) -> None:
    found = sentences(words)
    places = [(s.start, s.end) for s in found]
    assert places == sorted(places)
    assert all(0 <= start < end <= min(len(words), LONGEST) for start, end in places)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(places))


@given(st.text(max_size=300))
def test_lower_keeps_the_length(words: str) -> None:
    assert len(lower(words)) == len(words)


def test_shared_content_meets_across_endings() -> None:
    assert shared("You worry about the exams.", "I was worried, there's an exam.") == 1.0
    assert shared("The bakery closed.", "I was worried.") == 0.0
    assert content_words("it is what it is") == frozenset()


def test_a_parrot_echoes_and_a_reflection_does_not() -> None:
    heard = "I can't tell my brother what I did with the money."
    assert echo_share(heard, heard) == 1.0
    assert echo_share("You say, I can't tell my brother what I did with the money.", heard) >= 0.5
    assert echo_share("You've carried that secret alone, away from him.", heard) == 0.0


def test_repetition_needs_more_than_a_phrase() -> None:
    before = ["It sounds like you are very tired of all the arguments at home."]
    assert repeats("It sounds like you are very tired of all the arguments at home.", before)
    assert not repeats("It sounds like she surprised you when the letter came on Friday.", before)
    assert not repeats("Tell me more.", ["Tell me more."])
