"""Phrase lexicons, `tasks/behaviours/*.yaml`: name -> one compiled pattern that finds any of its phrases."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError


def compile_lexicon(content: Mapping[str, Any], where: str) -> Mapping[str, re.Pattern[str]]:
    """Compiles the lists under `patterns`.

    Args:
        content: The mapping of a lexicon file; `patterns` holds name -> list of regular expressions.
        where: The file's name, for messages.

    Returns:
        Name -> pattern, matching at word boundaries in lower-case text.

    Raises:
        InputError: If an entry is not a list of texts, or a text is not a regular expression.
    """
    entries = content.get("patterns")
    if not isinstance(entries, dict) or not entries:
        raise InputError(f"{where}: needs a mapping 'patterns' of names to lists of regular expressions")
    compiled: dict[str, re.Pattern[str]] = {}
    for name, phrases in entries.items():
        if not isinstance(phrases, list) or not phrases or not all(isinstance(p, str) for p in phrases):
            raise InputError(
                f"{where}: patterns.{name} must be a list of texts (quote those YAML reads otherwise)"
            )
        for number, phrase in enumerate(phrases, 1):
            try:
                re.compile(phrase)
            except re.error as error:
                raise InputError(
                    f"{where}: patterns.{name}, entry {number}, is not a regular expression: {error}"
                ) from None
        # Groups only group here; without captures the engine is faster and numbering cannot clash.
        joined = "|".join(re.sub(r"(?<!\\)\((?!\?)", "(?:", phrase) for phrase in phrases)
        compiled[str(name)] = re.compile(rf"\b(?:{joined})(?!\w)")
    return MappingProxyType(compiled)


@functools.cache
def lexicon(name: str) -> Mapping[str, re.Pattern[str]]:
    """Returns the compiled lexicon `tasks/behaviours/<name>.yaml`.

    Raises:
        InputError: If the file is missing or malformed.
    """
    path = content_path("behaviours", f"{name}.yaml")
    return compile_lexicon(read_yaml(path), str(path))
