"""The splits of a data set: how much each holds, and a digest that tells when its content changed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mirror_bench.content import content_path, read_yaml
from mirror_bench.data.base import DataSet
from mirror_bench.errors import InputError

RECORD = "splits.yaml"
"""Beside `profiles.jsonl`: what the splits were when they were published."""


class Split(NamedTuple):
    """How many profiles and screenplays a split holds, and the digest of their content.

    Attributes:
        digest: SHA-256 (64 hex digits) of its profiles, voices and screenplays.
    """

    profiles: int
    screenplays: int
    digest: str


def splits_of(data: DataSet) -> dict[str, Split]:
    """Returns the named splits of a data set, in the order train, dev, test, then others by name."""
    names = {profile.split for profile in data.profiles} - {""}
    usual = [name for name in ("train", "dev", "test") if name in names]
    parts = {name: data.of_split(name) for name in (*usual, *sorted(names - set(usual)))}
    return {
        name: Split(len(part.profiles), len(part.screenplays), part.digest) for name, part in parts.items()
    }


def published_splits(folder: str = "") -> dict[str, Split]:
    """Returns what `splits.yaml` says of the packaged set, or of a folder of the same form.

    Raises:
        InputError: If the file is missing or is not of this form.
    """
    path = Path(folder) / RECORD if folder else content_path("mini", RECORD)
    try:
        return {str(name): Split(**fields) for name, fields in read_yaml(path).items()}
    except TypeError as error:
        raise InputError(f"{path}: each split has profiles, screenplays and digest ({error})") from None


def render_splits(splits: dict[str, Split], notice: str = "") -> str:
    """Returns the content of `splits.yaml`."""
    head = f"# {notice}\n" if notice else ""
    return head + "".join(
        f"{name}:\n  profiles: {split.profiles}\n  screenplays: {split.screenplays}\n"
        f"  digest: {split.digest}\n"
        for name, split in splits.items()
    )
