"""Named expressions, and how strong, how alike and how pleasant expressions are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.faces.facs.action_units import (
    ACTION_UNITS,
    HEAD_LIMITS,
    POSTURES,
    both_sides,
    check_expression,
)
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Expression

VERSION = "1"
"""Raised with every change of the named expressions and how alike two are; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides the named expressions and how alike two are."""
    return StandsOn(("faces/expressions.yaml",), {"faces.facs.expressions": VERSION})


_UNIT_INDEX = {number: 2 * place for place, number in enumerate(ACTION_UNITS)}
_GAZE_AT = 2 * len(ACTION_UNITS)
_POSTURE_AT = _GAZE_AT + 5
_GAZE_WEIGHT = 0.6
_HEAD_WEIGHT = 0.6
_POSTURE_WEIGHT = 0.7

# Signs follow the prototypes of joy against those of sadness, anger, fear, disgust and disagreement; sizes
# were set so that each named expression falls on the side that its name says.
_UNPLEASANT = {
    "4": -0.5, "7": -0.2, "9": -0.6, "10": -0.4, "14": -0.2, "15": -0.7, "17": -0.3,
    "20": -0.5, "23": -0.4, "24": -0.2,
}  # fmt: skip


def read_expressions(path: Path) -> dict[str, Expression]:
    """Reads named expressions from YAML: name -> `units`, `gaze`, `head`, `posture`, `note`.

    Raises:
        InputError: If the file is no such mapping or an expression is impossible, naming it.
    """
    expressions: dict[str, Expression] = {}
    for name, fields in read_yaml(path).items():
        where = f"{path}: {name}"
        if not isinstance(fields, dict) or set(fields) - {"units", "gaze", "head", "posture", "note"}:
            raise InputError(f"{where}: may hold units, gaze, head, posture and note, and nothing else")
        expressions[str(name)] = expression_from(str(name), fields, where)
    return expressions


def expression_from(label: str, fields: Mapping[str, Any], where: str) -> Expression:
    """Returns the expression that a piece of content describes.

    Args:
        label: The expression's label.
        fields: May hold `units` (numbers or sided names as keys), `gaze`, `head`, `posture`.
        where: What holds it, to name in messages.

    Raises:
        InputError: If a field is of the wrong form, unknown or out of range.
    """
    given: dict[str, Any] = {
        key: fields[key] for key in ("gaze", "head", "posture") if fields.get(key) is not None
    }
    units = fields.get("units") or {}
    try:
        named_units = {str(unit): value for unit, value in units.items()}
        expression = Expression(label=label, units=named_units, **given)
    except (ValidationError, AttributeError) as error:
        if not isinstance(error, ValidationError):
            raise InputError(f"{where}: units must map action units to intensities") from None
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{where}: {place}: {first['msg']}") from None
    return check_expression(expression, where)


EXPRESSIONS: Mapping[str, Expression] = MappingProxyType(
    read_expressions(content_path("faces", "expressions.yaml"))
)
"""Name -> expression, at full strength."""


def named(name: str) -> Expression:
    """Returns the expression of this name, such as "sad".

    Raises:
        InputError: If there is none of that name.
    """
    try:
        return EXPRESSIONS[name]
    except KeyError:
        raise InputError(f"no expression is named {name!r}: known are {', '.join(EXPRESSIONS)}") from None


def scaled(expression: Expression, strength: float) -> Expression:
    """Returns the expression with every sign of it multiplied by `strength`, in [0, 1]; its label stays.

    Raises:
        InputError: If `strength` is out of range.
    """
    if not 0 <= strength <= 1:
        raise InputError(f"the strength of an expression is {strength!r}: it must lie in [0, 1]")
    yaw, pitch, roll = (round(value * strength, 3) for value in expression.head)
    return Expression(
        label=expression.label,
        units={name: round(value * strength, 4) for name, value in expression.units.items()},
        gaze=(round(expression.gaze[0] * strength, 4), round(expression.gaze[1] * strength, 4)),
        head=(yaw, pitch, roll),
        posture={name: round(value * strength, 4) for name, value in expression.posture.items()},
    )


def signs(expression: Expression) -> NDArray[np.float64]:
    """Returns an expression as a vector of 48: units by side, gaze, head, posture, weighted for likeness."""
    vector = np.zeros(_POSTURE_AT + len(POSTURES))
    for number, (left, right) in both_sides(expression.units).items():
        place = _UNIT_INDEX[number]
        vector[place], vector[place + 1] = left, right
    vector[_GAZE_AT : _GAZE_AT + 2] = expression.gaze
    vector[_GAZE_AT : _GAZE_AT + 2] *= _GAZE_WEIGHT
    for axis, (value, limit) in enumerate(zip(expression.head, HEAD_LIMITS, strict=True)):
        vector[_GAZE_AT + 2 + axis] = _HEAD_WEIGHT * value / (0.6 * limit)
    for name, strength in expression.posture.items():
        vector[_POSTURE_AT + POSTURES.index(name)] = _POSTURE_WEIGHT * strength
    return vector


_UNSEEN = 1e-6
"""A sign weaker than this shows nothing, and its square would be lost."""


def similarity(first: Expression, second: Expression) -> float:
    """Returns how alike two expressions are: the cosine of their signs, in [-1, 1].

    Strength does not count: a slight frown is as much a frown as a deep one. An expression without any
    sign is like another without (1) and neither like nor unlike the rest (0).
    """
    one, other = (np.where(np.abs(each) < _UNSEEN, 0.0, each) for each in (signs(first), signs(second)))
    if not one.any() or not other.any():
        return 1.0 if one.any() == other.any() else 0.0
    return float(np.clip(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)), -1.0, 1.0))


def valence(expression: Expression) -> float:
    """Returns how pleasant an expression looks, from -1 (most unpleasant) to 1, by its units and gaze.

    A smile counts as far as both corners rise and the lips are not pressed; raised inner brows count as
    worry as far as the outer ones do not rise with them.
    """
    mean = {number: (left + right) / 2 for number, (left, right) in both_sides(expression.units).items()}
    smile = min(both_sides(expression.units).get("12", (0.0, 0.0))) * (1 - mean.get("24", 0.0))
    worry = max(0.0, mean.get("1", 0.0) - mean.get("2", 0.0))
    averted = max(0.0, -expression.gaze[1])
    total = smile + 0.4 * mean.get("6", 0.0) * (smile > 0) - 0.35 * worry - 0.25 * averted
    total += sum(_UNPLEASANT.get(number, 0.0) * value for number, value in mean.items())
    return max(-1.0, min(1.0, total))


_NAMES = tuple(name for name in EXPRESSIONS if name != "neutral")
_SIGNS = np.array([signs(EXPRESSIONS[name]) for name in _NAMES])
_SIGNS /= np.linalg.norm(_SIGNS, axis=1, keepdims=True)


def nearest(expression: Expression, least: float = 0.42) -> str:
    """Returns the name of the most similar expression, or "neutral" where none is alike by `least`."""
    vector = signs(expression)
    norm = float(np.linalg.norm(vector))
    if norm < 0.3:
        return "neutral"
    likeness = _SIGNS @ vector / norm
    best = int(likeness.argmax())
    return _NAMES[best] if likeness[best] >= least else "neutral"
