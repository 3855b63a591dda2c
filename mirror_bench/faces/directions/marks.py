"""Parts what a speaker shows from what the speaker says, in whatever marks a model writes stage directions.

Square, lenticular, curly and angle brackets hold a direction always. Asterisks, underscores, round brackets
and dashes are used in speech as well, for stress or an aside: there, what is shown decides.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mirror_bench.faces.directions import reader
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.parts import StandsOn

VERSION = "1"
"""Raised with every change of what counts as a stage direction; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides which part of a turn is a stage direction."""
    return StandsOn.of("faces.directions.marks", VERSION) | reader.stands_on()


_LONGEST = 300
_INSIDE = rf"{{1,{_LONGEST}}}"
_MARKS = re.compile(
    r"\[(?P<square>[^\[\]]*)\]"
    rf"|【(?P<lens>[^【】]{_INSIDE})】|〔(?P<shell>[^〔〕]{_INSIDE})〕"
    rf"|\{{(?P<curly>[^{{}}]{_INSIDE})\}}"
    rf"|<(?P<tag>[A-Za-z][\w-]{{0,20}})\b[^<>\n]*>(?P<tagged>[^<>]{_INSIDE})</(?P=tag)\s*>"
    rf"|<(?P<angle>[A-Za-z][^<>\n]{_INSIDE})>"
    rf"|\((?P<round>[^()\n]{_INSIDE})\)|（(?P<wide>[^（）\n]{_INSIDE})）"
    rf"|(?<![\w*])\*{{1,3}}(?P<star>(?!\s)[^*\n]{_INSIDE}?)(?<!\s)\*{{1,3}}(?![\w*])"
    rf"|(?<![\w_])_{{1,3}}(?P<under>(?!\s)[^_\n]{_INSIDE}?)(?<!\s)_{{1,3}}(?![\w_])"
    rf"|(?<!~)~{{1,2}}(?P<wave>[^~\n]{_INSIDE}?)~{{1,2}}(?!~)"
    r"|(?:^|(?<=[\s.!?…]))(?:—|–|--)[ \t]*(?P<dashed>[^—–\n]{3,80}?)[ \t]*(?:—|–|--)(?=\s|$)"
    r"|^[ \t]*(?:—|–|--)[ \t]*(?P<dashline>[^—–\n]{3,120})$",
    re.MULTILINE,
)
_ALWAYS = ("square", "lens", "shell", "curly", "angle")
_STRESS = ("star", "under", "wave")
_TAGS_OF_STRESS = frozenset({"i", "em", "b", "strong", "u", "small", "span", "p"})
_TAGS_OF_SPEECH = re.compile(
    r"(?i)(?:speech|says?|said|words?|dialog(?:ue)?|utterance|spoken|client|message|text)\Z"
)
# A line that says what it holds, and the label of a line of speech.
_LABELLED = re.compile(
    r"^[ \t*_#-]*(?:(?:stage )?directions?|actions?|body(?: language)?|"
    r"non-?verbals?(?: cues?| behaviou?rs?)?|"
    r"(?:facial )?expressions?|face|gestures?|posture|demeanou?r|gaze|eyes|tone(?: of voice)?|voice)[ \t*_]*:"
    r"[ \t*_]*(?P<shown>[^\n]+)$",
    re.IGNORECASE | re.MULTILINE,
)
_SPEECH_LABEL = re.compile(
    r"^[ \t*_#]*(?:speech|says|words|dialog(?:ue)?|spoken|verbal)[ \t*_]*:[ \t*_]*",
    re.IGNORECASE | re.MULTILINE,
)
_UNCLOSED = re.compile(r"^[ \t]*[*_(（\[【{][ \t]*(?P<shown>[^\n*_()（）\[\]【】{}]{3,200})$", re.MULTILINE)
_OWN_WORD = re.compile(
    r"(?i)\b(?:i|i['’](?:m|d|ll|ve)|me|my|mine|you|you['’](?:re|d|ll|ve)|your|we|us|our)\b"
)
_VOICE = re.compile(
    r"(?i)\b(?:voice|tone|breath(?:s|ing)?|pauses?|silen(?:ce|t|tly)|beat|sobs?|sobbing|tears?|teary|tearful|"
    r"sniff\w*|"
    r"whisper\w*|murmur\w*|mutter\w*|mumbl\w*|chuckl\w*|giggl\w*|scoff\w*|snort\w*|gulp\w*|swallow\w*|"
    r"stammer\w*|"
    r"stutter\w*|hesita\w*|shak\w+|trembl\w*|quiver\w*|crack(?:s|ing)|flat|monotone|sarcas\w*|softly|quietly|"
    r"eyes?|"
    r"gaze|brows?|jaw|lips?|mouth|hands?|fists?|arms?|shoulders?|posture|face|expression)\b"
)
_NOT_ACTS = frozenset(
    re.findall(
        r"\w+",
        """always sometimes perhaps yes this is was as us his its plus unless besides afterwards thus thanks
        across mess less nowadays towards really only actually probably possibly exactly obviously family
        clearly honestly basically finally early daily nearly hardly barely literally seriously definitely
        absolutely thing things something nothing anything everything morning evening during king need
        red""",
    )
)
_ACT = re.compile(
    r"^(?:(?:he|she|they|slowly|then|and|client|the client)\s+)?(?P<verb>[a-z]+(?:s|ing|ed|ly))\b"
)


class PartedDirections(NamedTuple):
    """A turn parted into spoken words and stage directions.

    Attributes:
        words: What is said, as it stood around the directions.
        directions: What is shown, one by one, without marks.
    """

    words: str
    directions: tuple[str, ...]


class _Piece(NamedTuple):
    place: int
    text: str


def part_directions(text: str) -> PartedDirections:
    """Returns what is said in a turn and what is shown in it.

    Where nothing but stressed words of the speaker's own would be left out, they are speech.
    """
    shown: list[_Piece] = []
    doubtful: list[str] = []

    def labelled(match: re.Match[str]) -> str:
        shown.append(_Piece(match.start(), match["shown"]))
        return "\n"

    def marked(match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        inner = match[kind]
        if kind == "tagged" and _TAGS_OF_SPEECH.match(match["tag"]):
            return inner
        if not _is_shown(kind, inner, match):
            return match.group() if kind in {"round", "wide", "dashed", "dashline"} else inner
        shown.append(_Piece(match.start(), inner))
        if kind not in _ALWAYS and not read_direction(inner).known and _OWN_WORD.search(inner):
            doubtful.append(inner)
        return " "

    words = _LABELLED.sub(labelled, text)
    words = _SPEECH_LABEL.sub("", words)
    words = _MARKS.sub(marked, words)
    words = _without_unclosed(words, shown)
    if not any(character.isalnum() for character in words) and len(doubtful) == len(shown):
        return PartedDirections(" ".join(doubtful), ())
    directions = (_plain(piece.text) for piece in sorted(shown))
    return PartedDirections(words, tuple(direction for direction in directions if direction))


def _is_shown(kind: str, inner: str, match: re.Match[str]) -> bool:
    """Returns whether a marked piece is a direction rather than stress or an aside."""
    if kind in _ALWAYS or (kind == "tagged" and match["tag"].lower() not in _TAGS_OF_STRESS):
        return True
    reading = read_direction(inner)
    own = _OWN_WORD.search(inner) is not None
    if kind in {"dashed", "dashline"}:
        return bool(reading.known) and not own and len(reading.unknown) <= 2
    within = _within_a_sentence(match)
    if kind in {*_STRESS, "tagged"}:
        if within and len(inner.split()) <= 2 and not reading.known:
            return False
        return bool(reading.known) or len(inner.split()) > 3 or _is_act(inner) or bool(_VOICE.search(inner))
    return bool(reading.known) or (not own and (_is_act(inner) or _VOICE.search(inner) is not None))


def _within_a_sentence(match: re.Match[str]) -> bool:
    before = match.string[: match.start()].rstrip(" \t")
    return bool(before) and before[-1] not in '.!?…\n"”:)]}>*_~】）—'


def _is_act(inner: str) -> bool:
    match = _ACT.match(inner.strip().lower())
    return match is not None and match["verb"] not in _NOT_ACTS


def _without_unclosed(text: str, shown: list[_Piece]) -> str:
    """Takes out lines that open a direction and never close it, where other lines hold speech."""

    def take(match: re.Match[str]) -> str:
        rest = text[: match.start()] + text[match.end() :]
        if not rest.strip() or not (read_direction(match["shown"]).known or _VOICE.search(match["shown"])):
            return match.group()
        shown.append(_Piece(match.start(), match["shown"]))
        return " "

    return _UNCLOSED.sub(take, text)


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[*_~\[\]()<>{}]", " ", text).split())
