"""Costly things that are made once for the whole test run, by whichever worker needs them first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


class Shared:
    """A folder that all workers see, with a sub-folder for each thing made."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def folder(self, name: str, make: Callable[[Path], object]) -> Path:
        """Returns the folder of this name after `make` has filled it; other workers wait meanwhile."""
        folder, made = self.place / name, self.place / f"{name}.made"
        with FileLock(self.place / f"{name}.lock"):
            if not made.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed halfway
                folder.mkdir()
                make(folder)
                made.touch()
        return folder


def shared_by_workers(factory: pytest.TempPathFactory) -> Shared:
    """Returns the folder that all workers of a test run share, from the temporary folders of one of them."""
    base = factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    place.mkdir(exist_ok=True)
    return Shared(place)
