"""What practice asks: the right option is right, and nothing of the test split is learnt."""

from __future__ import annotations

from typing import Any

import pytest
from small_base import save_small_base, small_recipe

from baselines.smol.quiz import Quiz, _replies, _resisting_lesson
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.lm_eval.session_questions import RESISTANCES
from mirror_bench.lm_eval.turn_questions import distractors
from mirror_bench.schema import Resistance

pytestmark = [pytest.mark.xdist_group("training"), pytest.mark.engine]


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from baselines.smol.training import make_body

    return make_body(small_recipe(save_small_base(tmp_path_factory.mktemp("base")))).processor


@pytest.fixture
def quiz(processor: Any) -> Quiz:
    from baselines.smol.dialogues import ExampleEncoder, NumberedFaces

    return Quiz(ExampleEncoder(processor, NumberedFaces()), 3)


def test_the_reply_asked_for_is_the_one_that_follows_and_none_is_the_tasks_distractor(quiz: Quiz) -> None:
    following = {
        (play.lines[number - 1].words, line.words)
        for play in load_mini().of_split("train").screenplays
        for number, line in enumerate(play.lines)
        if number
    }
    known = {text for texts in distractors().values() for text in texts}
    for _ in range(60):
        asked = quiz._choosing()
        (right,) = asked.right
        last = asked.row["dialogue"].splitlines()[-1].removeprefix("Client: ")
        assert (last if last != "(says nothing)" else "", right) in following
        assert len(set(asked.options)) == 4
        assert right in asked.options
        assert not known & (set(asked.options) - {right})


def test_replies_that_miss_a_moment_are_not_learnt() -> None:
    missed = {
        play.lines[moment.number].words
        for play in load_mini().of_split("train").screenplays
        for moment in play.moments
        if moment.missed and moment.number < len(play.lines)
    }
    assert missed
    assert not missed & {reply.said for reply in _replies()}


@pytest.mark.parametrize("kind", list(Resistance))
def test_a_client_who_resists_in_another_way_says_nothing_written_for_its_own(kind: Resistance) -> None:
    for number in range(6):
        lesson = _resisting_lesson(kind, number)
        own = next(one for one in load_mini().profiles if one.id == lesson.profile.id)
        assert lesson.profile.resistance is kind
        assert lesson.method == "direct"
        assert all(turn.taught and turn.shown is not None for turn in lesson.turns)
        assert not {line.words for line in own.voice} & {turn.heard for turn in lesson.turns}


def test_a_question_on_resistance_shows_a_face_and_knows_its_answer(quiz: Quiz) -> None:
    kinds = set()
    for _ in range(40):
        asked = quiz._resisting()
        assert asked.face is not None
        assert asked.options == tuple(RESISTANCES.values())
        assert asked.row["dialogue"].splitlines()[-1].startswith("Client: ")
        kinds.add(asked.right)
    assert len(kinds) == 4
