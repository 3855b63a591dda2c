"""One packed run of each kind for all tests of submissions."""

from __future__ import annotations

from pathlib import Path

import pytest
from packed import Packed, hold_model, hold_scripted, pack
from sharing import Shared


def _scripted(folder: Path) -> None:
    pack(hold_scripted(folder), folder / "scripted.mirror.zip")


def _model(folder: Path) -> None:
    # Its answers are five lines over and over, and it says so.
    pack(hold_model(folder), folder / "model.mirror.zip", templated=True)


@pytest.fixture(scope="session")
def scripted(shared: Shared) -> Packed:
    folder = shared.folder("packed-scripted", _scripted)
    return Packed(folder / "attuned", folder / "scripted.mirror.zip")


@pytest.fixture(scope="session")
def model(shared: Shared) -> Packed:
    folder = shared.folder("packed-model", _model)
    return Packed(folder / "model", folder / "model.mirror.zip")
