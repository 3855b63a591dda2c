"""What a therapist's words do: behaviour codes after MITI 4.2.1, with the words that earned them.

The codes are found by rules over the text: phrase lexicons (`tasks/behaviours/therapist.yaml`), the form of
each sentence, and what it shares with the words heard just before. A human coder also hears tone and knows
the story; `tests/raters/test_behaviour_annomi.py` measures how near the rules come to experts.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from mirror_bench import text as wording
from mirror_bench.coding import sentence_forms
from mirror_bench.coding.phrase_lexicon import lexicon
from mirror_bench.coding.sentence_forms import FormSigns, FormWeights, shipped_weights, signs_of
from mirror_bench.parts import StandsOn
from mirror_bench.text import Sentence, place, repeats, sentences, shared, words_of

VERSION = "2"
"""Raised with every change of how a therapist's words are coded; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides how a therapist's words are coded."""
    return (
        StandsOn(("behaviours/therapist.yaml",), {"coding.therapist_behaviour": VERSION})
        | sentence_forms.stands_on()
        | wording.stands_on()
    )


class Behaviour(StrEnum):
    """A therapist behaviour: ten of MITI 4.2.1, and five that this benchmark adds."""

    GIVING_INFORMATION = "giving_information"
    PERSUADE = "persuade"
    PERSUADE_WITH_PERMISSION = "persuade_with_permission"
    OPEN_QUESTION = "open_question"
    CLOSED_QUESTION = "closed_question"
    SIMPLE_REFLECTION = "simple_reflection"
    COMPLEX_REFLECTION = "complex_reflection"
    AFFIRM = "affirm"
    SEEK_COLLABORATION = "seek_collaboration"
    EMPHASIZE_AUTONOMY = "emphasize_autonomy"
    CONFRONT = "confront"
    NOTICES_FACE = "notices_face"
    REPEATS_ITSELF = "repeats_itself"
    SELF_DISCLOSURE = "self_disclosure"
    CRISIS_RESPONSE = "crisis_response"


QUESTIONS = frozenset({Behaviour.OPEN_QUESTION, Behaviour.CLOSED_QUESTION})
REFLECTIONS = frozenset({Behaviour.SIMPLE_REFLECTION, Behaviour.COMPLEX_REFLECTION})
INPUT = frozenset(
    {Behaviour.GIVING_INFORMATION, Behaviour.PERSUADE, Behaviour.PERSUADE_WITH_PERMISSION, Behaviour.CONFRONT}
)
ADHERENT = frozenset({Behaviour.AFFIRM, Behaviour.SEEK_COLLABORATION, Behaviour.EMPHASIZE_AUTONOMY})
NON_ADHERENT = frozenset({Behaviour.PERSUADE, Behaviour.CONFRONT})


class Code(NamedTuple):
    """One behaviour of a therapist's turn, such as a reflection, and the words that it was read from.

    Attributes:
        behaviour: What the words do.
        start: Where the words begin, an index into the turn's characters.
        end: Where they end, exclusive.
    """

    behaviour: Behaviour
    start: int
    end: int


_CLAUSE = re.compile(r"[,;:-]+ *|\b(?:and|so|but|or|well|then),? +")
_POINT = re.compile(r"(?<=[\s:])(?:[-*•·–]|#{1,6}|\d{1,2}[.)])\s+(?=\S)|;\s+|\s*\*\*\s*(?=\w)")
_MARKS = " \t*#>_•·–"
_YOU = re.compile(r"\b(?:you|your|yours|yourself|you're|you've|you'd|you'll|ya)\b")
_LEXICAL = (
    Behaviour.CRISIS_RESPONSE,
    Behaviour.NOTICES_FACE,
    Behaviour.EMPHASIZE_AUTONOMY,
    Behaviour.SEEK_COLLABORATION,
    Behaviour.AFFIRM,
    Behaviour.CONFRONT,
    Behaviour.SELF_DISCLOSURE,
)


_OPPOSED = frozenset({Behaviour.CRISIS_RESPONSE, Behaviour.SELF_DISCLOSURE})
_STANDS_ALONE = frozenset(_LEXICAL) - {Behaviour.NOTICES_FACE}
"""A statement that earned one of these is nothing else besides; only a noticed face may also be reflected."""


def code_therapist(
    words: str, heard: str = "", before: Sequence[str] = (), *, weights: FormWeights | None = None
) -> tuple[Code, ...]:
    """Returns the behaviours in one therapist turn, such as reflections and questions, with their places.

    Args:
        words: What the therapist says. The first 6,000 characters are read.
        heard: What the client said just before; a reflection is told by what it shares with it.
        before: The therapist's earlier turns in this session, for repetition.
        weights: How the signs of a sentence's form are weighed; as shipped where None.

    Returns:
        The codes in the order of their places; several may lie on one sentence, and a turn of mere
        acknowledgement has none.
    """
    return _code_cached(words, heard, tuple(before), weights or shipped_weights())


@functools.lru_cache(maxsize=16384)
def _code_cached(words: str, heard: str, before: tuple[str, ...], weights: FormWeights) -> tuple[Code, ...]:
    codes_found: list[Code] = []
    permitted = bool(before) and _asked_permission(before[-1])
    for sentence in clauses(words):
        codes, asked = _code_sentence(sentence, heard, permitted, weights)
        permitted = permitted or asked
        codes_found.extend(codes)
    if before and repeats(words, before):
        codes_found.append(Code(Behaviour.REPEATS_ITSELF, 0, len(words)))
    return tuple(sorted(set(codes_found), key=lambda code: (code.start, code.end, code.behaviour)))


def _asked_permission(words: str) -> bool:
    return any(lexicon("therapist")["permission"].search(sentence.text) for sentence in sentences(words))


def _code_sentence(
    sentence: Sentence, heard: str, permitted: bool, weights: FormWeights
) -> tuple[list[Code], bool]:
    """Returns the sentence's codes, and whether it asks for permission."""
    patterns = lexicon("therapist")
    text = sentence.text
    codes: list[Code] = []
    for behaviour in _LEXICAL:
        match = patterns[behaviour.value].search(text)
        if match:
            codes.append(Code(behaviour, *place(sentence, match)))
    have = {code.behaviour for code in codes}
    asked = patterns["permission"].search(text) is not None
    if asked and Behaviour.SEEK_COLLABORATION not in have:
        codes.append(Code(Behaviour.SEEK_COLLABORATION, sentence.start, sentence.end))
        have.add(Behaviour.SEEK_COLLABORATION)
    form = _form(text, heard, patterns, have, permitted or asked)
    form = _weighed(text, heard, form, have, permitted or asked, weights)
    if form is not None and not (form in QUESTIONS and Behaviour.SEEK_COLLABORATION in have):
        codes.append(Code(form, sentence.start, sentence.end))
    return codes, asked


@functools.lru_cache(maxsize=4096)
def clauses(words: str) -> tuple[Sentence, ...]:
    """Returns what is coded one by one: sentences, the points of lists in them, and parts at a semicolon.

    Marks of lists, headings and bold type are no part of them.
    """
    parts: list[Sentence] = []
    for sentence in sentences(words):
        if len(sentence.text) != sentence.end - sentence.start:
            parts.append(sentence)  # disfluencies were taken out: places inside it have moved
            continue
        place_now = 0
        for mark in (*_POINT.finditer(sentence.text), None):
            end = mark.start() if mark else len(sentence.text)
            part = sentence.text[place_now:end]
            said = part.strip(_MARKS).lstrip("- ")
            if any(character.isalnum() for character in said):
                start = sentence.start + place_now + part.index(said[0])
                parts.append(Sentence(said, start, start + len(said)))
            place_now = mark.end() if mark else end
    return tuple(parts)


@functools.cache
def _filler() -> re.Pattern[str]:
    """The acknowledgements and hesitations that may stand before what a sentence really is."""
    return re.compile(rf"^(?:-*\s*{lexicon('therapist')['filler'].pattern}[\s,.;:-]+)+")


def _form(
    text: str,
    heard: str,
    patterns: Mapping[str, re.Pattern[str]],
    have: set[Behaviour],
    permitted: bool,
) -> Behaviour | None:
    """Returns what the sentence is as a whole: a question, advice, a reflection, information, or nothing."""
    bare = _filler().sub("", text)
    if not bare:
        return None
    question = _question(bare, patterns)
    if question is not None:
        return question
    words = words_of(bare)
    if len(words) < 6 and patterns["small_talk"].match(bare):
        return None
    overlap = shared(bare, heard) if heard else 0.0
    stem = patterns["strong_stem"]
    if (stem.match(bare) or stem.match(text)) and not have & _OPPOSED:
        return _depth(text, overlap, patterns)
    if Behaviour.CONFRONT in have:
        return None
    if patterns["persuade"].search(text) or patterns["imperative"].match(bare):
        softened = permitted or Behaviour.EMPHASIZE_AUTONOMY in have
        return Behaviour.PERSUADE_WITH_PERMISSION if softened else Behaviour.PERSUADE
    if have & _STANDS_ALONE:
        return None
    if Behaviour.NOTICES_FACE in have:
        depth = _depth(text, overlap, patterns)
        return depth if depth is Behaviour.COMPLEX_REFLECTION else None
    if patterns["telling"].match(bare):
        return Behaviour.GIVING_INFORMATION if len(words) >= 5 else None
    if patterns["weak_stem"].match(bare) or overlap >= 0.5:
        return _depth(text, overlap, patterns)
    if patterns["information"].search(text) and len(words) >= 5:
        return Behaviour.GIVING_INFORMATION
    if patterns["small_talk"].match(bare) or len(words) < 5:
        return None
    if _YOU.search(text) or patterns["feeling"].search(text) or overlap >= 0.34:
        return _depth(text, overlap, patterns)
    return Behaviour.GIVING_INFORMATION


def _weighed(
    text: str,
    heard: str,
    ruled: Behaviour | None,
    have: set[Behaviour],
    permitted: bool,
    weights: FormWeights,
) -> Behaviour | None:
    """Returns what the sentence is when all its signs are weighed, what the rules say being one of them."""
    patterns = lexicon("therapist")
    if _filler().sub("", text) == "":
        return None
    if ruled is Behaviour.PERSUADE and lexicon("forms")["obliges"].search(text):
        return ruled  # "you have to" presses, whatever else is in the sentence
    best = weights.best(signs_of(form_signs(text, heard, ruled)), class_of(ruled))
    if best == class_of(ruled):
        return ruled
    if best == "reflection":
        return _depth(text, shared(text, heard) if heard else 0.0, patterns)
    if best == "question":
        return Behaviour.OPEN_QUESTION if patterns["open_form"].match(text) else Behaviour.CLOSED_QUESTION
    if best == "other" or not have.isdisjoint(_LEXICAL):
        return None
    if patterns["persuade"].search(text) or lexicon("forms")["directs"].match(text):
        softened = permitted or Behaviour.EMPHASIZE_AUTONOMY in have
        return Behaviour.PERSUADE_WITH_PERMISSION if softened else Behaviour.PERSUADE
    return Behaviour.GIVING_INFORMATION


def form_signs(text: str, heard: str, ruled: Behaviour | None) -> FormSigns:
    """Returns what the signs of a sentence are read from; `ruled` is what the rules alone make of it."""
    bare = _filler().sub("", text)
    return FormSigns(text, bare, shared(bare, heard) if heard else 0.0, bool(heard), class_of(ruled))


def class_of(form: Behaviour | None) -> str:
    """Returns the class of a sentence's form, as in `sentence_forms.CLASSES`."""
    if form in REFLECTIONS:
        return "reflection"
    if form in QUESTIONS:
        return "question"
    return "therapist_input" if form in INPUT else "other"


def sentence_signs(words: str, heard: str) -> list[tuple[FormSigns, int]]:
    """Returns, of each sentence of a turn, what its signs are read from, and how many characters it has."""
    patterns = lexicon("therapist")
    signs = []
    for sentence in clauses(words):
        have = {behaviour for behaviour in _LEXICAL if patterns[behaviour.value].search(sentence.text)}
        ruled = _form(sentence.text, heard, patterns, have, permitted=False)
        signs.append((form_signs(sentence.text, heard, ruled), sentence.end - sentence.start))
    return signs


def _question(bare: str, patterns: Mapping[str, re.Pattern[str]]) -> Behaviour | None:
    """Returns the kind of question, or None; `bare` is a sentence without its fillers."""
    if patterns["open_form"].match(bare):
        return Behaviour.OPEN_QUESTION
    if not bare.endswith("?"):
        return None
    if patterns["closed_form"].match(bare):
        return Behaviour.CLOSED_QUESTION
    for clause in _CLAUSE.finditer(bare):
        if patterns["inner_question"].match(bare, clause.end()):
            is_open = patterns["open_form"].match(bare, clause.end())
            return Behaviour.OPEN_QUESTION if is_open else Behaviour.CLOSED_QUESTION
    # "So you're worn out by it?" is a reflection with a rising voice.
    return None if _YOU.search(bare) and len(bare) > 25 else Behaviour.CLOSED_QUESTION


def _depth(text: str, overlap: float, patterns: Mapping[str, re.Pattern[str]]) -> Behaviour:
    """A reflection is complex where it adds feeling or meaning that was not said."""
    if patterns["deepening"].search(text) or (patterns["feeling"].search(text) and overlap < 0.6):
        return Behaviour.COMPLEX_REFLECTION
    return Behaviour.SIMPLE_REFLECTION


def main_class(codes: Sequence[Code]) -> str:
    """Returns the one main behaviour of a turn, as AnnoMI's annotators chose it.

    Returns:
        "reflection", "question", "therapist_input" or "other": the class that covers most of the turn's
        characters, where a question counts two and a half times because it is what the client answers.
    """
    weight = {"reflection": 0.0, "question": 0.0, "therapist_input": 0.0}
    for code in codes:
        length = code.end - code.start
        if code.behaviour in REFLECTIONS:
            weight["reflection"] += length
        elif code.behaviour in QUESTIONS or code.behaviour is Behaviour.SEEK_COLLABORATION:
            weight["question"] += 2.5 * length
        elif code.behaviour in INPUT:
            weight["therapist_input"] += length
    best = max(weight, key=lambda name: weight[name])
    return best if weight[best] > 0 else "other"
