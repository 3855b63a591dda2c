"""Which tests run, and how two workers share them: what needs the same costly thing stays with one worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from xdist.scheduler import LoadGroupScheduling

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
)


class Scheduling(LoadGroupScheduling):  # type: ignore[misc]
    """Gives whole groups to a worker, and whole files where a test is in no group."""

    def _split_scope(self, nodeid: str) -> str:
        return str(super()._split_scope(nodeid)).split("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling | None:
    """Replaces xdist's `loadgroup`, which spreads the tests of a file over all workers."""
    if config.getoption("dist") != "loadgroup":
        return None
    config.option.loadscopereorder = False  # the order is that of `pytest_collection_modifyitems`
    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves campaigns out unless they are asked for, groups the rest and puts the heavy ones first."""
    if "campaign" not in config.option.markexpr:
        campaigns = [item for item in items if item.get_closest_marker("campaign")]
        if campaigns:
            config.hook.pytest_deselected(items=campaigns)
            items[:] = [item for item in items if not item.get_closest_marker("campaign")]
    groups: dict[Path, str] = {}
    for item in items:
        if name := _needs(item):
            groups[item.path] = min(name, groups.get(item.path, name), key=HEAVY.index)
    for item in items:
        if item.path in groups and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(groups[item.path]))
    places = {name: place for place, name in enumerate(HEAVY)}
    items.sort(key=lambda item: places.get(_group(item), len(places)))


def _needs(item: pytest.Item) -> str:
    """Returns what a test shares with other files, and would cost as much again in another worker."""
    for mark in ("engine", "browser"):
        if item.get_closest_marker(mark):
            return mark
    return "static" if "quick_lm_eval" in getattr(item, "fixturenames", ()) else ""


def _group(item: pytest.Item) -> str:
    mark = item.get_closest_marker("xdist_group")
    return str(mark.args[0]) if mark else item.nodeid.split("::")[0]
