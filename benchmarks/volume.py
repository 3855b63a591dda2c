"""How long the report of many sessions takes and how much memory, `verify` of an entry, the board's builds.

Each command runs in a process of its own, whose time and peak memory are the system's count. Many sessions
and many entries are copies of a committed entry under other names.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

from mirror_bench.errors import InputError

SUBMISSIONS = Path(__file__).resolve().parent.parent / "leaderboard" / "submissions"
_MAIN = "import sys; from mirror_bench.cli import main; main()"


class Cost(NamedTuple):
    """What a process took.

    Attributes:
        seconds: By the clock.
        cpu_seconds: Of the processor, its own processes included.
        mib: Its peak memory.
    """

    seconds: float
    cpu_seconds: float
    mib: float


def cost_of(command: list[str]) -> Cost:
    """Runs a command and returns what it took.

    Raises:
        InputError: If it fails.
    """
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise InputError(f"{' '.join(command)}: exit code {process.returncode}: {said[-400:]}")
    mib = usage.ru_maxrss / (2**10 if sys.platform != "darwin" else 2**20)
    return Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, mib)


def mirror(*arguments: str | Path) -> list[str]:
    """Returns the command line of `mirror-bench` in this interpreter."""
    return [sys.executable, "-c", _MAIN, *map(str, arguments)]


def report(sessions: int, entry: str, place: Path) -> dict[str, float]:
    """Returns what `mirror-bench report` takes for a run of so many sessions."""
    run = place / "many"
    write_run(run, entry, sessions)
    took = cost_of(mirror("report", run))
    return {
        f"report_{sessions}_sessions_s": round(took.seconds, 1),
        f"report_{sessions}_sessions_mib": round(took.mib),
        f"run_{sessions}_sessions_mb": round(sum(one.stat().st_size for one in run.glob("*.jsonl")) / 1e6, 1),
    }


def verify(entry: str) -> dict[str, float]:
    """Returns what `mirror-bench verify` of a committed entry takes."""
    took = cost_of(mirror("verify", SUBMISSIONS / f"{entry}.mirror.zip"))
    return {f"verify_{entry}_s": round(took.seconds, 1), f"verify_{entry}_cpu_s": round(took.cpu_seconds, 1)}


def committed_board(place: Path) -> dict[str, float]:
    """Returns what building the board of the committed entries takes: first, and again."""
    build = _build("--out", place / "board", "--cache", place / "cache")
    return {"board_first_s": _seconds(build), "board_second_s": _seconds(build)}


def many_entries(entries: int, place: Path) -> dict[str, float]:
    """Returns what building a board of so many entries takes, which nobody verifies: first, and again."""
    for number in range(entries):
        write_run(place / "entries" / f"e{number:04}", "parrot", 0, f"scripted/parrot-{number}")
    paths = ("--submissions", place / "entries", "--out", place / "many-board", "--cache", place / "cache")
    build = _build(*paths, "--no-verify")
    name = f"board_{entries}_entries"
    return {f"{name}_s": _seconds(build), f"{name}_second_s": _seconds(build)}


def _build(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "leaderboard", "build", *map(str, arguments)]


def _seconds(command: list[str]) -> float:
    return round(cost_of(command).seconds, 1)


def write_run(folder: Path, entry: str, sessions: int, therapist: str = "") -> None:
    """Writes a run folder made of a committed entry.

    Args:
        folder: Where to.
        entry: The entry's name.
        sessions: How many sessions, copied under other scenarios where there are too few; 0 for its own.
        therapist: Another name of the candidate.
    """
    folder.mkdir(parents=True)
    with zipfile.ZipFile(SUBMISSIONS / f"{entry}.mirror.zip") as held:
        files = {name: held.read(name).decode() for name in ("run.json", "sessions.jsonl", "ratings.jsonl")}
    former = json.loads(files["run.json"])["candidate"]["therapist"]
    lines = {name: files[name].splitlines(keepends=True) for name in files if "jsonl" in name}
    own = len(lines["sessions.jsonl"])
    wanted = sessions or own
    copies = -(-wanted // own)
    header = json.loads(files["run.json"].replace(former, therapist or former))
    seeds = header["protocol"]["seeds"]
    step = max(seeds) + 1
    header["protocol"]["seeds"] = [seed + step * copy for copy in range(copies) for seed in seeds]
    (folder / "run.json").write_text(json.dumps(header) if copies > 1 or therapist else files["run.json"])
    kept = {json.loads(line)["scenario_id"] for line in lines["sessions.jsonl"][:wanted]}
    for name, records in lines.items():
        with (folder / name).open("w", encoding="utf-8") as file:
            for copy in range(copies):
                chosen = records
                if wanted < own:
                    chosen = [line for line in records if json.loads(line)["scenario_id"] in kept]
                file.writelines(_copy(line, copy * step, therapist) for line in chosen)


def _copy(line: str, later: int, therapist: str) -> str:
    """Returns a record of the same people under seeds that are so much higher."""
    if not (later or therapist):
        return line
    record = json.loads(line)
    for name in ("scenario_id", "pair"):
        if name in record:
            parts = record[name].split(":")
            parts[2] = str(int(parts[2]) + later)
            record[name] = ":".join(parts)
    if "seed" in record:
        record["seed"] += later
    if therapist and "therapist" in record:
        record["therapist"] = therapist
    return json.dumps(record) + "\n"
