"""A run on a file system without locks, as network file systems are that are mounted without them.

A small library stands before the system's `flock` and `fcntl` and answers as such a file system does.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_SHIM = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>
int flock(int file, int what) { if (what & LOCK_UN) return 0; errno = ENOLCK; return -1; }
static int answer(int file, int what, void *with) {
  if (what == F_SETLK || what == F_SETLKW || what == F_GETLK) { errno = ENOLCK; return -1; }
  return syscall(SYS_fcntl, file, what, with);
}
int fcntl(int file, int what, ...) {
  va_list rest; va_start(rest, what); void *with = va_arg(rest, void *); va_end(rest);
  return answer(file, what, with);
}
int fcntl64(int file, int what, ...) {
  va_list rest; va_start(rest, what); void *with = va_arg(rest, void *); va_end(rest);
  return answer(file, what, with);
}
"""
_COMMAND = (
    "-c", "from mirror_bench.cli import main; main()", "run", "--therapist", "scripted/parrot",
    "--limit", "4", "--seeds", "0", "--no-safety", "--quiet",
    "--max-client-turns", "6", "--instrument", "wai",
)  # fmt: skip


@pytest.fixture(scope="module")
def without_locks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    place = tmp_path_factory.mktemp("shim")
    (place / "shim.c").write_text(_SHIM)
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", str(place / "shim.so"), str(place / "shim.c")], check=True
    )
    return {**os.environ, "LD_PRELOAD": str(place / "shim.so")}


def _run(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *_COMMAND, "--out", str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _records(folder: Path) -> list[list[bytes]]:
    return [sorted((folder / name).read_bytes().splitlines()) for name in ("sessions.jsonl", "ratings.jsonl")]


def test_a_killed_run_goes_on_and_a_second_one_is_kept_out(
    tmp_path: Path, without_locks: dict[str, str]
) -> None:
    run = tmp_path / "run"
    with subprocess.Popen([sys.executable, *_COMMAND, "--out", str(run)], env=without_locks) as first:
        while not (run / "calls.sqlite").exists() and first.poll() is None:
            time.sleep(0.01)
        first.send_signal(signal.SIGSTOP)
        held = (run / ".lock.held").exists()
        second = _run(run, without_locks)
        first.kill()
    assert held
    assert second.returncode == 2
    assert second.stderr.strip().count("\n") == 0
    assert "is in use by another process" in second.stderr
    assert f"remove {run / '.lock.held'}" in second.stderr
    assert (run / ".lock.held").exists(), "killed before it could let go"
    again = _run(run, without_locks)
    assert again.returncode == 0, again.stderr
    assert not list(run.glob("*.held"))
    assert _run(tmp_path / "usual", dict(os.environ)).returncode == 0
    assert _records(run) == _records(tmp_path / "usual")


def test_answers_are_found_again_where_a_killed_process_left_a_journal(
    tmp_path: Path, without_locks: dict[str, str]
) -> None:
    code = """
import os, sqlite3, sys
from pathlib import Path
from mirror_bench.engines.memo import Memo
path = Path(sys.argv[1])
memo = Memo(path)
if sys.argv[2] == "die":
    connection = memo._open()
    connection.execute("BEGIN")
    connection.execute("PRAGMA cache_spill = 1")
    connection.execute("PRAGMA cache_size = 1")
    for number in range(200):
        row = (number.to_bytes(32, "big"), "e", "x" * 4000, "stop", 0, 0, "")
        connection.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    os._exit(9)
print(len(memo))
"""
    path = tmp_path / "calls.sqlite"
    died = subprocess.run([sys.executable, "-c", code, str(path), "die"], env=without_locks, check=False)
    assert died.returncode == 9
    assert path.with_name("calls.sqlite-journal").stat().st_size > 0
    again = subprocess.run(
        [sys.executable, "-c", code, str(path), "look"],
        env=without_locks,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.stdout.strip() == "0", again.stderr
