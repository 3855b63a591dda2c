"""A wheel installed elsewhere carries its content and runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(place.glob("*.whl"))
    target = place / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--quiet",
        "--target",
        str(target),
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    return target


def _run(installed: Path, *arguments: str) -> str:
    code = "import mirror_bench.cli as c; print(c.__file__); c.main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=installed.parent,
        env=os.environ | {"PYTHONPATH": str(installed)},
    )
    assert done.returncode == 0, done.stderr
    first, _, rest = done.stdout.partition("\n")
    assert first.startswith(str(installed))
    return rest


def test_it_finds_its_content(installed: Path) -> None:
    info = json.loads(_run(installed, "data", "info", "--json"))
    assert info["profiles"] >= 24
    assert info["problems"] == 0


def test_it_holds_sessions(installed: Path) -> None:
    _run(installed, "run", "--therapist", "scripted/reflective", "--limit", "4", "--quiet", "--out", "run")
    assert (installed.parent / "run" / "report.html").stat().st_size > 10_000


def test_it_brings_the_recipes_and_no_tests(installed: Path) -> None:
    assert (installed / "baselines" / "recipes" / "tiny.yaml").is_file()
    assert not (installed / "tests").exists()
