"""Engines tell how likely a given answer is."""

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from talks import ask, said_by

from mirror_bench.engines.base import Answer, Engine, Request
from mirror_bench.engines.factory import open_engine
from mirror_bench.engines.memo import Memo
from mirror_bench.engines.memo_engine import MemoEngine, request_key
from mirror_bench.engines.scoring import MOST_NEXTS, Likelihood, ScoringRow, scoring, scoring_rows
from mirror_bench.engines.vllm.engine import VllmEngine
from mirror_bench.errors import EngineError, InputError
from mirror_bench.modelspec import parse_model

LETTERS = ("A", "B", "C", "D")
ANSWERS = (" a sad face", "Angry", " I see that you are smiling.\nIs that so?", "B")


class Scorer:
    """Finds short answers likelier, and counts how often it was asked."""

    name = "scorer"
    sees = False

    def __init__(self) -> None:
        self.asked = 0

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def answer(self, request: Request) -> Answer:
        return Answer("fine")

    async def score(self, request: Request, continuations: Sequence[str]) -> list[Likelihood]:
        self.asked += 1
        await asyncio.sleep(0)
        return [Likelihood(-len(one) / 3, len(one) < 5, 2) for one in continuations]


class Letters:
    """A tokenizer of one token per letter, with a special one in front."""

    def __call__(self, text: str, add_special_tokens: bool) -> dict[str, list[int]]:
        return {"input_ids": [1] * add_special_tokens + [ord(letter) for letter in text]}


def test_letters_are_read_off_one_text_and_longer_answers_each_off_its_own() -> None:
    rows = scoring_rows(Letters(), "Which?\n", ["A", "no", "B", "A"], True)
    assert rows == [
        ScoringRow("Which?\n", 1, {0: ord("A"), 2: ord("B"), 3: ord("A")}),
        ScoringRow("Which?\nno", 3, {1: None}),
    ]
    assert rows[0].tokens == [ord("A"), ord("B")]
    assert not rows[1].tokens
    many = [chr(place) for place in range(200, 200 + MOST_NEXTS + 1)]
    assert [len(row.nexts) for row in scoring_rows(Letters(), "?", many, True)] == [MOST_NEXTS, 1]


def test_white_space_before_a_continuation_counts_with_it() -> None:
    assert [row.tail for row in scoring_rows(Letters(), "Yes or no?", ["yes"], True)] == [3]
    assert [row.tail for row in scoring_rows(Letters(), "Yes or no? \n", ["yes"], False)] == [5]
    with pytest.raises(EngineError, match="adds no token"):
        scoring_rows(Letters(), "Yes or no?\n", ["no", ""], True)


async def test_memory_holds_likelihoods_apart_from_answers(tmp_path: Path) -> None:
    scorer, request = Scorer(), ask(1)
    memo = Memo(tmp_path / "memo.sqlite")
    engine = MemoEngine(scorer, memo)
    first, same = await asyncio.gather(*(engine.score(request, (*ANSWERS, ANSWERS[0])) for _ in range(2)))
    assert scorer.asked == 1
    assert first == same
    assert (await engine.answer(request)).text == "fine"
    memo.close()
    memo = Memo(tmp_path / "memo.sqlite")
    engine = MemoEngine(scorer, memo)
    again = [*(await engine.score(request, ANSWERS[:2])), *(await engine.score(request, ANSWERS[2:]))]
    assert scorer.asked == 1
    assert first == [*again, again[0]]
    assert again[0] == Likelihood(-len(ANSWERS[0]) / 3, False, 2)
    assert await engine.score(request, ["new", ANSWERS[0]]) == [Likelihood(-1.0, True, 2), again[0]]
    assert scorer.asked == 2
    memo.close()


def test_keys_of_answers_and_likelihoods_differ() -> None:
    keys = {request_key("engine", ask(1), text) for text in (None, *ANSWERS)}
    assert len(keys) == 1 + len(ANSWERS)


def test_an_engine_without_likelihoods_is_refused(tmp_path: Path) -> None:
    echo = open_engine(parse_model("scripted/echo"))
    memo = Memo(tmp_path / "memo.sqlite")
    for engine in (echo, MemoEngine(echo, memo)):
        with pytest.raises(InputError, match=r"scripted/echo: .*open the model with vllm/"):
            scoring(engine)
    assert scoring(MemoEngine(Scorer(), memo))
    memo.close()


def _by_hand(checkpoint: Path, request: Request, continuation: str) -> tuple[float, bool]:
    """One answer scored token by token with plain transformers."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    from mirror_bench.engines.chat_templates import Prompting
    from mirror_bench.engines.images import decode, images_of

    processor: Any = AutoProcessor.from_pretrained(checkpoint)
    model: Any = AutoModelForImageTextToText.from_pretrained(checkpoint, dtype="float32").eval()
    prompt = Prompting(str(checkpoint)).render(request.messages)
    images = [decode(image) for image in images_of(request.messages)] or None
    stripped = prompt.rstrip()
    context = processor(text=stripped, images=images, return_tensors="pt")["input_ids"].shape[1]
    inputs = processor(text=prompt + continuation, images=images, return_tensors="pt")
    tokens = inputs["input_ids"][0]
    with torch.inference_mode():
        shares = torch.log_softmax(model(**inputs).logits[0], dim=-1)
    total, greedy = 0.0, True
    for place in range(context, len(tokens)):
        row = shares[place - 1]
        total += row[tokens[place]].item()
        greedy &= row.argmax().item() == tokens[place].item()
    return total, greedy


@pytest.mark.engine
async def test_vllm_and_transformers_score_like_a_forward_pass(checkpoint: Path, vllm_engine: Engine) -> None:
    transformers = open_engine(parse_model(f"transformers/{checkpoint}"))
    asked = [(ask(1), ANSWERS), (ask(2, images=False), (*LETTERS, *ANSWERS[:2])), (ask(3), LETTERS[:2])]
    try:
        for engine in (transformers, vllm_engine):
            found = await asyncio.gather(*(scoring(engine).score(*one) for one in asked))
            for (request, texts), likelihoods in zip(asked, found, strict=True):
                for text, likelihood in zip(texts, likelihoods, strict=True):
                    logprob, greedy = _by_hand(checkpoint, request, text)
                    assert likelihood.logprob == pytest.approx(logprob, abs=2e-3)
                    assert likelihood.greedy == greedy
                    assert likelihood.logprob < 0
                    assert likelihood.tokens >= 1
    finally:
        await transformers.close()


async def _spoken(engine: Engine) -> tuple[Request, str]:
    """Returns a request that the untrained model answers with words: which one it is depends on the CPU."""
    for number in range(3, 12):
        request = ask(number, max_tokens=4)
        if said := await said_by(engine, request):
            return request, said
    pytest.fail("the model has answered nothing to nine requests")


@pytest.mark.engine
async def test_a_question_is_one_request_and_cached_words_are_asked_again(
    checkpoint: Path, vllm_engine: Engine
) -> None:
    assert isinstance(vllm_engine, VllmEngine)
    counters = vllm_engine.counters
    before = counters.requests
    found = await scoring(vllm_engine).score(ask(5), LETTERS)
    assert counters.requests - before == 1
    assert len({one.logprob for one in found}) == len(LETTERS)
    request, texts = ask(7, images=False), ["It rains and I know not " + "why " * 300, "It rains"]
    first = await scoring(vllm_engine).score(request, texts)
    before = counters.requests
    # The cache now holds words that are to be scored: vLLM tells nothing of them, so they are computed.
    again = await scoring(vllm_engine).score(request, texts)
    assert counters.requests - before == len(texts) + 1
    for one, other in zip(first, again, strict=True):
        assert one.logprob == pytest.approx(other.logprob, rel=1e-4)
        assert one[1:] == other[1:]


@pytest.mark.engine
async def test_the_greedy_answer_is_the_likeliest(checkpoint: Path, vllm_engine: Engine) -> None:
    transformers = open_engine(parse_model(f"transformers/{checkpoint}"))
    try:
        for engine in (transformers, vllm_engine):
            request, said = await _spoken(engine)
            likelihood, other = await scoring(engine).score(request, (said, said + "?!"))
            assert likelihood.logprob > -4 * math.log(2048)
            assert other.logprob < likelihood.logprob
    finally:
        await transformers.close()


@pytest.mark.engine
async def test_answers_beyond_the_context_are_refused(checkpoint: Path, vllm_engine: Engine) -> None:
    transformers = open_engine(parse_model(f"transformers/{checkpoint}"))
    request = ask(1, images=False)
    try:
        for engine in (transformers, vllm_engine):
            fits = scoring(engine).score(request, ["yes"])
            refused = scoring(engine).score(request, ["I do not know what to say. " * 900])
            outcome = await asyncio.gather(fits, refused, return_exceptions=True)
            assert isinstance(outcome[0], list)
            assert isinstance(outcome[1], EngineError)
    finally:
        await transformers.close()
