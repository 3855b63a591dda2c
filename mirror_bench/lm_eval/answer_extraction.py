"""Finds the answer in what a model says: a letter, a label, yes or no."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mirror_bench.lm_eval.expression import labels

LONGEST = 4000
"""Characters of an answer that are read."""
_NAMED = re.compile(
    r"\b(?:answer|option|choice|reply|letter)\b(?:\s+(?:is|would be))?\s*[:=]?\s*[*(\[\"']*([A-H])\b", re.I
)
_FRAMED = re.compile(r"[(\[*\"']([A-H])[)\]*\"']")
_FIRST = re.compile(r"^\W*([A-H])(?:\W*$|[).:,;\n]| - )")
_LAST = re.compile(r"(?:^|\n)\W*([A-H])\W*$")


def read_letter(text: str, options: Sequence[str]) -> str:
    """Returns the letter that an answer chooses, or "".

    A letter that begins the answer comes first, then one that is named as the answer, one in brackets, one
    alone on the last line, and at last the only option that is quoted in full.

    Args:
        text: What the model said.
        options: The options' texts, A first.
    """
    said = text[:LONGEST].strip()
    known = [chr(ord("A") + place) for place in range(len(options))]
    for pattern in (_FIRST, _NAMED, _FRAMED, _LAST):
        for match in pattern.finditer(said):
            letter = match.group(1).upper()
            if letter in known:
                return str(letter)
    quoted = [letter for letter, option in zip(known, options, strict=True) if option.lower() in said.lower()]
    return quoted[0] if len(quoted) == 1 else ""


def read_word(text: str, words: Mapping[str, Sequence[str]]) -> str:
    """Returns the answer whose word comes first in the text, or "".

    Args:
        text: What the model said.
        words: Answer -> the words that mean it, in lower case; the answer itself counts as well.
    """
    said = text[:LONGEST].lower().replace("’", "'")
    found = [
        (match.start(), -len(word), answer)
        for answer, others in words.items()
        for word in (answer, *others)
        if (match := re.search(rf"\b{re.escape(word)}\b", said))
    ]
    return min(found)[2] if found else ""


@functools.cache
def _label_words() -> dict[str, tuple[str, ...]]:
    return {name: label.also for name, label in labels().items()}


def read_answer(text: str, doc: Mapping[str, Any]) -> str:
    """Returns the answer to a document: a letter where its options have letters, else one of the options."""
    options = list(doc["options"])
    if doc.get("letters"):
        return read_letter(text, options)
    known = _label_words()
    return read_word(text, {option: known.get(option, ()) for option in options})


def extract(resps: Sequence[Sequence[str]], docs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the answer found in each model's first response: lm-eval's `custom` filter.

    Args:
        resps: For each document, what the model said, once per repeat.
        docs: The documents.
    """
    return [read_answer(said[0] if said else "", doc) for said, doc in zip(resps, docs, strict=True)]
