"""What tests of several packages share: one untrained checkpoint and one vLLM engine per test run."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror_bench.engines.base import Engine
from mirror_bench.engines.opening import open_engine
from mirror_bench.modelspec import parse_model

pytest_plugins = ["packed_fixtures"]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete tiny vision-language model with random weights, 2,048 tokens of context."""
    for needed in ("torch", "transformers"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")
    from baselines.architecture import save_untrained

    return save_untrained(tmp_path_factory.mktemp("checkpoint") / "tiny")


@pytest.fixture(scope="session")
def vllm_engine(checkpoint: Path) -> Iterator[Engine]:
    """The test run's one vLLM engine, serving `checkpoint`; use it with the mark `engine`."""
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("vLLM is not installed")
    engine = open_engine(parse_model(f"vllm/{checkpoint}"))
    asyncio.run(engine.start())
    yield engine
    asyncio.run(engine.close())
