"""What every campaign is: numbered cases that follow from a seed, and a state from which it goes on."""

from __future__ import annotations

import json
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Protocol

from mirror_bench.errors import InputError
from mirror_bench.files import write_atomically
from mirror_bench.text import one_line

_LONGEST = 400


class Outcome(NamedTuple):
    """What became of a case.

    Attributes:
        kind: What it was about, for counting: "csv", "429".
        came_to: In a word: "read", "refused", "mended"; counted too.
        problem: What should not have happened, in one line; "" where all was well.
    """

    kind: str
    came_to: str
    problem: str = ""


class Campaign(Protocol):
    """Cases by number; the same seed and number are always the same case."""

    name: str

    def case(self, seed: int, number: int, place: Path) -> Outcome:
        """Holds a case in an empty folder."""
        ...


@dataclass
class Report:
    """What a campaign has come to so far.

    Attributes:
        counts: "kind: what it came to" -> cases.
        findings: A line each.
    """

    campaign: str
    seed: int
    done: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """The figure of the campaign."""
        told = ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))
        return f"{self.campaign} (seed {self.seed}): {self.done} cases, {len(self.findings)} findings; {told}"


def hold(
    campaign: Campaign, count: int, seed: int, state: Path | None = None, say: Callable[[str], None] = print
) -> Report:
    """Holds the cases of a campaign that are still due, and says each finding when it is found.

    Args:
        campaign: Which.
        count: Cases in all.
        seed: Whatever it is, the cases follow from it.
        state: Folder in which it is kept how far the campaign has come; None keeps nothing.
        say: Told a line for each finding.

    Raises:
        InputError: If the folder holds what cannot be read, or cannot be written.
    """
    kept = state / f"{campaign.name}-{seed}.json" if state else None
    report = _read(kept, campaign.name, seed)
    while report.done < count:
        number = report.done
        with TemporaryDirectory(prefix="mirror-campaign-") as place:
            try:
                outcome = campaign.case(seed, number, Path(place))
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                said = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
                outcome = Outcome("campaign", "broken", said)
        report.counts[f"{outcome.kind} {outcome.came_to}"] += 1
        report.done += 1
        if outcome.problem:
            problem = one_line(outcome.problem, _LONGEST)
            line = f"{campaign.name}: seed {seed}, case {number}, {outcome.kind}: {problem}"
            report.findings.append(line)
            say(line)
        if kept and (report.done % 50 == 0 or outcome.problem or report.done == count):
            write_atomically(kept, _as_json(report))
    return report


def _read(kept: Path | None, name: str, seed: int) -> Report:
    if kept is None or not kept.is_file():
        return Report(name, seed)
    try:
        found: dict[str, Any] = json.loads(kept.read_bytes())
        return Report(name, seed, int(found["done"]), Counter(found["counts"]), list(found["findings"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{kept}: cannot be read ({error}); remove it to begin anew") from None


def _as_json(report: Report) -> bytes:
    told = {"done": report.done, "counts": dict(report.counts), "findings": report.findings}
    return (json.dumps(told, indent=1) + "\n").encode()
