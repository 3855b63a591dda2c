"""The vocabulary of faces: FACS action units, postures, and the check that nothing else is used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from mirror_bench.errors import InputError, did_you_mean
from mirror_bench.schema import Expression


class ActionUnit(NamedTuple):
    """One action unit of the Facial Action Coding System (Ekman, Friesen & Hager 2002).

    Attributes:
        meaning: What moves.
        sides: Whether it may be scored on one side alone ("L12", "R14").
    """

    meaning: str
    sides: bool


ACTION_UNITS: Mapping[str, ActionUnit] = {
    "1": ActionUnit("inner brow raiser", True),
    "2": ActionUnit("outer brow raiser", True),
    "4": ActionUnit("brow lowerer", True),
    "5": ActionUnit("upper lid raiser", True),
    "6": ActionUnit("cheek raiser", True),
    "7": ActionUnit("lid tightener", True),
    "9": ActionUnit("nose wrinkler", False),
    "10": ActionUnit("upper lip raiser", True),
    "12": ActionUnit("lip corner puller", True),
    "14": ActionUnit("dimpler", True),
    "15": ActionUnit("lip corner depressor", True),
    "17": ActionUnit("chin raiser", False),
    "20": ActionUnit("lip stretcher", True),
    "23": ActionUnit("lip tightener", False),
    "24": ActionUnit("lip pressor", False),
    "25": ActionUnit("lips part", False),
    "26": ActionUnit("jaw drop", False),
    "43": ActionUnit("eye closure", True),
}
"""Action unit -> what it is."""

POSTURES = ("arms_crossed", "slump", "lean_forward", "lean_back", "turned_away", "hands_over_face", "shrug")
"""What a body may show."""

HEAD_LIMITS = (45.0, 35.0, 30.0)
"""Largest yaw, pitch and roll in degrees that a face can be drawn with."""


def split_side(name: str) -> tuple[str, str]:
    """Returns the side ("L", "R" or "") and the number of an action unit's name, without checking it."""
    return (name[0], name[1:]) if name[:1] in {"L", "R"} else ("", name)


def check_units(units: Mapping[str, float], where: str = "expression") -> None:
    """Refuses what is no action unit.

    Args:
        units: Action unit -> intensity in [0, 1].
        where: What holds them, to name in messages.

    Raises:
        InputError: If a unit is unknown, one-sided where FACS has no sides, or out of range.
    """
    for name, intensity in units.items():
        side, number = split_side(str(name))
        if number not in ACTION_UNITS:
            known = ", ".join(ACTION_UNITS)
            raise InputError(
                f"{where}: no action unit {name!r}: known are {known}, L or R before it for a side"
            )
        if side and not ACTION_UNITS[number].sides:
            raise InputError(f"{where}: action unit {number} has no sides: write {number!r}, not {name!r}")
        _check_share(intensity, f"{where}: the intensity of action unit {name}")


def check_expression(expression: Expression, where: str = "expression") -> Expression:
    """Returns the expression after refusing what no face can show.

    Args:
        expression: The expression to check.
        where: What holds it, to name in messages.

    Raises:
        InputError: If an action unit or posture is unknown, or a number is out of range.
    """
    check_units(expression.units, where)
    for value in expression.gaze:
        if not (math.isfinite(value) and -1 <= value <= 1):
            raise InputError(f"{where}: gaze {value!r} must lie in [-1, 1]")
    for axis, value, limit in zip(("yaw", "pitch", "roll"), expression.head, HEAD_LIMITS, strict=True):
        if not (math.isfinite(value) and abs(value) <= limit):
            raise InputError(f"{where}: head {axis} {value!r} must lie in [-{limit:g}, {limit:g}] degrees")
    for name, strength in expression.posture.items():
        if name not in POSTURES:
            hint = did_you_mean(name, POSTURES)
            raise InputError(f"{where}: no posture {name!r}: {hint}known are {', '.join(POSTURES)}")
        _check_share(strength, f"{where}: the strength of posture {name}")
    return expression


def both_sides(units: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Returns action unit number -> intensity on the person's left and right, for those named."""
    sides: dict[str, tuple[float, float]] = {}
    for name, intensity in units.items():
        side, number = split_side(name)
        left, right = sides.get(number, (0.0, 0.0))
        sides[number] = (
            left if side == "R" else max(left, intensity),
            right if side == "L" else max(right, intensity),
        )
    return sides


def _check_share(value: float, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InputError(f"{what} is {value!r}: it must lie in [0, 1]")
