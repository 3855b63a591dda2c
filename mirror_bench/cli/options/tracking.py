"""The option `--log` of `run` and `report`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mirror_bench.adapters.trackers.log_run import ChosenTracker
    from mirror_bench.analysis.summary import Summary

log_option = click.option(
    "--log",
    multiple=True,
    metavar="TRACKER",
    help="Also log parameters, scores, report and plots to mlflow, wandb or trackio, by their own settings; "
    "NAME:PROJECT for another project than mirror-bench.",
)


def read_trackers(given: Sequence[str]) -> list[ChosenTracker]:
    """Returns the trackers that `--log` names, or refuses a name that is none.

    Raises:
        InputError: If there is no such tracker, or its library is missing.
    """
    if not given:
        return []
    from mirror_bench.adapters.trackers.log_run import chosen_trackers

    return chosen_trackers(given)


def log_outcome(run: Path, summary: Summary, trackers: Sequence[ChosenTracker]) -> bool:
    """Logs a run to the trackers and says where it is; returns whether all took it."""
    if not trackers:
        return True
    from mirror_bench.adapters.trackers.log_run import log_run

    return log_run(run, summary, trackers, lambda line: click.echo(line, err=True))
