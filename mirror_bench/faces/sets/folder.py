"""Prepared sets of faces: a folder of images, and a `metadata.csv` that says what each shows."""

from __future__ import annotations

import csv
import io
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mirror_bench.errors import InputError
from mirror_bench.pictures import as_png, is_plain

METADATA = "metadata.csv"


class Entry(NamedTuple):
    """One row of a face set's metadata: an image file, and what its columns say.

    Attributes:
        where: File and line of the metadata, to name in messages.
        file: The image, relative to the set's folder.
        fields: Column -> what stands there, without blanks around it; "" where nothing does.
    """

    where: str
    file: str
    fields: dict[str, str]


def read_entries(folder: Path, needed: Sequence[str], what: str) -> list[Entry]:
    """Returns the entries of a set's metadata in their order; no image is opened.

    Args:
        folder: Holds the images and `metadata.csv`, as `datasets` wants an image folder.
        needed: Columns that must be there beside `file_name`.
        what: What asks for the set, to name in messages.

    Raises:
        InputError: If the metadata is not as it must be, naming file and line.
    """
    path = folder / METADATA
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{what}: cannot read {path} ({error}): it names each image's expression") from None
    table = csv.DictReader(io.StringIO(text))
    columns = ("file_name", *needed)
    entries: dict[str, Entry] = {}
    try:
        if lacking := [name for name in columns if name not in (table.fieldnames or ())]:
            raise InputError(f"{path}: has no column {lacking[0]!r}; it needs {', '.join(columns)}")
        for row in table:
            where = f"{path}:{table.line_num}"
            fields = {name: value.strip() for name, value in row.items() if name and isinstance(value, str)}
            file = fields.get("file_name", "")
            if not file or file in entries:
                raise InputError(f"{where}: file_name {file!r} {'stands twice' if file else 'is empty'}")
            if "\0" in file or not (folder / file).resolve().is_relative_to(folder.resolve()):
                raise InputError(f"{where}: {file!r} lies outside the folder")
            entries[file] = Entry(where, file, fields)
    except csv.Error as error:
        raise InputError(f"{path}:{table.line_num}: is no CSV ({error})") from None
    if not entries:
        raise InputError(f"{path}: names no image")
    return list(entries.values())


def read_image(folder: Path, entry: Entry) -> bytes:
    """Returns the image of an entry: its file, or a PNG of it as RGB where that is not what it holds.

    Raises:
        InputError: If it cannot be read as one, naming the metadata's line.
    """
    from PIL import Image

    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        content = (folder / entry.file).read_bytes()
        with warnings.catch_warnings(), Image.open(io.BytesIO(content)) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image.load()
            if not is_plain(image):
                content = as_png(image)
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, MemoryError, *bombs) as error:
        raise InputError(f"{entry.where}: cannot read the image {entry.file!r} ({error})") from None
    return content
