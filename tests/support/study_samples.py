"""A study of twelve sessions for tests: real runs, and people who answer by a rule that is known."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from commands import hold
from sharing import Shared

from mirror_bench.schema import derive_seed
from mirror_bench.study.answers import questions_of
from mirror_bench.study.making import StudyPlan, make_study
from mirror_bench.study.records import BETTER, CHECK, StudyKey, StudyTask

THERAPISTS = ("reflective", "parrot")
MADE = "made"
Answer = Callable[[StudyKey, str, StudyTask, str], str]
"""Key, rater, task and question -> answer."""


def _hold(folder: Path) -> None:
    # In a thread of its own, as a browser's event loop may be running in this one.
    with ThreadPoolExecutor(1) as thread:
        for name in THERAPISTS:
            thread.submit(hold, folder / name, f"scripted/{name}", limit=6).result()


@pytest.fixture(scope="session")
def held_runs(shared: Shared) -> list[Path]:
    """Two runs of six sessions each, to read."""
    held = shared.folder("study-runs", _hold)
    return [held / name for name in THERAPISTS]


@pytest.fixture
def study_runs(held_runs: list[Path], tmp_path: Path) -> list[Path]:
    """The same: a test's own copies."""
    return [Path(shutil.copytree(run, tmp_path / "runs" / run.name)) for run in held_runs]


def _make(folder: Path, runs: list[Path]) -> None:
    for run in runs:
        shutil.copytree(run, folder / "runs" / run.name)
    plan = StudyPlan(tuple(folder / "runs" / run.name for run in runs), 2, "rating", units=8)
    make_study(plan, folder / "study")


@pytest.fixture
def study(shared: Shared, held_runs: list[Path], tmp_path: Path) -> Path:
    """A rating study of eight sessions and two raters, its runs beside it: a test's own copy."""
    made = shared.folder("study-made", lambda folder: _make(folder, held_runs))
    shutil.copytree(made, tmp_path / MADE, ignore=shutil.ignore_patterns("forms"))
    return tmp_path / MADE / "study"


def honest(key: StudyKey, code: str, task: StudyTask, question: str) -> str:
    """What a person answers who prefers the reflective therapist, with a whim; checks rightly."""
    if question == CHECK:
        assert task.check is not None
        return task.check.answer
    good = [key.sessions[name].therapist.endswith("reflective") for name in task.sessions]
    whim = derive_seed("whim", code, task.id, question) % 100
    if question == BETTER:
        return "tie" if whim < 10 else "ab"[good.index(True)]
    form = key.instrument(question.split(".")[0])
    wide = form.scale.max - form.scale.min
    level = (0.75 if good[0] else 0.2) + (whim - 50) / 250 + (0.05 if code == "r2" else 0)
    return str(form.scale.min + round(wide * min(1.0, max(0.0, level))))


def sent(key: StudyKey, code: str, answer: Answer = honest, **changed: Any) -> dict[str, Any]:
    """The file that a form hands out, as a value."""
    return {
        "version": 1,
        "study": key.study,
        "rater": code,
        "form": key.form,
        "consent": "2026-01-01T10:00:00.000Z",
        "started": "2026-01-01T10:00:00.000Z",
        "saved": "2026-01-01T11:00:00.000Z",
        "answers": {
            task.id: {question: answer(key, code, task, question) for question in questions_of(key, task)}
            for task in key.raters[code]
        },
        "remarks": {},
        "seconds": {task.id: 61.5 for task in key.raters[code]},
        **changed,
    }


def write_sent(path: Path, value: Any) -> Path:
    """Writes such a file."""
    path.write_text(json.dumps(value), encoding="utf-8")
    return path
