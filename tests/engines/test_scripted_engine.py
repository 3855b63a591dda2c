from __future__ import annotations

import time
from pathlib import Path

import pytest

from mirror_bench.engines import ENGINES
from mirror_bench.engines.base import Engine, Message, Request, Sampling
from mirror_bench.engines.factory import open_engine
from mirror_bench.errors import EngineError, InputError
from mirror_bench.modelspec import parse_model


def scripted(text: str) -> Engine:
    return open_engine(parse_model(text))


TALK = Request(
    (Message("system", ("Rules",)), Message("user", ("one", "two")), Message("assistant", ("mm",)))
)


async def test_echo_repeats_the_last_user_text() -> None:
    answer = await scripted("scripted/echo").answer(TALK)
    assert (answer.text, answer.finish, answer.prompt_tokens) == ("one\ntwo", "stop", 4)


async def test_fixed_is_cut_at_max_tokens() -> None:
    request = Request(TALK.messages, Sampling(max_tokens=2))
    answer = await scripted("scripted/fixed?text=I hear you").answer(request)
    assert (answer.text, answer.finish, answer.tokens) == ("I hear", "length", 2)


async def test_cycle_moves_on_with_turns_and_starts_where_the_seed_says(tmp_path: Path) -> None:
    path = tmp_path / "answers.txt"
    path.write_text("a\n\nb\nc\n")
    engine = scripted(f"scripted/cycle?path={path}")
    says = Message("assistant", ("x",))
    greedy = [(await engine.answer(Request((says,) * turn))).text for turn in range(4)]
    assert greedy == ["a", "b", "c", "a"]
    warm = Sampling(temperature=1.0)
    starts = {(await engine.answer(Request((), warm, seed=seed))).text for seed in range(30)}
    assert starts == {"a", "b", "c"}
    before = engine.name
    path.write_text("a\nb\n")
    assert scripted(f"scripted/cycle?path={path}").name != before


async def test_refuse_takes_its_share_and_lets_a_retry_through() -> None:
    engine = scripted("scripted/refuse?share=0.3")
    refused = []
    for number in range(400):
        try:
            await engine.answer(Request((Message("user", (str(number),)),)))
        except EngineError:
            refused.append(number)
    assert 90 <= len(refused) <= 150
    passed = 0
    for number in refused:
        try:
            await engine.answer(Request((Message("user", (str(number),)),), attempt=1))
            passed += 1
        except EngineError:
            pass
    assert passed > len(refused) / 2


async def test_delay_waits_and_is_no_part_of_the_name() -> None:
    engine = scripted("scripted/echo?delay=0.05&sees=true")
    begun = time.perf_counter()
    await engine.answer(TALK)
    assert time.perf_counter() - begun >= 0.05
    assert engine.name == scripted("scripted/echo").name
    assert engine.sees


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("scripted/nobody", "echo"),
        ("scripted/fixed", "text"),
        ("scripted/cycle?path=nowhere.txt", "nowhere.txt"),
        ("scripted/refuse?share=2", "share"),
        ("scripted/echo?dealy=1", "delay"),
        ("scripted/echo?delay=-1", "delay"),
        ("scriptde/echo", "scripted"),
        ("vllm/x?max_images=many", "max_images"),
        ("vllm/x?max_model_len=-1", "max_model_len"),
        ("vllm/x?gpu_memory_utilization=90", "gpu_memory_utilization"),
        ("vllm/x?dytpe=auto", "dtype"),
        ("transformers/x?batch_size=0", "batch_size"),
        ("openai/x?concurrency=0", "concurrency"),
        ("openai/x?json=maybe", "json"),
        ("openai/x?base_url=localhost:8000", "base_url"),
        ("openai/x?base_url=http://me:secret@host/v1", "password"),
    ],
)
def test_bad_names_and_options_are_refused_when_opened(text: str, names: str) -> None:
    with pytest.raises(InputError, match=names) as caught:
        scripted(text)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_every_registered_engine_can_be_found() -> None:
    assert {"vllm", "transformers", "openai", "scripted"} <= set(ENGINES.names())
    for name in ("vllm", "transformers", "openai", "scripted"):
        assert callable(ENGINES.get(name).answer)
