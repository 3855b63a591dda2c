"""Characters of PatientHub, whichever of its client simulators they are written for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mirror_bench.data.base import DataSet
from mirror_bench.data.sources.people import FIELDS, add_people, add_person, leaves, read_people
from mirror_bench.data.sources.record_collector import Gathering
from mirror_bench.errors import InputError
from mirror_bench.schema import Profile

_NOT_OF_THE_PERSON = (
    "id",
    "idx",
    "quality",
    "previous conversations",
    "field path",
    "activation tags",
    "report",
)
_STYLES = "type"
"""Lists the styles that the benchmark's simulator may be set to; none of them is the person's own."""


def load_patienthub(argument: str) -> DataSet:
    """Loads characters of PatientHub: a JSON list, one JSON object a line or one alone.

    Every simulator there has keys of its own. Those with a known meaning become fields; all others are kept
    in the history under their own names, so that no simulator needs code of its own.

    Args:
        argument: The file.

    Raises:
        InputError: If the file is unusable altogether.
    """
    if not argument:
        raise InputError("patienthub needs a file: write patienthub:FILE (docs/other-benchmarks.md)")
    path = Path(argument).expanduser()
    if path.is_dir():
        raise InputError(
            f"{path}: is a folder: name one of its files of characters, such as {path}/cars.json"
        )
    gathering = Gathering()
    if not add_people(gathering, path, _add):
        raise InputError(f"{path}: holds no character: expected are JSON objects that describe a person")
    return gathering.finish(f"patienthub:{argument}")


def _add(gathering: Gathering, record: dict[str, Any], source: str, place: int) -> Profile | None:
    known = [leaf for leaf in leaves(record) if leaf.path and leaf.path[-1] in FIELDS]
    if not known:
        gathering.problem(source, place, "describes nobody by any key that is known: the record was left out")
        return None
    styles = record.get(_STYLES)
    left_out = (*_NOT_OF_THE_PERSON, _STYLES) if isinstance(styles, list) else _NOT_OF_THE_PERSON
    if isinstance(styles, list) and styles:
        listed = ", ".join(str(style)[:20] for style in styles[:8])
        gathering.problem(source, place, f"lists styles to choose from ({listed}): none was chosen")
    person = read_people(record, left_out)
    for note in person.notes:
        gathering.problem(source, place, note)
    return add_person(gathering, person.fields, source, place, kind="patienthub", content=record)
