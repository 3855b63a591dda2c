"""Statements from templates sound glad or distressed, and none of them stands in the test split."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from baselines.feelings import DISTRESSED, FINE, load_feelings
from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError

RUN = 6
"""Words in a row that tell a copied statement from one that only names the same feeling."""


def runs(text: str) -> set[tuple[str, ...]]:
    words = [word.strip(".,!?").lower() for word in text.split()]
    return {tuple(words[start : start + RUN]) for start in range(len(words) - RUN + 1)}


def test_only_the_feeling_decides_what_is_said() -> None:
    feelings = load_feelings()
    assert not set(feelings.about[FINE]) & set(feelings.about[DISTRESSED])
    assert not set(feelings.end[FINE]) & set(feelings.end[DISTRESSED])
    said = {fine: {feelings.say(fine, random.Random(seed)) for seed in range(500)} for fine in (True, False)}
    assert len(said[True]) > 400
    assert not said[True] & said[False]
    assert all(
        text[0].isupper() and text.endswith(".") and "{" not in text for text in said[True] | said[False]
    )


def test_no_statement_of_the_test_split_can_be_learnt_by_heart() -> None:
    kept = read_yaml(content_path("lm_eval", "statements.yaml"))["test"]
    held_back = {run for pair in kept for text in pair for run in runs(text)}
    draw = random.Random(0)
    learnt = {run for number in range(20_000) for run in runs(load_feelings().say(number % 2 == 0, draw))}
    assert not held_back & learnt
    short = {text for pair in kept for text in pair}
    assert not short & {load_feelings().say(number % 2 == 0, draw) for number in range(20_000)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("matters: [rain]", "needs an entry 'feelings'"),
        ("feelings: {glad: {about: [a], end: [b]}}", "needs an entry 'distressed'"),
        (
            "{matters: [], happened: [x], feelings: {glad: {}, distressed: {}}}",
            "'matters' must be a list of texts",
        ),
    ],
)
def test_a_template_that_is_missing_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "feelings.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        load_feelings(path)
    assert str(path) in str(caught.value)
