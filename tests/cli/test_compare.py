"""`mirror-bench compare` on real runs of scripted therapists, and with a judge behind a real server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import Body
from click.testing import CliRunner
from talking_server import TalkingServer, prompt_of, serving

from mirror_bench.cli import cli
from mirror_bench.errors import InputError


@pytest.fixture(scope="module")
def runs(short_runs: dict[str, Path]) -> dict[str, Path]:
    return short_runs


@pytest.fixture
def judge() -> Iterator[TalkingServer]:
    """A judge that prefers the session with more questions in it, whichever stands first."""

    def says(body: Body, number: int) -> str:
        one, other = prompt_of(body).split("Session 2:")
        better = "1" if one.count("?") >= other.split("The question:")[0].count("?") else "2"
        return json.dumps({"evidence": [], "reason": "asks more", "better": better})

    with serving(says) as server:
        yield server


def invoke(*arguments: str | Path) -> Any:
    return CliRunner().invoke(cli, ["compare", *map(str, arguments)], catch_exceptions=False)


def test_coded_ratings_rank_the_reflective_above_the_parrot(runs: dict[str, Path], tmp_path: Path) -> None:
    done = invoke(runs["reflective"], runs["parrot"], "--json", "--out", tmp_path / "out")
    assert done.exit_code == 0
    found = json.loads(done.output)
    assert [one["name"] for one in found["standings"]] == ["scripted/reflective", "scripted/parrot"]
    (match,) = found["matches"]
    assert match["wins"] + match["ties"] + match["losses"] == 4
    assert {score["metric"] for score in match["differences"]} == {"ctrs.total", "wai.total"}
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == found
    assert len((tmp_path / "out" / "comparisons.jsonl").read_text().splitlines()) == 4
    assert (tmp_path / "out" / "strengths.svg").exists()
    shown = invoke(runs["reflective"], runs["parrot"], "--quiet")
    assert "scripted/reflective" in shown.output
    assert "Two at a time" in shown.output


def test_a_run_in_which_nothing_was_held_is_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(runs["parrot"], tmp_path / "lost")
    (tmp_path / "lost" / "sessions.jsonl").unlink()
    with pytest.raises(InputError, match=r"no session with matched faces to compare: .*--retry-failed"):
        invoke(runs["reflective"], tmp_path / "lost")


def test_a_model_is_asked_in_both_orders_and_remembered(
    runs: dict[str, Path], tmp_path: Path, judge: TalkingServer
) -> None:
    command = (
        runs["reflective"],
        runs["parrot"],
        "--judge",
        judge.model("judge"),
        "--out",
        tmp_path / "out",
        "--json",
    )
    first = json.loads(invoke(*command).output)
    assert judge.asked == 8
    assert first["matches"][0]["wins"] == 4
    assert first["matches"][0]["consistent"]["value"] == 1.0
    assert json.loads(invoke(*command).output) == first
    assert judge.asked == 8


def test_bad_input_is_named(runs: dict[str, Path], tmp_path: Path) -> None:
    one, other = runs["reflective"], runs["parrot"]
    for arguments, message in (
        ((one,), "at least two run folders"),
        ((one, tmp_path), "is no run folder"),
        ((one, one), "compared already"),
        ((one, other, "--condition", "none"), "its --condition can be matched"),
        ((one, other, "--judge", "openai/m"), "give --out"),
    ):
        with pytest.raises(InputError, match=message):
            invoke(*arguments)


def test_runs_under_other_protocols_are_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    command = ["run", "--therapist", "scripted/parrot", "--limit", "4", "--seeds", "0", "--quiet"]
    CliRunner().invoke(cli, [*command, "--max-client-turns", "3", "--out", str(tmp_path / "x")])
    with pytest.raises(InputError, match="different protocols"):
        invoke(runs["reflective"], tmp_path / "x")
