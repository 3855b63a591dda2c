"""Opens the engine that a model name stands for."""

from __future__ import annotations

from mirror_bench.engines import ENGINES
from mirror_bench.engines.base import Engine
from mirror_bench.modelspec import ModelSpec


def open_engine(spec: ModelSpec) -> Engine:
    """Returns the engine of `spec`, not yet started.

    Constructing is cheap: options are read and checked, no model is loaded before `Engine.start`.

    Raises:
        InputError: If no engine has that name or an option is wrong.
    """
    engine: Engine = ENGINES.get(spec.provider)(spec)
    return engine
