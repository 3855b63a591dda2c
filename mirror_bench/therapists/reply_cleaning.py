"""Turns a model's answer into what the client hears, and records what was taken away."""

from __future__ import annotations

import re
from typing import NamedTuple

from mirror_bench.engines import reasoning
from mirror_bench.engines.reasoning import part_thoughts, without_template_tokens
from mirror_bench.parts import StandsOn
from mirror_bench.text import without_invisible

VERSION = "3"
"""Raised with every change of what is taken out of a model's reply; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides what is taken out of a model's reply."""
    return StandsOn.of("therapists.reply_cleaning", VERSION) | reasoning.stands_on()


MAX_CHARACTERS = 4_000
"""The longest reply a client listens to; the rest is cut and recorded."""

_OWN_LABEL = re.compile(
    r"^[*_#>\s]*(?:therapist|psychotherapist|counsell?or|assistant)"
    r"(?:'s (?:reply|response|turn))?[*_]*\s*:[*_]*[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_CLIENT_LABEL = r"^[*_#>\s]*(?:client|patient|user|human{name})[*_]*\s*:"
_BRACKETS = re.compile(r"\[[^\[\]]*\]")  # innermost first, never across two brackets
_MANNERS = "(?:soft|warm|gent|quiet|slow|kind|calm)ly"
_ACTS = "(?:nod|smil|lean|paus|look|sigh|breath|tilt|glanc|sit|gestur)(?:s|es|ing)?"
_STAGE = rf"(?:{_MANNERS}|{_ACTS}|silence)\b"
_STAGE_ASTERISKS = re.compile(rf"(?<!\*)\*{_STAGE}[^*\n]{{0,80}}\*(?!\*)", re.IGNORECASE)
_STAGE_PARENTHESES = re.compile(rf"\({_STAGE}[^()\n]{{0,80}}\)", re.IGNORECASE)
_ENDS = re.compile(r"[.!?…。！？]+[\"'”’)\]*_]*(?=\s|$)|[。！？]")
_ENDS_NOTHING = re.compile(r"(?:^|\s)(?:\d{1,3}|[A-Za-z]|Dr|Mr|Mrs|Ms|Prof|St|vs|e\.g|i\.e|etc)\.$")
"""A number in a list, an initial or a title: its full stop ends no sentence."""


class Cleaned(NamedTuple):
    """A therapist model's reply without what no client could hear, and what was taken away.

    Attributes:
        words: What is left.
        removed: The kinds of what was taken away, in the order of the steps, each once.
    """

    words: str
    removed: tuple[str, ...]


def clean_reply(raw: str, client_name: str = "", *, cut: bool = False) -> Cleaned:
    """Removes what nobody would hear: reasoning, speaker labels, stage directions, invented client turns.

    Args:
        raw: The model's answer.
        client_name: A line that begins with this name and a colon is an invented client turn too.
        cut: Whether the answer was cut at its limit of tokens: the sentence that it broke off in goes too,
            unless there is no whole one before it.
    """
    removed: list[str] = []
    text = raw

    def step(kind: str, changed: str) -> str:
        if changed != text:
            removed.append(kind)
        return changed

    text = step("control characters", without_invisible(text))
    text = step("reasoning", part_thoughts(text).said)
    text = step("template tokens", without_template_tokens(text))
    text = step("invented client turn", _before_client(text, client_name))
    text = step("speaker label", _OWN_LABEL.sub("", text))
    text = step("brackets", _without_brackets(text))
    text = step("stage asterisks", _STAGE_ASTERISKS.sub(" ", text))
    text = step("stage parentheses", _STAGE_PARENTHESES.sub(" ", text))
    text = " ".join(text.split())
    if cut:
        text = step("broken sentence", _whole_sentences(text))
    text = _unquoted(text)
    text = step("excess length", text[:MAX_CHARACTERS])
    return Cleaned(text.strip(), tuple(removed))


def _before_client(text: str, client_name: str) -> str:
    first = re.escape(client_name.split()[0]) if client_name.split() else ""
    pattern = _CLIENT_LABEL.format(name=f"|{first}" if first else "")
    found = re.search(pattern, text, re.IGNORECASE | re.MULTILINE)
    return text[: found.start()] if found else text


def _without_brackets(text: str) -> str:
    for _ in range(8):  # nested brackets go from the inside out
        text, count = _BRACKETS.subn(" ", text)
        if not count:
            break
    return text.replace("[", " ").replace("]", " ")


def _whole_sentences(text: str) -> str:
    ends = [
        found.end()
        for found in _ENDS.finditer(text)
        if not _ENDS_NOTHING.search(text[max(0, found.start() - 8) : found.start() + 1])
    ]
    return text[: ends[-1]] if ends else text


def _unquoted(text: str) -> str:
    for left, right in (('"', '"'), ("“", "”")):
        inner = text[1:-1]
        if (
            len(text) > 2
            and text[0] == left
            and text[-1] == right
            and left not in inner
            and right not in inner
        ):
            return inner
    return text
