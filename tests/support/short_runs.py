"""Real runs for tests that look at something else than how a run is held."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from sharing import Shared

from mirror_bench.cli import cli

SHORT = ("reflective", "parrot")


@contextmanager
def undrawn() -> Iterator[None]:
    """Lets reports of runs be written without their figures, which take longer than a short run itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mirror_bench.pages.run_report.write_plots", lambda summary, folder: [])
        yield


@pytest.fixture(scope="module")
def without_figures() -> Iterator[None]:
    """For modules whose tests look at no figure."""
    with undrawn():
        yield


def _hold(folder: Path) -> None:
    for name in SHORT:
        command = ["run", "--therapist", f"scripted/{name}", "--limit", "4", "--seeds", "0"]
        command += ["--max-client-turns", "4", "--quiet", "--out", str(folder / name)]
        with undrawn():
            done = CliRunner().invoke(cli, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def short_runs(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs of a skilled and an unskilled scripted therapist, four sessions each: a module's own copies."""
    held = shared.folder("short-runs", _hold)
    copied = Path(shutil.copytree(held, tmp_path_factory.mktemp("runs") / "short"))
    return {name: copied / name for name in SHORT}
