"""Answers are found where a reader would find them, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.lm_eval.answer_extraction import extract, read_answer, read_letter, read_word

OPTIONS = ["Be kind.", "Ask about the coat.", "Tell them to run.", "Say nothing."]


@pytest.mark.parametrize(
    ("said", "letter"),
    [
        ("B", "B"),
        (" b)", ""),
        ("B. Ask about the coat.", "B"),
        ("The answer is C.", "C"),
        ("I would choose option D because A is too warm", "D"),
        ("A client like this needs (C)", "C"),
        ("**B**", "B"),
        ("Let me think.\nB", "B"),
        ("I'd ask about the coat. Truly: Ask about the coat.", "B"),
        ("A client who hides needs patience.", ""),
        ("Be kind. Or: Say nothing.", ""),
        ("E", ""),
        ("", ""),
    ],
)
def test_letters(said: str, letter: str) -> None:
    assert read_letter(said, OPTIONS) == letter


def test_the_word_that_comes_first_counts_and_parts_of_words_do_not() -> None:
    words = {"sad": ("tearful",), "happy": ("smiling",)}
    assert read_word("She looks tearful, not happy", words) == "sad"
    assert read_word("Happy!", words) == "happy"
    assert read_word("a saddle", words) == ""


def test_no_is_not_found_in_not() -> None:
    doc = {"options": ["yes", "no"], "letters": None}
    assert read_answer("It is not easy to say. Yes.", doc) == "yes"
    assert read_answer("No, they differ; yes would be wrong.", doc) == "no"


def test_synonyms_of_labels_are_understood() -> None:
    doc = {"options": ["neutral", "happy", "sad", "angry"]}
    assert extract([["The client is smiling with joy."], ["furious"], [""]], [doc] * 3) == [
        "happy",
        "angry",
        "",
    ]


@given(st.text(max_size=300))
def test_any_text_gives_an_option_or_nothing(said: str) -> None:
    assert read_letter(said, OPTIONS) in {"A", "B", "C", "D", ""}
    assert read_answer(said, {"options": ["yes", "no"]}) in {"yes", "no", ""}


@given(
    st.sampled_from("ABCD"), st.sampled_from(["{}", "({})", "{}.", "Answer: {}", "The answer is {}", "[{}]"])
)
def test_every_usual_form_of_a_letter_is_read(letter: str, form: str) -> None:
    assert read_letter(form.format(letter), OPTIONS) == letter
