from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mirror_bench.cli.data import data
from mirror_bench.cli.data_stats import SECTIONS
from mirror_bench.data.base import DataSet
from mirror_bench.data.sources import load_data
from mirror_bench.data.stats import describe_data
from mirror_bench.errors import InputError


def run(*arguments: str) -> Result:
    return CliRunner().invoke(data, ["stats", *arguments])


def test_tables_for_people() -> None:
    shown = run()
    assert shown.exit_code == 0
    found = describe_data(load_data("mini"))
    for value in (*found.splits, *found.profiles["resistance"].values, "evenness", "distinct-2", "likeness"):
        assert value in shown.stdout
    assert str(found.wording["client"].words) in shown.stdout


def test_json_and_files_say_the_same(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "stats"
    result = run("--json", "--out", str(out))
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed == json.loads((out / "stats.json").read_text(encoding="utf-8"))
    assert printed["digest"] == load_data("mini").digest
    assert (out / "plots" / "clients.svg").exists()
    assert run("--out", str(out)).exit_code == 0  # again, over what stands there


def test_a_further_section_becomes_a_table_and_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(given: DataSet) -> dict[str, Any]:
        return {"profiles seen": len(given.profiles), "share": 0.25}

    monkeypatch.setitem(SECTIONS, "variety", measured)
    assert json.loads(run("--json").stdout)["variety"]["share"] == 0.25
    shown = run().stdout
    assert "variety" in shown
    assert "profiles seen" in shown


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    caught = run("--out", str(tmp_path / "file" / "stats")).exception
    assert isinstance(caught, InputError)
    assert "--out" in str(caught)


def test_foreign_profiles_without_screenplays(tmp_path: Path) -> None:
    path = tmp_path / "profiles.jsonl"
    path.write_text('{"id": "one", "name": "[bold]Ana", "area": "[red]x[/bold]"}\n', encoding="utf-8")
    shown = run("--data", f"mini:{tmp_path}")
    assert shown.exit_code == 0
    assert "[red]x[/bold]" in shown.stdout
