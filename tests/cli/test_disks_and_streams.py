"""A full or read-only disk, and output that does not take every letter: one line, and nothing lost."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import SHORT, hold, mirror_bench

from mirror_bench.sessions.run_folder import read_ratings, read_sessions

REFLECTIVE = ("run", "--therapist", "scripted/reflective", *SHORT, "--quiet")


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a command that ended for want of a disk."""
    assert done.returncode == 2, (done.returncode, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("mirror-bench: ")
    return lines[0]


def _limited(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("kib", [2, 40])
def test_a_limit_on_file_sizes_loses_nothing(tmp_path: Path, kib: int) -> None:
    out = tmp_path / "run"
    command = ("run", "--therapist", "scripted/reflective", "--seeds", "0", "--limit", "8", "--no-safety")
    more = ("--max-client-turns", "6", "--quiet", "--out", str(out))
    told = refused(mirror_bench(*command, *more, preexec_fn=lambda: _limited(kib * 1024)))
    assert "run the same command again" in told or "permissions" in told
    kept = {one.scenario_id: one for one in read_sessions(out)} if out.exists() else {}
    hold(out, limit=8, turns=6)
    held = list(read_sessions(out))
    assert len({one.scenario_id for one in held}) == len(held) == 8, "none is lost, and none was held twice"
    assert all(one in held for one in kept.values())
    assert not list(out.rglob("*.part"))


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    place = tmp_path / "volume"
    place.mkdir()
    made = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(made, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def remount(place: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(place)], check=True)


def test_a_full_disk_goes_on_when_there_is_room_and_a_read_only_one_is_named(volume: Path) -> None:
    run = volume / "run"
    command: tuple[str | Path, ...] = (
        "run",
        "--therapist",
        "scripted/reflective",
        "--no-safety",
        "--limit",
        "12",
        "--quiet",
    )
    command = (*command, "--seeds", "0", "--out", run)
    assert "free some space and run the same command again" in refused(mirror_bench(*command))
    kept = len(list(read_sessions(run)))
    remount(volume, "size=20m")
    done = mirror_bench(*command)
    assert done.returncode == 0, done.stderr
    assert len(list(read_sessions(run))) == 12 >= kept
    assert len(list(read_ratings(run))) == 24
    remount(volume, "ro")
    for again in (
        ("report", run),
        ("rate", run, "--judge", "coded", "--again"),
        command,
        (*REFLECTIVE, "--out", volume / "new"),
        ("card", run, "--out", volume / "card.md"),
    ):
        told = refused(mirror_bench(*again))
        assert "read-only file system" in told or "readonly" in told
    elsewhere = volume.parent / "report"
    assert mirror_bench("report", run, "--out", elsewhere).returncode == 0
    remount(volume, "rw")


def test_a_link_to_nowhere_as_out(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "gone")
    told = refused(mirror_bench(*REFLECTIVE, "--out", tmp_path / "out"))
    assert "does not exist: make that folder, or name another" in told


def test_a_fresh_volume_as_out(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    done = mirror_bench(*REFLECTIVE, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.html").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_an_output_that_takes_nothing() -> None:
    with Path("/dev/full").open("w") as full:
        done = mirror_bench(
            "instrument", "features", capture_output=False, stdout=full, stderr=subprocess.PIPE
        )
    assert "no space left on device" in refused(done)


@pytest.fixture(scope="module")
def accented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a therapist whose name ASCII cannot hold."""
    out = tmp_path_factory.mktemp("accented") / "run"
    hold(out, "scripted/echo", "text", label="Zoë 听")
    return out


@pytest.mark.parametrize(
    "env", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_a_terminal_of_few_letters_loses_some_and_json_none(accented: Path, env: dict[str, str]) -> None:
    plain = mirror_bench("report", accented, env=env)
    assert plain.returncode == 0, plain.stderr
    assert "Zo? ?" in plain.stdout
    machine = mirror_bench("report", accented, "--json", env=env)
    assert json.loads(machine.stdout)["entries"][0]["therapist"] == "Zoë 听"
