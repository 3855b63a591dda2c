"""Keeps keys out of every text: what looks like one, or is one, never reaches a message, a log or a file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from mirror_bench.errors import InputError

SHOWN = "***"
# Fewer characters in common with a key than these give nothing of it away.
_PIECE = 8
_NAMES = frozenset(
    ("key", "apikey", "token", "auth", "authorization", "bearer", "sig", "signature", "secret", "code", "pwd")
) | {"password", "passwd", "credential", "credentials"}
_ENDS = (
    "apikey",
    "accesskey",
    "secretkey",
    "subscriptionkey",
    "accesstoken",
    "authtoken",
    "bearertoken",
    "clientsecret",
)
_SHAPES = (
    # The beginnings that providers give their keys.
    re.compile(
        r"\b(?:sk|gsk|xai|hf|ghp|gho|ghs|nvapi|glpat|csk|pplx|r8|"
        r"sess)[-_](?=[\w\-*.]*[\dA-Z*])[\w\-*.]{6,}|\bAIza[\w-]{10,}"
    ),
    re.compile(r"""(?i)(?<=bearer )[^\s"',;}\]]{4,}"""),
    re.compile(
        r"""(?i)(?<=["' ]authorization["':= ]{2})(?:bearer |basic )?[^\s"',;}\]]{4,}|"
        r"(?<=api-key["':= ]{2})[^\s"',;}\]]{4,}"""
    ),
    re.compile(r"(?<=://)[^/\s@?#]+(?=@)"),
)
_QUERY = re.compile(r"(?P<name>[?&;][\w.-]+=)(?P<value>[^&\s\"'#;]+)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def names_a_key(name: str) -> bool:
    """Returns whether a field, an option or a part of a query with this name would hold a key."""
    plain = re.sub(r"[^a-z]", "", name.lower())
    return plain in _NAMES or plain.endswith(_ENDS)


def redact(text: str, keys: Iterable[str] = ()) -> str:
    """Returns `text` without the given keys, pieces of them, and whatever else has the shape of a key."""
    for key in keys:
        text = _without(text, key)
    for shape in _SHAPES:
        text = shape.sub(SHOWN, text)
    return _QUERY.sub(
        lambda found: found["name"] + (SHOWN if names_a_key(found["name"]) else found["value"]), text
    )


def _without(text: str, key: str) -> str:
    if len(key) < _PIECE:
        return text.replace(key, SHOWN) if len(key) > 3 else text
    pieces = {key[at : at + _PIECE] for at in range(len(key) - _PIECE + 1)}
    kept: list[str] = []
    place = 0
    while place < len(text):
        end = place
        while text[end : end + _PIECE] in pieces:
            end += 1
        if end > place:
            kept.append(SHOWN)
            place = end + _PIECE - 1
        else:
            kept.append(text[place])
            place += 1
    return "".join(kept)


def read_key(value: str, variable: str) -> str:
    """Returns the key that an environment variable holds, without what a `.env` file leaves around it.

    Raises:
        InputError: If it cannot be sent, telling its length alone.
    """
    key = value.strip().strip("\ufeff").strip()
    if len(key) > 1 and key[0] == key[-1] and key[0] in "\"'":
        key = key[1:-1].strip()
    if not all("!" <= character <= "~" for character in key):
        raise InputError(
            f"the environment variable {variable} holds {len(key)} characters, not all of which a key "
            f"can hold "
            "(a blank, a line break, a letter outside ASCII): set it to the key alone"
        )
    return key


def check_variable(name: str, where: str) -> None:
    """Refuses a key where the name of an environment variable is asked for.

    Raises:
        InputError: Telling its length alone.
    """
    odd = len(name) >= 20 and name != name.upper() and any(character.isdigit() for character in name)
    if not _VARIABLE.fullmatch(name) or odd or redact(name) != name:
        raise InputError(
            f"{where}: api_key_env names the environment variable that holds the key, such as "
            f"OPENAI_API_KEY; "
            f"what is given ({len(name)} characters) looks like a key itself: put that into the variable"
        )


def check_url(url: str, where: str) -> None:
    """Refuses what is no address, or one that holds a password or a key: addresses are recorded.

    Raises:
        InputError: If so; the message holds neither.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InputError(f"{where}: base_url={url[:100]} is no address ({error})") from None
    secret = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True) if names_a_key(name)]
    if "@" in parts.netloc or secret:
        what = f"no {secret[0]!r} in its query" if secret else "no password"
        raise InputError(
            f"{where}: base_url must hold {what}, as addresses are recorded; "
            "put the key into an environment variable and name that with api_key_env"
        )
