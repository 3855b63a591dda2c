"""Guessing reaches the chance level that each task states, through lm-eval itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

pytest.importorskip("lm_eval")

from mirror_bench.lm_eval.guessers import Guesser, best_constant, evaluate, written_turns

pytestmark = pytest.mark.usefixtures("quick_lm_eval")

CHOICES = (
    "mirror_expression",
    "mirror_incongruence",
    "mirror_incongruence_text_only",
    "mirror_incongruence_face_only",
    "mirror_resistance",
    "mirror_resistance_generate",
    "mirror_technique",
    "mirror_response_choice",
)


@cache
def results(rule: Any, task: str) -> Mapping[str, Any]:
    """One task at a time, as lm-eval keeps the images of all tasks of an evaluation."""
    return evaluate(Guesser(rule), [task], log_samples=False)


@pytest.mark.parametrize("task", CHOICES)
def test_a_random_model_is_at_the_stated_chance(task: str) -> None:
    found = results("random", task)["results"][task]
    chance = results("random", task)["configs"][task]["metadata"]["chance"]
    assert found["acc,none"] == pytest.approx(chance, abs=3.5 * found["acc_stderr,none"] + 1e-3)
    assert found["above_chance,none"] == pytest.approx((found["acc,none"] - chance) / (1 - chance), abs=2e-3)


@pytest.mark.parametrize("task", CHOICES)
def test_the_commonest_answer_does_hardly_better(task: str) -> None:
    found = results("majority", task)["results"][task]
    assert abs(found["above_chance,none"]) < 0.1


@pytest.mark.parametrize("control", ["mirror_incongruence_text_only", "mirror_incongruence_face_only"])
def test_one_answer_to_all_is_exactly_at_chance_on_the_controls(control: str) -> None:
    assert results("majority", control)["results"][control]["acc,none"] == 0.5


def test_log_likelihood_with_the_image_gives_auroc_at_one_half() -> None:
    found = results("random", "mirror_incongruence_scored")["results"]["mirror_incongruence_scored"]
    assert found["auroc,none"] == pytest.approx(0.5, abs=3.5 * found["auroc_stderr,none"])


def test_standard_errors_are_by_cluster_and_stand_where_lm_eval_shows_them() -> None:
    from lm_eval.utils import make_table

    for task in CHOICES:
        assert "acc_stderr" not in make_table(dict(results("random", task)))
    table = make_table(dict(results("random", "mirror_resistance")))
    found = results("random", "mirror_resistance")["results"]["mirror_resistance"]
    assert 0 < found["acc_stderr,none"] < 0.1
    assert f"{found['acc_stderr,none']:.4f}".rstrip("0") in table


def test_next_turns_are_taken_from_the_train_split() -> None:
    assert best_constant() in written_turns()
    found = evaluate(Guesser("random"), ["mirror_next_turn"], limit=8, log_samples=True)
    assert all(sample["resps"][0][0] in written_turns() for sample in found["samples"]["mirror_next_turn"])
    assert found["results"]["mirror_next_turn"]["in_bounds,none"] > 0
