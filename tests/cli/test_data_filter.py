from __future__ import annotations

import json
import sys
from functools import lru_cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirror_bench.cli.content.data import data
from mirror_bench.data.checks.text_filters import text_filters
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError

PLAY = "Therapist: Sit where you like.\nClient: [red] As an AI, I do not sit.\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(data, ["filter", *arguments])


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "play.txt"
    path.write_text(PLAY, encoding="utf-8")
    return f"mirror:{path}"


def test_counts_and_reasons_for_people(bad: str) -> None:
    shown = run("--data", bad)
    assert shown.exit_code == 0
    assert "0 of 1 screenplays pass" in shown.stdout
    assert all(one.name in shown.stdout for one in text_filters())
    assert "As an AI" in shown.stdout


def test_counts_and_reasons_for_machines(bad: str) -> None:
    result = run("--data", bad, "--json", "--strict")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["screenplays"], found["passing"]) == (1, 0)
    assert [r["filter"] for r in found["rejections"]] == ["turns", "response failure"]
    assert {f["name"]: f["rejected"] for f in found["filters"]}["turns"] == 1


def test_the_passing_set_can_be_loaded(bad: str, tmp_path: Path) -> None:
    assert run("--out", str(tmp_path / "mini"), "--strict").exit_code == 0
    assert load_data(f"mini:{tmp_path / 'mini'}").digest == load_data("mini").digest
    assert run("--data", bad, "--out", str(tmp_path / "none")).exit_code == 0
    left = load_data(f"mini:{tmp_path / 'none'}")
    assert (len(left.profiles), len(left.screenplays)) == (1, 0)
    assert isinstance(run("--out", str(tmp_path / "mini")).exception, InputError)


def test_a_missing_tagger_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    from mirror_bench.data.checks import pos_tags

    # Afresh, and what other tests have tagged stays.
    monkeypatch.setattr(pos_tags, "_tagger", lru_cache(pos_tags._tagger.__wrapped__))
    monkeypatch.setattr(pos_tags, "_tag_sentence", pos_tags._tag_sentence.__wrapped__)
    monkeypatch.setitem(sys.modules, "HanTa", None)
    caught = run().exception
    assert isinstance(caught, InputError)
    assert "pip install 'mirror-bench[data]'" in str(caught)
