"""Writes a data set as a folder of the form that `mini:FOLDER` reads."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml

from mirror_bench.data.base import DataSet
from mirror_bench.data.checks.canary import CANARY, NOTICE
from mirror_bench.data.screenplays.parser import render_screenplay
from mirror_bench.data.screenplays.records import (
    Screenplay,
)
from mirror_bench.data.untrusted_input import identifier
from mirror_bench.errors import InputError
from mirror_bench.schema import (
    Profile,
    VoiceLine,
    canonical_json,
)


def write_packaged(data: DataSet, folder: Path, *, canary: bool = False) -> Path:
    """Writes `profiles.jsonl`, `voices/` and `screenplays/`; nothing unfinished stands under the final name.

    Args:
        data: What to write.
        folder: Made; it must not hold anything yet.
        canary: Whether the files are marked as the benchmark's own, as those that were read were.

    Raises:
        InputError: If the folder holds something, an id cannot be the name of a file, or the place cannot be
            written.
    """
    for id in (*(profile.id for profile in data.profiles), *(play.id for play in data.screenplays)):
        if not id or id != identifier(id):
            raise InputError(f"{data.name}: the id {id[:60]!r} cannot name a file: use A-Z a-z 0-9 . _ -")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(f"--out {folder}: exists already: name a new folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".packaged-", dir=folder.parent) as draft:
            made = Path(draft) / "data"
            _write(data, made, NOTICE if canary else "")
            made.replace(folder)  # takes the place of an empty folder as well
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror or error})") from None
    return folder


def _write(data: DataSet, folder: Path, notice: str) -> None:
    head = f"# {notice}\n" if notice else ""
    marked = {"canary": CANARY} if notice else {}
    voices, plays = folder / "voices", folder / "screenplays"
    plays.mkdir(parents=True)
    rows = []
    for profile in data.profiles:
        record = profile.model_dump(mode="json", exclude_defaults=True)
        if voice := _voice(profile):
            voices.mkdir(exist_ok=True)
            _text(voices / f"{profile.id}.yaml", head + _yaml(voice))
            del record["voice"]
        rows.append(canonical_json({**record, **marked}) + "\n")
    _text(folder / "profiles.jsonl", "".join(rows))
    for play in data.screenplays:
        _text(plays / f"{play.id}.txt", head + render_screenplay(play))
    _text(plays / "index.yaml", head + _yaml({play.id: _entry(play) for play in data.screenplays}))


def _voice(profile: Profile) -> dict[str, Any]:
    """Returns act -> lines, or act -> band -> lines; nothing where that form would change their order."""
    acts: dict[str, dict[str, list[str]]] = {}
    for line in profile.voice:
        acts.setdefault(line.act, {}).setdefault(line.band, []).append(line.words)
    read = [
        VoiceLine(act=act, band=band, words=words)
        for act, bands in acts.items()
        for band, texts in bands.items()
        for words in texts
    ]
    if tuple(read) != profile.voice:
        return {}
    return {act: bands[""] if list(bands) == [""] else bands for act, bands in acts.items()}


def _entry(play: Screenplay) -> dict[str, Any]:
    """Returns a screenplay's entry in the index."""
    entry: dict[str, Any] = {"profile": play.profile_id, "resistance": play.resistance.value}
    entry |= {name: value for name in ("technique", "ended") if (value := getattr(play, name))}
    if play.moments:
        entry["moments"] = {
            moment.number: moment.model_dump(mode="json", exclude_defaults=True, exclude={"number"})
            for moment in play.moments
        }
    return entry


def _yaml(value: dict[str, Any]) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
