"""What a finished set of made faces holds: metadata, a contact sheet and a table of the yield."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mirror_bench.faces.contact_sheet import write_images
from mirror_bench.faces.sets.folder import METADATA
from mirror_bench.files import write_atomically
from mirror_bench.making.faces.checks.base import CAUTION
from mirror_bench.making.faces.due import DueFace
from mirror_bench.making.faces.journal import ATTEMPTS, FaceJournal
from mirror_bench.making.faces.maker import DESCRIPTION
from mirror_bench.schema import Record

SHEET, YIELD = "sheet.png", "yield.json"
_COLUMNS = (
    *("file_name", "person", "expression", "units", "age", "sex", "skin", "licence", "profile"),
    *("screenplay", "line", "direction", "description", "contrast", "seed", "generator", "unchecked"),
)
_MOST_ON_SHEET = 400
_A_ROW = 12


class FaceYield(Record):
    """How many faces were made of those that are due, and what images fell to.

    Attributes:
        images: Images that were examined; what fell to `caution` or `description` never was one.
        rejected: Check -> images (or words) that fell to it.
        without: Faces that no attempt gave, by id.
        unchecked: Checks that were left out.
    """

    due: int
    kept: int
    images: int
    rejected: Mapping[str, int]
    without: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


def yield_of(
    journal: FaceJournal, due: Sequence[DueFace], checks: Sequence[str], unchecked: Sequence[str]
) -> FaceYield:
    """Returns the yield, with every check that was asked, those that rejected nothing too."""
    fell: Counter[str] = Counter(dict.fromkeys(checks, 0))
    kept = [face.id for face in due if journal.kept(face.id)]
    images = 0
    for face in due:
        for attempt in journal.attempts.get(face.id, ()):
            images += attempt.rejected_by not in (CAUTION, DESCRIPTION)
            if attempt.rejected_by:
                fell[attempt.rejected_by] += 1
    without = tuple(face.id for face in due if journal.kept(face.id) is None)
    return FaceYield(
        due=len(due),
        kept=len(kept),
        images=images,
        rejected=dict(fell),
        without=without,
        unchecked=tuple(unchecked),
    )


def write_results(journal: FaceJournal, due: Sequence[DueFace], result: FaceYield, generator: str) -> None:
    """Writes `metadata.csv`, `sheet.png` and `yield.json` of the faces that were kept.

    Raises:
        InputError: If they cannot be written.
    """
    kept = [face for face in due if journal.kept(face.id)]
    rows = [_row(journal, face, generator, result.unchecked) for face in kept]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(journal.folder / METADATA, text.getvalue().encode())
    write_atomically(journal.folder / YIELD, (result.model_dump_json(indent=1) + "\n").encode())
    if kept:
        pictures = [(journal.file_of(face.who.person, face.id), face.expression.label) for face in kept]
        write_images(journal.folder / SHEET, pictures[:_MOST_ON_SHEET], _A_ROW)


def _row(journal: FaceJournal, due: DueFace, generator: str, unchecked: Sequence[str]) -> dict[str, Any]:
    attempt = journal.kept(due.id)
    assert attempt is not None
    identity = due.who.identity
    units = " ".join(f"{unit}:{strength:g}" for unit, strength in due.expression.units.items())
    file: Path = journal.file_of(due.who.person, due.id)
    return {
        "file_name": file.relative_to(journal.folder).as_posix(),
        "person": due.who.person,
        "expression": due.expression.label,
        # A named expression says more than its units do: gaze, head and posture.
        "units": units if due.line else "",
        "age": identity.age,
        "sex": identity.sex,
        "skin": identity.skin,
        "licence": due.who.licence,
        "profile": due.profile,
        "screenplay": due.screenplay,
        "line": due.line or "",
        "direction": due.direction,
        "description": attempt.face_words,
        "contrast": attempt.contrast,
        "seed": attempt.seed,
        "generator": generator,
        "unchecked": " ".join(unchecked),
    }


def yield_lines(result: FaceYield, folder: Path) -> list[str]:
    """Returns the yield as lines of text."""
    share = f" ({result.kept / result.images:.0%} of the images)" if result.images else ""
    lines = [f"{result.kept} of {result.due} faces kept, of {result.images} images{share}: {folder}"]
    if result.rejected:
        lines.append(f"{'rejected by':<14} {'images':>7}")
        lines += [f"{name:<14} {count:>7}" for name, count in result.rejected.items()]
    if result.unchecked:
        lines.append(f"not checked: {', '.join(result.unchecked)}")
    if result.without:
        more = f" and {len(result.without) - 5} more" if len(result.without) > 5 else ""
        lines.append(
            f"{len(result.without)} faces have no image: {', '.join(result.without[:5])}{more}; "
            f"{folder / ATTEMPTS} says why, image by image; a higher --attempts tries on"
        )
    return lines
