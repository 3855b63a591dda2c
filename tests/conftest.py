"""What tests of several packages share: one untrained checkpoint and one vLLM engine per test run.

How tests are chosen and shared out stands in `tests/support/scheduling.py`, and what workers share in
`sharing.py` beside it.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import environment  # noqa: F401 - before all that reads it
import pytest
from hypothesis import HealthCheck, settings
from sharing import Shared, shared_by_workers

from mirror_bench.engines.base import Engine
from mirror_bench.engines.factory import open_engine
from mirror_bench.modelspec import parse_model

pytest_plugins = [
    "scheduling",
    "figures",
    "quick_lm_eval",
    "short_runs",
    "browsing",
    "study_samples",
    "packed_fixtures",
    "chat_fixtures",
    "family_fixtures",
]

# `make campaign` takes the second one, by --hypothesis-profile.
settings.register_profile(
    "fast", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("campaign", settings.get_profile("fast"), max_examples=1_000)
settings.load_profile("fast")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """What is made once for all workers."""
    return shared_by_workers(tmp_path_factory)


@pytest.fixture(scope="session")
def checkpoint(shared: Shared) -> Path:
    """A complete tiny vision-language model with random weights, 2,048 tokens of context."""
    for needed in ("torch", "transformers"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")
    from baselines.architecture import save_untrained

    return shared.folder("checkpoint", lambda folder: save_untrained(folder / "tiny")) / "tiny"


@pytest.fixture(scope="session")
def vllm_engine(checkpoint: Path) -> Iterator[Engine]:
    """The test run's one vLLM engine, serving `checkpoint`; use it with the mark `engine`."""
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("vLLM is not installed")
    engine = open_engine(parse_model(f"vllm/{checkpoint}?kv_gib=0.25"))
    asyncio.run(engine.start())
    yield engine
    asyncio.run(engine.close())
