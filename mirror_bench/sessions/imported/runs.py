"""Imports conversations held elsewhere into a run folder like any other, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from mirror_bench.data.base import DataSet, Problem
from mirror_bench.data.sources.imported import PROFILES, SESSIONS
from mirror_bench.data.transcripts.base import Conversation, Reader, TranscriptReading
from mirror_bench.data.transcripts.personal_details import open_finder
from mirror_bench.data.transcripts.registry import TRANSCRIPTS
from mirror_bench.data.transcripts.speakers import Cast, unmapped
from mirror_bench.data.untrusted_input import identifier
from mirror_bench.errors import InputError
from mirror_bench.files import guarded, make_folder
from mirror_bench.modelspec import ModelSpec, parse_model
from mirror_bench.protocol import ClientSettings, Protocol, RaterSettings, load_protocol, protocol_names
from mirror_bench.raters.instruments import own_file
from mirror_bench.schema import FaceCondition, digest
from mirror_bench.sessions.imported.sessions import People, SessionMaker, as_session, client_pattern
from mirror_bench.sessions.rating import load_forms
from mirror_bench.sessions.run_folder import RunFolder
from mirror_bench.sessions.run_header import (
    ImportFacts,
    RunCandidate,
    RunHeader,
    RunSelection,
    current_environment,
)
from mirror_bench.sessions.standing import protocol_fingerprint

PROBLEMS, ORIGINS = "problems.txt", "imported.jsonl"
_SAID = 10


@dataclass(frozen=True)
class Import:
    """The settings of an import: transcripts, their format, the speakers and the folder to make.

    Attributes:
        format: The reader's name.
        path: The file or folder.
        out: The run folder to make.
        protocol: Who rates, and with which instruments; its other settings do not enter.
        cast: Who the speakers are, beside those that are known by name.
        therapist: What records call the therapist; as the file tells it where empty.
        only: Only conversations of this therapist, as the file names it; all where empty.
        columns: What a table calls its columns.
        people: A data set in which clients are looked up by name.
        client_from: A pattern that finds the client in a conversation's id.
        directions: Whether brackets in the words are stage directions.
        redact: Whether marks take the place of personal details.
    """

    format: str
    path: Path
    out: Path
    protocol: Protocol
    cast: Cast = field(default_factory=Cast)
    therapist: str = ""
    only: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    people: DataSet | None = None
    client_from: str = ""
    directions: bool = False
    redact: bool = False


class _Problems:
    """Writes what could not be read as it stands, a line each, and counts it."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.count = self.lost = 0
        self.first: list[str] = []

    def note(self, problem: Problem) -> None:
        line = f"{problem.source}:{problem.line}: {' '.join(problem.message.split())}"
        self._file.write(f"{line}\n")
        self.count += 1
        if len(self.first) < _SAID:
            self.first.append(line)

    def lose(self) -> None:
        self.lost += 1


@dataclass(frozen=True)
class Imported:
    """How many sessions and turns an import made, and what could not be read.

    Attributes:
        turns: Turns that were imported, in `facts.sessions` sessions of `people` clients.
        first_problems: The first lines of `problems.txt`.
    """

    facts: ImportFacts
    people: int
    turns: int
    first_problems: Sequence[str] = ()


def imported_protocol(rated_as: Protocol) -> Protocol:
    """Returns the protocol of an imported run: raters and instruments of another, and nothing else of it."""
    return Protocol(
        name="imported",
        title=f"Imported, rated as {rated_as.name}",
        data="imported",
        client=ClientSettings(kind="recorded"),
        raters=rated_as.raters,
        instruments=rated_as.instruments,
        safety=rated_as.safety,
    )


def unpublished_import(header: RunHeader) -> str:
    """Returns why an imported run's raters and instruments are not those of a published protocol, or ""."""
    facts = header.imported
    if facts is None:
        return "is no imported run"
    if facts.rated_as not in protocol_names():
        return (
            f"is rated as {facts.rated_as!r}, which is no published protocol ({', '.join(protocol_names())})"
        )
    if header.protocol != imported_protocol(load_protocol(facts.rated_as)):
        told = f"is not rated as the published protocol {facts.rated_as} has it"
        return f"{told}: import it without --judge and --instrument"
    return ""


def leaving(header: RunHeader, raters: Sequence[RaterSettings]) -> str:
    """Returns what is to be known before words of an imported run leave this machine; "" where none do."""
    if header.imported is None or header.imported.redacted:
        return ""
    models = [name for rater in raters for name in (rater.model, *rater.models) if name]
    away = [spec for spec in map(parse_model, models) if spec.provider == "openai" and not _is_here(spec)]
    if not away:
        return ""
    found = header.imported.open_details or "none found"
    judges = ", ".join(f"{spec.provider}/{spec.name}" for spec in away)
    return (
        f"the words of these sessions go to {judges} as they stand; personal details in them: {found} "
        "(import with --redact to put marks in their place)"
    )


def _is_here(spec: ModelSpec) -> bool:
    """Whether a model's server is on this machine."""
    host = urlsplit(spec.options.get("base_url", "")).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def import_run(wanted: Import, tick: Callable[[int], None] = lambda sessions: None) -> Imported:
    """Makes a run folder of conversations that were held elsewhere.

    One conversation is held in memory at a time. The folder is made beside its place and moved there when all
    of it is written.

    Args:
        wanted: What to import.
        tick: Called with the number of sessions after each.

    Raises:
        InputError: If the path, a setting or the place cannot be used, a speaker is not known, several
            therapists speak, or nothing could be read; nothing is left behind.
    """
    reader: Reader = TRANSCRIPTS.get(wanted.format)
    if not wanted.path.exists():
        raise InputError(f"{wanted.path}: no such file or folder")
    if wanted.out.exists() and (not wanted.out.is_dir() or any(wanted.out.iterdir())):
        raise InputError(f"--out {wanted.out}: is there already: name a new folder, or remove it")
    load_forms(wanted.protocol.instruments_due, wanted.protocol.raters)
    pattern = client_pattern(wanted.client_from)
    part = wanted.out.parent / f".{wanted.out.name or 'run'}.importing"
    shutil.rmtree(part, ignore_errors=True)  # what an import that was killed left there
    make_folder(wanted.out.parent)
    try:
        made = _import(wanted, reader, pattern, part, tick)
        with guarded(wanted.out):
            if wanted.out.exists():
                wanted.out.rmdir()
            part.rename(wanted.out)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return made


def _import(
    wanted: Import,
    reader: Reader,
    pattern: re.Pattern[str] | None,
    part: Path,
    tick: Callable[[int], None],
) -> Imported:
    protocol = imported_protocol(wanted.protocol)
    mark = protocol_fingerprint(protocol, DataSet("imported"))
    header = RunHeader(
        protocol=protocol,
        fingerprint=mark.value,
        parts=mark.parts,
        candidate=RunCandidate(therapist=wanted.therapist or "imported", model="imported"),
        selection=RunSelection(conditions=(FaceCondition.NONE,)),
        environment=current_environment(),
        imported=ImportFacts(format=wanted.format, source=wanted.path.name, rated_as=wanted.protocol.name),
    )
    make_folder(part)
    with RunFolder(part, header) as folder, guarded(part):
        with (
            (part / PROBLEMS).open("w", encoding="utf-8") as listed,
            (part / PROFILES).open("wb") as people,
            (part / ORIGINS).open("w", encoding="utf-8") as origins,
        ):
            problems = _Problems(listed)
            filling = _Filling(wanted, People(wanted.people, pattern), folder, problems, people, origins)
            for held in reader(wanted.path, filling.reading):
                filling.add(held)
                tick(filling.sessions)
        filling.refuse()
        for path in filter(None, map(own_file, protocol.instruments)):
            folder.keep_instrument(path)
        parts = dict(mark.parts) | {"data": _digest_of(part)}
        facts = filling.facts(header.imported)
        folder.complete(
            header.model_copy(
                update={
                    "parts": parts,
                    "fingerprint": digest(parts),
                    "candidate": filling.candidate,
                    "selection": RunSelection(
                        conditions=tuple(one for one in FaceCondition if one in filling.conditions),
                        sessions=filling.sessions,
                    ),
                    "imported": facts,
                }
            )
        )
    return Imported(facts, len(filling.people), filling.turns, tuple(problems.first))


class _Filling:
    """A run folder in the making."""

    def __init__(
        self,
        wanted: Import,
        people: People,
        folder: RunFolder,
        problems: _Problems,
        profiles: IO[bytes],
        origins: IO[str],
    ) -> None:
        self.wanted, self.people = wanted, people
        self._folder, self._problems = folder, problems
        self._profiles, self._origins = profiles, origins
        self.reading = TranscriptReading(problems.note, wanted.cast.mapped, wanted.columns, problems.lose)
        self._finder = open_finder()
        self._maker = SessionMaker(
            wanted.cast, self.reading, self._finder, redact=wanted.redact, directions=wanted.directions
        )
        self.sessions = self.turns = 0
        self.conditions: Counter[FaceCondition] = Counter()
        self._therapists: Counter[str] = Counter()

    @property
    def therapist(self) -> str:
        """What records call the therapist."""
        return (
            self.wanted.therapist or next(iter(self._therapists), "") or f"imported-{self.wanted.path.stem}"
        )

    @property
    def candidate(self) -> RunCandidate:
        """What the header says of the candidate."""
        return RunCandidate(
            therapist=self.therapist,
            model=f"imported/{identifier(self.therapist) or 'unnamed'}",
            sees=FaceCondition.MATCHED in self.conditions,
        )

    def add(self, held: Conversation) -> None:
        """Adds a conversation as a session."""
        if self.wanted.only and held.therapist != self.wanted.only:
            return
        redacting = self._maker.redacting(held)
        turns, faces = self._maker.turns(held, redacting)
        self._therapists[held.therapist] += 1
        if self._maker.strangers or (len(self._therapists) > 1 and not self.wanted.therapist):
            return  # refused in the end, with all of them named
        sides = {turn.speaker for turn in turns}
        if len(sides) < 2:
            who = f"only the {next(iter(sides)).value} speaks" if sides else "nobody speaks"
            self.reading.say(held.source, held.line, f"{held.id}: {who}: left out", lost=True)
            return
        profile, new = self.people.of(held, redacting if self.wanted.redact else None)
        scenario = self.people.scenario(
            profile, FaceCondition.MATCHED if any(turn.face for turn in turns) else FaceCondition.NONE
        )
        if new and self.people.stranger(profile):
            why = "the people that were given hold nobody of that name: it was made from what stands here"
            self.reading.say(held.source, held.line, f"{held.id}: {why}")
        if new:
            self._profiles.write(f"{profile.line()}\n".encode())
        for face in faces:
            self._folder.keep_face(face)
        self._folder.keep_session(as_session(scenario, self.therapist, turns))
        labels = {} if self.wanted.redact else dict(held.labels)
        line = {"scenario_id": scenario.id, "file": held.source, "line": held.line, "labels": labels}
        if not self.wanted.redact:
            line["conversation"] = held.id
        self._origins.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.conditions[scenario.condition] += 1
        self.sessions += 1
        self.turns += len(turns)

    def refuse(self) -> None:
        """Refuses an import of which it is not known who speaks, or of which nothing is left.

        Raises:
            InputError: Naming the speakers, the therapists, or the first problem.
        """
        path = str(self.wanted.path)
        if self._maker.strangers:
            raise unmapped(path, self._maker.strangers, self._maker.first)
        if len(self._therapists) > 1 and not self.wanted.therapist:
            named = ", ".join(
                f"{name or '(none named)'} ({many})" for name, many in self._therapists.most_common(8)
            )
            raise InputError(
                f"{path}: holds conversations of several therapists: {named}. A run takes one: import each "
                "with --only NAME, or all as one with --name NAME. Nothing was imported"
            )
        if not self.sessions:
            first = f" (first: {self._problems.first[0]})" if self._problems.first else ""
            known = f" of the therapist {self.wanted.only!r}" if self.wanted.only else ""
            raise InputError(
                f"{path}: holds no conversation{known} that can be read as {self.wanted.format}{first}"
            )

    def facts(self, begun: ImportFacts | None) -> ImportFacts:
        """Returns what the header says of the import."""
        found = begun or ImportFacts(format=self.wanted.format, source=self.wanted.path.name)
        return found.model_copy(
            update={
                "sessions": self.sessions,
                "left_out": self._problems.lost,
                "problems": self._problems.count,
                "examined": self._finder.told,
                "details": dict(sorted(self._maker.details.items())),
                "redacted": self.wanted.redact,
            }
        )


def _digest_of(folder: Path) -> str:
    """Returns the digest of people and sessions, whatever the run's folder is called."""
    found = hashlib.sha256()
    for name in (PROFILES, SESSIONS):
        with (folder / name).open("rb") as file:
            for block in iter(partial(file.read, 2**20), b""):
                found.update(block)
    return found.hexdigest()
