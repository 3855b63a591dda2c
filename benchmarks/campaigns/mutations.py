"""Spoils files at random, by bytes, by words and by the structure of JSON and YAML."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

Mutation = Callable[[bytes, random.Random], bytes]

_ODD = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n\n", b"\t", b'"', b"'", b"`", b"\\", b"{", b"}", b"[",
    b"]", b":", b"- ", b",", b"|", b">", b"%", b"&a ", b"*a", b"!!python/object:os.system ", b"\xc3",
    b"\xed\xa0\x80", "\u2028".encode(), "\u202e".encode(), "\U0001f600".encode(), b"NaN", b"1e999", b"-0",
    b"9" * 400, b"<<: *a\n",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, "", " ", [], {}, 0, -1, 10**30, 1.5, float("inf"), float("nan"), "\ud800", "x" * 5000, [[]],
    {"": ""}, ["a", 1, None], {"a": {"b": {"c": []}}}, "1", "null", "\x00", "2026-13-45", "../../etc/passwd",
)  # fmt: skip


def mutate(content: bytes, chance: random.Random) -> bytes:
    """Returns a file spoilt once to four times."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        content = chance.choice(MUTATIONS)(content, chance)
    return content


def _flip(content: bytes, chance: random.Random) -> bytes:
    made = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        if made:
            made[chance.randrange(len(made))] ^= 1 << chance.randrange(8)
    return bytes(made)


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randint(0, len(content))]


def _delete(content: bytes, chance: random.Random) -> bytes:
    start, end = _span(content, chance)
    return content[:start] + content[end:]


def _repeat(content: bytes, chance: random.Random) -> bytes:
    start, end = _span(content, chance)
    return content[:end] + content[start:end] * chance.choice((1, 2, 50)) + content[end:]


def _insert(content: bytes, chance: random.Random) -> bytes:
    place = chance.randint(0, len(content))
    return content[:place] + chance.choice(_ODD) * chance.choice((1, 1, 3)) + content[place:]


def _swap_lines(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines)


def _drop_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if lines:
        del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def _deep(content: bytes, chance: random.Random) -> bytes:
    opened, closed = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"(", b")"), (b"- ", b"")))
    place, depth = chance.randint(0, len(content)), chance.choice((50, 2_000, 100_000))
    return content[:place] + opened * depth + b"1" + closed * depth + content[place:]


def _recode(content: bytes, chance: random.Random) -> bytes:
    encoding = chance.choice(("utf-16", "utf-32", "utf-8-sig", "cp1252", "utf-7"))
    return content.decode("utf-8", "replace").encode(encoding, "replace")


def _structure(content: bytes, chance: random.Random) -> bytes:
    """Puts another value, or none, in a random place of JSON, or of one line of it."""
    whole = _parsed(content)
    if whole is not None:
        return json.dumps(_spoilt(whole, chance)).encode()
    lines = content.splitlines(keepends=True)
    if lines:
        number = chance.randrange(len(lines))
        if (line := _parsed(lines[number])) is not None:
            lines[number] = json.dumps(_spoilt(line, chance)).encode() + b"\n"
            return b"".join(lines)
    return _insert(content, chance)


def _parsed(content: bytes) -> Any:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _spoilt(value: Any, chance: random.Random) -> Any:
    if not value or not isinstance(value, dict | list) or chance.random() < 0.15:
        return chance.choice(_VALUES)
    place: Any = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
    kind = chance.random()
    if kind < 0.15:
        del value[place]
    elif kind < 0.25 and isinstance(value, list):
        value.append(value[place])
    elif kind < 0.25 and isinstance(value, dict):
        value[chance.choice(("", "id", "__class__", "x" * 300))] = value.pop(place)
    else:
        value[place] = _spoilt(value[place], chance)
    return value


def _value(content: bytes, chance: random.Random) -> bytes:
    """Puts another value behind a colon or between commas, as in YAML and CSV."""
    marks = [place for place, byte in enumerate(content) if byte in b":,|\t"]
    if not marks:
        return _insert(content, chance)
    start = chance.choice(marks) + 1
    ends = [place for place in (content.find(mark, start) for mark in (b"\n", b",")) if place >= 0]
    value = json.dumps(chance.choice(_VALUES)).encode()
    return content[:start] + b" " + value + content[min(ends, default=len(content)) :]


def _span(content: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randint(0, len(content))
    return start, min(len(content), start + chance.choice((1, 4, 30, 500)))


MUTATIONS: Sequence[Mutation] = (
    _flip,
    _cut,
    _delete,
    _repeat,
    _insert,
    _swap_lines,
    _drop_line,
    _deep,
    _recode,
    _structure,
    _structure,
    _structure,
    _value,
    _value,
)
