"""Every local provider with a text-only, a one-image and many-image models: chat, scores, JSON."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from families import FAMILIES
from talks import SCHEMA, ask, picture, talk

from mirror_bench.engines.base import Engine, Message, Request, Sampling
from mirror_bench.engines.factory import open_engine
from mirror_bench.engines.scoring import scoring
from mirror_bench.errors import InputError
from mirror_bench.modelspec import parse_model

pytest.importorskip("torch")


def opened(provider: str, family: str, families: dict[str, Path]) -> Iterator[Engine]:
    engine = open_engine(parse_model(f"{provider}/{families[family]}{FAMILIES[family].options}"))
    asyncio.run(engine.start())
    yield engine
    asyncio.run(engine.close())


@pytest.fixture(scope="module", params=FAMILIES)
def local(request: pytest.FixtureRequest, families: dict[str, Path]) -> Iterator[tuple[str, Engine]]:
    for engine in opened("transformers", request.param, families):
        yield request.param, engine


async def speaks(family: str, engine: Engine) -> None:
    """Chats of one and several turns, alone and together, with as many images as the model reads."""
    most = FAMILIES[family].images
    assert engine.sees == (most > 0)
    turns = min(most, 2) or 2
    requests = [ask(number, 12, turns=turns, temperature=1.0) for number in range(4)]
    together = await asyncio.gather(*map(engine.answer, requests))
    assert [await engine.answer(request) for request in requests] == together
    assert all(answer.text and answer.tokens for answer in together)
    one, other = (
        Request((Message("user", (picture(number), "Hello there")),), Sampling(max_tokens=1))
        for number in (1, 2)
    )
    (first,), (second,) = [await scoring(engine).score(request, [" I am"]) for request in (one, other)]
    assert (first.logprob != second.logprob) == (most > 0)


async def scores(engine: Engine) -> None:
    """More words are less likely than their beginning, and scores do not depend on the company."""
    request = ask(3, 1, turns=1)
    words = (" I", " You", " I hear", " I hear you say so")
    found = await scoring(engine).score(request, words)
    (you,) = [found.pop(1)]
    apart = await asyncio.gather(*(scoring(engine).score(request, [one]) for one in words))
    assert apart[1][0].logprob == pytest.approx(you.logprob, abs=1e-3)
    assert [one.tokens for one in found] == sorted({one.tokens for one in found})
    assert 0 > found[0].logprob > found[1].logprob > found[2].logprob
    (alone,) = await scoring(engine).score(request, words[-1:])
    assert alone.logprob == pytest.approx(found[-1].logprob, abs=1e-3)


async def test_transformers_speaks_with_every_family(local: tuple[str, Engine]) -> None:
    await speaks(*local)


async def test_transformers_scores_with_every_family(local: tuple[str, Engine]) -> None:
    await scores(local[1])


async def test_transformers_answers_where_json_is_asked_for(local: tuple[str, Engine]) -> None:
    # transformers enforces no schema, as the class says; the request is answered all the same.
    asked = Request(talk(1, 1), Sampling(1.0, max_tokens=24), seed=1, json_schema=SCHEMA)
    assert (await local[1].answer(asked)).text.strip()


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize("family", ["llama", "qwen2-vl", "llava"])
async def test_vllm_speaks_scores_and_keeps_to_json(family: str, families: dict[str, Path]) -> None:
    pytest.importorskip("vllm")
    if FAMILIES[family].images:  # and Idefics3, which needs none, is the shared engine
        pytest.importorskip("torchvision", exc_type=ImportError)
    engine = open_engine(parse_model(f"vllm/{families[family]}{FAMILIES[family].options}"))
    await engine.start()
    try:
        await speaks(family, engine)
        await scores(engine)
        request = Request(talk(1, 1), Sampling(0.8, max_tokens=120), seed=1, json_schema=SCHEMA)
        assert set(json.loads((await engine.answer(request)).text)) == {"score", "reason"}
        plain = [ask(number, 16, turns=1) for number in range(3)]
        twin = open_engine(parse_model(f"transformers/{families[family]}"))
        ours = [(await twin.answer(request)).text for request in plain]
        assert ours == [(await engine.answer(request)).text for request in plain]
        await twin.close()
    finally:
        await engine.close()


@pytest.mark.engine
async def test_vllm_speaks_and_scores_with_many_images(vllm_engine: Engine) -> None:
    await speaks("idefics3", vllm_engine)
    await scores(vllm_engine)


@pytest.mark.engine
def test_vllms_own_parser_parts_thoughts_where_it_is_named(families: dict[str, Path]) -> None:
    pytest.importorskip("vllm")
    from transformers import AutoTokenizer

    from mirror_bench.engines.vllm.reasoning import open_parser

    tokenizer = AutoTokenizer.from_pretrained(families["llama"])
    with pytest.raises(InputError, match=r"known are .*deepseek_r1"):
        open_parser("nope", tokenizer)
    with pytest.raises(InputError, match="does not go with this model"):
        open_parser("deepseek_r1", tokenizer)
    tokenizer.add_tokens(["<think>", "</think>"])
    part = open_parser("deepseek_r1", tokenizer)
    assert part("They dodge.</think>What was that like?</s>") == ("What was that like?", "They dodge.")


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("torchvision") is not None, reason="torchvision is installed")
async def test_vllm_says_what_a_family_needs(families: dict[str, Path]) -> None:
    pytest.importorskip("vllm")
    with pytest.raises(InputError, match=r"torchvision.*transformers/") as caught:
        await open_engine(parse_model(f"vllm/{families['llava']}")).start()
    assert "\n" not in str(caught.value)
