"""The lexicon of stage directions: phrases of word classes, and what each shows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.faces.facs.expressions import expression_from, named, scaled
from mirror_bench.schema import Expression
from mirror_bench.text import stem

_IRREGULAR = {
    "drawn": "draw", "drew": "draw", "shook": "shake", "shaken": "shake", "fell": "fall", "fallen": "fall",
    "broke": "break", "broken": "break", "bitten": "bite", "rose": "rise", "risen": "rise", "wrung": "wring",
    "held": "hold", "kept": "keep", "sank": "sink", "sunk": "sink", "sunken": "sink", "shrank": "shrink",
    "wept": "weep", "met": "meet", "hid": "hide", "hidden": "hide", "hung": "hang", "bent": "bend",
    "threw": "throw", "lit": "light", "spoke": "speak", "sat": "sit", "stood": "stand",
    "withdrew": "withdraw", "withdrawn": "withdraw", "goes": "go", "gone": "go",
}  # fmt: skip
_NUMBERED = {"eyebrows", "brows"}  # one raised eyebrow says something else than two
_FIELDS = {"say", "like", "strength", "units", "gaze", "head", "posture"}


class Cue(NamedTuple):
    """One visible behaviour that a stage direction may name, and the expression that it shows.

    Attributes:
        name: Its first phrase, without class marks.
        expression: What it shows.
    """

    name: str
    expression: Expression


@dataclass(frozen=True, eq=False)
class Phrase:
    """One wording of a cue, as stems to be matched.

    Attributes:
        words: The stems that may stand at each place.
        rank: Order of matching: longer phrases first, then literal ones, then those written first.
    """

    cue: Cue
    words: tuple[frozenset[str], ...]
    rank: tuple[int, int, int]


class Lexicon(NamedTuple):
    """All phrases and modifying words that stage directions are read by.

    Attributes:
        by_stem: Stem -> the phrases that may begin with it.
        strengths: Word -> factor on the nearest cue.
        weaken: Word -> factor on the cues after it; 0 for negations.
        little: Words that are left out before matching, in texts and in phrases.
        quiet: Stems that are understood and show nothing.
    """

    by_stem: Mapping[str, tuple[Phrase, ...]]
    strengths: Mapping[str, float]
    weaken: Mapping[str, float]
    little: frozenset[str]
    quiet: frozenset[str]


@cache
def packaged_lexicon() -> Lexicon:
    """Returns the packaged lexicon, `tasks/faces/directions.yaml`."""
    return read_lexicon(content_path("faces", "directions.yaml"))


def read_lexicon(path: Path) -> Lexicon:
    """Reads a lexicon.

    Raises:
        InputError: If the file is not of the form that the packaged one explains, naming the entry.
    """
    content = read_yaml(path)
    for section in ("classes", "weaken", "negate", "little", "strengths", "cues", "quiet"):
        if section not in content:
            raise InputError(f"{path}: the section {section!r} is missing")
    classes = {
        str(name): frozenset(root(word) for word in _words(words, f"{path}: class {name}"))
        for name, words in content["classes"].items()
    }
    little = frozenset(_words(content["little"], f"{path}: little"))
    by_stem: dict[str, list[Phrase]] = defaultdict(list)
    for number, entry in enumerate(content["cues"]):
        for phrase in _phrases(entry, number, classes, little, f"{path}: cue {number + 1}"):
            for first in phrase.words[0]:
                by_stem[first].append(phrase)
    weaken = {str(word): float(factor) for word, factor in content["weaken"].items()}
    return Lexicon(
        by_stem={first: tuple(phrases) for first, phrases in by_stem.items()},
        strengths={str(word): float(factor) for word, factor in content["strengths"].items()},
        weaken=weaken | dict.fromkeys(_words(content["negate"], f"{path}: negate"), 0.0),
        little=little,
        quiet=frozenset(root(word) for word in _words(content["quiet"], f"{path}: quiet")),
    )


@cache
def root(word: str) -> str:
    """Returns what all forms of a word share, also those that no ending explains ("shook", "shaking")."""
    word = word.removesuffix("'s").replace("'", "")
    word = re.sub(r"ily$", "y", word)  # Porter2 leaves "warily" apart from "wary"
    return word if word in _NUMBERED else stem(_IRREGULAR.get(word, word))


def _words(value: Any, where: str) -> list[str]:
    if not isinstance(value, list):
        raise InputError(f"{where}: must be a list of words")
    for word in value:
        if not isinstance(word, str):
            raise InputError(f"{where}: {word!r} is no text: put words such as no, on and off in quotes")
    return value


def _phrases(
    entry: Any, number: int, classes: Mapping[str, frozenset[str]], little: frozenset[str], where: str
) -> list[Phrase]:
    if not isinstance(entry, dict) or not entry.get("say") or set(entry) - _FIELDS:
        raise InputError(f"{where}: must hold `say` and some of {', '.join(sorted(_FIELDS - {'say'}))}")
    shown = expression_from("", entry, where)
    if "like" in entry:
        try:
            like = scaled(named(str(entry["like"])), float(entry.get("strength", 1.0)))
        except (InputError, TypeError, ValueError) as error:
            raise InputError(f"{where}: {error}") from None
        shown = like.model_copy(update={"units": {**like.units, **shown.units}})
    sayings = _words(entry["say"], where)
    cue = Cue(sayings[0].replace("@", ""), shown)
    phrases = []
    for saying in sayings:
        words = [word for word in saying.split() if word not in little]
        if not words:
            raise InputError(f"{where}: no word of {saying!r} is left once the little ones are out")
        unknown = [word for word in words if word.startswith("@") and word[1:] not in classes]
        if unknown:
            known = ", ".join(sorted(classes))
            raise InputError(f"{where}: no class is named {unknown[0]!r}: known are {known}")
        stems = tuple(
            classes[word[1:]] if word.startswith("@") else frozenset({root(word)}) for word in words
        )
        marks = sum(word.startswith("@") for word in words)
        phrases.append(Phrase(cue, stems, (-len(words), marks, number)))
    return phrases
