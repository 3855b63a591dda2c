"""The project's own entries: holds, packs and verifies each by the commands that a stranger would use."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from leaderboard.cache import ENDING
from leaderboard.keeping import keep_what_stands
from mirror_bench.content import read_yaml
from mirror_bench.errors import InputError
from mirror_bench.submissions.card import make_card

LIST = Path(__file__).parent / "entries.yaml"
REFERENCE = "reference"


class OwnEntry(BaseModel):
    """How one entry is run, and what is declared of it.

    Attributes:
        model: Which of `OwnEntries.models` it is.
        therapist: The candidate; empty for the shipped reference.
        method: How the model is prompted; empty for scripted therapists.
        faces: Face conditions, joined by commas.
        declare: What its card says otherwise than its model's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    therapist: str = ""
    method: str = ""
    faces: str = "matched"
    declare: Mapping[str, Any] = {}


class OwnEntries(BaseModel):
    """What `entries.yaml` holds: the models' cards, and name of an entry -> how it is run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: Mapping[str, Mapping[str, Any]]
    entries: Mapping[str, OwnEntry]

    @model_validator(mode="after")
    def _known(self) -> OwnEntries:
        for name, entry in self.entries.items():
            if entry.model not in self.models:
                raise ValueError(f"{name}: no model {entry.model!r}, known are {', '.join(self.models)}")
        return self

    def card(self, name: str) -> dict[str, Any]:
        """Returns what is declared of an entry, as `meta.yaml` holds it."""
        entry = self.entries[name]
        return {**self.models[entry.model], **entry.declare}


def read_entries(path: Path = LIST) -> OwnEntries:
    """Reads the list of entries.

    Raises:
        InputError: If the file is not as it must be, or a card is not complete, naming the entry.
    """
    try:
        entries = OwnEntries.model_validate(read_yaml(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "entries"
        raise InputError(f"{path}: {where}: {first['msg']}") from None
    for name in entries.entries:
        try:
            make_card({"modality": "vision-language", **entries.card(name)})
        except (InputError, ValidationError) as error:
            raise InputError(f"{path}: {name}: {str(error).splitlines()[0]}") from None
    return entries


def make_entries(
    entries: OwnEntries,
    chosen: Sequence[str],
    submissions: Path,
    work: Path,
    options: Sequence[str] = (),
    *,
    keep: bool = False,
) -> list[Path]:
    """Makes entries anew, replacing the files of the same names; what was held before is not held again.

    Args:
        entries: The list.
        chosen: Names of those to make.
        submissions: Where the packed files go.
        work: Holds the reference, put together, run folders and cards.
        options: More options of `mirror-bench run`.
        keep: Whether sessions of a model stand that the present client holds alike (`leaderboard/keeping`).

    Returns:
        The packed files.

    Raises:
        InputError: If a name is unknown, or a step failed; the steps say why themselves.
    """
    if unknown := [name for name in chosen if name not in entries.entries]:
        raise InputError(f"no entry {', '.join(unknown)}: known are {', '.join(entries.entries)}")
    if any(not entries.entries[name].therapist for name in chosen):
        _assemble(work / REFERENCE)
    packed = []
    for name in chosen:
        entry, run = entries.entries[name], work / name
        target = submissions / f"{name}{ENDING}"
        if keep and not entry.therapist and target.is_file() and not run.exists():
            kept = keep_what_stands(target, run)
            click.echo(f"{name}: {kept.stand} sessions stand, {kept.anew} are held anew")
        candidate = ["--therapist", entry.therapist] if entry.therapist else _reference(work, entry.method)
        mirror("run", *candidate, "--face-conditions", entry.faces, "--out", run, *options)
        packed.append(pack_verified(run, entries.card(name), target))
    return packed


def pack_verified(run: Path, card: Mapping[str, Any], target: Path) -> Path:
    """Packs a run folder and returns the file, which is written once no check of `verify` fails.

    Args:
        run: The run folder; card and draft are written beside it.
        card: What `meta.yaml` holds.
        target: The file, replaced where it is there.

    Raises:
        InputError: If packing or a check fails.
    """
    meta, draft = run.with_name(f"{run.name}.yaml"), run.with_name(target.name)
    meta.write_text(yaml.safe_dump(dict(card), sort_keys=False), encoding="utf-8")
    mirror("pack", run, "--meta", meta, "--out", draft)
    mirror("verify", draft)
    target.write_bytes(draft.read_bytes())  # only a file that passed stands among the submissions
    return target


def _reference(work: Path, method: str) -> list[str]:
    from importlib.util import find_spec

    provider = "vllm" if find_spec("vllm") else "transformers"
    model = f"{provider}/{work / REFERENCE}"
    return ["--therapist", model, "--method", method, "--label", REFERENCE]


def mirror(*words: object) -> None:
    """Runs a command of mirror-bench in a process of its own, as a stranger would.

    Raises:
        InputError: If it fails; it has said why.
    """
    _do("from mirror_bench.cli import main; main()", *words)


def _assemble(*words: object) -> None:
    _do("from baselines.assemble import main; main()", *words)


def _do(code: str, *words: object) -> None:
    command = [sys.executable, "-c", code, *map(str, words)]
    with subprocess.Popen(command) as process:
        # Whoever is asked to end passes it on: a run left alone would go on for an hour.
        before = signal.signal(signal.SIGTERM, lambda number, frame: process.terminate())
        try:
            failed = process.wait()
        finally:
            signal.signal(signal.SIGTERM, before)
    if failed:
        raise InputError(f"failed, see above: {' '.join(command[3:])}")
