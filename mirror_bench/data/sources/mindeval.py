"""The simulated members of MindEval (Sword Health, arXiv 2511.18491): attributes and a narrative each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mirror_bench.data.base import DataSet
from mirror_bench.data.sources.people import add_people, add_person, read_people
from mirror_bench.data.sources.record_collector import Gathering
from mirror_bench.data.untrusted_input import cell
from mirror_bench.errors import InputError
from mirror_bench.schema import Profile

ATTRIBUTES, NARRATIVE = "member_attributes", "member_narrative"


def load_mindeval(argument: str) -> DataSet:
    """Loads MindEval's members: one JSON object a line, or a JSON list.

    The narrative, second-person prose, is what the client's prompt says of the client; the attributes become
    fields, or are kept in the history under their own names.

    Args:
        argument: The file.

    Raises:
        InputError: If the file is unusable altogether.
    """
    if not argument:
        raise InputError("mindeval needs a file: write mindeval:FILE (docs/other-benchmarks.md)")
    path = Path(argument).expanduser()
    gathering = Gathering()
    if not add_people(gathering, path, _add):
        raise InputError(f"{path}: holds no member: expected are objects with {ATTRIBUTES} and {NARRATIVE}")
    return gathering.finish(f"mindeval:{argument}")


def member_of(record: dict[str, Any]) -> dict[str, Any] | None:
    """Returns attributes and narrative in one mapping, of a member or of a session; None without."""
    given = record.get(ATTRIBUTES)
    for key in ("member_profile", "profile", "member"):
        given = given if isinstance(given, dict) else record.get(key)
    narrative = cell(record.get(NARRATIVE))
    if isinstance(given, dict):
        return {**given, NARRATIVE: narrative or cell(given.get(NARRATIVE))}
    return {NARRATIVE: narrative} if narrative else None


def _add(gathering: Gathering, record: dict[str, Any], source: str, place: int) -> Profile | None:
    member = member_of(record)
    if member is None:
        why = f"has neither {ATTRIBUTES} (a mapping) nor {NARRATIVE}: the record was left out"
        gathering.problem(source, place, why)
        return None
    if not member[NARRATIVE]:
        gathering.problem(source, place, f"has no {NARRATIVE}: the attributes alone describe the client")
    person = read_people(member)
    for note in person.notes:
        gathering.problem(source, place, note)
    return add_person(gathering, person.fields, source, place, kind="mindeval", content=member)
