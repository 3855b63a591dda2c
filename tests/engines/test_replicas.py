"""Several engines of one model: sessions keep theirs, losses are mended, and the answers are those of one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from refusing_server import RefusingServer

from mirror_bench.engines.base import Answer, Engine, Message, Request
from mirror_bench.engines.factory import engine_name, model_identity, open_engine
from mirror_bench.engines.replicas.assignment import Assignment
from mirror_bench.engines.replicas.engine import ReplicatedEngine
from mirror_bench.engines.scoring import scoring
from mirror_bench.errors import EngineError, InputError
from mirror_bench.modelspec import parse_model
from mirror_bench.protocol import load_protocol
from mirror_bench.sessions.candidate import read_candidate
from mirror_bench.sessions.evaluation import Evaluation, evaluate


def request(session: str, turns: int = 1) -> Request:
    """The request of a session's so many-th turn."""
    later = [Message("assistant", ("And?",)), Message("user", ("Well.",))] * (turns - 1)
    return Request((Message("system", ("You are kind.",)), Message("user", (session,)), *later))


def test_a_session_keeps_its_engine_and_new_ones_are_spread_evenly() -> None:
    assignment = Assignment(3)
    first = {name: assignment.choose(request(name)) for name in "abcdefghi"}
    assert sorted(map(str, first.values())) == list("000111222")
    for turns in (2, 3):
        assert {name: assignment.choose(request(name, turns)) for name in first} == first


def test_a_new_session_takes_the_least_busy_engine() -> None:
    assignment = Assignment(2)
    assignment.busy[0] = 5
    assert [assignment.choose(request(name)) for name in "abc"] == [1, 1, 1]


def test_sessions_of_a_lost_engine_move_and_the_others_stay() -> None:
    assignment = Assignment(2)
    first = {name: assignment.choose(request(name)) for name in "abcd"}
    assignment.usable[0] = False
    assert {assignment.choose(request(name)) for name in first} == {1}
    assignment.usable[1] = False
    assert assignment.choose(request("a")) is None


@pytest.mark.parametrize("options", ["replicas=0", "replicas=two", "replicas=4097"])
def test_a_wrong_count_is_told(options: str) -> None:
    with pytest.raises(InputError, match="must be a whole number from 1 to 4096"):
        open_engine(parse_model(f"scripted/echo?{options}"))


def test_how_many_there_are_decides_no_answer() -> None:
    assert engine_name("scripted/echo?replicas=2") == engine_name("scripted/echo") == "scripted/echo"
    assert model_identity("scripted/echo?replicas=2") == model_identity("scripted/echo")
    several = "openai/m?base_url=http://a.test/v1,http://b.test/v1"
    assert engine_name(several) == engine_name("openai/m?base_url=http://a.test/v1")
    with pytest.raises(InputError, match="not both"):
        open_engine(parse_model(f"{several}&replicas=2"))
    with pytest.raises(InputError, match="empty address"):
        open_engine(parse_model("openai/m?base_url=http://a.test/v1,"))
    with pytest.raises(InputError, match="no password"):
        parse_model("openai/m?base_url=http://a.test/v1,http://me:secret@b.test/v1")


def hold(model: str, out: Path) -> list[bytes]:
    """Holds eight sessions; returns them in order."""
    protocol = load_protocol("offline").model_copy(
        update={"max_client_turns": 4, "seeds": (0,), "safety": False}
    )
    asyncio.run(evaluate(Evaluation(protocol, read_candidate(model), out, limit=8, quiet=True)))
    return sorted((out / "sessions.jsonl").read_bytes().splitlines())


def test_servers_share_the_sessions_and_one_that_goes_is_done_without(tmp_path: Path) -> None:
    servers = [RefusingServer(lambda body: None) for _ in range(3)]
    try:
        alone = hold(servers[0].model(), tmp_path / "alone")
        before = servers[0].asked
        urls = ",".join(server.url for server in servers)
        assert hold(f"openai/m?base_url={urls}", tmp_path / "three") == alone
        shares = [servers[0].asked - before, servers[1].asked, servers[2].asked]
        assert sum(shares) == before  # nothing is asked twice
        assert min(shares) > 0
        servers[1].close()
        assert hold(f"openai/m?base_url={urls}&max_retries=0", tmp_path / "two") == alone
        assert servers[1].asked == shares[1]
    finally:
        for server in (servers[0], servers[2]):
            server.close()


def test_where_all_servers_are_gone_it_says_so(tmp_path: Path) -> None:
    servers = [RefusingServer(lambda body: None) for _ in range(2)]
    for server in servers:
        server.close()
    urls = ",".join(server.url for server in servers)
    with pytest.raises(InputError, match="no server answers"):
        hold(f"openai/m?base_url={urls}&max_retries=0", tmp_path / "none")


@pytest.fixture(scope="module")
def ray_here() -> Iterator[Any]:
    """Ray on this machine with two CPUs, for all tests of this file."""
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield ray
    ray.shutdown()


@pytest.fixture
async def two(ray_here: Any) -> AsyncIterator[ReplicatedEngine]:
    engine = open_engine(parse_model("scripted/echo?replicas=2&delay=0.05"))
    assert isinstance(engine, ReplicatedEngine)
    await engine.start()
    yield engine
    await engine.close()


async def ask_all(engine: Engine, count: int = 12) -> list[Answer]:
    return list(await asyncio.gather(*(engine.answer(request(f"session {n}")) for n in range(count))))


async def test_replicas_on_ray_answer_as_one_engine_would(two: ReplicatedEngine) -> None:
    assert await ask_all(two) == await ask_all(open_engine(parse_model("scripted/echo")))
    assert two.sees is False


async def test_a_killed_actor_is_started_again_and_nothing_is_lost(
    ray_here: Any, two: ReplicatedEngine
) -> None:
    asked = asyncio.create_task(ask_all(two))
    await asyncio.sleep(0.02)
    victim: Any = two.engines[0]
    ray_here.kill(victim._actor)
    assert await asked == await ask_all(open_engine(parse_model("scripted/echo")))
    assert two.revivals == [1, 0]
    assert two.engines[0] is not victim


async def test_an_engines_own_error_comes_through_as_it_is(ray_here: Any) -> None:
    engine = open_engine(parse_model("scripted/refuse?share=1&replicas=2"))
    await engine.start()
    try:
        with pytest.raises(EngineError, match="refuse"):
            await engine.answer(request("a"))
        with pytest.raises(InputError, match="no log-probabilities"):
            await scoring(engine).score(request("a"), ["Yes."])
    finally:
        await engine.close()


def test_a_run_goes_on_where_the_process_of_a_replica_is_killed(ray_here: Any, tmp_path: Path) -> None:
    model = "scripted/echo?delay=0.02&sees=true"
    alone = hold(model, tmp_path / "alone")
    killed: list[int] = []

    def kill_one() -> None:
        for _ in range(1000):
            for process in psutil.process_iter(["cmdline"]):
                if (process.info["cmdline"] or [""])[0].startswith("ray::_Hosted.answer"):
                    process.kill()
                    killed.append(process.pid)
                    return
            time.sleep(0.01)

    killer = threading.Thread(target=kill_one)
    killer.start()
    assert hold(f"{model}&replicas=2", tmp_path / "two") == alone
    killer.join()
    assert killed


@pytest.mark.campaign
@pytest.mark.engine
async def test_two_vllm_engines_answer_as_one_does(ray_here: Any, checkpoint: Path) -> None:
    model = f"vllm/{checkpoint}?max_model_len=512&kv_gib=0.1"
    asked = [request(f"session {number}", turns) for number in range(6) for turns in (1, 2)]
    answers = []
    for name in (model, f"{model}&replicas=2"):
        engine = open_engine(parse_model(name))
        await engine.start()
        try:
            answers.append([(await engine.answer(one)).text for one in asked])
        finally:
            await engine.close()
    assert answers[0] == answers[1]
    assert any(answers[0])


@pytest.mark.campaign
async def test_a_node_of_a_cluster_may_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replicas on a node that is removed are started on what is left, and no answer is lost."""
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "120")  # on a machine that is busy with other tests
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    ray.shutdown()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = cluster.add_node(num_cpus=1)
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    engine = open_engine(parse_model("scripted/echo?replicas=2&delay=0.3"))
    assert isinstance(engine, ReplicatedEngine)
    try:
        await engine.start()
        asked = asyncio.create_task(ask_all(engine))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(cluster.remove_node, second, False)
        cluster.add_node(num_cpus=1)
        assert await asked == await ask_all(open_engine(parse_model("scripted/echo")))
        assert sum(engine.revivals) == 1
    finally:
        await engine.close()
        ray.shutdown()
        cluster.shutdown()
