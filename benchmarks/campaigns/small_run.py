"""The small run that campaigns disturb, held in this process, and what it gives undisturbed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

_COMMAND = (
    "run", "--therapist", "scripted/parrot", "--limit", "1", "--seeds", "0", "--no-safety", "--quiet",
    "--max-client-turns", "3", "--instrument", "wai",
)  # fmt: skip
RECORDS = ("sessions.jsonl", "ratings.jsonl")
PROBED = ("--face-conditions", "matched,none")
"""Options under which turns are asked again with another face, too."""


def hold_run(folder: Path, options: Sequence[str] = ()) -> tuple[int, str]:
    """Returns the exit code of the run, and what was said on the error stream."""
    with patch("mirror_bench.pages.run_report.write_plots", lambda summary, folder: []):
        return command(*_COMMAND, *options, "--out", str(folder))


def command(*words: str) -> tuple[int, str]:
    """Returns exit code and error stream of a command of mirror-bench, held in this process."""
    from click.testing import CliRunner

    from mirror_bench.cli import cli
    from mirror_bench.errors import InputError
    from mirror_bench.files import disk_problem

    done = CliRunner().invoke(cli, [*words])
    if isinstance(done.exception, InputError):  # what `cli.main` does with it
        return 2, str(done.exception)
    if isinstance(done.exception, OSError):
        return 2, str(disk_problem(done.exception))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return 1, f"{type(done.exception).__name__}: {done.exception}"
    return done.exit_code, done.output if done.exit_code else ""


@cache
def undisturbed(options: tuple[str, ...] = (), records: tuple[str, ...] = RECORDS) -> dict[str, list[bytes]]:
    """Returns file -> its lines in order, of a run that nothing disturbs.

    Raises:
        RuntimeError: If it fails all the same.
    """
    with TemporaryDirectory() as place:
        run = Path(place) / "run"
        code, said = hold_run(run, options)
        if code:
            raise RuntimeError(f"the undisturbed run fails: {said}")
        return {name: sorted((run / name).read_bytes().splitlines()) for name in records}


def card(path: Path) -> None:
    """Writes what authors declare."""
    path.write_text("name: Small\nauthors: [us]\nlicence: MIT\nbase_model: none\ntraining_data: [none]\n")


@cache
def packed_run() -> dict[str, bytes]:
    """Returns the members of a small submission of a scripted therapist: all of it can be made anew.

    Raises:
        RuntimeError: If it cannot be made.
    """
    from mirror_bench.submissions.archive import read_archive

    with TemporaryDirectory() as place:
        run, out, meta = Path(place) / "run", Path(place) / "small.mirror.zip", Path(place) / "meta.yaml"
        card(meta)
        for words in (
            ("run", "--therapist", "scripted/attuned", "--limit", "1", "--quiet",
             "--face-conditions", "matched,none", "--out", str(run)),
            ("pack", str(run), "--meta", str(meta), "--out", str(out)),
        ):  # fmt: skip
            code, said = command(*words)
            if code:
                raise RuntimeError(f"the small submission cannot be made: {said}")
        return dict(read_archive(out).members)
