"""A prepared set of faces for `mirror_expression`: photographs or made images in place of drawn ones.

The folder is laid out as `datasets` wants an image folder: images, and a `metadata.csv` that names each.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from mirror_bench.errors import InputError
from mirror_bench.static.base import Row, Shown, blank, with_image
from mirror_bench.static.results import GROUPS

METADATA = "metadata.csv"
NEEDED = ("file_name", "expression")
UNKNOWN = "unknown"
"""Group of a face of which the set does not say."""


def face_set_rows(folder: Path, names: Mapping[str, str], labels: list[str], *, blind: bool) -> Iterator[Row]:
    """Yields a question for each image of a prepared set, in the order of its metadata.

    Args:
        folder: Holds the images and `metadata.csv` with the columns `file_name` and `expression`, and, where
            they are known, `person` (whose images are one cluster), `age`, `sex` and `skin` (for the gaps
            between groups).
        names: What may stand under `expression` -> the label that it counts as.
        labels: The options of every question.
        blind: Whether a grey image stands in place of every face.

    Raises:
        InputError: If the set is not as it must be, naming file and line.
    """
    path = folder / METADATA
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"face_set: cannot read {path} ({error}): it names each image's expression"
        ) from None
    table = csv.DictReader(io.StringIO(text))
    if lacking := [name for name in NEEDED if name not in (table.fieldnames or ())]:
        raise InputError(f"{path}: has no column {lacking[0]!r}; it needs {', '.join(NEEDED)}")
    seen = set()
    for entry in table:
        where, file = f"{path}:{table.line_num}", (entry["file_name"] or "").strip()
        label = names.get((entry["expression"] or "").strip().lower())
        if label is None:
            known = ", ".join(labels)
            raise InputError(
                f"{where}: expression {entry['expression']!r} is none of {known}, nor counts as one"
            )
        if not file or file in seen:
            raise InputError(f"{where}: file_name {file!r} {'stands twice' if file else 'is empty'}")
        seen.add(file)
        row = {
            "id": file,
            "cluster": (entry.get("person") or file).strip(),
            "shown": (entry["expression"] or "").strip(),
            **{name: (entry.get(name) or UNKNOWN).strip() for name in GROUPS},
            "options": labels,
            "answers": [label],
            "chance": 1 / len(labels),
        }
        shown = _image(folder, file, where)
        yield with_image(row, blank() if blind else shown)
    if not seen:
        raise InputError(f"{path}: names no image")


def _image(folder: Path, file: str, where: str) -> Shown:
    from PIL import Image, UnidentifiedImageError

    if not (folder / file).resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{where}: {file!r} lies outside the folder")
    try:
        content = (folder / file).read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            image.verify()
    except (OSError, UnidentifiedImageError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{where}: cannot read the image {file!r} ({error})") from None
    return Shown(content, hashlib.sha256(content).hexdigest())
