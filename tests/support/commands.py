"""Ways to run `mirror-bench`: as a process of its own, and in this one without the figures."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from mirror_bench.analysis.run_summary import summarize_run
from mirror_bench.analysis.summary import Summary
from mirror_bench.sessions.candidate import read_candidate
from mirror_bench.sessions.choosing import chosen_protocol
from mirror_bench.sessions.evaluation import Evaluation, EvaluationOutcome, evaluate

ROOT = Path(__file__).resolve().parents[2]
SHORT = ("--limit", "2", "--no-safety", "--seeds", "0", "--max-client-turns", "4")
"""Makes a run of two sessions."""


def mirror_bench(
    *arguments: str | Path, env: dict[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Returns the finished process of a command."""
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return subprocess.run(
        [sys.executable, "-c", "from mirror_bench.cli import main; main()", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": paths, **(env or {})},
        text=True,
        timeout=600,
        check=False,
        **{"capture_output": True, **options},
    )


def hold(
    out: Path,
    therapist: str = "scripted/reflective",
    method: str = "",
    *,
    limit: int = 2,
    turns: int = 4,
    retry_failed: bool = False,
    concurrency: int = 4,
    label: str = "",
    **options: Any,
) -> EvaluationOutcome:
    """Holds and rates a short run, as `mirror-bench run` with these options does before it reports."""
    options = {"seeds": (0,), "safety": False, "max_client_turns": turns, **options}
    evaluation = Evaluation(
        protocol=chosen_protocol("offline", **options),
        candidate=read_candidate(therapist, method, label=label),
        out=out,
        limit=limit,
        concurrency=concurrency,
        quiet=True,
        retry_failed=retry_failed,
    )
    return asyncio.run(evaluate(evaluation))


def summary(out: Path) -> Summary:
    """Returns what `mirror-bench report RUN --rater all` writes."""
    return summarize_run(out, ("all",))
