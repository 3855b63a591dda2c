"""Addresses with queries, and keys that must never stand in a message."""

from __future__ import annotations

import pytest
from chat_server import KEY, Server

from mirror_bench.engines.base import Message, Request
from mirror_bench.errors import InputError
from mirror_bench.modelspec import parse_model

TALK = (Message("system", ("Listen.",)), Message("user", ("So?",)))


@pytest.mark.parametrize("path", ["", "/chat/completions", "/"])
async def test_a_query_in_the_address_stays_one(server: Server, path: str) -> None:
    from mirror_bench.engines.openai.engine import OpenAIEngine

    engine = OpenAIEngine(parse_model(f"openai/m?base_url={server.url}{path}?api-version=2024-10-21"))
    await engine.answer(Request(TALK))
    assert server.paths == ["/v1/chat/completions?api-version=2024-10-21"]
    await engine.close()


async def test_keys_are_trimmed_or_refused_with_their_length_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for written in (f"{KEY}\r", f" {KEY}\n", f'"{KEY}"', f"\ufeff{KEY}"):
        monkeypatch.setenv("OPENAI_API_KEY", written)
        engine = server.engine()
        await engine.answer(Request(TALK))
        await engine.close()
    sent = {{name.lower(): value for name, value in one.items()}["authorization"] for one in server.headers}
    assert sent == {f"Bearer {KEY}"}
    for written in (f"{KEY} {KEY}", f"{KEY}\r\nX: y", f"{KEY}é"):
        monkeypatch.setenv("OPENAI_API_KEY", written)
        with pytest.raises(InputError, match=f"holds {len(written)} characters") as caught:
            await server.engine().start()
        assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "spec",
    [
        "openai/m?base_url=http://me:{key}@host/v1",
        "openai/m?base_url=http://host/v1?api_key={key}",
        "openai/m?base_url=http://host/v1?sig={key}",
        "openai/m?api_key={key}",
        "openai/m?token={key}",
        "openai/m?api_key_env={key}",
        'openai/m?extra_body={{"api_key":"{key}"}}',
        "openai/m?base_url={key}",
        "openai/?{key}",
    ],
)
def test_no_message_about_a_model_holds_a_key(spec: str) -> None:
    from mirror_bench.engines.factory import open_engine

    key = "sk-Proj0123456789abcdefSECRET"
    with pytest.raises(InputError) as caught:
        open_engine(parse_model(spec.format(key=key), "--therapist"))
    assert key not in str(caught.value)
    assert "SECRET" not in str(caught.value)
