"""Reads what a judge model answered: in the form asked for, and in odd forms where they are clear."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mirror_bench.engines import reasoning
from mirror_bench.parts import StandsOn

VERSION = "2"
"""Raised with every change of how a judge's answer is read; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides how a judge's answer is read."""
    return StandsOn.of("raters.judge_json", VERSION) | reasoning.stands_on()


_MOST_TRIES, _MOST_MENDED = 200, 10
_COMMA = re.compile(r",(\s*[}\]])")
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER = r"(?P<number>-?\d{1,4}(?:\.0{1,6})?)(?:\s*(?:/|out of|of)\s*(?P<most>\d{1,4}))?"
_ALONE = re.compile(rf"[\s*_`#>.]*{_NUMBER}[\s*_`.]*\Z")
_LABELLED = re.compile(
    rf"^[\s*_`#>-]*(?:(?:my|the|final|overall) ){{0,2}}(?:score|rating)[\s*_`]*(?:[:=]|"
    rf"\bis\b)[\s*_`]*{_NUMBER}[\s*_`.]*$",
    re.IGNORECASE | re.MULTILINE,
)


def json_objects(text: str) -> Sequence[dict[str, Any]]:
    """Returns the JSON objects that stand in a text, outermost ones only, in their order.

    Raw line breaks within strings, a comma before a closing bracket and single quotes are read as what they
    can only mean.
    """
    decoder = json.JSONDecoder(strict=False)
    objects: list[dict[str, Any]] = []
    place = text.find("{")
    tries = 0
    while place >= 0 and tries < _MOST_TRIES:
        tries += 1
        try:
            value, end = decoder.raw_decode(text, place)
        except (RecursionError, ValueError):
            value, end = _mended(text, place) if tries <= _MOST_MENDED else (None, place + 1)
        if isinstance(value, dict):
            objects.append(value)
        place = text.find("{", end)
    return objects


def field_of(value: Mapping[str, Any], *names: str) -> tuple[str, Any] | None:
    """Returns the field of a judge's object that has one of the names, in whatever case, or None.

    Where it stands twice with two values, nothing tells which one is meant.
    """
    for name in names:
        fits = [(key, field) for key, field in value.items() if key.strip().lower() == name]
        if fits:
            return fits[0] if all(field == fits[0][1] for _, field in fits) else None
    return None


def objects_with(text: str, *names: str) -> list[dict[str, Any]]:
    """Returns the JSON objects of a text that have a field of one of the names.

    Where none has, the only object within another that has one.
    """
    objects = json_objects(text)
    direct = [value for value in objects if field_of(value, *names)]
    if direct:
        return direct
    inner = [
        field
        for value in objects
        for field in value.values()
        if isinstance(field, dict) and field_of(field, *names)
    ]
    return inner if len(inner) == 1 else []


def whole_number(value: object, most: int) -> int | None:
    """Returns the whole number that a judge gave, as a number, a text ("4", "4/6", "four") or a list of one.

    Args:
        value: What was given.
        most: The end of the scale, which a fraction must be of.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if not isinstance(value, str):
        return None
    word = value.strip().lower()
    if word in _WORDS:
        return _WORDS.index(word)
    match = _ALONE.match(value) or _LABELLED.fullmatch(value.strip())
    return _number(match, most) if match else None


def score_in_words(text: str, most: int) -> int | None:
    """Returns the score of an answer without JSON: a number alone, or lines "Score: 4" that agree."""
    if (alone := _ALONE.match(text)) is not None:
        return _number(alone, most)
    numbers = {_number(match, most) for match in _LABELLED.finditer(text)}
    return numbers.pop() if len(numbers) == 1 else None


def yes_or_no(field: tuple[str, object] | None) -> bool | None:
    """Returns what a judge answered to a question of yes or no; None where that is not clear."""
    value = field[1] if field else None
    if isinstance(value, bool):
        return value
    return {"true": True, "yes": True, "false": False, "no": False}.get(str(value).strip().lower())


def _number(match: re.Match[str], most: int) -> int | None:
    if match["most"] and int(match["most"]) != most:
        return None
    return int(float(match["number"]))


def _mended(text: str, place: int) -> tuple[object, int]:
    """Returns the object that begins at a place, mended, and where it ends; None where there is none."""
    end = _closing(text, place)
    if end is None:
        return None, place + 1
    piece = text[place:end]
    try:
        return json.loads(_COMMA.sub(r"\1", piece), strict=False), end
    except (RecursionError, ValueError):
        pass
    try:
        value = ast.literal_eval(piece)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None, place + 1
    return (
        (value, end)
        if isinstance(value, dict) and all(isinstance(key, str) for key in value)
        else (None, end)
    )


def _closing(text: str, place: int) -> int | None:
    """Returns the place after the bracket that closes the one at `place`, by brackets outside strings."""
    depth, quote, escaped = 0, "", False
    for at in range(place, min(len(text), place + 20_000)):
        character = text[at]
        if quote:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == quote:
                quote = ""
        elif character == '"' or (character == "'" and text[at - 1] in "{[:, \n\t"):
            quote = character
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if not depth:
                return at + 1
    return None
