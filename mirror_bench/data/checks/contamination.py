"""Finds what a training corpus shares with a split that must not be trained on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.data.base import DataSet
from mirror_bench.data.checks.canary import holds_canary
from mirror_bench.data.untrusted_input import read_file
from mirror_bench.errors import InputError
from mirror_bench.schema import Profile
from mirror_bench.text import ngrams, words_of

RUN = 8
"""Words in a row that count as taken over. GPT-3's check (Brown et al. 2020) takes 13 of long documents; what
a client says at a time is often shorter than that."""
SUFFIXES = frozenset({".txt", ".md", ".json", ".jsonl", ".csv", ".tsv", ".yaml", ".yml"})


class Hit(NamedTuple):
    """How much one text of a corpus shares with data that must not be trained on.

    Attributes:
        source: The text's name.
        canary: Whether it holds the canary.
        runs: How many different runs of `RUN` words it shares.
        example: One of them, or "".
        of: The profile that the example belongs to, or "".
    """

    source: str
    canary: bool
    runs: int
    example: str = ""
    of: str = ""


class Protected:
    """The words of a split that must not be trained on, as runs of `RUN` words."""

    def __init__(self, data: DataSet) -> None:
        self._runs: dict[tuple[str, ...], str] = {}
        for profile in data.profiles:
            for text in _texts_of(profile):
                self._add(text, profile.id)
        for play in data.screenplays:
            for line in play.lines:
                self._add(line.words, play.profile_id)

    def __len__(self) -> int:
        return len(self._runs)

    def check(self, source: str, text: str) -> Hit | None:
        """Returns what a text shares, or None."""
        shared = {run: self._runs[run] for run in _runs(text) if run in self._runs}
        canary = holds_canary(text)
        if not shared and not canary:
            return None
        run = next(iter(shared), ())
        return Hit(source, canary, len(shared), " ".join(run), shared.get(run, ""))

    def check_all(self, texts: Iterable[tuple[str, str]]) -> list[Hit]:
        """Returns what named texts share; those that share nothing are left out."""
        return [hit for name, text in texts if (hit := self.check(name, text))]

    def _add(self, text: str, owner: str) -> None:
        for run in _runs(text):
            self._runs.setdefault(run, owner)


def corpus_texts(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Yields the name and the text of each file, and of each file in a folder, that can hold a corpus.

    JSON, JSON lines and CSV are read as their values, so that escapes do not hide a text.

    Raises:
        InputError: If a file cannot be read, or nothing is found.
    """
    found = False
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES) if path.is_dir() else [path]
        for file in files:
            if file.exists() and file.stat().st_size == 0:
                continue
            found = True
            yield str(file), _decoded(file.suffix, read_file(file).text)
    if not found:
        raise InputError(f"no text was found: name files or folders with {', '.join(sorted(SUFFIXES))}")


def _decoded(suffix: str, text: str) -> str:
    """Returns the values of a structured text, a line each; the text itself where it is not as it says."""
    try:
        if suffix == ".json":
            return "\n".join(_strings(json.loads(text)))
        if suffix == ".jsonl":
            return "\n".join(s for row in text.split("\n") if row.strip() for s in _strings(json.loads(row)))
        if suffix in {".csv", ".tsv"}:
            rows = csv.reader(io.StringIO(text), delimiter="\t" if suffix == ".tsv" else ",")
            return "\n".join(cell for row in rows for cell in row)
    except (ValueError, RecursionError, csv.Error):
        pass
    return text


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _texts_of(profile: Profile) -> Iterator[str]:
    yield from (
        profile.personality,
        profile.presenting_problem,
        profile.history,
        profile.reason_for_seeking,
        profile.distorted_thought,
        profile.would_leave,
        profile.cbt_plan,
        *profile.guarded,
        *(line.words for line in profile.voice),
    )
    if profile.crisis is not None:
        yield from (profile.crisis.disclosure, profile.crisis.owed)


def _runs(text: str) -> list[tuple[str, ...]]:
    return ngrams(words_of(text), RUN)
