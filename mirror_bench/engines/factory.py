"""Opens the engine that a model name stands for."""

from __future__ import annotations

from collections.abc import Callable

from mirror_bench.engines import ENGINES
from mirror_bench.engines.base import Engine
from mirror_bench.errors import InputError
from mirror_bench.modelspec import ModelSpec, parse_model

SPREADING = frozenset({"replicas"})
"""Options of every engine, which decide no answer: see `engines.replicas`."""


def open_engine(spec: ModelSpec) -> Engine:
    """Returns the engine of `spec`, not yet started; several as one where `replicas` or addresses say so.

    Constructing is cheap: options are read and checked, no model is loaded before `Engine.start`.

    Raises:
        InputError: If no engine has that name or an option is wrong.
    """
    single = _single(spec)
    count = 1
    if "replicas" in spec.options:
        from mirror_bench.engines.replicas.engine import replica_count

        count = replica_count(spec.options["replicas"], str(spec))
    addresses = [part.strip() for part in single.options.get("base_url", "").split(",")]
    if len(addresses) > 1:
        if count > 1:
            raise InputError(f"{spec}: takes either several addresses or replicas, not both")
        return _behind_servers(single, addresses)
    engine: Engine = ENGINES.get(spec.provider)(single)
    if count > 1:
        from mirror_bench.engines.replicas.on_ray import open_on_ray

        return open_on_ray(single, count, engine.name)
    return engine


def _behind_servers(spec: ModelSpec, addresses: list[str]) -> Engine:
    from mirror_bench.engines.replicas.engine import ReplicatedEngine

    if "" in addresses:
        raise InputError(f"{spec}: base_url holds an empty address: separate addresses by one comma each")
    kind = ENGINES.get(spec.provider)
    engines = [
        kind(ModelSpec(spec.provider, spec.name, {**spec.options, "base_url": url})) for url in addresses
    ]
    return ReplicatedEngine(engines[0].name, engines)


def engine_name(model: str) -> str:
    """Returns a model's name as its engine states it: with what decides its answers, and nothing else.

    An address, a time-out, a budget or a number of retries is left out; a local checkpoint has its digest.

    Raises:
        InputError: If no engine has that name or an option is wrong.
    """
    return open_engine(parse_model(model)).name


def model_identity(name: str) -> str:
    """Returns what a model is to a fingerprint: all that decides its answers but the request.

    A local checkpoint, adapter or file counts by its content, wherever it lies; options that decide no answer
    (address, time-out, concurrency, budget, replicas, the key's variable) are left out. An engine says so
    itself in a static method `identity(spec)`; of one that does not, every option counts.

    Raises:
        InputError: If no engine has that name.
    """
    spec = _single(parse_model(name))
    identity: Callable[[ModelSpec], str] = getattr(ENGINES.get(spec.provider), "identity", str)
    return identity(spec)


def _single(spec: ModelSpec) -> ModelSpec:
    """Returns what one engine of a model is called, without how many there are."""
    options = {key: value for key, value in spec.options.items() if key not in SPREADING}
    return ModelSpec(spec.provider, spec.name, options)
