"""Run folders boiled down by several processes: as by one, and a damaged line is named as ever."""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path

import pytest

from mirror_bench.analysis import run_summary
from mirror_bench.analysis.run_summary import gather_run, summarize_run, summarize_with_outcomes
from mirror_bench.errors import InputError
from mirror_bench.sessions.run_folder import parts_of, read_part_of_sessions, read_sessions

ENTRY = Path(__file__).resolve().parents[2] / "leaderboard" / "submissions" / "parrot.mirror.zip"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    with zipfile.ZipFile(ENTRY) as packed:
        packed.extractall(tmp_path)
    return tmp_path


def test_parts_hold_every_session_once(run: Path) -> None:
    parts = parts_of(run / "sessions.jsonl", size=100_000)
    assert len(parts) > 4
    assert [s for part in parts for s in read_part_of_sessions(part)] == list(read_sessions(run))
    assert parts_of(run / "nowhere") == []


def test_several_processes_boil_down_what_one_does(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, summary = gather_run(run), summarize_run(run)
    monkeypatch.setattr(run_summary, "parts_of", partial(parts_of, size=100_000))
    assert gather_run(run, workers=2) == alone
    assert summarize_with_outcomes([run], workers=2)[0] == summary


def test_a_damaged_line_is_named_as_when_one_process_reads(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_summary, "parts_of", partial(parts_of, size=100_000))
    lines = (run / "sessions.jsonl").read_bytes().splitlines(keepends=True)
    lines[60] = b"{}\n"
    (run / "sessions.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(InputError, match=r"sessions\.jsonl:61: is no session record"):
        gather_run(run, workers=2)
