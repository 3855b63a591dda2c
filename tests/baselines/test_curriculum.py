import re
from pathlib import Path
from typing import Any

import pytest
from small_base import save_small_base, small_recipe

from baselines.corpus import IGNORED
from baselines.smol.curriculum import Curriculum, as_seen
from baselines.smol.looks import load_looks

pytestmark = [pytest.mark.xdist_group("training"), pytest.mark.engine]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Curriculum, Any]:
    from baselines.smol.lessons import Lessons
    from baselines.smol.training import curriculum_of, make_body

    recipe = small_recipe(save_small_base(tmp_path_factory.mktemp("base")))
    body = make_body(recipe)
    return curriculum_of(recipe, Lessons(recipe.speech, recipe.seed), body.processor), body.processor


def said(tokens: Any, ids: list[int], labels: list[int]) -> list[str]:
    """Returns what is learnt, one text for each stretch."""
    found: list[list[int]] = []
    for token, label in zip(ids, labels, strict=True):
        if label == IGNORED:
            found.append([])
        elif found:
            found[-1].append(token)
    return [tokens.decode(part) for part in found if part]


def test_faces_are_read_before_the_first_session(made: tuple[Curriculum, Any]) -> None:
    curriculum, processor = made
    first, later = curriculum.step(0), curriculum.step(2)
    assert len(first.groups) == 1
    captions = {look.caption for look in load_looks()}
    learnt = [text for one in first.groups[0] for text in said(processor.tokenizer, one.ids, one.labels)]
    assert all(text.endswith("<|im_end|>") for text in learnt)
    assert sum(text.removesuffix("<|im_end|>") in captions for text in learnt) == 4
    assert len(later.groups) == 3
    assert all(len(said(processor.tokenizer, one.ids, one.labels)) > 3 for one in later.groups[0])


def test_a_step_is_the_same_each_time_and_shows_its_faces_in_order(made: tuple[Curriculum, Any]) -> None:
    curriculum, processor = made
    step = curriculum.step(3)
    assert step == curriculum.step(3)
    faces = [face for group in step.groups for one in group for face in one.faces]
    assert sorted(faces) == list(range(len(step.looks)))
    image = processor.tokenizer.convert_tokens_to_ids("<image>")
    for group in step.groups:
        for one in group:
            assert one.ids.count(image) == processor.image_seq_len * len(one.faces)


def test_what_a_face_decides_weighs_more(made: tuple[Curriculum, Any]) -> None:
    weights = {
        weight for number in range(2, 4) for one in made[0].step(number).groups[0] for weight in one.weights
    }
    assert {1.0, 4.0} <= weights


def test_the_rate_rises_stays_and_falls(made: tuple[Curriculum, Any]) -> None:
    curriculum, _ = made
    rates = [curriculum.rate(number) for number in range(curriculum.steps)]
    assert rates == [0.5, 1.0, 1.0, 0.5]


def test_a_face_is_seen_near_the_words_for_it() -> None:
    import torch

    targets = torch.randn((19, 4, 32), generator=torch.Generator().manual_seed(1))
    looks = [number % 19 for number in range(200)]
    seen = as_seen(targets, looks, 3)
    assert torch.equal(seen, as_seen(targets, looks, 3))
    assert not torch.equal(seen, as_seen(targets, looks, 4))
    nearest = (seen[:, None] - targets[None]).pow(2).sum((-1, -2)).argmin(1)
    assert (nearest == torch.tensor(looks)).float().mean() > 0.97
    assert (seen - targets[looks]).abs().max() > 0.1


def test_the_template_is_the_bases_own(tmp_path: Path) -> None:
    """The shipped processor writes ChatML, as SmolLM2 was trained on, and puts an image where it stands."""
    from transformers import AutoTokenizer

    from baselines.smol.body import CHAT_TEMPLATE

    tokens = AutoTokenizer.from_pretrained(save_small_base(tmp_path / "base"))
    chat = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "u"}]},
        {"role": "assistant", "content": "a"},
    ]
    text = tokens.apply_chat_template(chat, chat_template=CHAT_TEMPLATE, tokenize=False)
    system, user = "<|im_start|>system\nS<|im_end|>\n", "<|im_start|>user\n<image>u<|im_end|>\n"
    assert text == f"{system}{user}<|im_start|>assistant\na<|im_end|>\n"


def test_the_settling_follows_the_lessons_slower_and_with_even_weights(
    made: tuple[Curriculum, Any],
) -> None:
    from baselines.grammar import load_grammar
    from baselines.recipe import SpeechPart
    from baselines.smol.lessons import Lessons

    part = SpeechPart(first=1, lessons=3, settling=2, batch=2)
    lessons = Lessons(part, 0)
    curriculum = Curriculum(lessons, load_grammar().plans, made[1], part, 0)
    assert curriculum.steps == 1 + 2 + 1
    assert curriculum.rate(3) == 0.4
    assert len(curriculum.step(3).groups[0]) == 2
    assert {weight for one in curriculum.step(3).groups[0] for weight in one.weights} <= {0.7, 1.0}
    assert len(lessons) == 5


def test_practice_comes_last_and_says_words_of_the_option_before_its_letter(
    made: tuple[Curriculum, Any],
) -> None:
    from baselines.grammar import load_grammar
    from baselines.recipe import SpeechPart
    from baselines.smol.lessons import Lessons

    part = SpeechPart(first=1, lessons=2, settling=2, batch=2, practice=12, practised=4, rise=2)
    curriculum = Curriculum(Lessons(part, 0), load_grammar().plans, made[1], part, 0)
    assert curriculum.practice_from == 3
    assert curriculum.steps == 15
    assert curriculum.rate(3) == 0.25
    assert curriculum.rate(4) > curriculum.rate(5) > curriculum.rate(14) > 0
    assert [len(curriculum.step(number).groups) for number in range(3, 7)] == [3, 2, 2, 3]
    tokens = made[1].tokenizer
    led = 0
    for number in range(3, 15):
        asked = curriculum.step(number).groups[-1]
        assert len(asked) == 4
        for one in asked:
            (answer,) = said(tokens, one.ids, one.labels)
            read = tokens.decode(one.ids)
            found = re.fullmatch(r"(?:(.+) \()?([A-H])\)?<\|im_end\|>", answer, re.DOTALL)
            assert found, answer
            if found[1]:
                led += 1
                assert f"\n{found[2]}. {found[1]}" in read
    assert led > 24
