"""Logs a finished run to trackers; a tracker that fails, or never answers, costs a line and no run."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from mirror_bench.adapters.trackers import TRACKERS
from mirror_bench.adapters.trackers.tracked_run import PROJECT, TrackedRun, Tracker, tracked_run
from mirror_bench.analysis.summary import Summary
from mirror_bench.errors import InputError, told
from mirror_bench.keys import redact

PATIENCE = 300.0
"""Seconds after which a tracker is given up."""


class ChosenTracker(NamedTuple):
    """A tracker by name, and the project that a run goes to."""

    name: str
    project: str
    tracker: Tracker


def chosen_trackers(given: Sequence[str]) -> list[ChosenTracker]:
    """Returns the trackers of `NAME` or `NAME:PROJECT`; what a library lacks is told before anything is held.

    Raises:
        InputError: If there is no such tracker, or its library is missing.
    """
    chosen = []
    for text in dict.fromkeys(given):
        name, _, project = text.partition(":")
        tracker: Tracker = TRACKERS.get(name)()
        try:
            importlib.import_module(tracker.needs)
        except ModuleNotFoundError:
            raise InputError(f"--log {name}: its library is missing: pip install {tracker.install}") from None
        except Exception as error:
            raise InputError(
                f"--log {name}: {tracker.needs} cannot be imported ({told(error)}): "
                f"pip install -U {tracker.install}"
            ) from None
        chosen.append(ChosenTracker(name, project or PROJECT, tracker))
    return chosen


def log_run(
    folder: Path,
    summary: Summary,
    trackers: Sequence[ChosenTracker],
    say: Callable[[str], None],
    patience: float = PATIENCE,
) -> bool:
    """Logs a run folder to each tracker; returns whether all took it.

    Args:
        folder: The run, which is not changed.
        summary: Its scores.
        trackers: Who is told.
        say: Called with a line for each: where the run is, or why it is not there.
        patience: Seconds that each may take.
    """
    if not trackers:
        return True
    run = tracked_run(folder, summary)
    went = True
    for tracker in trackers:
        where, problem = _logged(tracker, run, patience)
        if problem:
            again = f"mirror-bench report {quote(str(folder))} --log {tracker.name}"
            say(
                f"--log {tracker.name}: not logged: {redact(problem)}; the run is whole, and "
                f"{again} tries again"
            )
            went = False
        else:
            say(f"logged to {tracker.name}: {redact(where)}")
    return went


def _logged(chosen: ChosenTracker, run: TrackedRun, patience: float) -> tuple[str, str]:
    """Returns where the run is, or the problem."""
    answer: list[tuple[str, str]] = []

    def work() -> None:
        try:
            answer.append((chosen.tracker.log(run, chosen.project), ""))
        except (Exception, SystemExit) as error:
            answer.append(("", " ".join(told(error).split())[:400]))

    thread = threading.Thread(target=work, daemon=True, name=f"log-{chosen.name}")
    thread.start()
    thread.join(patience)
    return answer[0] if answer else ("", f"no answer in {patience:.0f} s")
