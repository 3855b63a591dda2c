"""Figures that campaigns measure, printed after the test run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from _pytest.terminal import TerminalReporter

_SIGN = "figure: "


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str, object], None]:
    """Takes the name of a figure and its value; it is shown with the name of the test."""
    return lambda name, value: record_property(f"{_SIGN}{name}", value)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Prints what the tests of a campaign have measured, whichever worker ran them."""
    if "campaign" not in terminalreporter.config.option.markexpr:
        return
    lines = [
        f"{report.nodeid.rpartition('::')[2]}: {name.removeprefix(_SIGN)} {value}"
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
        for name, value in getattr(report, "user_properties", ())
        if name.startswith(_SIGN)
    ]
    if lines:
        terminalreporter.section("figures")
        for line in sorted(lines):
            terminalreporter.line(line)
