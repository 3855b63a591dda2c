"""A contact sheet of faces, to look at what the benchmark shows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from mirror_bench.errors import InputError
from mirror_bench.faces.base import FaceSource
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.faces.identity import random_identity
from mirror_bench.schema import Expression, FaceIdentity, derive_seed

_CELL = 168
_LABEL = 18


def write_sheet(path: Path, identities: int, seed: int) -> None:
    """Writes a PNG with one random identity per row and one named expression per column.

    Args:
        path: Where to write; its folder must exist.
        identities: Rows, 1 to 40.
        seed: Of the identities.

    Raises:
        InputError: If `identities` is out of range or the file cannot be written.
    """
    if not 1 <= identities <= 40:
        raise InputError(f"identities {identities} must lie between 1 and 40")
    people = [random_identity(derive_seed("sheet", seed, row)) for row in range(identities)]
    write_grid(path, people, list(EXPRESSIONS.values()))


def write_grid(
    path: Path,
    people: Sequence[FaceIdentity],
    expressions: Sequence[Expression],
    source: FaceSource | None = None,
    columns: int = 0,
) -> None:
    """Writes faces in a grid: a row per identity, or `columns` faces a row where that is given.

    Raises:
        InputError: If the file cannot be written or a face cannot be drawn.
    """
    from PIL import Image, ImageDraw

    source = source or DrawnFaces()
    columns = columns or len(expressions)
    cells = [(person, expression) for person in people for expression in expressions]
    rows = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * _CELL, rows * (_CELL + _LABEL)), "white")
    pen = ImageDraw.Draw(sheet)
    for place, (person, expression) in enumerate(cells):
        left, top = place % columns * _CELL, place // columns * (_CELL + _LABEL)
        face = Image.open(io.BytesIO(source.render(person, expression)))
        sheet.paste(face.resize((_CELL, _CELL), Image.Resampling.LANCZOS), (left, top + _LABEL))
        pen.text((left + 4, top + 4), expression.label, fill="black")
    try:
        sheet.save(path, format="PNG")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
