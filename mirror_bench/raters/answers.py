"""Reads JSON out of what a judge model answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


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
