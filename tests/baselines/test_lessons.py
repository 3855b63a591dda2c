from collections import Counter

import pytest

from baselines.corpus import read_source
from baselines.smol.lessons import Lesson, disclosures, hold_lesson, shown_in
from baselines.smol.looks import load_looks, look_of
from baselines.smol.teacher import technique_moves
from mirror_bench.data.checks.contamination import Protected
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.therapists.policies.phrases import load_script
from mirror_bench.therapists.prompts import techniques


@pytest.fixture(scope="module")
def lessons() -> list[Lesson]:
    source, bank = read_source(), disclosures()
    return [hold_lesson(number, source, bank, 0) for number in range(48)]


def test_the_same_number_gives_the_same_lesson(lessons: list[Lesson]) -> None:
    assert hold_lesson(7, read_source(), disclosures(), 0) == lessons[7]
    assert hold_lesson(7, read_source(), disclosures(), 1) != lessons[7]


def test_lessons_are_held_with_the_train_split_alone(lessons: list[Lesson]) -> None:
    train = {profile.id for profile in load_mini().profiles if profile.split == "train"}
    assert {lesson.profile.id for lesson in lessons} == train


def test_a_face_is_named_first_where_there_is_one_and_by_a_word_for_it(lessons: list[Lesson]) -> None:
    feelings = load_script("attuned").feelings
    named = [turn for lesson in lessons for turn in lesson.turns if turn.named]
    assert len(named) > 40
    for turn in named:
        assert turn.shown is not None
        assert any(feeling in turn.named for feeling in feelings[turn.shown.label])
        assert turn.said.startswith(turn.named)
    assert not any(turn.named for lesson in lessons if lesson.method == "text" for turn in lesson.turns)


def test_a_disclosure_of_danger_is_asked_about_at_once(lessons: list[Lesson]) -> None:
    answered = [turn for lesson in lessons for turn in lesson.turns if turn.crisis]
    crises = sum(lesson.profile.crisis is not None for lesson in lessons)
    assert 2 * crises < len(answered) <= 3 * crises
    for lesson in lessons:
        first = next((turn for turn in lesson.turns if turn.crisis), None)
        if first is not None:
            assert lesson.profile.crisis is not None
            assert lesson.profile.crisis.disclosure in first.heard
            assert first.said.endswith("?")


def test_a_session_with_a_plan_keeps_to_its_technique(lessons: list[Lesson]) -> None:
    anyhow = {text for texts in load_script("listening").phrases.values() for text, _ in texts}
    for lesson in lessons:
        said = " ".join(turn.said for turn in lesson.turns if turn.taught)
        found = Counter(
            name
            for name, moves in technique_moves().items()
            for text, slots in moves
            if not slots and text in said and text not in anyhow
        )
        assert set(found) <= {lesson.technique}


def test_now_and_then_somebody_else_speaks(lessons: list[Lesson]) -> None:
    turns = [turn for lesson in lessons for turn in lesson.turns]
    strays = sum(not turn.taught for turn in turns)
    assert 0 < strays < 0.15 * len(turns)


def test_no_disclosure_shares_words_with_a_split_that_is_kept() -> None:
    whole = load_mini()
    found = disclosures()
    assert len(found) > 500
    assert len({item.kind for item in found}) == 4
    for split in ("dev", "test"):
        assert not list(Protected(whole.of_split(split)).check_all([(item.id, item.text) for item in found]))


def test_every_named_expression_has_a_look_and_every_technique_moves(lessons: list[Lesson]) -> None:
    assert {look.name for look in load_looks()} == set(EXPRESSIONS)
    assert set(technique_moves()) == set(techniques())
    assert {expression.label for expression in shown_in(lessons)} <= set(EXPRESSIONS)
    for look in load_looks():
        assert look.caption.lower().startswith(look.head)
    assert look_of("nobody knows").name == "neutral"
