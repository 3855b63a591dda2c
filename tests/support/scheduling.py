"""Which tests run, and how two workers share them: what needs the same costly thing stays with one worker."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).resolve().parents[2]
# What the files of a group have in their text. They share what would cost as much again in another worker.
GROUPS = {"engine": "mark.engine", "browser": "mark.browser", "static": '"quick_lm_eval"'}
# The heaviest groups and files first, so that the workers end at about the same time.
HEAVY = (
    "engine",
    "browser",
    "static",
    "tests/submissions/test_tampering.py",
    "tests/figures/test_plots_of_runs.py",
    "tests/sessions/test_kill.py",
    "tests/clients/test_dynamics.py",
    "training",
    "tests/analysis/test_quality.py",
    "tests/figures/test_plots.py",
    "tests/analysis/test_faces.py",
    "tests/submissions/test_verify.py",
    "tests/making/test_face_making.py",
    "tests/making/test_face_diffusion.py",
)


@functools.cache
def group_of(file: str) -> str:
    """Returns the group of a file of tests, named by `xdist_group` or found by its text; else the file.

    xdist's own groups would need the marks of tests where only their names are known, and cannot be had
    under every version of pytest.
    """
    path = ROOT / file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if named := re.search(r'xdist_group\("(\w+)"\)', text):
        return named[1]
    return next((group for group, sign in GROUPS.items() if sign in text), file)


class Scheduling(LoadFileScheduling):  # type: ignore[misc]
    """Gives a whole group to a worker, as `--dist loadfile` does with a file."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling | None:
    """Replaces the schedulers that keep files or groups together."""
    if config.getoption("dist") not in ("loadfile", "loadgroup"):
        return None
    config.option.loadscopereorder = False  # the order is that of `pytest_collection_modifyitems`
    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves campaigns out unless they are asked for, and puts the heavy groups first."""
    if "campaign" not in config.option.markexpr:
        campaigns = [item for item in items if item.get_closest_marker("campaign")]
        if campaigns:
            config.hook.pytest_deselected(items=campaigns)
            items[:] = [item for item in items if not item.get_closest_marker("campaign")]
    places = {name: place for place, name in enumerate(HEAVY)}
    items.sort(key=lambda item: places.get(group_of(item.nodeid.split("::")[0]), len(places)))
