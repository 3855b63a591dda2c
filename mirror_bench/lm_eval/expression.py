"""Questions of `mirror_expression`: which expression does this face show?"""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.faces.facs.expressions import EXPRESSIONS, scaled
from mirror_bench.faces.identity import random_identity
from mirror_bench.lm_eval.face_sets import face_set_rows
from mirror_bench.lm_eval.questions import SEED, Making, Row, shuffled, with_image
from mirror_bench.schema import FaceIdentity, derive_seed

WEAKEST = 0.75
"""Lowest strength of an expression; below, some cannot be told from a face at rest."""


class Label(NamedTuple):
    """One answer of the expression task: the named expressions that count as it, and other words for it.

    Attributes:
        of: Named expressions that count as it.
        also: Other words for it in an answer.
    """

    of: tuple[str, ...]
    also: tuple[str, ...]


class Group(NamedTuple):
    """The age, sex and skin groups of an identity, by which accuracy is compared.

    Attributes:
        age: "under 35", "35 to 59" or "60 and over", in years.
        sex: "female", "male" or "androgynous", as drawn.
        skin: "light", "medium" or "dark": thirds of the scale of skin colors.
    """

    age: str
    sex: str
    skin: str


AGES = ("under 35", "35 to 59", "60 and over")
SEXES = ("female", "male")
SKINS = ("light", "medium", "dark")


@functools.cache
def labels() -> Mapping[str, Label]:
    """Returns the labels, as in `tasks/lm_eval/labels.yaml`.

    Raises:
        InputError: If the file names no such expression, or one twice.
    """
    path = content_path("lm_eval", "labels.yaml")
    found = {}
    for name, fields in read_yaml(path).items():
        found[name] = Label(tuple(fields["of"]), tuple(fields.get("also", ())))
    every = [expression for label in found.values() for expression in label.of]
    if wrong := [name for name in every if name not in EXPRESSIONS or every.count(name) > 1]:
        raise InputError(f"{path}: {wrong[0]!r} must be a named expression and stand once")
    return found


def group_of(identity: FaceIdentity) -> Group:
    """Returns the groups that an identity belongs to."""
    age = AGES[(identity.age >= 35) + (identity.age >= 60)]
    return Group(age, identity.sex, SKINS[min(2, int(identity.skin * 3))])


def expression_rows(making: Making) -> list[Row]:
    """Returns every label on a face of every group: age band x sex x skin, each face another person.

    Whoever is drawn is drawn for this task and split alone, so no face of it was ever trained on. Of a
    prepared set of faces, returns each image once.

    Raises:
        InputError: If a prepared set is not as it must be.
    """
    if making.face_set:
        folder = Path(making.face_set).expanduser()
        prepared = face_set_rows(folder, _names(), list(labels()), blind=making.faces.blank)
        return shuffled(list(prepared), "expression", "face set")
    groups = [Group(*group) for group in itertools.product(AGES, SEXES, SKINS)]
    people = _people(groups, len(labels()), making.split)
    rows = []
    for place, (name, label) in enumerate(labels().items()):
        for number, group in enumerate(groups):
            draw = random.Random(derive_seed(SEED, "expression", making.split, name, number))
            shown = scaled(
                EXPRESSIONS[label.of[number % len(label.of)]], round(draw.uniform(WEAKEST, 1.0), 3)
            )
            row = {
                "id": f"{name}-{number:02d}",
                "cluster": f"{name}-{number:02d}",
                "shown": shown.label,
                **group._asdict(),
                "options": list(labels()),
                "answers": [name],
                "chance": 1 / len(labels()),
            }
            rows.append(with_image(row, making.faces.show(people[group][place], shown)))
    return shuffled(rows, "expression", making.split)


def _names() -> dict[str, str]:
    """Returns what an expression may be called -> the label that it counts as."""
    return {name.lower(): label for label, held in labels().items() for name in (label, *held.of, *held.also)}


@functools.lru_cache(maxsize=4)
def _drawn_people(groups: tuple[Group, ...], each: int, split: str) -> dict[Group, list[FaceIdentity]]:
    people: dict[Group, list[FaceIdentity]] = {group: [] for group in groups}
    for number in itertools.count():
        identity = random_identity(derive_seed(SEED, "person", split, number))
        of = people.get(group_of(identity))
        if of is not None and len(of) < each:
            of.append(identity)
            if all(len(found) == each for found in people.values()):
                break
    return people


def _people(groups: Sequence[Group], each: int, split: str) -> Mapping[Group, Sequence[FaceIdentity]]:
    return _drawn_people(tuple(groups), each, split)
