"""A prepared set of faces for `mirror_expression`: photographs or made images in place of drawn ones.

The folder is laid out as `datasets` wants an image folder: images, and a `metadata.csv` that names each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from mirror_bench.errors import InputError
from mirror_bench.faces.sets.folder import read_entries, read_image
from mirror_bench.lm_eval.questions import Row, Shown, blank, with_image
from mirror_bench.lm_eval.results import GROUPS

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
    for entry in read_entries(folder, ["expression"], "face_set"):
        shows = entry.fields.get("expression", "")
        label = names.get(shows.lower())
        if label is None:
            known = ", ".join(labels)
            raise InputError(f"{entry.where}: expression {shows!r} is none of {known}, nor counts as one")
        row = {
            "id": entry.file,
            "cluster": entry.fields.get("person") or entry.file,
            "shown": shows,
            **{name: entry.fields.get(name) or UNKNOWN for name in GROUPS},
            "options": labels,
            "answers": [label],
            "chance": 1 / len(labels),
        }
        content = read_image(folder, entry)
        shown = Shown(content, hashlib.sha256(content).hexdigest())
        yield with_image(row, blank() if blind else shown)
