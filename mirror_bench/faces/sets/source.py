"""A face source that shows images of a prepared set: photographs, or images made elsewhere."""

from __future__ import annotations

import functools
import hashlib
import io
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from mirror_bench.errors import InputError
from mirror_bench.faces.base import SIDE
from mirror_bench.faces.facs import expressions
from mirror_bench.faces.facs.action_units import check_units
from mirror_bench.faces.facs.expressions import EXPRESSIONS, nearest, signs
from mirror_bench.faces.sets.folder import METADATA, Entry, read_entries, read_image
from mirror_bench.parts import StandsOn
from mirror_bench.pictures import as_rgb
from mirror_bench.schema import Expression, FaceIdentity, derive_seed, digest

BASIC = ("neutral", "happiness", "sadness", "anger", "fear", "disgust", "surprise")
"""What every person of a set must show."""

IMAGES = "faces.images"
"""Under which name a set's digest and licence stand in a fingerprint."""

_ALSO = {
    "happy": "happiness", "sad": "sadness", "angry": "anger", "afraid": "fear", "fearful": "fear",
    "disgusted": "disgust", "surprised": "surprise", "contemptuous": "contempt",
}  # fmt: skip
_SKINS = {"light": 1 / 6, "medium": 0.5, "dark": 5 / 6}
_SEXES = {
    **dict.fromkeys(("f", "female", "w", "woman", "girl"), "female"),
    **dict.fromkeys(("m", "male", "man", "boy"), "male"),
    **dict.fromkeys(("a", "androgynous", "non-binary", "nonbinary"), "androgynous"),
}
_UNSTATED = frozenset({"", "unknown", "n/a", "na", "nan", "none", "null", "other", "?", "-"})
"""What a cell holds that says nothing, also as other programs write it."""
_OLDEST = 120
T = TypeVar("T")
_UNIT = re.compile(r"\s*([LR]?\d+)\s*[:=]\s*(\d*\.?\d+)\s*")


class SetImage(NamedTuple):
    """One image of a face set, with the expression that it shows."""

    entry: Entry
    expression: Expression
    sha256: str


class Person(NamedTuple):
    """One person of a face set: age, sex, skin and images; None where the metadata do not say.

    Attributes:
        skin: 0 (lightest) to 1 (darkest).
    """

    name: str
    age: float | None
    sex: str | None
    skin: float | None
    images: tuple[SetImage, ...]

    def covers(self) -> dict[str, int]:
        """Returns the number of images nearest to each named expression that has any."""
        counts: dict[str, int] = {}
        for image in self.images:
            name = nearest(image.expression)
            counts[name] = counts.get(name, 0) + 1
        return counts

    def lacks(self) -> list[str]:
        """Returns the basic expressions of which there is no image."""
        covered = self.covers()
        return [name for name in BASIC if name not in covered]


class PreparedSet(NamedTuple):
    """All images of a face set, by person, with digest and licence.

    Attributes:
        digest: SHA-256 of the metadata and of every image.
        licence: Every licence that its metadata name, or "licence not stated".
    """

    folder: Path
    people: tuple[Person, ...]
    digest: str
    licence: str


@functools.lru_cache(maxsize=4)
def read_set(folder: Path) -> PreparedSet:
    """Returns a prepared set; every image is read once, for the digest.

    Raises:
        InputError: If the metadata or an image are not as they must be, naming file and line.
    """
    entries = read_entries(folder, [], "faces")
    if not {"expression", "units"} & set(entries[0].fields):
        raise InputError(
            f"{folder / METADATA}: has no column 'expression' or 'units': it must say what each image shows"
        )
    images: dict[str, list[SetImage]] = {}
    for entry in entries:
        sha256 = hashlib.sha256(read_image(folder, entry)).hexdigest()
        images.setdefault(_person(entry), []).append(SetImage(entry, _shows(entry), sha256))
    licences = {
        entry.fields.get("licence") or entry.fields.get("license") or "licence not stated"
        for entry in entries
    }
    return PreparedSet(
        folder,
        tuple(_described(name, found) for name, found in sorted(images.items())),
        digest(
            [[sorted(image.entry.fields.items()), image.sha256] for each in images.values() for image in each]
        ),
        ", ".join(sorted(licences)),
    )


class SetFaces:
    """Shows the images of a prepared set. Safe to share between threads.

    Who stands for a profile is decided by the profile's face alone: the person of the same sex, of the
    nearest age (by decades) and skin, as far as the metadata say; among several the face's seed decides. Of
    that person the image is shown whose expression is nearest to the one asked for, strength included.

    Args:
        folder: The set's folder.

    Raises:
        InputError: If the set is not as it must be, or somebody lacks a basic expression.
    """

    version = "3"
    """Raised with every change of who stands for whom and which image is shown."""

    takes_argument = True

    def __init__(self, folder: str = "") -> None:
        if not folder:
            raise InputError("faces 'set': name the folder of the set, as in set:FOLDER")
        self._set = read_set(Path(folder).expanduser())
        for person in self._set.people:
            if lacking := person.lacks():
                raise InputError(
                    f"{self._set.folder / METADATA}: person {person.name!r} lacks {', '.join(lacking)}: "
                    f"every person needs {', '.join(BASIC)}; add the images or leave the person out "
                    f"(mirror-bench faces check {folder} says what the set covers)"
                )
        self._signs: dict[str, NDArray[np.float64]] = {
            person.name: np.stack([signs(image.expression) for image in person.images])
            for person in self._set.people
        }

    @property
    def name(self) -> str:
        """Name, version, digest and licence."""
        return f"set/{self.version} {self._held}"

    def stands_on(self) -> StandsOn:
        """See `FaceSource`; a set counts by its metadata and the images that they name, wherever it lies."""
        held = StandsOn(versions={"faces.set": self.version, IMAGES: self._held})
        return held | expressions.stands_on()

    @property
    def _held(self) -> str:
        return f"{self._set.digest} ({self._set.licence})"

    def render(self, identity: FaceIdentity, expression: Expression) -> bytes:
        """Returns the nearest image as a 336x336 RGB PNG; one that is such already is returned as it is."""
        person = self.stand_in(identity)
        apart = np.square(self._signs[person.name] - signs(expression)).sum(axis=1)
        content = read_image(self._set.folder, person.images[int(apart.argmin())].entry)
        return fitted(content)

    def stand_in(self, identity: FaceIdentity) -> Person:
        """Returns who of the set stands for an identity."""
        return nearest_person(self._set.people, identity)


def nearest_person(people: Sequence[Person], identity: FaceIdentity) -> Person:
    """Returns who stands for an identity: same sex, nearest age (by decades) and skin, then by the seed."""

    def unlike(person: Person) -> tuple[float, int]:
        sexes = {person.sex, identity.sex}
        other = 2.0 if sexes == {"female", "male"} else 0.5 if person.sex and len(sexes) > 1 else 0.0
        older = 0.0 if person.age is None else math.floor(abs(person.age - identity.age) / 10)
        darker = 0.0 if person.skin is None else round(2 * abs(person.skin - identity.skin))
        return 2 * other + older + darker, derive_seed("stand in", identity.line(), person.name)

    return min(people, key=unlike)


def _person(entry: Entry) -> str:
    """Returns who an image shows: the column `person`, or else the image's folder."""
    folder = PurePosixPath(entry.file).parent.as_posix()
    if name := entry.fields.get("person") or ("" if folder == "." else folder):
        return name
    raise InputError(
        f"{entry.where}: names no person: fill the column 'person' or keep each person's images in a folder"
    )


def _shows(entry: Entry) -> Expression:
    name = entry.fields.get("expression", "").lower().replace(" ", "_").replace("-", "_")
    name = _ALSO.get(name, name)
    if given := entry.fields.get("units", ""):
        units = {}
        for part in re.split(r"[;,]|\s(?=\s*[LR]?\d+\s*[:=])", given):
            if part.strip():
                found = _UNIT.fullmatch(part)
                if found is None:
                    raise InputError(
                        f"{entry.where}: units {part.strip()!r}: write them as '1:0.8 4:0.5 L12:0.3'"
                    )
                units[found[1]] = float(found[2])
        check_units(units, entry.where)
        shown = Expression(label=name or "neutral", units=units)
        return shown.model_copy(update={"label": name or nearest(shown)})
    if name not in EXPRESSIONS:
        known = ", ".join(EXPRESSIONS)
        given = entry.fields.get("expression", "")
        raise InputError(f"{entry.where}: expression {given!r} is none of {known}, and no units are given")
    return EXPRESSIONS[name]


def _described(name: str, images: Sequence[SetImage]) -> Person:
    def said(column: str) -> str:
        found = {image.entry.fields[column].lower() for image in images if image.entry.fields.get(column)}
        if len(found) > 1:
            where = images[-1].entry.where
            raise InputError(
                f"{where}: person {name!r} has several values under {column!r}: {', '.join(sorted(found))}"
            )
        return found.pop() if found else ""

    def read(column: str, reader: Callable[[str], T | None], form: str) -> T | None:
        text = said(column)
        if text in _UNSTATED:
            return None
        if (value := reader(text)) is None:
            raise InputError(
                f"{images[0].entry.where}: person {name!r}: {column} {text!r} is not understood: "
                f"write {form}, or leave it empty"
            )
        return value

    return Person(
        name,
        read("age", read_age, "years such as 34, or a range such as 35 to 59"),
        read("sex", read_sex, "female, male or androgynous"),
        read("skin", read_skin, "light, medium, dark or a number from 0 to 1"),
        tuple(images),
    )


def read_sex(text: str) -> str | None:
    """Returns "female", "male" or "androgynous", or None where a cell says none of them."""
    return _SEXES.get(text.lower())


def read_age(text: str) -> float | None:
    """Returns years: of "34", the number; of a range such as "35 to 59" or "under 35", about its middle.

    None where the text names no year from 0 to 120, or any other number, such as a date.
    """
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]
    if not 1 <= len(numbers) <= 2 or max(numbers) > _OLDEST:
        return None
    beside = -10 if text.startswith(("under", "<")) else 10 if re.search(r"over|older|\+|>", text) else 0
    return sum(numbers) / len(numbers) + beside


def read_skin(text: str) -> float | None:
    """Returns a skin, 0 (lightest) to 1, of "light", "medium", "dark" or a number; None of anything else."""
    if text in _SKINS:
        return _SKINS[text]
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def fitted(content: bytes) -> bytes:
    """Returns an image as the benchmark shows it: whole, in a grey square where it is none."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(content)) as image:
        if image.format == "PNG" and image.size == (SIDE, SIDE) and image.mode == "RGB":
            return content
        whole = ImageOps.pad(as_rgb(image), (SIDE, SIDE), Image.Resampling.BILINEAR, color=(128, 128, 128))
    file = io.BytesIO()
    whole.save(file, "PNG", compress_level=6)
    return file.getvalue()
