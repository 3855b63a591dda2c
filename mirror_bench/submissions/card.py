"""Reads what authors declare about their model: `meta.yaml`, or answers to questions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mirror_bench.content import read_yaml
from mirror_bench.errors import InputError
from mirror_bench.schema import Profile, Resistance, Scenario
from mirror_bench.sessions.candidate import open_therapist, read_candidate
from mirror_bench.sessions.run_header import RunHeader
from mirror_bench.submissions.manifest import Card
from mirror_bench.therapists.methods import METHODS

REQUIRED = ("name", "authors", "licence", "base_model", "training_data")
"""What no run can tell."""
LISTS = frozenset({"authors", "training_data", "links"})
_SOUND: Mapping[str, Any] = {
    "name": "x",
    "authors": ["x"],
    "licence": "x",
    "base_model": "x",
    "training_data": ["x"],
    "modality": "text",
}


def read_meta(path: Path) -> dict[str, Any]:
    """Returns the values of a `meta.yaml`, of which some may still be missing.

    Raises:
        InputError: If the file cannot be read, or a key or value is wrong, naming it.
    """
    values = {key: as_list(key, value) for key, value in read_yaml(path).items()}
    for key, value in values.items():
        if problem := problem_of(key, value):
            raise InputError(f"{path}: {key}: {problem}")
    return values


def as_list(key: str, value: Any) -> Any:
    """Returns a value as its key wants it: a text becomes a list of its parts where the key holds several."""
    if key in LISTS and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def problem_of(key: str, value: Any) -> str:
    """Returns what is wrong with one value of the card, or ""."""
    if key not in Card.model_fields:
        return f"is no key of a card: known are {', '.join(Card.model_fields)}"
    try:
        Card.model_validate({**_SOUND, key: value})
    except ValidationError as error:
        return str(error.errors()[0]["msg"])
    return ""


def derived(header: RunHeader) -> dict[str, Any]:
    """Returns what the run itself tells: whether the candidate saw faces and whether it is scripted."""
    modality = "vision-language" if sees_faces(header) else "text"
    return {"modality": modality, "templated": is_scripted(header)}


def sees_faces(header: RunHeader) -> bool:
    """Tells whether faces were shown to a run's candidate, where the scenario shows any."""
    if header.candidate.sees is not None:  # code of the user's, which is not loaded to pack or verify
        return header.candidate.sees
    if not is_scripted(header):
        return bool(METHODS.get(header.candidate.method).sees)
    nobody = Scenario(profile=Profile(id="nobody", name="Nobody"), resistance=Resistance.NONE)
    candidate = read_candidate(header.candidate.model)
    return open_therapist(candidate, nobody, None, header.protocol.therapist).sees


def is_scripted(header: RunHeader) -> bool:
    """Tells whether a run's candidate is a scripted therapist, which anybody can hear again."""
    return not header.candidate.method and read_candidate(header.candidate.model).scripted


def missing(values: Mapping[str, Any]) -> list[str]:
    """Returns the required keys that a card still lacks."""
    return [key for key in REQUIRED if key not in values]


def make_card(values: Mapping[str, Any]) -> Card:
    """Returns the card.

    Raises:
        InputError: If keys are missing, naming all of them.
    """
    if lacking := missing(values):
        raise InputError(
            f"the card lacks {', '.join(lacking)}: give a file with these keys as --meta meta.yaml "
            "(docs/handing-in.md shows one)"
        )
    return Card.model_validate(dict(values))
