from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import pytest
from chat_server import KEY, Reply, Server, completion, refusal

from mirror_bench.engines.base import ImagePart, Message, Request, Sampling
from mirror_bench.engines.openai.engine import OpenAIEngine
from mirror_bench.errors import EngineDeadError, EngineError, InputError
from mirror_bench.modelspec import parse_model

IMAGE = ImagePart(b"\x89PNG image")
TALK = (
    Message("system", ("Listen.",)),
    Message("user", (IMAGE, "I'm fine.")),
    Message("assistant", ("You look away.",)),
    Message("user", ("So?",)),
)


async def test_a_request_carries_messages_images_sampling_and_key(server: Server) -> None:
    engine = server.engine()
    sampling = Sampling(0.7, 0.9, 0.2, 0.1, 128, ("Client:",))
    answer = await engine.answer(Request(TALK, sampling, seed=5))
    assert (answer.text, answer.finish, answer.prompt_tokens, answer.tokens) == ("I hear you.", "stop", 11, 4)
    (body,) = server.bodies
    assert body["model"] == "tiny-model"
    assert body["messages"][0] == {"role": "system", "content": "Listen."}
    image, text = body["messages"][1]["content"]
    assert image == {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORyBpbWFnZQ=="}}
    assert text == {"type": "text", "text": "I'm fine."}
    assert body["messages"][2:] == [
        {"role": "assistant", "content": "You look away."},
        {"role": "user", "content": "So?"},
    ]
    del body["messages"], body["model"]
    assert body == {
        "temperature": 0.7,
        "top_p": 0.9,
        "frequency_penalty": 0.2,
        "presence_penalty": 0.1,
        "max_tokens": 128,
        "stop": ["Client:"],
        "seed": 5,
    }
    headers = {key.lower(): value for key, value in server.headers[0].items()}
    assert headers["authorization"] == f"Bearer {KEY}"
    await engine.close()
    await engine.close()


async def test_options_leave_out_what_a_model_refuses(server: Server) -> None:
    engine = server.engine("&sees=false&tokens_key=max_completion_tokens&leave_out=temperature,seed")
    await engine.answer(Request(TALK, Sampling(0.7, max_tokens=9), seed=5))
    (body,) = server.bodies
    assert body["messages"][1]["content"] == "I'm fine."
    assert body["max_completion_tokens"] == 9
    assert not {"max_tokens", "temperature", "seed"} & set(body)
    assert not engine.sees
    await engine.close()


@pytest.mark.parametrize(
    ("mode", "closed", "expected"),
    [("schema", True, True), ("schema", False, False), ("object", True, None), ("off", True, None)],
)
async def test_json_schemas_are_sent_as_the_server_takes_them(
    server: Server, mode: str, closed: bool, expected: bool | None
) -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"score": {"type": "integer"}},
        "required": ["score"],
    }
    if closed:
        schema["additionalProperties"] = False
    engine = server.engine(f"&json={mode}")
    await engine.answer(Request(TALK, json_schema=schema))
    (body,) = server.bodies
    if mode == "schema":
        assert body["response_format"]["json_schema"] == {
            "name": "answer",
            "schema": schema,
            "strict": expected,
        }
    elif mode == "object":
        assert body["response_format"] == {"type": "json_object"}
    else:
        assert "response_format" not in body
    await engine.close()


async def test_limits_and_server_errors_are_tried_again_after_the_time_named(server: Server) -> None:
    replies: list[Reply] = [
        (429, refusal("slow down"), {"Retry-After": "1"}),
        (503, refusal("busy"), {}),
        (200, completion("at last"), {}),
    ]
    server.reply = lambda number: replies[number - 1]
    engine = server.engine()
    assert (await engine.answer(Request(TALK))).text == "at last"
    first, second, third = server.times
    assert 0.95 <= second - first < 3
    assert 0.3 <= third - second < 5
    await engine.close()


async def test_retries_end_in_an_error_of_this_request_alone(server: Server) -> None:
    server.reply = lambda number: (500, refusal("broken") if number < 3 else completion(), {})
    engine = server.engine("&max_retries=1")
    with pytest.raises(EngineError, match=r"HTTP 500.*broken"):
        await engine.answer(Request(TALK))
    assert len(server.bodies) == 2
    server.reply = lambda number: (200, completion(), {})
    assert (await engine.answer(Request(TALK))).text
    await engine.close()


async def test_a_slow_server_is_given_up_after_the_timeout(server: Server) -> None:
    def reply(number: int) -> Reply:
        time.sleep(1.5)
        return 200, completion(), {}

    server.reply = reply
    engine = server.engine("&timeout=0.2&max_retries=1")
    with pytest.raises(EngineError, match=r"timeout=0\.2 s in 2 tries"):
        await engine.answer(Request(TALK))
    await engine.close()


async def test_a_request_the_server_refuses_fails_alone(server: Server) -> None:
    server.reply = lambda number: (400, refusal(f"context too long for {KEY}\nsecond line"), {})
    engine = server.engine()
    with pytest.raises(EngineError, match="HTTP 400") as caught:
        await engine.answer(Request(TALK))
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(server.bodies) == 1
    await engine.close()


@pytest.mark.parametrize(
    ("status", "code", "names"),
    [(401, None, "OPENAI_API_KEY"), (403, None, "OPENAI_API_KEY"), (404, None, "tiny-model")],
)
async def test_a_refused_key_or_model_stops_everything_at_once(
    server: Server, status: int, code: str | None, names: str
) -> None:
    server.reply = lambda number: (status, refusal(f"wrong {KEY}", code), {})
    engine = server.engine("&concurrency=1")
    results = await asyncio.gather(*(engine.answer(Request(TALK)) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(result, EngineDeadError) and names in str(result) for result in results)
    assert not any(KEY in str(result) or "\n" in str(result) for result in results)
    assert len(server.bodies) == 1
    await engine.close()


async def test_a_spent_quota_stops_everything(server: Server) -> None:
    server.reply = lambda number: (429, refusal("pay first", "insufficient_quota"), {})
    engine = server.engine("&max_retries=0")
    with pytest.raises(EngineDeadError, match="quota"):
        await engine.answer(Request(TALK))
    await engine.close()


async def test_no_more_requests_are_sent_than_the_budget_allows(server: Server) -> None:
    engine = server.engine("&max_requests=3&concurrency=2")
    results = await asyncio.gather(*(engine.answer(Request(TALK)) for _ in range(8)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, InputError)]
    assert (len(server.bodies), len(refused)) == (3, 5)
    assert "max_requests=3" in str(refused[0])
    await engine.close()


async def test_no_more_requests_are_in_flight_than_asked_for(server: Server) -> None:
    def reply(number: int) -> Reply:
        time.sleep(0.03)
        return 200, completion(), {}

    server.reply = reply
    engine = server.engine("&concurrency=3")
    await asyncio.gather(*(engine.answer(Request(TALK)) for _ in range(12)))
    assert server.most_busy == 3
    await engine.close()


async def test_where_no_server_listens_the_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    engine = OpenAIEngine(parse_model(f"openai/m?base_url={url}&max_retries=0"))
    with pytest.raises(EngineDeadError, match=f"base_url={url}") as caught:
        await engine.answer(Request(TALK))
    assert "\n" not in str(caught.value)
    begun = time.perf_counter()
    with pytest.raises(EngineDeadError):
        await engine.answer(Request(TALK))
    assert time.perf_counter() - begun < 0.1
    await engine.close()


async def test_a_server_that_goes_away_fails_requests_and_then_the_engine(server: Server) -> None:
    engine = server.engine("&max_retries=0")
    await engine.answer(Request(TALK))
    server.close()
    kinds = []
    for _ in range(3):
        with pytest.raises((EngineError, EngineDeadError)) as caught:
            await engine.answer(Request(TALK))
        kinds.append(caught.type)
    assert kinds == [EngineError, EngineError, EngineDeadError]
    await engine.close()


async def test_a_server_that_is_gone_for_all_tries_of_one_request_ends_the_run(server: Server) -> None:
    engine = server.engine("&max_retries=2")
    assert (await engine.answer(Request(TALK))).text
    server.close()
    with pytest.raises(EngineDeadError, match="no server answers"):
        await engine.answer(Request(TALK))
    await engine.close()


@pytest.mark.parametrize("content", [{"choices": []}, {"choices": None}, {}])
async def test_an_answer_without_a_choice_is_an_error(server: Server, content: dict[str, Any]) -> None:
    server.reply = lambda number: (200, content, {})
    engine = server.engine()
    with pytest.raises(EngineError, match="no choice"):
        await engine.answer(Request(TALK))
    await engine.close()


async def test_refusals_and_cut_answers_are_told_apart(server: Server) -> None:
    replies = [completion("cut of", "length"), completion(None, refusal="I cannot."), completion(None)]
    server.reply = lambda number: (200, replies[number - 1], {})
    engine = server.engine()
    answers = [await engine.answer(Request(TALK)) for _ in range(3)]
    assert [(answer.text, answer.finish) for answer in answers] == [
        ("cut of", "length"),
        ("I cannot.", "content_filter"),
        ("", "stop"),
    ]
    await engine.close()


async def test_a_missing_key_is_named_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(InputError, match="OPENAI_API_KEY"):
        await OpenAIEngine(parse_model("openai/some-model")).start()
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(InputError, match="MY_KEY"):
        await OpenAIEngine(parse_model("openai/m?api_key_env=MY_KEY&base_url=http://localhost:1/v1")).start()


def test_the_name_holds_what_decides_answers_and_nothing_secret(server: Server) -> None:
    engine = server.engine("&api_key_env=MY_KEY&timeout=3&concurrency=2&json=object")
    assert engine.name == "openai/tiny-model?json=object"
