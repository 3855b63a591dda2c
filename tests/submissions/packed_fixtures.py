"""One packed run of each kind for all tests of submissions."""

from __future__ import annotations

import pytest
from packed import Packed, hold_model, hold_scripted, pack


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    folder = tmp_path_factory.mktemp("scripted")
    return pack(hold_scripted(folder), folder / "scripted.mirror.zip")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    folder = tmp_path_factory.mktemp("model")
    # Its answers are five lines over and over, and it says so.
    return pack(hold_model(folder), folder / "model.mirror.zip", templated=True)
