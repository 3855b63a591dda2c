"""Tiny checkpoints of several families, made once for the test run."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from families import FAMILIES
from sharing import Shared


@pytest.fixture(scope="session")
def families(shared: Shared) -> dict[str, Path]:
    """Family -> folder of its checkpoint."""
    for needed in ("torch", "transformers"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed")

    def save(root: Path) -> None:
        for name, family in FAMILIES.items():
            family.save(root / name)

    root = shared.folder("families", save)
    return {name: root / name for name in FAMILIES}
