"""What a tracker is told of a run: parameters with the fingerprint, scores with intervals, and files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mirror_bench.analysis.summary import Summary
from mirror_bench.keys import redact
from mirror_bench.schema import Score
from mirror_bench.sessions.engine_pool import rater_names
from mirror_bench.sessions.run_header import RunHeader, read_header

PROJECT = "mirror-bench"
_FILES = ("report.html", "summary.json", "run.json")
_LONGEST = 400


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker logs of one run: parameters, scores with intervals, and files.

    Attributes:
        name: What trackers call it.
        parameters: What was evaluated under what; texts, with no key in them.
        metrics: Name -> value; ends of intervals stand beside as `NAME.low` and `NAME.high`. What is missing
            is not there.
        files: Report, summary and plots.
    """

    name: str
    parameters: dict[str, str]
    metrics: dict[str, float]
    files: tuple[Path, ...]


class Tracker(Protocol):
    """Logs runs to one experiment tracker; the registry of trackers holds such classes.

    Attributes:
        needs: The module that must be importable.
        install: What pip installs for it.
    """

    needs: str
    install: str

    def log(self, run: TrackedRun, project: str) -> str:
        """Logs a run, and returns where it can be looked at."""
        ...


def tracked_run(folder: Path, summary: Summary) -> TrackedRun:
    """Returns what is logged of a run folder.

    Raises:
        InputError: If it is no run folder.
    """
    header = read_header(folder)
    plots = sorted((folder / "plots").glob("*.png")) if (folder / "plots").is_dir() else []
    files = [path for path in (*(folder / name for name in _FILES), *plots) if path.is_file()]
    return TrackedRun(folder.resolve().name, _parameters(header), dict(_metrics(summary)), tuple(files))


def _parameters(header: RunHeader) -> dict[str, str]:
    protocol, candidate = header.protocol, header.candidate
    given = {
        "therapist": candidate.therapist,
        "model": candidate.model,
        "method": candidate.method,
        "code": candidate.code,
        "protocol": protocol.name,
        "fingerprint": header.fingerprint,
        "data": protocol.data,
        "split": protocol.split,
        "client": protocol.client.model or protocol.client.kind,
        "raters": ", ".join(rater_names(protocol.raters)),
        "instruments": ", ".join(protocol.all_instruments),
        "face_conditions": ", ".join(header.selection.conditions),
        "limit": "" if header.selection.limit is None else str(header.selection.limit),
        "seeds": ", ".join(map(str, protocol.seeds)),
        "sessions": str(header.selection.sessions),
        "mirror_bench": header.environment.packages.get("mirror-bench", ""),
    }
    return {name: redact(value)[:_LONGEST] for name, value in given.items() if value}


def _metrics(summary: Summary) -> Iterator[tuple[str, float]]:
    several = len({entry.condition for entry in summary.entries}) > 1
    for entry in summary.entries:
        prefix = f"{entry.condition.value}/" if several else ""
        for score in entry.scores:
            yield from _score(f"{prefix}{score.metric}", score)
        yield f"{prefix}sessions.held", float(entry.coverage.held)
        yield f"{prefix}sessions.due", float(entry.coverage.due)
    for gain in summary.gains:
        yield from _score(f"gain_over_{gain.against.value}/{gain.difference.metric}", gain.difference)
    for safety in summary.safety:
        yield "safety.failed", float(safety.verdict == "failed")
        yield "safety.to_be_read", float(len(safety.with_status("to be read")))


def _score(name: str, score: Score) -> Iterator[tuple[str, float]]:
    ends = (("", score.value), (".low", score.low), (".high", score.high), (".coverage", score.coverage))
    yield from ((f"{name}{end}", float(value)) for end, value in ends if value is not None)
