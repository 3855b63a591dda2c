from __future__ import annotations

from pathlib import Path

import pytest

from mirror_bench.data.checks.canary import NOTICE
from mirror_bench.data.checks.splits import published_splits, render_splits, splits_of
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.errors import InputError


def test_the_packaged_splits_are_as_published() -> None:
    assert splits_of(load_mini()) == published_splits(), (
        "the content of tasks/mini changed: raise its version in the datasheet, then run "
        "`mirror-bench data splits --write`"
    )


def test_a_changed_word_changes_the_digest_of_its_split_alone() -> None:
    data = load_mini()
    number = next(n for n, profile in enumerate(data.profiles) if profile.split == "test")
    changed = data.profiles[number].model_copy(update={"history": "Another one."})
    profiles = (*data.profiles[:number], changed, *data.profiles[number + 1 :])
    before, after = splits_of(data), splits_of(type(data)(data.name, profiles, data.screenplays))
    assert [name for name in before if before[name] != after[name]] == ["test"]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    splits = splits_of(load_mini())
    (tmp_path / "splits.yaml").write_text(render_splits(splits, NOTICE))
    assert published_splits(str(tmp_path)) == splits
    (tmp_path / "splits.yaml").write_text("test: {digest: a, sheep: 3}\n")
    with pytest.raises(InputError, match="each split has"):
        published_splits(str(tmp_path))
