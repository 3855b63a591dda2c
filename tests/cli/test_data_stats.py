from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from mirror_bench.cli.content.data import data
from mirror_bench.data.checks.description import describe_data
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError


def run(*arguments: str) -> Result:
    return CliRunner().invoke(data, ["stats", "--sessions", "6", *arguments])


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
    assert run("--sessions", "0", "--out", str(out)).exit_code == 0  # again, over what stands there


def test_the_clients_words_are_measured_in_sessions() -> None:
    printed = json.loads(run("--json", "--sessions", "12").stdout)
    assert printed["variety"]["sessions"] == 12
    assert printed["splits"].keys() == {"train", "dev", "test"}
    shown = run("--sessions", "12").stdout
    assert "recurring_5grams" in shown
    assert printed["splits"]["test"] in shown
    assert "variety" not in json.loads(run("--json", "--sessions", "0").stdout)


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
