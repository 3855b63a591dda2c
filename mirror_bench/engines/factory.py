"""Opens the engine that a model name stands for."""

from __future__ import annotations

from collections.abc import Callable

from mirror_bench.engines import ENGINES
from mirror_bench.engines.base import Engine
from mirror_bench.modelspec import ModelSpec, parse_model


def open_engine(spec: ModelSpec) -> Engine:
    """Returns the engine of `spec`, not yet started.

    Constructing is cheap: options are read and checked, no model is loaded before `Engine.start`.

    Raises:
        InputError: If no engine has that name or an option is wrong.
    """
    engine: Engine = ENGINES.get(spec.provider)(spec)
    return engine


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
    (address, time-out, concurrency, budget, the key's variable) are left out. An engine says so itself in a
    static method `identity(spec)`; of one that does not, every option counts.

    Raises:
        InputError: If no engine has that name.
    """
    spec = parse_model(name)
    identity: Callable[[ModelSpec], str] = getattr(ENGINES.get(spec.provider), "identity", str)
    return identity(spec)
