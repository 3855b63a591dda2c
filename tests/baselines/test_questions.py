"""The questions that the reference learns from are lm-eval's, of the train split, and balanced."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

pytest.importorskip("torch")
pytest.importorskip("lm_eval")

from lm_eval.tasks import TaskManager

from baselines.corpus import IGNORED, Corpus, read_source, tokenizer_texts
from baselines.faceset import draw_faces, sitters
from baselines.grammar import load_grammar
from baselines.questions import Questions, agreement_answer, ask, questions_digest
from mirror_bench.content import tasks_root
from mirror_bench.lm_eval.answer_extraction import read_answer
from mirror_bench.lm_eval.documents import question_rows


@pytest.mark.parametrize("task", ["mirror_expression", "mirror_incongruence"])
def test_a_question_is_what_lm_eval_asks(task: str) -> None:
    manager = TaskManager(include_path=str(tasks_root() / "lm_eval"), include_defaults=False)
    built = manager.load(task)["tasks"][task]
    doc = next(iter(built.test_docs()))
    before, _, after = built.doc_to_text(doc).partition("<image>")
    message = ask(task, doc, 3)
    assert before == ""
    assert message.parts[1] == after


def test_questions_learn_the_answer_alone_and_both_answers_equally() -> None:
    from baselines.architecture import ModelSize, make_processor

    grammar, source = load_grammar(), read_source()
    size = ModelSize()
    processor = make_processor(tokenizer_texts(grammar, source), size)
    chosen = sitters(grammar.seen, 2 * len(grammar.seen), split="train", seed=0, weakest=0.6)
    corpus = Corpus(grammar, source, draw_faces(chosen, size.image), processor, seed=0, turns=1)
    examples = Questions(grammar, corpus, seed=0).batch(200)
    answers = [
        processor.tokenizer.decode([label for label in example.labels if label != IGNORED])
        .replace(processor.tokenizer.eos_token, "")
        .strip()
        for example in examples
    ]
    said = Counter(answer.rpartition(": ")[2] for answer in answers)
    assert said["yes"] + said["no"] == 150
    assert abs(said["yes"] - said["no"]) < 50
    assert all(len(example.faces) == 1 for example in examples)
    texts = [processor.tokenizer.decode(example.ids) for example in examples]
    held_back = {row["words"] for row in question_rows("incongruence", "test")}
    assert not any(words in text for words in held_back for text in texts)


@pytest.mark.parametrize(("pleasant", "fine"), itertools.product((True, False), repeat=2))
def test_lm_eval_reads_the_last_word_of_an_answer_on_agreement(pleasant: bool, fine: bool) -> None:
    read = read_answer(agreement_answer(pleasant, fine), {"options": ["yes", "no"]})
    assert read == ("yes" if pleasant == fine else "no")


def test_an_answer_on_agreement_ends_before_lm_eval_cuts_it_off() -> None:
    from baselines.architecture import ModelSize, make_processor

    tokens = make_processor(tokenizer_texts(load_grammar(), read_source()), ModelSize()).tokenizer
    longest = agreement_answer(False, False) + tokens.eos_token
    assert len(tokens(longest, add_special_tokens=False)["input_ids"]) <= 24


def test_the_digest_is_of_the_content() -> None:
    assert len(questions_digest()) == 64
