"""A contact sheet of faces, to look at what the benchmark shows."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from mirror_bench.errors import InputError
from mirror_bench.faces.base import FaceSource
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.faces.identity import random_identity
from mirror_bench.files import guarded
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
    source = source or DrawnFaces()
    columns = columns or len(expressions)
    cells = [(person, expression) for person in people for expression in expressions]
    _write(
        path,
        ((source.render(person, expression), expression.label) for person, expression in cells),
        len(cells),
        columns,
    )


def write_images(path: Path, pictures: Sequence[tuple[Path, str]], columns: int) -> None:
    """Writes images that lie in files in a grid, each under its label.

    Raises:
        InputError: If one cannot be read or the file cannot be written.
    """
    with guarded(path):
        _write(path, ((file.read_bytes(), label) for file, label in pictures), len(pictures), columns)


def _write(path: Path, cells: Iterable[tuple[bytes, str]], count: int, columns: int) -> None:
    from PIL import Image, ImageDraw

    columns = min(columns, count)
    rows = -(-count // columns)
    sheet = Image.new("RGB", (columns * _CELL, rows * (_CELL + _LABEL)), "white")
    pen = ImageDraw.Draw(sheet)
    for place, (png, label) in enumerate(cells):
        left, top = place % columns * _CELL, place // columns * (_CELL + _LABEL)
        face = Image.open(io.BytesIO(png))
        sheet.paste(face.resize((_CELL, _CELL), Image.Resampling.LANCZOS), (left, top + _LABEL))
        pen.text((left + 4, top + 4), label, fill="black")
    try:
        sheet.save(path, format="PNG")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
