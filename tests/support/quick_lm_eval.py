"""What lm-eval reads anew in every evaluation though it stays the same: its own tasks, and the machine."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def quick_lm_eval() -> Iterator[None]:
    """Saves ten seconds for its 14,000 tasks and one for the machine; folders of tests are read anew."""
    import lm_eval.evaluator
    import lm_eval.tasks
    from lm_eval.tasks._index import Entry, TaskIndex

    own = Path(lm_eval.tasks.__file__).parent
    read = TaskIndex.build
    remembered = functools.cache(lambda root, resolve: read([root], resolve_includes=resolve))

    def build(paths: Iterable[Path], *, resolve_includes: bool = True) -> dict[str, Entry]:
        index: dict[str, Entry] = {}
        for root in paths:
            index |= (
                remembered(root, resolve_includes)
                if root == own
                else read([root], resolve_includes=resolve_includes)
            )
        return index

    described: dict[str, Any] = {}
    describe = lm_eval.evaluator.add_env_info

    def add_env_info(storage: dict[str, Any]) -> None:
        if not described:
            describe(described)
        storage.update(described)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TaskIndex, "build", staticmethod(build))
        patch.setattr(lm_eval.evaluator, "add_env_info", add_env_info)
        yield
