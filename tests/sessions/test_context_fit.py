"""Models that take one image or little text: sessions are held with less, over the wire, and say so."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import Body
from refusing_server import Refuse, RefusingServer, images, words

from mirror_bench.cli import main
from mirror_bench.protocol import ClientSettings, load_protocol
from mirror_bench.schema import Session, Speaker, Turn
from mirror_bench.sessions.candidate import read_candidate
from mirror_bench.sessions.evaluation import Evaluation, evaluate
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import read_header

Serve = Callable[[Refuse], RefusingServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    opened = []

    def start(refuse: Refuse) -> RefusingServer:
        opened.append(RefusingServer(refuse))
        return opened[-1]

    yield start
    for server in opened:
        server.close()


def hold(
    server: RefusingServer,
    out: Path,
    *,
    method: str = "direct",
    context: int = 0,
    turns: int = 6,
    **changes: Any,
) -> list[Session]:
    """Holds two sessions and returns them in order."""
    protocol = load_protocol("offline").model_copy(
        update={"max_client_turns": turns, "seeds": (0,), "safety": False} | changes
    )
    candidate = read_candidate(server.model("small"), method, context)
    asyncio.run(evaluate(Evaluation(protocol, candidate, out, limit=2, quiet=True)))
    return sorted(read_sessions(out), key=lambda session: session.scenario_id)


def therapist_turns(session: Session) -> list[Turn]:
    return [turn for turn in session.turns if turn.speaker is Speaker.THERAPIST]


def one_image(body: Body) -> tuple[int, str] | None:
    return (400, "At most 1 image(s) may be provided in one prompt.") if len(images(body)) > 1 else None


def test_a_model_of_one_image_is_shown_the_newest_face(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(one_image)
    out = tmp_path / "run"
    model = server.model("small")
    chosen = "--limit 2 --seeds 0 --no-safety --max-client-turns 6 --out"
    monkeypatch.setattr(sys, "argv", ["mirror-bench", "run", "--therapist", model, *chosen.split(), str(out)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    sessions = list(read_sessions(out))
    assert all(session.ended != "failed" for session in sessions)
    said = capsys.readouterr().err
    assert said.count("takes less than a whole session") == 1
    assert "the newest face alone" in said
    for session in sessions:
        first, *later = therapist_turns(session)
        assert first.fit is None
        for number, turn in enumerate(later, 2):
            assert turn.fit is not None
            assert (turn.fit.faces, turn.fit.of_faces) == (1, number)
            assert turn.fit.turns == turn.fit.of_turns == 2 * number - 1  # every word is still read
    # The face in view is that of the newest client turn, which is the last message.
    assert all(images({"messages": body["messages"][-1:]}) for body in server.answered)
    header = read_header(tmp_path / "run")
    assert header.fits["therapist"]["sessions"] == 2
    assert header.fits["therapist"]["fewest_faces"] == 1
    assert "the newest face alone" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.parametrize(
    "refusal",
    [
        (
            400,
            "This model's maximum context length is 512 tokens. However, your request has 700 input tokens.",
        ),
        (400, "request (700 tokens) exceeds the available context size (512 tokens), try increasing it"),
        (
            422,
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 512. Given: 700",
        ),
        (413, "Payload Too Large"),
    ],
    ids=["vllm", "llama.cpp", "tgi", "http"],
)
def test_a_short_context_loses_the_oldest_turns_whole(
    refusal: tuple[int, str], serve: Serve, tmp_path: Path
) -> None:
    for layout in ("chat", "flat") if refusal[0] == 413 else ("chat",):
        hold_in_a_short_context(refusal, layout, serve, tmp_path / layout)


def hold_in_a_short_context(refusal: tuple[int, str], layout: str, serve: Serve, out: Path) -> None:
    least: list[int] = []

    def refuse(body: Body) -> tuple[int, str] | None:
        least.append(min(*least[-1:], words(body), words(body)))
        return refusal if words(body) > least[-1] + 60 else None

    server = serve(refuse)
    settings = load_protocol("offline").therapist.model_copy(update={"layout": layout})
    sessions = hold(server, out, therapist=settings)
    assert all(session.ended != "failed" for session in sessions)
    fits = [turn.fit for session in sessions for turn in therapist_turns(session) if turn.fit]
    assert any(fit.turns < fit.of_turns for fit in fits)
    assert all(fit.turns % 2 == 1 for fit in fits)
    # In view of the newest face, and as much of the rest as the model takes.
    assert all(len(images(body)) >= 1 for body in server.answered)
    if layout == "chat":
        assert all(body["messages"][1]["role"] == "user" for body in server.answered)


def test_a_run_goes_on_from_memory_to_the_same_bytes(serve: Serve, tmp_path: Path) -> None:
    server = serve(one_image)
    out = tmp_path / "run"
    hold(server, out)
    header = (out / "run.json").read_bytes()
    held = sorted((out / "sessions.jsonl").read_bytes().splitlines())
    asked = server.asked
    (out / "sessions.jsonl").unlink()
    hold(server, out)
    assert server.asked == asked  # not even the refused ones are asked again
    assert (out / "run.json").read_bytes() == header
    # Sessions are written as they end, and two that are held side by side end in either order.
    assert sorted((out / "sessions.jsonl").read_bytes().splitlines()) == held
    assert [one.turns for one in hold(server, tmp_path / "alone")] == [one.turns for one in hold(server, out)]


def test_a_newest_turn_that_is_too_much_fails_with_the_servers_words(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda body: (400, "maximum context length is 4 tokens"))
    for session in hold(server, tmp_path / "run"):
        assert session.ended == "failed"
        assert "maximum context length is 4 tokens" in session.reason


def test_a_client_with_a_short_context_forgets_its_oldest_turns(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda body: (400, "exceeds the context window") if len(body["messages"]) > 6 else None)
    client = ClientSettings(kind="llm", model=server.model("client"))
    sessions = hold(server, tmp_path / "run", method="text", context=1, turns=5, client=client)
    assert all(session.ended != "failed" for session in sessions)
    last = [turn for turn in sessions[0].turns if turn.speaker is Speaker.CLIENT][-1]
    assert last.fit is not None
    assert (last.fit.turns, last.fit.of_turns) == (5, 9)
    assert read_header(tmp_path / "run").fits["client"]["fewest_turns"] == 5
