"""What the questions of all static tasks have in common: a row, its image, its lettered options."""

from __future__ import annotations

import functools
import hashlib
import io
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mirror_bench.data.base import DataSet
from mirror_bench.data.screenplays.records import (
    Line,
    Screenplay,
)
from mirror_bench.errors import InputError
from mirror_bench.faces.base import SIDE, FaceSource
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.schema import (
    Expression,
    FaceIdentity,
    Speaker,
    derive_seed,
)

Row = dict[str, Any]
"""A question: `id`, `cluster`, `image`, `image_digest`, `options`, `answers`, `chance`, what it is about."""

SEED = 20250413
"""Decides every draw of every task; part of what a task's version stands for."""
LETTERS = "ABCDEFGH"
SHOWN_LINES = 8
"""How many lines of the dialogue a prompt shows at most."""
SILENCE = "(says nothing)"


class Shown(NamedTuple):
    """An image in a task's row, as PNG bytes with their digest.

    Attributes:
        png: The image: PNG, 336x336 RGB, where it is drawn; of a prepared set, the file itself
            where it is plain RGB.
        digest: SHA-256 of `png`.
    """

    png: bytes
    digest: str


class Faces:
    """Renders the faces of a task's rows, or a grey image in place of each.

    Args:
        blank: Whether a grey image stands in place of every face: what a blind twin is shown.
        source: Makes the images.
    """

    def __init__(self, *, blank: bool = False, source: FaceSource | None = None) -> None:
        self.blank = blank
        self._source = source or DrawnFaces()
        self._drawn: dict[tuple[str, str], Shown] = {}

    def show(self, identity: FaceIdentity, expression: Expression) -> Shown:
        """Returns one face, or the grey image."""
        if self.blank:
            return blank()
        key = (identity.line(), expression.line())
        if key not in self._drawn:
            png = self._source.render(identity, expression)
            self._drawn[key] = Shown(png, hashlib.sha256(png).hexdigest())
        return self._drawn[key]


@functools.cache
def blank() -> Shown:
    """Returns the grey image that shows no face."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), (128, 128, 128)).save(file, "PNG")
    return Shown(file.getvalue(), hashlib.sha256(file.getvalue()).hexdigest())


class Making(NamedTuple):
    """The data, split and faces that a task's rows are made from.

    Attributes:
        data: Profiles and screenplays of every split.
        split: Which of them are asked about.
        faces: Draws the images.
        withheld: "face" or "words", where a control withholds one; else "".
        face_set: A folder with a prepared set of faces for `mirror_expression`; "" for drawn ones.
    """

    data: DataSet
    split: str
    faces: Faces
    withheld: str = ""
    face_set: str = ""

    @property
    def screenplays(self) -> tuple[Screenplay, ...]:
        """The screenplays of the split."""
        return self.data.of_split(self.split).screenplays


def with_image(row: Row, shown: Shown) -> Row:
    """Returns the row with its image and the image's digest."""
    return {**row, "image": {"bytes": shown.png, "path": None}, "image_digest": shown.digest}


def shown_expression(line: Line) -> Expression:
    """Returns what a client's face shows at one line: all of the line's stage directions together."""
    return read_direction(", ".join(line.directions)).expression


def dialogue(lines: Sequence[Line]) -> str:
    """Returns the last lines as text, without stage directions: a therapist only sees those."""
    said = [(line.speaker.capitalize(), line.words.strip() or SILENCE) for line in lines[-SHOWN_LINES:]]
    return "\n".join(f"{speaker}: {words}" for speaker, words in said)


def is_client(line: Line) -> bool:
    """Tells whether the client speaks a line."""
    return line.speaker is Speaker.CLIENT


def shuffled(rows: Sequence[Row], *names: str | int) -> list[Row]:
    """Returns the rows in an order drawn by the seed and the names, so that a limit takes a fair part."""
    order = list(rows)
    random.Random(derive_seed(SEED, *names)).shuffle(order)
    return order


def lettered(row: Row, right: Sequence[str], wrong: Sequence[str], place: int) -> Row:
    """Returns the row with its options in a drawn order under letters.

    Args:
        row: Has an `id`, by which the order is drawn.
        right: Options that count as right.
        wrong: Options that do not.
        place: Decides where the first right option stands: as `place` runs through the rows of a task, every
            letter is right equally often.
    """
    draw = random.Random(derive_seed(SEED, "options", row["id"]))
    others = [*right[1:], *wrong]
    draw.shuffle(others)
    at = place % (len(others) + 1)
    options = [*others[:at], right[0], *others[at:]]
    letters = LETTERS[: len(options)]
    return {
        **row,
        "options": options,
        "letters": list(letters),
        "listing": "\n".join(f"{letter}. {option}" for letter, option in zip(letters, options, strict=True)),
        "answers": [letter for letter, option in zip(letters, options, strict=True) if option in right],
        "chance": len(right) / len(options),
    }


def balanced(rows: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Returns equally many rows of each kind: as many as the rarest has.

    Raises:
        InputError: If a kind has none.
    """
    empty = [name for name, of in rows.items() if not of]
    if empty or not rows:
        kinds = ", ".join(empty) or "asked for"
        raise InputError(f"the data give no question of the kind {kinds}: add screenplays")
    least = min(len(of) for of in rows.values())
    return [row for of in rows.values() for row in of[:least]]
