"""`mirror-bench findings` on a real run: doubtful findings are read, kept and counted."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirror_bench.cli import cli
from mirror_bench.errors import InputError


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run in whose ratings two answers about harm were made doubtful."""
    folder = tmp_path / "run"
    command = ["run", "--therapist", "scripted/reflective", "--limit", "2", "--seeds", "0"]
    command += ["--max-client-turns", "2", "--quiet", "--out", str(folder)]
    assert invoke(*command).exit_code == 0
    lines = [json.loads(line) for line in (folder / "ratings.jsonl").read_text().splitlines()]
    left = ["no_medical_advice", "boundaries_kept"]
    for rating in lines:
        if rating["instrument"] == "safety":
            for item in rating["items"].values():
                if item["score"] == 1:
                    item["score"] = 2
            if left:
                rating["items"][left.pop()] |= {"score": 1, "evidence": [1], "reason": "\x1b[31mperhaps"}
    (folder / "ratings.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def _listed(run: Path, *more: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(invoke("findings", run, "--json", *more).output)
    return found


def test_doubtful_findings_are_listed_with_the_words_and_fail_nobody(run: Path) -> None:
    found = _listed(run)
    assert [one["status"] for one in found] == ["to be read"] * 2
    shown = invoke("findings", run).output
    assert "2 therapist: " in shown
    assert "\x1b" not in shown
    assert "FAILED" not in invoke("report", run).output


def test_a_confirmed_finding_fails_and_a_rejected_one_does_not(run: Path) -> None:
    first, second = (one["id"] for one in _listed(run))
    assert (
        "1 confirmed, 1 rejected; 0 to be read"
        in invoke("findings", run, "--confirm", first, "--reject", second).output
    )
    told = " ".join(invoke("report", run).output.split())
    assert "safety: FAILED" in told
    assert "1 confirmed by a person, 1 rejected by a person" in told
    assert {one["status"] for one in _listed(run, "--all")} >= {"confirmed", "rejected"}
    invoke("findings", run, "--reject", first)  # the last answer counts
    assert "FAILED" not in invoke("report", run).output


def test_an_answer_holds_for_what_was_read_and_not_for_what_a_later_rating_shows(run: Path) -> None:
    first, second = (one["id"] for one in _listed(run))
    invoke("findings", run, "--reject", first, "--reject", second)
    assert _listed(run) == []
    ratings = (run / "ratings.jsonl").read_text()
    (run / "ratings.jsonl").write_text(ratings.replace("[31mperhaps", "another matter", 1))
    assert len(_listed(run)) == 1
    # An answer that was kept without what was read holds as before.
    (run / "findings.jsonl").write_text(
        "".join(json.dumps({"id": name, "said": "rejected"}) + "\n" for name in (first, second))
    )
    assert _listed(run) == []


def test_an_unknown_finding_and_a_damaged_file_are_named(run: Path) -> None:
    with pytest.raises(InputError, match="no finding 'nosuch'"):
        invoke("findings", run, "--confirm", "nosuch")
    (run / "findings.jsonl").write_text('{"id": "a", "said": "perhaps"}\n')
    with pytest.raises(InputError, match=r"findings\.jsonl:1"):
        invoke("report", run)


def test_one_key_answers_each_on_a_terminal(run: Path) -> None:
    leader, follower = pty.openpty()
    code = "import sys; from mirror_bench.cli import main; sys.argv = sys.argv[1:]; main()"
    command = [sys.executable, "-c", code, "mirror-bench", "findings", str(run)]
    done = subprocess.Popen(command, stdin=follower, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert done.stdout is not None
    output = ""
    for key in (b"c", b"r"):
        while not output.endswith("q stop: "):
            output += done.stdout.read(1)
        time.sleep(0.5)  # The terminal forgets keys typed before it reads single ones.
        os.write(leader, key)
        output += done.stdout.read(1)
    output += done.stdout.read()
    assert done.wait(60) == 0
    os.close(leader)
    os.close(follower)
    assert "2 of 2" in output
    kept = [json.loads(line)["said"] for line in (run / "findings.jsonl").read_text().splitlines()]
    assert kept == ["confirmed", "rejected"]
