import functools
from typing import Any

import pytest

from baselines import corpus as corpus_module
from baselines.architecture import ModelSize, make_processor
from baselines.corpus import IGNORED, Corpus, as_chat, read_source, tokenizer_texts
from baselines.faceset import FaceSet, draw_faces, draw_png, sitters
from baselines.grammar import load_grammar
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.engines.base import ImagePart, Message
from mirror_bench.errors import InputError
from mirror_bench.therapists.prompts import caption_messages

GRAMMAR = load_grammar()
SITTERS = sitters(GRAMMAR.seen, 30, split="train", seed=0, weakest=0.5)


@functools.cache
def processor() -> Any:
    return make_processor(tokenizer_texts(GRAMMAR, read_source()), ModelSize())


@functools.cache
def faces() -> FaceSet:
    return draw_faces(SITTERS, 28)


def corpus(seed: int = 0) -> Corpus:
    return Corpus(GRAMMAR, read_source(), faces(), processor(), seed=seed, turns=3)


def test_only_the_train_split_is_read() -> None:
    source = read_source()
    everything = load_mini()
    other = [profile for profile in everything.profiles if profile.split != "train"]
    kept = {profile.id for profile in source.profiles}
    assert other
    assert kept == {profile.id for profile in everything.profiles if profile.split == "train"}
    said = set(source.client) | set(source.therapist)
    for play in everything.screenplays:
        if play.profile_id not in kept:
            assert not said & {line.words.strip() for line in play.lines if len(line.words) > 40}


def test_no_word_of_dev_or_test_profiles_reaches_the_tokenizer() -> None:
    texts = "\n".join(tokenizer_texts(GRAMMAR, read_source()))
    for profile in load_mini().profiles:
        if profile.split != "train":
            assert profile.reason_for_seeking not in texts
            assert profile.distorted_thought not in texts


def test_a_set_without_a_train_split_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = load_mini().of_split("dev")
    monkeypatch.setattr(corpus_module, "load_mini", lambda: data)
    with pytest.raises(InputError, match="no profiles of the split 'train'"):
        read_source()


def test_the_same_seed_draws_the_same_examples() -> None:
    first, second = corpus(1), corpus(1)
    assert [first.conversations(4) for _ in range(5)] == [second.conversations(4) for _ in range(5)]
    assert corpus(2).conversations(4) != corpus(1).conversations(4)


def test_conversations_are_alone_as_often_as_asked() -> None:
    drawn = corpus()
    said = processor().tokenizer.convert_tokens_to_ids("<|assistant|>")
    alone = [example.ids.count(said) for _ in range(6) for example in drawn.conversations(6, alone=1.0)]
    longer = [example.ids.count(said) for _ in range(6) for example in drawn.conversations(6, alone=0.0)]
    assert set(alone) == {1}
    assert set(longer) == {2, 3}


def test_sequences_are_what_the_processor_makes_of_the_same_messages() -> None:
    face = ImagePart(draw_png(SITTERS[0]))
    messages = (*caption_messages(face), Message("assistant", ("sad.",)))
    example = corpus().example(messages, [True], [0])
    from mirror_bench.engines.images import decode

    text = processor().apply_chat_template(as_chat(messages))
    served = processor()(text=text, images=[decode(face)])["input_ids"][0]
    assert example.ids == served
    learnt = [token for token in example.labels if token != IGNORED]
    assert processor().tokenizer.decode(learnt) == "sad.<end_of_utterance>"


def test_examples_learn_the_grammars_replies_and_nothing_of_the_prompt() -> None:
    drawn = corpus()
    tokens = processor().tokenizer
    for example in (example for _ in range(12) for example in drawn.conversations(9)):
        learnt = tokens.decode([token for token in example.labels if token != IGNORED])
        assert learnt.endswith("<end_of_utterance>")
        assert "<|user|>" not in learnt
        assert "You are a psychotherapist" not in learnt
        images = example.ids.count(tokens.convert_tokens_to_ids("<image>"))
        assert images == len(example.faces) * processor().image_seq_len
    plan = drawn.plan()
    assert tokens.decode([token for token in plan.labels if token != IGNORED]).startswith("Technique: ")
