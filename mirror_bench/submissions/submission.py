"""A submission as a verifier reads it: records out of a stranger's bytes, and what they are held against."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from mirror_bench.analysis.summary import Summary
from mirror_bench.data.base import DataSet
from mirror_bench.data.screenplays.records import Screenplay
from mirror_bench.protocol import Protocol
from mirror_bench.schema import Ending, Rating, Record, Scenario, Session
from mirror_bench.sessions.counterfactual_turns import Probe
from mirror_bench.sessions.run_header import RunHeader
from mirror_bench.submissions.archive import MANIFEST
from mirror_bench.submissions.card import is_scripted, sees_faces
from mirror_bench.submissions.manifest import Manifest

R = TypeVar("R", bound=Record)
MOST_RECORDS = 200_000


@dataclass(frozen=True)
class Submission:
    """The records in one submission file, parsed but not yet verified."""

    members: Mapping[str, bytes]
    manifest: Manifest
    header: RunHeader
    sessions: tuple[Session, ...]
    ratings: tuple[Rating, ...]
    probes: tuple[Probe, ...]
    summary: Summary

    @property
    def method(self) -> str:
        """How the candidate was prompted; empty for scripted therapists."""
        return self.header.candidate.method

    @functools.cached_property
    def scripted(self) -> bool:
        """Whether the candidate is a scripted therapist, who can be heard again."""
        return is_scripted(self.header)

    @functools.cached_property
    def sees(self) -> bool:
        """Whether faces are shown to the candidate."""
        return sees_faces(self.header)


@dataclass(frozen=True)
class Held:
    """A submission with the published protocol, data and scenarios that the checks hold it against.

    Attributes:
        protocol: The published protocol.
        data: Its data, as this copy of mirror-bench has it.
        due: The scenarios of the submission's own selection, under the published protocol.
        recoded: Waits for the sessions that are coded anew, and says of each what differs.
    """

    submission: Submission
    protocol: Protocol
    data: DataSet
    due: tuple[Scenario, ...]
    recoded: Callable[[], Sequence[Sequence[str]]] = list

    @functools.cached_property
    def screenplays(self) -> Mapping[str, Screenplay]:
        """Profile -> the first screenplay of the data with it."""
        return {play.profile_id: play for play in reversed(self.data.screenplays)}

    @functools.cached_property
    def pairs(self) -> tuple[tuple[Scenario, Session], ...]:
        """Each session that did not fail, with its scenario; sessions of no scenario are left out."""
        scenarios = {scenario.id: scenario for scenario in self.due}
        return tuple(
            (scenarios[session.scenario_id], session)
            for session in self.submission.sessions
            if session.scenario_id in scenarios and session.ended is not Ending.FAILED
        )


def read_manifest(content: bytes) -> Manifest | str:
    """Returns the manifest, or what is wrong with it."""
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        return _first(MANIFEST, error)


def read_submission(members: Mapping[str, bytes], manifest: Manifest) -> Submission | list[str]:
    """Returns the submission's records, or what is wrong with them."""
    problems: list[str] = []
    header = _one("run.json", members["run.json"], RunHeader, problems)
    summary = _one("summary.json", members["summary.json"], Summary, problems)
    sessions = _many("sessions.jsonl", members["sessions.jsonl"], Session, problems)
    ratings = _many("ratings.jsonl", members["ratings.jsonl"], Rating, problems)
    probes = _many("probes.jsonl", members.get("probes.jsonl", b""), Probe, problems)
    if header is not None and not header.candidate.model:
        problems.append("run.json: candidate lacks model")
    if problems or header is None or summary is None:
        return problems
    return Submission(members, manifest, header, tuple(sessions), tuple(ratings), tuple(probes), summary)


def _one(name: str, content: bytes, kind: type[R], problems: list[str]) -> R | None:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        problems.append(_first(name, error))
        return None


def _many(name: str, content: bytes, kind: type[R], problems: list[str]) -> Sequence[R]:
    """Reads a record a line; a line that says more or otherwise than its record (a key twice) is refused."""
    lines = content.split(b"\n")
    if lines[-1] or len(lines) > MOST_RECORDS:
        problems.append(f"{name}: breaks off in its last line, or has more than {MOST_RECORDS} lines")
        return []
    found = []
    for number, line in enumerate(lines[:-1], 1):
        try:
            record = kind.model_validate_json(line)
        except ValidationError as error:
            problems.append(_first(f"{name}:{number}", error))
            continue
        if record.line().encode("utf-8", "replace") != line:
            problems.append(f"{name}:{number}: is not written as mirror-bench pack writes it")
        found.append(record)
    return found


def _first(name: str, error: ValidationError) -> str:
    first = error.errors(include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{name}: {f'{where}: ' if where else ''}{first['msg']}"
