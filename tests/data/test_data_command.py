from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from mirror_files import RAW, write

from mirror_bench.cli.content.data import data
from mirror_bench.data.export.exporter import EXPORT_FORMS
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError


def run(*arguments: str) -> Result:
    return CliRunner().invoke(data, list(arguments), catch_exceptions=True)


def test_info_counts_for_machines() -> None:
    summary = json.loads(run("info", "--json").stdout)
    mini = load_data("mini")
    counts = (summary["profiles"], summary["screenplays"], summary["problems"])
    assert counts == (len(mini.profiles), len(mini.screenplays), 0)
    assert summary["per_resistance"] == Counter(profile.resistance.value for profile in mini.profiles)
    assert summary["per_split"] == Counter(profile.split for profile in mini.profiles)
    assert summary["digest"] == mini.digest
    assert summary["problem_list"] == []


def test_info_lists_problems_for_machines_and_people(tmp_path: Path) -> None:
    path = write(tmp_path / "play.txt", RAW + "Client: [red]never closed[/red\n")
    listed = json.loads(run("info", "--data", f"mirror:{path}", "--json").stdout)["problem_list"]
    assert [(problem["source"], problem["line"]) for problem in listed] == [("play.txt", 5)]
    shown = run("info", "--data", f"mirror:{path}")
    assert shown.exit_code == 0
    assert "play.txt" in shown.stdout
    assert "never closed" in shown.stdout


def test_show_prints_foreign_text_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "play.txt", "Therapist: Hello, Ana.\nClient: [bold red] Hi :smile: {x}\n")
    shown = run("show", "play", "--data", f"mirror:{path}")
    assert shown.exit_code == 0
    assert "Client: [bold red] Hi :smile: {x}" in shown.stdout


def test_show_one_and_all() -> None:
    mini = load_data("mini")
    first = mini.profiles[0]
    assert json.loads(run("show", first.id, "--json").stdout)["name"] == first.name
    assert len(json.loads(run("show", "--json").stdout)) == len(mini.profiles)
    assert first.name in run("show").stdout
    assert first.name in run("show", first.id).stdout


def test_show_of_nobody_names_the_nearest() -> None:
    caught = run("show", "mini-1").exception
    assert isinstance(caught, InputError)
    assert "did you mean" in str(caught)


def test_export_writes_and_says_what(tmp_path: Path) -> None:
    out = tmp_path / "mini.jsonl"
    result = run("export", "--form", "jsonl", "--out", str(out), "--split", "dev")
    dev = len(load_data("mini").of_split("dev").profiles)
    assert f"{dev} records" in result.stdout
    assert len(out.read_text(encoding="utf-8").splitlines()) == dev
    assert isinstance(run("export", "--form", "jsonl", "--out", str(out)).exception, InputError)


@pytest.mark.parametrize("form", EXPORT_FORMS)
def test_every_form_is_offered(form: str) -> None:
    assert form in run("export", "--help").stdout


def test_looking_is_light() -> None:
    code = (
        "import sys\nfrom mirror_bench.data.sources.registry import load_data\n"
        "import mirror_bench.data.export.exporter\n"
        "import mirror_bench.cli.content.data\nload_data('mini')\n"
        "heavy = {'torch', 'vllm', 'transformers', 'datasets', 'cv2', 'openai', 'pyarrow'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
