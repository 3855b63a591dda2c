"""Who the faces belong to: identities that mirror-bench draws, or people whose pictures the user gives."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mirror_bench.errors import InputError
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.faces.identity import random_identity
from mirror_bench.faces.sets.folder import METADATA, read_entries, read_image
from mirror_bench.faces.sets.source import Person, nearest_person, read_age, read_sex, read_skin
from mirror_bench.schema import FaceIdentity, derive_seed

DRAWN_LICENCE = "made from a face that mirror-bench drew"
_NEEDED = ("person", "age", "sex", "licence")
_OLDEST, _YOUNGEST = 95, 12


class Reference(NamedTuple):
    """A person whose face is to be made, with the picture that identity is kept to.

    Attributes:
        person: The name in the finished set.
        identity: Age, sex and skin, which the checks compare with.
        png: A picture of the person's face, which identity is kept to.
        licence: On what ground the picture may be used; it goes into the finished set.
    """

    person: str
    identity: FaceIdentity
    png: bytes
    licence: str

    @property
    def sha256(self) -> str:
        """Digest of the picture."""
        return hashlib.sha256(self.png).hexdigest()


def drawn_person(name: str, identity: FaceIdentity) -> Reference:
    """Returns a person whose picture mirror-bench draws, with a neutral face."""
    return Reference(name, identity, DrawnFaces().render(identity, EXPRESSIONS["neutral"]), DRAWN_LICENCE)


def drawn_people(count: int, seed: int = 0) -> list[Reference]:
    """Returns adults whose pictures mirror-bench draws, the same for the same seed."""
    people: list[Reference] = []
    number = 0
    while len(people) < count:
        identity = random_identity(derive_seed("face bank", seed, number))
        number += 1
        if identity.age >= 18 and identity.sex != "androgynous":
            people.append(drawn_person(f"p{len(people) + 1:03d}", identity))
    return people


def given_people(folder: Path) -> list[Reference]:
    """Returns the people of a folder of pictures, each with the first of its pictures.

    Args:
        folder: Holds pictures and `metadata.csv` with file_name, person, age, sex and licence, and skin where
            it is known.

    Raises:
        InputError: If the metadata or a picture cannot be used, naming file and line. A picture without a
            licence is refused: whose face it is has to have agreed.
    """
    entries = read_entries(folder, _NEEDED, "--identities")
    people: dict[str, Reference] = {}
    for entry in entries:
        name = entry.fields["person"] or PurePosixPath(entry.file).stem
        if name in people:
            continue
        if not (licence := entry.fields["licence"]):
            raise InputError(
                f"{entry.where}: names no licence: say on what ground this person's picture may be used"
            )
        age, sex = read_age(entry.fields["age"]), read_sex(entry.fields["sex"])
        if age is None or not _YOUNGEST <= age <= _OLDEST or sex is None:
            raise InputError(
                f"{entry.where}: age {entry.fields['age']!r} and sex {entry.fields['sex']!r}: give years "
                f"from {_YOUNGEST} to {_OLDEST} and female, male or androgynous, which images are checked by"
            )
        skin = read_skin(entry.fields.get("skin", ""))
        known = {} if skin is None else {"skin": skin}
        identity = FaceIdentity(age=round(age), sex=sex, **known)
        people[name] = Reference(name, identity, read_image(folder, entry), licence)
    return list(people.values())


def stand_in_for(people: Sequence[Reference], identity: FaceIdentity) -> Reference:
    """Returns who of the given people stands for a profile's face: same sex, nearest age and skin.

    Raises:
        InputError: If nobody is given.
    """
    if not people:
        raise InputError(f"--identities: {METADATA} names nobody")
    by_name = {one.person: one for one in people}
    known = [Person(one.person, one.identity.age, one.identity.sex, one.identity.skin, ()) for one in people]
    return by_name[nearest_person(known, identity).name]
