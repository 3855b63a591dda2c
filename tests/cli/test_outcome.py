"""What a finished run says: one table that fits, whose ratings they are, and what to do next."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from short_runs import undrawn

from mirror_bench.cli import cli
from mirror_bench.cli.outcome import _with_whom

CODE = (
    "import mirror_bench.pages.run_report as made; made.write_plots = lambda *_: []; "
    "from mirror_bench.cli import main; main()"
)


def _on_a_terminal(columns: int, *arguments: str, **environment: str) -> str:
    """What a person sees on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *arguments],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm", **environment},
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            read = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not read:
            break
        seen += read
    os.close(ours)
    assert process.wait(30) == 0, process.stderr and process.stderr.read()
    return seen.decode().replace("\r\n", "\n")


def _report(*runs: Path, out: Path, more: tuple[str, ...] = ()) -> str:
    with undrawn():
        done = CliRunner().invoke(cli, ["report", *map(str, runs), "--out", str(out), *more])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_report_of_nothing_is_no_success(short_runs: dict[str, Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(short_runs["parrot"], run)
    (run / "ratings.jsonl").unlink()
    with undrawn():
        done = CliRunner().invoke(cli, ["report", str(run)])
    assert done.exit_code == 1
    assert "no session has a score" in done.stderr


def test_a_log_that_breaks_off_is_named(short_runs: dict[str, Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(short_runs["parrot"], run)
    log = run / "sessions.jsonl"
    log.write_bytes(log.read_bytes()[:-40])
    said = _report(run, out=run)
    assert f"{log}: its last line breaks off" in said
    assert "seeds)" not in said
    log = short_runs["parrot"] / "sessions.jsonl"
    assert "breaks off" not in _report(short_runs["parrot"], out=tmp_path / "whole")


def test_a_terminal_of_80_columns_shows_all_without_an_ellipsis(short_runs: dict[str, Path]) -> None:
    run = short_runs["reflective"]
    seen = _on_a_terminal(80, "report", str(run), NO_COLOR="1")
    assert "…" not in seen
    assert "\x1b" not in seen
    paths = [line for line in seen.splitlines() if str(run) in line]
    assert all(len(line) <= 80 for line in seen.splitlines() if line not in paths)
    words = " ".join(seen.split())
    assert "CTRS total (0 to 6)" in words
    assert re.search(r"4 of 4 sessions held, with 4 clients, and \d more for safety alone ", words)
    assert "rated by: coded (rules, no model)" in words
    assert f"report: {run}" in words
    more = "--face-conditions matched,none,shuffled --limit 8 or more"
    read = f"read the doubtful safety findings: mirror-bench findings {run}"
    assert f"next: {read} does the face help? the same command with {more}" in words
    assert "turns in which face and words disagree" not in words  # that is for -v


@pytest.mark.parametrize(
    ("due", "imported", "said"),
    [
        (8, False, " (4 clients x 2 seeds)"),
        (4, False, ", with 4 clients"),
        (7, False, ", with 4 clients"),
        (8, True, ", with 4 clients"),
    ],
)
def test_the_sessions_of_a_run_are_told_as_clients_and_seeds(due: int, imported: bool, said: str) -> None:
    assert _with_whom(due, 4, imported=imported) == said


@pytest.mark.parametrize("columns", [40, 60])
def test_a_narrow_terminal_wraps_what_it_cannot_hold(columns: int, short_runs: dict[str, Path]) -> None:
    run = short_runs["parrot"]
    seen = _on_a_terminal(columns, "report", str(run), "-v", NO_COLOR="1")
    long = [line for line in seen.splitlines() if len(line) > columns and str(run) not in line]
    assert long == []
    assert "turns in which face and words disagree" in " ".join(seen.split())


def test_colour_is_for_terminals_that_want_it(short_runs: dict[str, Path]) -> None:
    run = str(short_runs["parrot"])
    assert "\x1b[" in _on_a_terminal(80, "report", run, NO_COLOR="")
    piped = subprocess.run(
        [sys.executable, "-c", CODE, "report", run], capture_output=True, text=True, check=True, timeout=60
    )
    assert "\x1b" not in piped.stdout
    assert any(line.startswith("safety: ") for line in piped.stdout.splitlines())  # one line each


def test_several_runs_stand_in_one_table(short_runs: dict[str, Path], tmp_path: Path) -> None:
    seen = _report(*short_runs.values(), out=tmp_path / "both")
    lines = seen.splitlines()
    first = lines.index("CTRS total (0 to 6)")
    assert [line.split()[0] for line in lines[first + 1 : first + 3]] == ["reflective", "parrot"]
    assert "…" not in seen
    assert max(map(len, lines[: lines.index("")])) <= 400
