"""A copy of the content that a test may change, in the place of the packaged one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mirror_bench import content, prompts
from mirror_bench.therapists import prompts as therapist_prompts


@contextmanager
def content_copy(folder: Path) -> Iterator[Path]:
    """Gives a copy of `tasks/` inside `folder`, from which everything is read that was not read before."""
    copy = folder / "tasks"
    shutil.copytree(content.tasks_root(), copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRROR_BENCH_TASKS", str(copy))
        forget()
        yield copy
    forget()


def forget() -> None:
    """Forgets where the content lies and which prompts were read."""
    content.tasks_root.cache_clear()
    prompts._template.cache_clear()
    therapist_prompts._system_message.cache_clear()
