"""What chat servers do beside answering, over the wire: refuse, keep back, ask to wait, and answer oddly."""

from __future__ import annotations

import email.utils
import logging
import time
from typing import Any

import pytest
from chat_server import KEY, Reply, Server, completion, refusal

from mirror_bench.engines.base import ImagePart, Message, Request, Sampling
from mirror_bench.errors import EngineDeadError, EngineError
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.raters.judge_item import answer_schema

TALK = (Message("system", ("Listen.",)), Message("user", ("So?",)))
FACE = (*TALK[:1], Message("user", (ImagePart(b"\x89PNG image"), "So?")))
DRAWN = Sampling(0.7, 0.9, 0.2, 0.1, 64, ("Client:",))
OK: Reply = (200, completion(), {})


def refusing(field: str, words: str, status: int = 400, param: str | None = None) -> Any:
    def rule(body: dict[str, Any]) -> Reply:
        return (status, refusal(words, None, param), {}) if field in body else OK

    return rule


@pytest.mark.parametrize(
    ("field", "words", "status", "remedy"),
    [
        (
            "max_tokens",
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            400,
            "max_completion",
        ),
        (
            "temperature",
            "temperature does not support 0.7; only the default (1) is supported",
            400,
            "temperature",
        ),
        ("top_p", "`temperature` and `top_p` cannot both be specified for this model", 400, "top_p"),
        ("seed", "body.seed: Extra inputs are not permitted", 422, "seed"),
        (
            "frequency_penalty",
            "Argument not supported on this model: frequency_penalty",
            400,
            "frequency_penalty",
        ),
        ("presence_penalty", "Unknown name 'presence_penalty'", 400, "presence_penalty"),
        ("stop", "Unsupported parameter: 'stop' is not supported with this model.", 400, "stop"),
        ("response_format", "This response_format type is unavailable: not supported", 400, "json="),
    ],
)
async def test_a_refused_field_is_put_otherwise_said_once_and_recorded(
    server: Server, field: str, words: str, status: int, remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.rule = refusing(field, words, status)
    engine = server.engine()
    request = Request(TALK, DRAWN, seed=5, json_schema=answer_schema(load_instrument("ctrs")))
    with caplog.at_level(logging.WARNING, "mirror_bench"):
        for _ in range(3):
            assert (await engine.answer(request)).text == "I hear you."
    assert field not in server.bodies[-1]
    assert {"model", "messages", "temperature"} - {field} <= set(server.bodies[-1])
    refused = sum(field in body for body in server.bodies)
    assert refused == len(engine.adapted) == len(caplog.records) <= 2
    assert all(remedy in line and words[:20] in line for line in engine.adapted)
    await engine.close()


async def test_several_fields_are_learnt_one_after_another(server: Server) -> None:
    def rule(body: dict[str, Any]) -> Reply:
        for field in ("top_p", "temperature", "seed", "max_tokens"):
            if field in body:
                return (
                    400,
                    {
                        "detail": [
                            {"loc": ["body", field], "msg": "extra fields not permitted", "input": body}
                        ]
                    },
                    {},
                )
        return OK

    server.rule = rule
    engine = server.engine()
    assert (await engine.answer(Request(TALK, DRAWN))).text
    assert server.bodies[-1]["max_completion_tokens"] == 64
    assert len(engine.adapted) == 4
    await engine.close()


@pytest.mark.parametrize(
    ("reply", "messages", "says"),
    [
        ((402, refusal("insufficient credits"), {}), TALK, r"402: insufficient credits.*top it up"),
        (
            (401, refusal(f"wrong key {KEY}"), {}),
            TALK,
            r"refuses the key \(HTTP 401: wrong key \*\*\*\).*OPENAI_API_KEY",
        ),
        ((404, refusal("no such model"), {}), TALK, r"404: no such model.*base_url"),
        (
            (400, refusal("this model does not support image input"), {}),
            FACE,
            r"takes no images.*--method text",
        ),
        (
            (404, refusal("No endpoints found that support image input"), {}),
            FACE,
            r"takes no images.*--method text",
        ),
        (
            (400, {"object": "error", "message": "x is not a multimodal model", "code": 400}, {}),
            FACE,
            "takes no images",
        ),
        (
            (200, "<html><body>login first</body></html>", {"Content-Type": "text/html"}),
            TALK,
            r"web page.*login first",
        ),
        (
            (400, refusal("the field messages is odd"), {}),
            TALK,
            r"refuses every request.*messages is odd.*leave_out",
        ),
        (
            (400, {"error": "model is not deployed"}, {}),
            TALK,
            r"refuses every request.*model is not deployed",
        ),
        (
            (429, refusal("You exceeded your current quota", "insufficient_quota"), {}),
            TALK,
            "quota or money is spent",
        ),
        ((200, {"error": {"message": "no credits left", "code": 402}}, {}), TALK, "quota or money is spent"),
    ],
)
async def test_what_every_request_would_meet_stops_the_engine_at_once(
    server: Server, reply: Reply, messages: tuple[Message, ...], says: str
) -> None:
    server.reply = lambda number: reply
    engine = server.engine("&concurrency=1")
    for _ in range(3):
        with pytest.raises(EngineDeadError, match=says) as caught:
            await engine.answer(Request(messages))
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(server.bodies) <= 2
    await engine.close()


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 8192 tokens; your messages resulted in 9000 tokens",
        "The response was filtered due to the prompt triggering our content management policy",
        "At most 1 image may be given in one prompt",
        "prompt is too long: 210000 tokens > 200000 maximum",
    ],
)
async def test_what_one_request_says_or_its_length_fails_it_alone(server: Server, words: str) -> None:
    replies: list[Reply] = [(400, refusal(words), {}), OK]
    server.reply = lambda number: replies[number - 1]
    engine = server.engine()
    with pytest.raises(EngineError, match=words[:20]):
        await engine.answer(Request(FACE))
    assert (await engine.answer(Request(TALK))).text
    await engine.close()


async def test_what_is_no_json_may_pass_and_stops_the_engine_where_nothing_else_comes(server: Server) -> None:
    garbage: Reply = (200, "\x01 no json", {})
    server.reply = lambda number: garbage if number == 1 else OK
    engine = server.engine("&max_retries=1")
    assert (await engine.answer(Request(TALK))).text
    server.reply = lambda number: garbage
    with pytest.raises(EngineError, match=r"no JSON .*no json.* in 2 tries"):
        await engine.answer(Request(TALK))
    await engine.close()
    other = server.engine("&max_retries=1")
    for _ in range(2):
        with pytest.raises(
            EngineDeadError, match=r"no JSON.*in place of a chat completion; correct base_url"
        ):
            await other.answer(Request(TALK))
    await other.close()


async def test_an_unknown_refusal_is_tried_out_with_a_question_for_nobody_to_refuse(server: Server) -> None:
    def odd(body: dict[str, Any]) -> Reply:
        return OK if "hello" in str(body["messages"]) else (400, refusal("number out of order"), {})

    server.rule = odd
    engine = server.engine()
    for _ in range(2):
        with pytest.raises(EngineError, match="number out of order"):
            await engine.answer(Request(TALK))
    assert len(server.bodies) == 3
    await engine.close()


async def test_images_that_are_refused_in_unknown_words_are_found_out(server: Server) -> None:
    def rule(body: dict[str, Any]) -> Reply:
        return (400, refusal("bad part"), {}) if "image_url" in str(body["messages"]) else OK

    server.rule = rule
    engine = server.engine()
    with pytest.raises(EngineDeadError, match=r"takes no images.*bad part"):
        await engine.answer(Request(FACE))
    await engine.close()


@pytest.mark.parametrize("form", ["seconds", "date", "milliseconds", "words"])
async def test_a_short_wait_that_the_server_names_is_waited(server: Server, form: str) -> None:
    def limited() -> Reply:
        date = email.utils.formatdate(time.time() + 2, usegmt=True)  # whole seconds: at least one from now
        headers = {
            "seconds": {"Retry-After": "1"},
            "date": {"Retry-After": date},
            "milliseconds": {"retry-after-ms": "900"},
        }
        words = "limit reached, please try again in 1.1s" if form == "words" else "limit reached"
        return 429, refusal(words), headers.get(form, {})

    server.reply = lambda number: limited() if number == 1 else OK
    engine = server.engine("&max_retries=1")
    assert (await engine.answer(Request(TALK))).text
    first, second = server.times
    assert second - first >= 0.85
    await engine.close()


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_long_wait_stops_the_engine_and_says_when_to_come_back(server: Server, form: str) -> None:
    after = "7300" if form == "seconds" else email.utils.formatdate(time.time() + 7300, usegmt=True)
    server.reply = lambda number: (429, refusal("slow down"), {"Retry-After": after})
    engine = server.engine("&concurrency=1")
    begun = time.perf_counter()
    for _ in range(2):
        with pytest.raises(EngineDeadError, match=r"come back in 2 h [12] min, at \d{4}-.*max_wait"):
            await engine.answer(Request(TALK))
    assert time.perf_counter() - begun < 2
    assert len(server.bodies) == 1
    await engine.close()


async def test_requests_in_flight_wait_together(server: Server) -> None:
    server.reply = lambda number: (429, refusal("wait"), {"Retry-After": "1"}) if number == 1 else OK
    engine = server.engine("&concurrency=1")
    await engine.answer(Request(TALK))
    await engine.answer(Request(TALK))
    assert server.times[1] - server.times[0] >= 0.95
    await engine.close()


@pytest.mark.parametrize(
    ("content", "heard"),
    [
        ([{"type": "text", "text": "I hear "}, {"type": "text", "text": "you."}], "I hear you."),
        (["I hear you."], "I hear you."),
        (
            [
                {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                {"type": "text", "text": "Yes."},
            ],
            "Yes.",
        ),
        (5, "5"),
        ({"type": "text", "text": "Yes."}, "Yes."),
    ],
)
async def test_contents_of_other_types_are_read(server: Server, content: object, heard: str) -> None:
    server.reply = lambda number: (200, completion(content), {})
    engine = server.engine()
    assert (await engine.answer(Request(TALK))).text == heard
    await engine.close()


async def test_counts_that_are_null_missing_or_odd_are_zero(server: Server) -> None:
    usages: list[object] = [
        None,
        {"prompt_tokens": None, "completion_tokens": None},
        {"completion_tokens": "x"},
        [],
        -1,
    ]
    server.reply = lambda number: (200, completion() | {"usage": usages[number - 1]}, {})
    engine = server.engine()
    for _ in usages:
        answer = await engine.answer(Request(TALK))
        assert (answer.prompt_tokens, answer.tokens) == (0, 0)
    await engine.close()


async def test_a_content_that_is_no_text_fails_its_request(server: Server) -> None:
    server.reply = lambda number: (200, completion({"a": 1}), {})
    engine = server.engine()
    with pytest.raises(EngineError, match="no text"):
        await engine.answer(Request(TALK))
    await engine.close()


@pytest.mark.parametrize(
    ("text", "finish", "beside", "why"),
    [
        (None, "length", {}, "max_thinking_tokens"),
        ("", "length", {"reasoning_content": "The client"}, "still thinking"),
        ("<think>The client is", "length", {}, "still thinking"),
        ("", "content_filter", {}, "content filter"),
        (None, "SAFETY", {}, "content filter"),
        (None, "tool_calls", {"tool_calls": [{"id": "1", "function": {"name": "look"}}]}, r"a tool \(look\)"),
        ("", None, {}, "nothing says why"),
    ],
)
async def test_no_words_are_a_failed_answer(
    server: Server, text: object, finish: str, beside: dict[str, Any], why: str
) -> None:
    server.reply = lambda number: (200, completion(text, finish, **beside), {})
    engine = server.engine()
    with pytest.raises(EngineError, match=why):
        await engine.answer(Request(TALK))
    await engine.close()


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
async def test_thoughts_beside_the_answer_are_kept_in_raw(server: Server, field: str) -> None:
    server.reply = lambda number: (200, completion("Yes.", **{field: "He lies."}), {})
    engine = server.engine()
    answer = await engine.answer(Request(TALK))
    assert (answer.text, answer.whole) == ("Yes.", "<think>\nHe lies.\n</think>\n\nYes.")
    await engine.close()


async def test_thinking_has_room_of_its_own(server: Server) -> None:
    options = '&max_thinking_tokens=1000&reasoning_effort=low&extra_body={"top_k":20,"chat":{"thinking":1}}'
    engine = server.engine(options)
    server.reply = lambda number: (200, completion("<think>a\n\nb</think>Yes.\n\nNo."), {})
    answer = await engine.answer(Request(TALK, Sampling(max_tokens=24, stop=("\n\n",))))
    assert answer.text == "Yes."
    (body,) = server.bodies
    assert (body["max_tokens"], body["reasoning_effort"], body["top_k"]) == (1024, "low", 20)
    assert body["chat"] == {"thinking": 1}
    assert "stop" not in body
    assert all(part in engine.name for part in ("max_thinking_tokens=1000", "reasoning_effort=low", "top_k"))
    await engine.close()


async def test_too_much_room_is_refused_with_the_option_to_lower(server: Server) -> None:
    def rule(body: dict[str, Any]) -> Reply:
        words = "max_tokens is too large: 90064. This model supports at most 16384 completion tokens"
        return (400, refusal(words, param="max_tokens"), {}) if body["max_tokens"] > 16384 else OK

    server.rule = rule
    engine = server.engine("&max_thinking_tokens=90000")
    with pytest.raises(EngineDeadError, match="lower max_thinking_tokens"):
        await engine.answer(Request(TALK, DRAWN))
    await engine.close()


async def test_a_cut_answer_of_a_model_whose_template_opens_thoughts_is_no_speech(server: Server) -> None:
    replies = [
        completion("He lies.</think>Yes."),
        completion("He lies, and I", "length"),
        completion("Fine.", "stop"),
    ]
    server.reply = lambda number: (200, replies[number - 1], {})
    engine = server.engine("&concurrency=1")
    assert (await engine.answer(Request(TALK))).text == "Yes."
    with pytest.raises(EngineError, match="still thinking"):
        await engine.answer(Request(TALK))
    assert (await engine.answer(Request(TALK))).text == "Fine."
    await engine.close()


@pytest.mark.parametrize("mode", ["object", "off"])
async def test_a_form_that_the_server_does_not_enforce_is_told_in_words(server: Server, mode: str) -> None:
    engine = server.engine(f"&json={mode}")
    await engine.answer(
        Request(TALK, json_schema={"type": "object", "properties": {"score": {"type": "integer"}}})
    )
    (body,) = server.bodies
    assert body["messages"][0]["content"].startswith("Listen.")
    assert '"score": {"type": "integer"}' in body["messages"][0]["content"]
    await engine.close()
