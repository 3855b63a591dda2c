"""What one document's answer scores."""

from __future__ import annotations

from typing import Any

import pytest

from mirror_bench.lm_eval.next_turn import MOST, score_turn
from mirror_bench.lm_eval.results import (
    agreement_results,
    choice_results,
    expression_results,
    next_turn_results,
)

LETTERED = {
    "options": ["x", "y", "z"],
    "letters": ["A", "B", "C"],
    "answers": ["B", "C"],
    "chance": 2 / 3,
    "cluster": "p",
}


@pytest.mark.parametrize(("answer", "right", "found"), [("B", 1, 1), ("C", 1, 1), ("A", 0, 1), ("", 0, 0)])
def test_any_right_answer_is_right_and_none_is_wrong(answer: str, right: int, found: int) -> None:
    scored = choice_results(LETTERED, [answer])
    assert (scored["acc"], scored["answered"]) == (right, found)
    assert scored["acc_stderr"] == (right, "p")
    assert scored["above_chance"] == pytest.approx(1.0 if right else -2.0)


def test_the_likeliest_option_is_the_answer() -> None:
    assert choice_results(LETTERED, [(-1.0, False), (-3.0, False), (-2.0, True)])["acc"] == 0
    assert choice_results(LETTERED, [(-4.0, False), (-3.0, False), (-2.0, True)])["acc"] == 1


def test_agreement_by_log_likelihood_gives_the_margin_of_yes() -> None:
    doc = {"options": ["yes", "no"], "answers": ["no"], "chance": 0.5, "cluster": "p"}
    scored = agreement_results(doc, [(-1.0, True), (-3.0, False)])
    assert scored["acc"] == 0
    assert scored["auroc"] == (False, 2.0)
    assert "auroc" not in agreement_results(doc, ["no"])


def test_an_expression_counts_for_its_groups() -> None:
    doc: dict[str, Any] = {"options": ["sad", "happy"], "answers": ["sad"], "chance": 0.5, "cluster": "1"}
    doc |= {"age": "under 35", "sex": "female", "skin": "dark"}
    scored = expression_results(doc, ["sad"])
    assert scored["macro_f1"] == ("sad", "sad")
    assert scored["gap_skin"] == (1.0, "dark")


def turn_doc(wants: list[str], avoids: list[str], **more: Any) -> dict[str, Any]:
    heard = "My brother sold the boat and I am fine with it."
    doc = {"heard": heard, "dialogue": f"Client: {heard}", "before": [], "written": "", "cluster": "p"}
    return {**doc, "wants": wants, "avoids": avoids, **more}


@pytest.mark.parametrize(
    ("want", "turn"),
    [
        ("name the mismatch", "You say that the boat is fine, and your face looks sad to me."),
        ("reflect", "It sounds as if the boat meant a great deal to you."),
        ("ask", "What did the boat mean to you?"),
        ("roll with it", "It's entirely up to you how much of the boat we talk about."),
        (
            "attend to the crisis",
            "Before the boat: are you thinking of killing yourself? Are you safe tonight?",
        ),
    ],
)
def test_a_turn_that_does_what_is_wanted_fits(want: str, turn: str) -> None:
    assert score_turn(turn, turn_doc([want], ["confront"])).fits == 1


@pytest.mark.parametrize(
    ("avoid", "turn"),
    [
        ("advise", "You should buy another boat as soon as you can."),
        ("confront", "You're just making excuses about the boat."),
        ("question", "What did the boat mean to you?"),
        ("reassure", "I'm here for you. You are not alone with the boat."),
    ],
)
def test_a_turn_that_does_what_is_to_be_avoided_does_not_fit(avoid: str, turn: str) -> None:
    scored = score_turn(turn, turn_doc([], [avoid]))
    assert (scored.avoided, scored.fits) == (0, 0)
    assert (
        score_turn("The boat is gone now, and it was your brother's doing.", turn_doc([], [avoid])).avoided
        == 1
    )


def test_general_words_echoes_silence_and_lectures_do_not_fit() -> None:
    doc = turn_doc(["reflect"], [])
    reflection = "It sounds as if the boat meant a great deal to you."
    assert score_turn("It sounds as if you're hurting.", doc).takes_up == 0
    assert score_turn(doc["heard"], doc).takes_up == 0
    assert score_turn("", doc).fits == score_turn("", doc).avoided == 0
    assert score_turn(" ".join([reflection] * (MOST // 6)), doc).in_bounds == 0


def test_chrf_is_against_the_written_turn_where_there_is_one() -> None:
    doc = turn_doc(["ask"], [], written="What did the boat mean to you?")
    assert next_turn_results(doc, ["What did the boat mean to you?"])["chrf"] == pytest.approx(100)
    assert next_turn_results(doc, ["Zzz."])["chrf"] < 10
    assert next_turn_results(turn_doc(["ask"], []), ["Zzz."])["chrf"] is None
