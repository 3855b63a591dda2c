"""Kills at random instants: of runs with ratings and probes, of packing, and of building the board.

Each case kills one command five times and lets it end at the sixth. What stands then must be what stands
where nobody killed; what is written whole must never be seen in parts.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.campaigns.base import Outcome
from benchmarks.campaigns.small_run import PROBED, RECORDS, card, command, hold_run, undisturbed
from mirror_bench.schema import digest

KILLS = 5
_RECORDS = (*RECORDS, "probes.jsonl")
KINDS = ("run", "run", "run", "pack", "run", "run", "run", "pack", "run", "board")


class Kills:
    """Case `number` kills what its kind does `KILLS` times."""

    name = "kills"

    def case(self, seed: int, number: int, place: Path) -> Outcome:
        """See `Campaign`."""
        chance = random.Random(f"{seed} {number}")
        kind = KINDS[number % len(KINDS)]
        do, check = _WAYS[kind](place)
        hit = 0
        for _ in range(KILLS):
            hit += _killed(do, chance.uniform(0, 1.1 * _takes(kind)))
            if problem := check(False):
                return Outcome(kind, "damaged", problem)
        code, said = do()
        problem = f"the same command does not go on: {said}" if code else check(True)
        return Outcome(kind, f"killed {hit} times", problem)


Do = Callable[[], tuple[int, str]]
Check = Callable[[bool], str]
"""Given whether the command has ended: what is wrong with what stands, or nothing."""


def _killed(do: Do, after_s: float) -> bool:
    """Does it in a process of its own, which is killed; tells whether it still ran."""
    child = os.fork()
    if not child:
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        code = 1
        try:
            code = do()[0]
        finally:
            os._exit(code)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@cache
def _takes(kind: str) -> float:
    """Seconds that it takes undisturbed."""
    with TemporaryDirectory() as place:
        do, check = _WAYS[kind](Path(place))
        begun = time.monotonic()
        code, said = do()
        if problem := said if code else check(True):
            raise RuntimeError(f"{kind}, undisturbed: {problem}")
        return time.monotonic() - begun


def _running(place: Path) -> tuple[Do, Check]:
    run = place / "run"

    def check(ended: bool) -> str:
        if ended:
            for name, expected in undisturbed(PROBED, _RECORDS).items():
                if sorted((run / name).read_bytes().splitlines()) != expected:
                    return f"{name} differs from that of a run that nobody killed"
        return ""

    undisturbed(PROBED, _RECORDS)
    return lambda: hold_run(run, PROBED), check


def _packing(place: Path) -> tuple[Do, Check]:
    run, out, meta = place / "run", place / "small.mirror.zip", place / "meta.yaml"
    _materialise(run)
    card(meta)
    whole = _packed()

    def check(ended: bool) -> str:
        if ended and not out.is_file():
            return "no file was written"
        if out.is_file() and out.read_bytes() != whole:
            return "the file is not whole"
        return ""

    return lambda: command("pack", str(run), "--meta", str(meta), "--out", str(out)), check


def _building(place: Path) -> tuple[Do, Check]:
    handed_in, site = place / "submissions", place / "site"
    handed_in.mkdir(parents=True)
    (handed_in / "small.mirror.zip").write_bytes(_packed())

    def build() -> tuple[int, str]:
        from click.testing import CliRunner

        from leaderboard.__main__ import board

        words = ["build", "--submissions", str(handed_in), "-o", str(site), "--no-verify"]
        done = CliRunner().invoke(board, [*words, "--cache", str(place / "cache")])
        return (done.exit_code, done.output) if done.exception is None or done.exit_code else (1, "")

    def check(ended: bool) -> str:
        return "the site differs from one that nobody disturbed" if ended and _pages(site) != _site() else ""

    if place.name != "undisturbed":
        _site()
    return build, check


def _materialise(run: Path) -> None:
    """Lays out the finished run, held once."""
    run.mkdir(parents=True)
    for name, content in _finished().items():
        (run / name).write_bytes(content)


@cache
def _finished() -> dict[str, bytes]:
    with TemporaryDirectory() as place:
        run = Path(place) / "run"
        # As the protocol is published, or it could not be packed.
        code, said = command(
            "run", "--therapist", "scripted/parrot", "--limit", "1", "--quiet", "--out", str(run)
        )
        if code:
            raise RuntimeError(f"the run to pack fails: {said}")
        return {path.name: path.read_bytes() for path in run.iterdir() if path.suffix in {".json", ".jsonl"}}


@cache
def _packed() -> bytes:
    with TemporaryDirectory() as place:
        run, out, meta = Path(place) / "run", Path(place) / "small.mirror.zip", Path(place) / "meta.yaml"
        _materialise(run)
        card(meta)
        code, said = command("pack", str(run), "--meta", str(meta), "--out", str(out))
        if code:
            raise RuntimeError(f"packing fails: {said}")
        return out.read_bytes()


@cache
def _site() -> str:
    with TemporaryDirectory() as place:
        build, _ = _building(Path(place) / "undisturbed")
        code, said = build()
        if code:
            raise RuntimeError(f"the board is not built: {said}")
        return _pages(Path(place) / "undisturbed" / "site")


def _pages(site: Path) -> str:
    """A digest of every file of the site, with its place."""
    return digest(
        {
            str(path.relative_to(site)): path.read_bytes().hex()
            for path in sorted(site.rglob("*"))
            if path.is_file()
        }
    )


_WAYS: dict[str, Callable[[Path], tuple[Do, Check]]] = {
    "run": _running,
    "pack": _packing,
    "board": _building,
}
