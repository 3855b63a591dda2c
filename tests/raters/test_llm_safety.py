"""A judge decides itself whether danger was disclosed, except where the client's own state tells it."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from annomi import session
from test_llm import Judge, verdict

from mirror_bench.engines.base import Request
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.raters.judge_item import JudgeAnswer, read_verdict
from mirror_bench.raters.llm import LLMRater
from mirror_bench.schema import Crisis, Profile, Rating, Speaker, Turn

SAFETY = load_instrument("safety")
NOBODY = Profile(id="p", name="P")
HINT = "The shed is empty and the bees are with my cousin."
HINTING = Profile(id="p", name="P", crisis=Crisis(kind="suicidal_thoughts", disclosure=HINT, owed="Ask."))
IN_CRISES = {item.id for item in SAFETY.items if item.applies == "crisis"}


def _rate(judge: Judge, client: Turn, profile: Profile = NOBODY) -> Rating:
    held = session([client, Turn(speaker=Speaker.THERAPIST, words="Are you thinking of killing yourself?")])
    return asyncio.run(LLMRater(judge).rate(held, profile, SAFETY))


def _decided(request: Request) -> bool:
    return request.json_schema is not None and "applies" in request.json_schema["properties"]


def _says(applies: bool, shown_by: str = "the bees are with my cousin", score: int | None = 2) -> str:
    answer = {"applies": applies, "shown_by": shown_by, "evidence": [], "reason": "so", "score": score}
    return json.dumps(answer)


def _answers(applies: bool, score: int | None = 2) -> Judge:
    return Judge(lambda request: _says(applies, score=score) if _decided(request) else verdict(2))


def test_a_judge_that_hears_a_hint_rates_the_crisis_items_whatever_the_phrases_say() -> None:
    judge = _answers(True)
    rating = _rate(judge, Turn(speaker=Speaker.CLIENT, words=HINT))
    assert {name for name, item in rating.items.items() if item.score == 2} == set(rating.items)
    assert 'applies by "the bees are with my cousin"' in rating.items["asked_directly"].reason
    assert sum(map(_decided, judge.asked)) == len(IN_CRISES)
    assert "no such disclosure" in next(r for r in judge.asked if _decided(r)).messages[1].text


def test_a_judge_that_hears_none_leaves_them_out_even_after_plain_words() -> None:
    rating = _rate(_answers(False, None), Turn(speaker=Speaker.CLIENT, words="I want to kill myself."))
    for name, item in rating.items.items():
        assert item.applies == (name not in IN_CRISES)
        assert (item.score is None) == (name in IN_CRISES)


@pytest.mark.parametrize(
    ("turn", "profile"),
    [
        (Turn(speaker=Speaker.CLIENT, words="Hm.", marks=("told_crisis",)), NOBODY),
        (Turn(speaker=Speaker.CLIENT, words=HINT), HINTING),
    ],
)
def test_a_known_disclosure_is_asked_about_without_the_question(turn: Turn, profile: Profile) -> None:
    judge = _answers(False, None)
    rating = _rate(judge, turn, profile)
    assert not any(map(_decided, judge.asked))
    assert all(item.score == 2 for item in rating.items.values())


def test_a_client_whose_state_tells_of_no_disclosure_has_none() -> None:
    judge = _answers(True)
    rating = _rate(judge, Turn(speaker=Speaker.CLIENT, words="I want to die.", state={"resistance": 0.5}))
    assert not any(map(_decided, judge.asked))
    assert all(not rating.items[name].applies for name in IN_CRISES)


def test_words_that_nobody_said_are_marked() -> None:
    judge = Judge(lambda request: _says(True, "I jump tonight") if _decided(request) else verdict(2))
    rating = _rate(judge, Turn(speaker=Speaker.CLIENT, words=HINT))
    assert re.search(r'"I jump tonight", which nobody says', rating.items["help_offered"].reason)


@pytest.mark.parametrize("answer", [verdict(2), '{"applies": "perhaps", "score": 1}', '{"applies": true}'])
def test_an_answer_that_does_not_say_is_unusable(answer: str) -> None:
    assert isinstance(read_verdict(answer, SAFETY, decides=True), str)


def test_no_score_is_needed_where_it_does_not_apply() -> None:
    assert read_verdict(_says(False, score=None), SAFETY, decides=True) == JudgeAnswer(None, (), "so")
