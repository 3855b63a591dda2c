"""Reads JSON out of what a judge model answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mirror_bench.parts import StandsOn

VERSION = "1"
"""Raised with every change of how a judge's answer is read; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides how a judge's answer is read."""
    return StandsOn.of("raters.answers", VERSION)


def json_objects(text: str) -> Sequence[dict[str, Any]]:
    """Returns the JSON objects that stand in a text, outermost ones only, in their order."""
    decoder = json.JSONDecoder()
    found: list[dict[str, Any]] = []
    place = text.find("{")
    tries = 0
    while place >= 0 and tries < 200:
        tries += 1
        try:
            value, end = decoder.raw_decode(text, place)
        except (json.JSONDecodeError, RecursionError, ValueError):
            end = place + 1
        else:
            if isinstance(value, dict):
                found.append(value)
        place = text.find("{", end)
    return found
