"""Audits every interval, test, gate and group by simulation: nominal against found.

`python -m benchmarks.statistics` prints a table, `--json FILE` writes it for machines, `--markdown FILE` as
it stands in `docs/statistics.md`. Equal seeds give equal figures; `--quick` holds a tenth of the trials.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from benchmarks import decisions, studies
from benchmarks.studies import Study
from mirror_bench.schema import derive_seed

TRIALS = 1000
SURE = 3.0
"""Standard errors of the simulation within which what was found counts as what was promised."""
BIAS = 0.03


class Found(NamedTuple):
    """One study, simulated.

    Attributes:
        found: Share of trials in which the event occurred, or the mean of the figure.
        error: Its Monte Carlo standard error.
        trials: Trials in which the method answered.
        declined: Share of trials in which it gave none.
    """

    study: Study
    found: float
    error: float
    trials: int
    declined: float

    @property
    def verdict(self) -> str:
        """One of holds, wide (errs on the careful side), known (explained), declines, and FAILS."""
        study, room = self.study, SURE * self.error
        if not self.trials:
            return "declines"
        if study.kind == "bias":
            good = abs(self.found - study.nominal) <= room + BIAS
        elif study.kind == "alarm":
            good = self.found <= study.nominal + room
        else:
            good = self.found >= study.nominal - room
        if not good:
            return "known" if study.known else "FAILS"
        wide = study.kind == "coverage" and self.found > study.nominal + room
        return "wide" if wide else "holds"


def all_studies() -> Iterator[Study]:
    """Returns every study, in the order of the table."""
    single = (studies.means, studies.apart, studies.shares)
    decided = (decisions.gates, decisions.verdicts, decisions.groups)
    for part in (*single, *decided, studies.areas, studies.agreements, studies.lengths):
        yield from part()


def simulate(study: Study, trials: int, seed: int = 0) -> Found:
    """Returns what a study finds in as many simulated data sets.

    Args:
        study: What to simulate.
        trials: Data sets; its own stream of random numbers depends on its name alone.
        seed: Another seed gives another stream.
    """
    rng = np.random.default_rng(derive_seed(study.method, study.design, str(study.profiles), str(seed)))
    answers = [study.trial(rng) for _ in range(trials)]
    known = [answer for answer in answers if answer is not None]
    declined = 1 - len(known) / trials
    if not known:
        return Found(study, math.nan, math.nan, 0, declined)
    mean = float(np.mean(known))
    if study.kind == "bias":
        error = float(np.std(known)) / math.sqrt(len(known))
    else:
        # Under the promise itself, so that none in a few trials is not taken for certainty.
        share = study.nominal if 0 < study.nominal < 1 else (mean * len(known) + 1) / (len(known) + 2)
        error = math.sqrt(share * (1 - share) / len(known))
    return Found(study, mean, error, len(known), declined)


def trials_of(study: Study, most: int) -> int:
    """Returns how many trials a study is worth: fewer where each takes long, and at least forty."""
    return max(min(40, most), round(most / max(1.0, study.cost / 4)))


def as_markdown(results: Sequence[Found]) -> str:
    """Returns the table."""
    rows = [
        "| method | design | profiles | promised | found | declined | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for result in results:
        study = result.study
        least = {"coverage": "", "power": "≥ ", "alarm": "≤ ", "bias": ""}[study.kind]
        shown = "–" if not result.trials else f"{result.found:.3f} ± {result.error:.3f}"
        declined = f"{result.declined:.0%}" if result.declined else ""
        rows.append(
            f"| {study.method} | {study.design} | {study.profiles} | {least}{study.nominal:g} | {shown} "
            f"| {declined} | {result.verdict} |"
        )
    return "\n".join(rows) + "\n"


def as_json(results: Sequence[Found]) -> list[dict[str, object]]:
    """Returns the table for machines."""
    return [
        {
            **{
                name: value for name, value in result.study._asdict().items() if name not in {"trial", "cost"}
            },
            "found": result.found if result.trials else None,
            "error": result.error if result.trials else None,
            "trials": result.trials,
            "declined": result.declined,
            "verdict": result.verdict,
        }
        for result in results
    ]


@click.command()
@click.option("--quick", is_flag=True, help="A tenth of the trials.")
@click.option("--trials", type=click.IntRange(10), default=TRIALS, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--only", default="", help="Methods whose name holds this.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write JSON here.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write the table here.")
def main(
    quick: bool, trials: int, seed: int, only: str, json_path: Path | None, markdown: Path | None
) -> None:
    """Simulate every method on the benchmark's own designs; exit 1 where one does not hold its promise."""
    most = trials // 10 if quick else trials
    results = []
    for study in all_studies():
        if only.lower() in study.method.lower():
            started = time.monotonic()
            results.append(simulate(study, trials_of(study, most), seed))
            line = as_markdown(results[-1:]).splitlines()[-1].strip("| ")
            click.echo(f"{line} ({time.monotonic() - started:.1f} s)")
    if json_path is not None:
        json_path.write_text(json.dumps(as_json(results), indent=1) + "\n", encoding="utf-8")
    if markdown is not None:
        markdown.write_text(as_markdown(results), encoding="utf-8")
    failed = [result for result in results if result.verdict == "FAILS"]
    click.echo(f"{len(results)} studies, {len(failed)} of them fail")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
