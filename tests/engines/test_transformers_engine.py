from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from talks import answer_of, ask, picture, said_by, talk

from mirror_bench.engines.base import Engine, ImagePart, Message, Request, Sampling
from mirror_bench.engines.factory import open_engine
from mirror_bench.engines.transformers.engine import TransformersEngine
from mirror_bench.engines.vllm.engine import VllmEngine
from mirror_bench.errors import EngineDeadError, EngineError, InputError, TooMuchError
from mirror_bench.modelspec import parse_model

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def engine(checkpoint: Path) -> Any:
    engine = TransformersEngine(parse_model(f"transformers/{checkpoint}"))
    asyncio.run(engine.start())
    yield engine
    asyncio.run(engine.close())


async def texts(engine: Engine, *requests: Request) -> list[str]:
    return [answer.text for answer in await asyncio.gather(*map(engine.answer, requests))]


@pytest.mark.engine
async def test_greedy_answers_equal_those_of_vllm(engine: Engine, vllm_engine: Engine) -> None:
    plain = [ask(number, 32, images=number % 3 > 0) for number in range(16)]
    # Untrained weights repeat one token for ever; the penalties make the answers differ and test themselves.
    livelier = [ask(number, 32, frequency_penalty=0.4, presence_penalty=0.3) for number in range(8)]
    ours = await asyncio.gather(*(answer_of(engine, one) for one in plain + livelier))
    theirs = await asyncio.gather(*(answer_of(vllm_engine, one) for one in plain + livelier))
    assert ours == theirs
    assert len({answer.text for answer in ours if answer}) > 3


async def test_a_row_is_answered_alike_alone_and_in_a_batch(engine: Engine) -> None:
    requests = [ask(number, 8 + number, temperature=1.0, top_p=0.8) for number in range(6)]
    together = await asyncio.gather(*map(engine.answer, requests))
    alone = [await engine.answer(request) for request in requests]
    assert together == alone
    assert [answer.tokens for answer in together] == [8, 9, 10, 11, 12, 13]
    assert len({answer.text for answer in together}) == 6


async def test_top_p_near_zero_is_greedy(engine: Engine) -> None:
    greedy, narrow, free = await texts(
        engine, ask(1), ask(1, temperature=1.0, top_p=1e-6), ask(1, temperature=1.0)
    )
    assert greedy == narrow != free


async def test_stop_texts_end_an_answer_and_are_left_out(engine: Engine) -> None:
    (whole,) = await texts(engine, ask(2, 40, temperature=1.0))
    stop = next(character for character in whole[5:] if character.isascii() and character.isalpha())
    answer = await engine.answer(ask(2, 40, temperature=1.0, stop=(stop, "never said")))
    assert (answer.text, answer.finish) == (whole[: whole.index(stop)], "stop")
    assert answer.tokens < 40


async def test_a_bad_request_fails_alone(engine: Engine) -> None:
    good = ask(3, 40)
    long = Request((Message("user", ("word " * 4000,)),))
    broken = Request((Message("user", (ImagePart(b"no image"), "Hello")),))
    results = await asyncio.gather(
        *(engine.answer(request) for request in (good, long, broken, good)), return_exceptions=True
    )
    assert isinstance(results[1], EngineError)
    assert "2048" in str(results[1])
    assert isinstance(results[2], EngineError)
    assert results[0] == results[3]
    assert not isinstance(results[0], BaseException)


async def test_an_answer_ends_with_the_context(engine: Engine) -> None:
    request = Request((Message("user", ("a " * 1900,)),), Sampling(max_tokens=4000))
    try:
        answer = await engine.answer(request)
    except EngineError as error:  # an untrained model may go on to the end without a word
        assert (found := re.search(r"cut after (\d+) tokens", str(error)))  # noqa: PT017
        assert int(found[1]) <= 2048 - 1900
    else:
        assert answer.prompt_tokens + answer.tokens <= 2048


async def test_too_many_images_name_the_option(engine: Engine) -> None:
    crowd = Request((Message("user", (*(picture(number) for number in range(17)), "Hello")),))
    with pytest.raises(TooMuchError, match="max_images=17"):
        await engine.answer(crowd)


async def test_images_can_be_left_out(checkpoint: Path, engine: Engine) -> None:
    blind = TransformersEngine(parse_model(f"transformers/{checkpoint}?max_images=0&batch_size=2"))
    await blind.start()
    assert engine.sees
    assert not blind.sees
    for number in range(4):
        without = ask(number, images=False)
        seen, unseen = [await said_by(blind, one) for one in (ask(number), without)]
        assert seen == unseen == await said_by(engine, without)
    await blind.close()
    await blind.close()


async def test_a_dying_thread_fails_everyone(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doomed = TransformersEngine(parse_model(f"transformers/{checkpoint}"))
    await doomed.start()

    def die(*_: object) -> None:
        raise SystemExit("the end")

    monkeypatch.setattr(doomed, "_answer", die)
    results = await asyncio.wait_for(
        asyncio.gather(*(doomed.answer(ask(number)) for number in range(40)), return_exceptions=True), 10
    )
    assert all(isinstance(result, EngineDeadError) for result in results)
    with pytest.raises(EngineDeadError, match="the end"):
        await doomed.answer(ask(1))
    await doomed.close()


@pytest.mark.parametrize("options", ["?dtype=int3", "?device=quantum"])
async def test_what_cannot_be_opened_is_one_line(checkpoint: Path, options: str) -> None:
    with pytest.raises(InputError, match="transformers cannot open it") as caught:
        await open_engine(parse_model(f"transformers/{checkpoint}{options}")).start()
    assert "\n" not in str(caught.value)


def test_a_model_without_a_chat_template_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    for path in checkpoint.iterdir():
        if path.name != "chat_template.jinja":
            (tmp_path / path.name).symlink_to(path)
    with pytest.raises(InputError, match="chat template"):
        asyncio.run(open_engine(parse_model(f"transformers/{tmp_path}")).start())


def make_adapter(checkpoint: Path, folder: Path) -> Path:
    """Saves a LoRA adapter of language and connector weights, strong enough to change every answer."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_pretrained(checkpoint, dtype="float32")
    targets = r".*text_model.*\.(q_proj|v_proj|down_proj)|.*connector.*\.proj"
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=16, target_modules=targets))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    adapted.save_pretrained(folder)
    return folder


@pytest.mark.engine
@pytest.mark.slow
async def test_both_engines_apply_an_adapter_alike(engine: Engine, checkpoint: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    pytest.importorskip("vllm")
    adapter = await asyncio.to_thread(make_adapter, checkpoint, tmp_path / "adapter")
    requests = [ask(number, 32, frequency_penalty=0.5) for number in range(6)]
    merged = TransformersEngine(parse_model(f"transformers/{checkpoint}?lora={adapter}"))
    served = VllmEngine(parse_model(f"vllm/{checkpoint}?lora={adapter}&max_model_len=512&kv_gib=0.1"))
    await merged.start()
    await served.start()
    by_merged, by_served, by_base = [await texts(which, *requests) for which in (merged, served, engine)]
    assert by_merged == by_served
    assert all(one != two for one, two in zip(by_merged, by_base, strict=True))
    await merged.close()
    await served.close()


async def test_a_request_may_be_given_up(engine: Engine) -> None:
    given_up = asyncio.create_task(engine.answer(Request(talk(1), Sampling(max_tokens=200))))
    await asyncio.sleep(0.05)
    given_up.cancel()
    assert (await engine.answer(ask(1, 4))).tokens == 4
