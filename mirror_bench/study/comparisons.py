"""The comparisons of a pairwise study: `comparisons.jsonl` in its folder, as `compare --out` writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from mirror_bench.errors import InputError
from mirror_bench.files import guarded, write_atomically
from mirror_bench.raters.preferences import Preference
from mirror_bench.study.records import StudyKey, StudySession

COMPARISONS = "comparisons.jsonl"


def name_of(key: StudyKey, session: StudySession) -> str:
    """Returns what comparisons call a session's candidate, and its face condition where there are several."""
    name = " ".join(filter(None, (session.therapist, session.method)))
    several = len({one.condition for one in key.sessions.values()}) > 1
    return f"{name} ({session.condition} faces)" if several else name


def read_comparisons(folder: Path) -> list[Preference]:
    """Returns the comparisons of a folder; none where there is no such file.

    Raises:
        InputError: If a line is no comparison.
    """
    path = folder / COMPARISONS if folder.is_dir() else folder
    if not path.exists():
        return []
    found = []
    with guarded(path):
        lines = path.read_bytes().splitlines()
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(Preference.model_validate_json(line))
            except ValidationError as error:
                first = error.errors()[0]
                raise InputError(
                    f"{path}:{number}: is no comparison ({first['msg']}): remove the line, or make the file "
                    "anew"
                ) from None
    return found


def write_comparisons(folder: Path, comparisons: Sequence[Preference]) -> None:
    """Writes a folder's comparisons whole or not at all."""
    text = "".join(f"{one.line()}\n" for one in comparisons)
    write_atomically(folder / COMPARISONS, text.encode())
