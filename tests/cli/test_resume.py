"""A run goes on where only what decides no answer has changed, and is refused by name otherwise."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import hold

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sessions"))
from talking_server import TalkingServer, serving, verdict

from mirror_bench.errors import InputError
from mirror_bench.sessions.candidate import read_candidate
from mirror_bench.sessions.run_folder import read_ratings, read_sessions
from mirror_bench.sessions.run_header import read_header


def run(out: Path, therapist: str, **options: Any) -> None:
    hold(out, therapist, "text", **options)


def reply(body: dict[str, Any], number: int) -> str:
    if "score" in str(body["messages"][-1]["content"]):
        return verdict(number % 5)
    return "What makes it so heavy today?"


def test_a_spent_budget_is_raised_and_the_server_moves(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with serving(reply) as first:
        with pytest.raises(InputError, match="max_requests=3 is spent; raise it"):
            run(out, first.model(max_requests=3), concurrency=1)
        asked = first.asked
    with serving(reply) as second:
        changed = second.model(max_requests=500, timeout=9, concurrency=2, max_retries=1)
        run(out, changed, concurrency=1)
        assert len(list(read_sessions(out))) == 2
        turns = sum(turn.tokens > 0 for one in read_sessions(out) for turn in one.turns)
        assert second.asked == turns - asked, "what was answered before is not asked again"


def test_a_judge_and_a_client_that_moved_go_on(tmp_path: Path) -> None:
    out = tmp_path / "run"

    def command(server: TalkingServer) -> None:
        people = {"judge": (server.model("j"),), "client": server.model("c"), "instrument": ("ctrs",)}
        run(out, server.model("a"), **people)

    with serving(reply) as first:
        command(first)
    before = list(read_sessions(out)), list(read_ratings(out))
    with serving(reply) as second:
        command(second)
        assert second.asked == 0
        judge = read_header(out).protocol.raters[0].model
        assert second.url in judge, "a later rate asks the server that is there"
    assert (list(read_sessions(out)), list(read_ratings(out))) == before
    assert {one.client for one in before[0]} == {"openai/c"}


@pytest.mark.parametrize(
    ("therapist", "options", "named"),
    [
        ("openai/other?base_url={url}", {}, "candidate.model"),
        ("openai/m?base_url={url}&json=object", {}, "candidate.model"),
        ("openai/m?base_url={url}&leave_out=temperature", {}, "candidate.model"),
        ("openai/m?base_url={url}&server=other", {}, "candidate.model"),
        ("openai/m?base_url={url}", {"turns": 3}, "parameters.max_client_turns"),
        ("openai/m?base_url={url}", {"seeds": (1,)}, "parameters.seeds"),
        ("openai/m?base_url={url}", {"client": "openai/c?base_url={url}"}, "parameters.client"),
    ],
)
def test_what_decides_answers_is_refused_by_name(
    held: tuple[Path, str], therapist: str, options: dict[str, Any], named: str
) -> None:
    out, url = held
    filled = {
        key: value.format(url=url) if isinstance(value, str) else value for key, value in options.items()
    }
    with pytest.raises(InputError, match=named):
        run(out, therapist.format(url=url), **filled)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A run of two sessions, and the address of its server."""
    out = tmp_path_factory.mktemp("held") / "run"
    with serving(reply) as server:
        run(out, server.model())
        yield out, server.url


def test_a_folder_without_a_session_takes_the_corrected_command(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(InputError, match="correct base_url"):
        run(out, "openai/m?base_url=http://127.0.0.1:9/v1&max_retries=0")
    with serving(reply) as server:
        run(out, server.model("another", json="off"))
    assert len(list(read_sessions(out))) == 2


@pytest.mark.parametrize(
    ("provider", "indifferent", "decisive"),
    [
        ("vllm", "max_images=4&tensor_parallel_size=2&max_num_seqs=8", "dtype=float32"),
        ("transformers", "max_images=4&batch_size=2&device=cpu", "dtype=float32"),
        ("openai", "timeout=3&concurrency=2&max_retries=1&max_requests=9&api_key_env=X", "json=off"),
    ],
)
def test_a_run_states_a_model_by_what_decides_its_answers(
    tmp_path: Path, provider: str, indifferent: str, decisive: str
) -> None:
    (tmp_path / "config.json").write_text("{}")
    model = f"{provider}/{tmp_path if provider != 'openai' else 'm'}"
    stated = [
        read_candidate(f"{model}{options}", "text").recorded().model
        for options in ("", f"?{indifferent}", f"?{decisive}")
    ]
    assert stated[0] == stated[1] != stated[2]
