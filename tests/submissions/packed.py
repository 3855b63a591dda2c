"""Runs of a few sessions, packed: a scripted therapist, and a model whose answers are cleaned and judged."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner
from short_runs import undrawn

from mirror_bench.cli import cli
from mirror_bench.sessions.run_header import read_header
from mirror_bench.submissions.card import derived, make_card
from mirror_bench.submissions.manifest import Card
from mirror_bench.submissions.pack import pack_run

META = {
    "name": "A model",
    "authors": ["A. Author", "A group"],
    "licence": "Apache-2.0",
    "base_model": "none",
    "training_data": ["none"],
    "links": ["https://example.org/model"],
}
LINES = (
    "Therapist: That sounds hard. What was it like for you this week?",
    "(nods slowly) Part of you wants things to change, and part of you does not.",
    "You look a little tense as you say that. Did I get that right?",
    "What would you like to look at first? [waits]",
    "What goes through your mind when that happens?",
)
VERDICT = {
    "evidence": ["Part of you wants things to change", "said by nobody"],
    "reason": "it fits",
    "score": 3,
}


class Packed(NamedTuple):
    """A run and its submission."""

    run: Path
    file: Path

    def members(self) -> dict[str, bytes]:
        with zipfile.ZipFile(self.file) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def invoke(*arguments: str | Path) -> Any:
    return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)


def card(run: Path, **changes: Any) -> Card:
    return make_card({**derived(read_header(run)), **META, **changes})


def hold_scripted(folder: Path, profiles: int = 2) -> Path:
    out = folder / "attuned"
    command = (
        "run",
        "--therapist",
        "scripted/attuned",
        "--limit",
        profiles,
        "--face-conditions",
        "matched,none",
    )
    with undrawn():
        done = invoke(*map(str, command), "--quiet", "--out", out)
    assert done.exit_code == 0, done.output
    return out


def hold_model(folder: Path) -> Path:
    """A model that sees faces, captions them and says what has to be cleaned; rated by a judge too."""
    (folder / "lines.txt").write_text("\n".join(LINES))
    out = folder / "model"
    model = f"scripted/cycle?path={folder / 'lines.txt'}&sees=true"
    judge = f"scripted/fixed?text={json.dumps(VERDICT)}"
    with undrawn():
        done = invoke(
            "run",
            *("--therapist", model, "--label", "Cycle", "--method", "ec", "--limit", "2"),
            *("--face-conditions", "matched,none", "--quiet", "--out", out),
        )
        assert done.exit_code == 0, done.output
        done = invoke("rate", out, "--judge", judge, "--instrument", "wai", "--quiet")
    assert done.exit_code == 0, done.output
    return out


def pack(run: Path, file: Path, **changes: Any) -> Packed:
    pack_run(run, card(run, **changes), file, with_faces=True)
    return Packed(run, file)
