"""`mirror-bench validate` as it is called, on a file with words of our own."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_server import Body
from talking_server import TalkingServer, prompt_of, scale_of, serving, verdict

from mirror_bench.cli import main
from mirror_bench.schema import Speaker
from mirror_bench.validity import registry
from mirror_bench.validity.annomi import COLUMNS
from mirror_bench.validity.evidence import Evidence, Setting, Target

GOOD = (
    "It sounds like the kiln takes your nights, and part of you is worn out by it.",
    "You feel pulled between your brother and the fire.",
    "You're afraid that quiet evenings would be empty ones.",
    "It matters to you that something of yours stays warm.",
    "You wish that somebody had asked before.",
    "Part of you would be relieved to let it cool.",
)
POOR = (
    "You need to sell that kiln and get some sleep.",
    "You should listen to your brother for once.",
    "You have to stop making excuses about the glaze.",
    "You must go to bed by ten, everybody can do that.",
    "You ought to see a doctor about this habit.",
    "You shouldn't have bought it in the first place.",
)


@pytest.fixture
def annomi(tmp_path: Path) -> Path:
    path = tmp_path / "annomi.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(24):
            quality, said, code = [("high", GOOD, "reflection"), ("low", POOR, "therapist_input")][number % 2]
            for turn in range(3 + number // 2 % 4):
                writer.writerow(
                    [number, quality, Speaker.CLIENT, f"It was hot, day {turn}.", "n/a", "neutral"]
                )
                writer.writerow([number, quality, Speaker.THERAPIST, said[turn], code, "n/a"])
    return path


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["mirror-bench", "validate", *arguments])
    monkeypatch.delenv("ANNOMI", raising=False)
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def test_json_has_the_four_figures(
    annomi: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "--data", f"annomi:{annomi}", "--rater", "coded", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    for key in ("auc", "auc_length_matched", "therapist_macro_f1", "client_macro_f1"):
        assert isinstance(found[key], float), key
    assert found["auc"] > 0.9
    assert found["transcripts"] == {"high": 12, "low": 12, "unrated": 0}


def test_tables_and_files(
    annomi: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made" / "here"
    assert call(monkeypatch, "--data", f"annomi:{annomi}", "--out", str(out)) == 0
    shown = capsys.readouterr().out
    for words in ("AUC at equal length", "Items and subscales", "macro-F1", "wai.total"):
        assert words in shown
    assert json.loads((out / "validity.json").read_text())["rater"] == "coded"
    assert (out / "known-groups-roc.svg").stat().st_size > 1000
    assert (out / "coding-therapist.png").stat().st_size > 1000
    assert not (out / "calls.sqlite").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "either --data annomi:PATH or --all"),
        (("--all", "--data", "annomi:x.csv"), "either --data annomi:PATH or --all"),
        (("--data", "mini"), "read as annomi:PATH"),
        (("--data", "annomi:"), "read as annomi:PATH"),
        (("--data", "annomi:nowhere.csv"), "nowhere.csv: no such file"),
        (("--all", "--annomi", "nowhere.csv"), "--annomi nowhere.csv: no such file"),
    ],
)
def test_bad_input_is_one_line_and_exit_two(
    arguments: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, *arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert said.err.count("\n") == 1


def test_an_unknown_rater_and_one_quality_only_are_named(
    annomi: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "--data", f"annomi:{annomi}", "--rater", "nobody") == 2
    assert "nobody" in capsys.readouterr().err
    annomi.write_text(annomi.read_text().replace(",low,", ",high,"))
    assert call(monkeypatch, "--data", f"annomi:{annomi}") == 2
    assert "takes both high and low" in capsys.readouterr().err


def missed(setting: Setting) -> Evidence:
    return Evidence(title="Missed", tested="It was.", targets=(Target("x", "1", "0", met=False),))


def test_all_writes_the_document_and_says_what_was_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        registry,
        "EXAMINATIONS",
        {
            "coding": registry.EXAMINATIONS["coding"],
            "missed": f"{__name__}:missed",
        },
    )
    monkeypatch.setitem(sys.modules, __name__, sys.modules[missed.__module__])
    assert call(monkeypatch, "--all", "--quick", "--out", str(tmp_path)) == 0
    shown = capsys.readouterr()
    assert "skipped: coding (AnnoMI" in shown.out
    assert "NO" in shown.out
    text = (tmp_path / "VALIDITY.md").read_text()
    assert "**NO**" in text
    assert "**Skipped:** AnnoMI is outside data" in text


def test_all_reads_annomi_from_the_environment(
    annomi: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "EXAMINATIONS", {"coding": registry.EXAMINATIONS["coding"]})
    monkeypatch.setattr(
        sys, "argv", ["mirror-bench", "validate", "--all", "--quick", "--json", "--out", str(tmp_path)]
    )
    monkeypatch.setenv("ANNOMI", str(annomi))
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    assert json.loads(capsys.readouterr().out)["coding"]["skipped"] == ""


@pytest.fixture
def judge() -> Iterator[TalkingServer]:
    """A judge that gives the least to a therapist who says what must be done."""

    def says(body: Body, number: int) -> str:
        prompt = prompt_of(body)
        low, high = scale_of(prompt)
        return verdict(low if "You should" in prompt or "You need" in prompt else high)

    with serving(says) as server:
        yield server


def test_a_model_as_the_judge_is_tested_alike_and_not_asked_twice(
    annomi: Path,
    judge: TalkingServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = (
        "--data",
        f"annomi:{annomi}",
        "--rater",
        judge.model("judge"),
        "--json",
        "--out",
        str(tmp_path / "out"),
    )
    assert call(monkeypatch, *arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["auc"] == found["auc_length_matched"] == 1.0
    assert found["rater"] != "coded"
    assert "completely" in found["partial"]["total"]["reason"]
    asked = judge.asked
    assert asked >= 24
    assert call(monkeypatch, *arguments) == 0
    assert json.loads(capsys.readouterr().out) == found
    assert judge.asked == asked
