"""Engines as Ray actors, one a replica: on this machine, or wherever a cluster has room for them."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Sequence
from typing import Any

from mirror_bench.engines.base import Answer, Request
from mirror_bench.engines.factory import open_engine
from mirror_bench.engines.replicas.engine import ReplicatedEngine
from mirror_bench.engines.scoring import Likelihood, scoring
from mirror_bench.errors import EngineDeadError, EngineError, InputError
from mirror_bench.modelspec import ModelSpec, parse_model
from mirror_bench.text import one_line

_CONNECTING = threading.Lock()
IN_FLIGHT = 4096
"""Requests that one actor takes at a time; its engine batches them as it likes."""


def open_on_ray(spec: ModelSpec, count: int, name: str) -> ReplicatedEngine:
    """Returns `count` engines of one model on Ray as one engine, not yet started.

    Args:
        spec: The model, without the options `replicas` and `ray`.
        count: How many replicas.
        name: What one engine of it is called.
    """
    address = os.environ.get("RAY_ADDRESS", "").strip()
    replicas = [RayReplica(spec, name, address) for _ in range(count)]

    async def revive(number: int) -> RayReplica:
        fresh = RayReplica(spec, name, address)
        await fresh.start()
        return fresh

    return ReplicatedEngine(name, replicas, revive)


class RayReplica:
    """One engine in an actor of its own.

    Args:
        spec: The model.
        name: What the engine is called.
        address: Ray's address ("auto", "ray://host:10001", "host:6379"); empty for this machine.
    """

    def __init__(self, spec: ModelSpec, name: str, address: str) -> None:
        self.name = name
        self.sees = True
        self._spec, self._address = spec, address
        self._actor: Any = None

    async def start(self) -> None:
        """Starts the actor where the cluster has room, and loads the model in it.

        Raises:
            InputError: If Ray is missing or not reachable, or the model cannot be opened.
        """
        if self._actor is not None:
            return
        ray = await asyncio.to_thread(_connect, self._address)
        # An actor asks for the GPUs that its engine takes; without GPUs in the cluster it asks for a CPU.
        gpus = int(self._spec.options.get("tensor_parallel_size", "1")) if _needs_gpu(ray, self._spec) else 0
        kind = ray.remote(num_gpus=gpus, num_cpus=0 if gpus else 1, max_concurrency=IN_FLIGHT)(_Hosted)
        self._actor = kind.remote(str(self._spec))
        self.sees = await self._call("start")

    async def answer(self, request: Request) -> Answer:
        """See `Engine.answer`."""
        answer: Answer = await self._call("answer", request)
        return answer

    async def score(self, request: Request, continuations: Sequence[str]) -> list[Likelihood]:
        """See `ScoringEngine.score`."""
        likelihoods: list[Likelihood] = await self._call("score", request, tuple(continuations))
        return likelihoods

    async def close(self) -> None:
        """Closes the engine and gives its place back."""
        actor, self._actor = self._actor, None
        if actor is None:
            return
        import ray

        ray.kill(actor)

    async def _call(self, method: str, *arguments: Any) -> Any:
        from ray.exceptions import RayActorError, RayError, RayTaskError

        if self._actor is None:
            raise EngineDeadError(f"{self.name}: the replica is closed")
        try:
            return await getattr(self._actor, method).remote(*arguments)
        except RayTaskError as error:  # what the engine itself raised
            if isinstance(error.cause, (EngineError, InputError)):
                raise error.cause from None
            raise InputError(f"{self.name}: {one_line(error.cause)}") from None
        except RayActorError as error:
            raise EngineDeadError(f"{self.name}: a replica is lost: {one_line(error)}") from None
        except RayError as error:
            raise EngineDeadError(f"{self.name}: Ray failed: {one_line(error)}") from None


class _Hosted:
    """The engine inside an actor."""

    def __init__(self, spec: str) -> None:
        self._engine = open_engine(parse_model(spec))

    async def start(self) -> bool:
        """Loads the model; returns whether it reads images."""
        await self._engine.start()
        return self._engine.sees

    async def answer(self, request: Request) -> Answer:
        return await self._engine.answer(request)

    async def score(self, request: Request, continuations: Sequence[str]) -> list[Likelihood]:
        return await scoring(self._engine).score(request, continuations)


def _connect(address: str) -> Any:
    """Returns the module `ray`, connected; a connection that stands is used as it is."""
    try:
        import ray
    except ImportError:
        raise InputError(
            "replicas need Ray: pip install 'mirror-bench[ray]', or leave out the option replicas"
        ) from None
    with _CONNECTING:  # replicas start side by side, and Ray takes one connection a process
        if not ray.is_initialized():
            try:
                ray.init(
                    address=address or None,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    configure_logging=False,
                )
            except (ConnectionError, ValueError, RuntimeError, OSError) as error:
                raise InputError(
                    f"Ray at {address or 'this machine'} cannot be reached: {one_line(error)}: "
                    "check --ray, or start a cluster with ray start --head"
                ) from None
    return ray


def _needs_gpu(ray: Any, spec: ModelSpec) -> bool:
    local = spec.provider in {"vllm", "transformers"} and spec.options.get("device") != "cpu"
    return local and ray.cluster_resources().get("GPU", 0) > 0
