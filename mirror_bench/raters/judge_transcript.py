"""A session as a judge reads it: one delimited block that nothing said in the session can break out of."""

from __future__ import annotations

import hashlib
import random
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from mirror_bench.parts import StandsOn
from mirror_bench.schema import Session, Speaker

VERSION = "1"
"""Raised with every change of how a judge is shown a session; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides how a judge is shown a session."""
    return StandsOn.of("raters.judge_transcript", VERSION)


Sees = Literal["words", "words_and_directions"]

LONGEST_TURN = 1_200
"""Characters of a turn that a judge reads."""
LONGEST_ANSWER = 4_000
"""Characters of a turn that a checklist reads: what it asks for may stand at the end of a long reply."""
LONGEST_TRANSCRIPT = 60_000
"""Characters of all turns together; in a longer session each turn is cut shorter."""
_SHORTEST_CUT = 120
_MOST_TURNS = 400

_SWAPPED = (
    str.maketrans("[]{}<>`|\\", "()()‹›'/" + "/")
    | str.maketrans("꞉∶ː⁝⦂", ":::::")
    | str.maketrans("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz")
)
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]+"
)
"""Characters that show nothing though they count as letters, marks or signs (Unicode: default ignorable)."""
_LATIN_WORD = re.compile(r"(?=\w*[A-Za-z])\w*[^\W\x00-\x7f]\w*")
_LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТХУаеѕіјкмнорстхуԁԛԝһγΑΒΕΖΗΙΚΜΝΟΡΤΥΧοινρɡı",
    "ABESIJKMHOPCTXYaesijkmhopctxydqwhyABEZHIKMNOPTYXoivpgi",
)
"""Cyrillic and Greek letters that look like Latin ones (after Unicode TR 39)."""
_RULES = re.compile(r"([=\-_#*~+^%$&])\1{2,}")
_LABEL = re.compile(
    r"\b(client|patient|therapist|counsel+or|system|assistant|user|human|ai|judge|rater|observer|"
    r"instructions?|score|rating|evidence|reason|transcript)(\W{0,3})[:=]",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3,}")


@dataclass(frozen=True)
class JudgeTranscript:
    """A session as the text that a judge reads, with what is needed to check its quotes.

    Attributes:
        block: The delimited block.
        spoken: What each turn says in it, for checking quotes.
        cut: Indices of the turns that were too long to show whole.
    """

    block: str
    spoken: tuple[str, ...]
    cut: tuple[int, ...] = ()


def neutral(text: str, longest: int = LONGEST_TURN) -> tuple[str, bool]:
    """Makes a text from a model harmless inside the block, and readable still.

    Compatibility forms become plain letters, and so do look-alikes of Latin letters within a Latin word;
    control, zero-width, direction and other unseen characters vanish; all blanks and line ends become single
    spaces, so no text can begin a line; brackets of every kind, braces and angle signs become others, so that
    none can look like a mark, a label or JSON; label colons ("Therapist:") become dashes; rows of signs
    shrink to one.

    Args:
        text: What was said.
        longest: At most so many characters are kept.

    Returns:
        The text, and whether it was cut.
    """
    taken = text[: 4 * longest]
    plain = unicodedata.normalize("NFKC", taken)
    kept = "".join(
        " " if c.isspace() or unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c
        for c in plain
        if c.isspace() or unicodedata.category(c) not in {"Cf", "Cs", "Co", "Cn"}
    )
    kept = _MARKS.sub(lambda match: match.group()[:2], _UNSEEN.sub("", _plain_brackets(kept)))
    kept = _LATIN_WORD.sub(lambda match: match.group().translate(_LOOKALIKES), kept)
    kept = _LABEL.sub(lambda match: f"{match.group(1)} -", _RULES.sub(r"\1", kept))
    kept = " ".join(kept.split())
    cut = len(kept) > longest or len(text) > len(taken)
    return kept[:longest].rstrip(), cut


def _plain_brackets(text: str) -> str:
    """Returns the text with round brackets for all others of Unicode; low quotation marks are none."""
    swapped = text.translate(_SWAPPED)
    if swapped.isascii():
        return swapped
    return "".join(
        c if c in "‚„⹂" else {"Ps": "(", "Pe": ")"}.get(unicodedata.category(c), c) for c in swapped
    )


def write_transcript(
    session: Session, sees: Sees = "words", seed: int | None = None, longest: int = LONGEST_TURN
) -> JudgeTranscript:
    """Returns a session as one delimited block of labelled turns.

    Args:
        session: What was said.
        sees: Whether the client's stage directions are shown too.
        seed: Turns are labelled at random by it, so that no judge can lean on their numbers; from 01 where
            None.
        longest: At most so many characters of a turn are shown.

    Returns:
        The block; its mark is derived from its own content, so that no text in it can hold it.
    """
    turns = session.turns[:_MOST_TURNS]
    longest = min(longest, max(_SHORTEST_CUT, LONGEST_TRANSCRIPT // max(1, len(turns))))
    lines: list[str] = []
    spoken: list[str] = []
    cut: list[int] = []
    names = turn_names(len(turns), seed)
    for index, turn in enumerate(turns):
        words, shortened = neutral(turn.words, longest)
        label = f"{names[index]} {'CLIENT' if turn.speaker is Speaker.CLIENT else 'THERAPIST'}"
        note = f" [cut here, the turn has {len(turn.words)} characters]" if shortened else ""
        lines.append(f"[{label}] {words or '(says nothing)'}{note}")
        spoken.append(words)
        if shortened:
            cut.append(index)
        if sees == "words_and_directions" and turn.speaker is Speaker.CLIENT and turn.direction:
            shown, _ = neutral(turn.direction, longest)
            lines.append(f"[{label} SHOWS] {shown}")
            spoken[-1] = f"{words} {shown}"
    if len(session.turns) > len(turns):
        lines.append(f"[cut here, the session has {len(session.turns)} turns]")
    body = "\n".join(lines)
    mark = hashlib.sha256(body.encode()).hexdigest()[:16]
    return JudgeTranscript(f"<<<transcript {mark}>>>\n{body}\n<<<end {mark}>>>", tuple(spoken), tuple(cut))


def turn_names(turns: int, seed: int | None) -> list[str]:
    """Returns a label per turn: "01", "02", … or, with a seed, different ones in no order ("K47")."""
    if seed is None:
        return [f"{index + 1:02d}" for index in range(turns)]
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ"  # no I, O or Q, which read as digits
    return random.Random(seed).sample([f"{a}{n}" for a in letters for n in range(10, 100)], turns)


_LOOSE = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})


def holds_quote(transcript: JudgeTranscript, quote: str) -> bool:
    """Tells whether a quote stands in one turn, whatever its case, blanks and kind of quotation mark."""
    wanted = _loose(quote)
    return len(wanted) >= 4 and any(wanted in _loose(words) for words in transcript.spoken)


def _loose(text: str) -> str:
    plain, _ = neutral(text, LONGEST_ANSWER * 2)  # a turn, and what the client shows at it
    return " ".join(plain.translate(_LOOSE).casefold().split()).strip(" .,\"'")
