"""Screenplays as text: `Speaker: [Stage direction] words`, in all the forms that writers give it."""

from __future__ import annotations

import ast
import bisect
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mirror_bench.data.base import Problem
from mirror_bench.data.screenplays.records import (
    Line,
    Screenplay,
)
from mirror_bench.data.untrusted_input import clean
from mirror_bench.schema import (
    Resistance,
    Speaker,
)

MAX_SCREENPLAY = 1_000_000
"""Characters that are read of one screenplay."""
MAX_PROBLEMS = 100
"""Problems that are listed of one screenplay."""

_THERAPIST = re.compile(
    r"(?:psycho)?therapist|counsel+or|psychologist|clinician|doctor|dr\.?(?: [\w'’.-]+){0,2}", re.IGNORECASE
)
_CLIENT = re.compile(r"client|patient|counselee", re.IGNORECASE)
# An optional list marker, then a label in the same bold or italic marks on both sides, then a colon. A stage
# direction or a name may stand between label and colon. Repetitions are bounded, for the text is foreign.
_LABEL = re.compile(
    r"\s{0,40}(?:[#>-]{1,6}\s{1,10}|\d{1,3}[.)]\s{1,10})?"
    r"(?P<mark>\*{1,3}|_{1,3})?"
    r"(?P<label>[^\W\d_][\w.'’ -]{0,60}?)\s{0,10}"
    r"(?:\((?P<aside>[^()\n]{0,300})\)|\[(?P<bracket>[^\[\]\n]{0,300})\])?\s{0,10}"
    r"(?(mark)(?P<closed>(?P=mark))?)\s{0,10}[:：](?(mark)(?(closed)|(?:(?P=mark))?))(?!//)"
)
_UNKNOWN_SPEAKER = re.compile(r"""unknown speaker (?P<label>(['"])(?:\\.|(?!\2).)*\2) in (?P<id>[^:]*):""")
_RULE = re.compile(r"\s*(?:[-=_*#] ?){3,}\s*")
_TITLE = re.compile(r"(?:mr|mrs|ms|miss|mx)\.? ", re.IGNORECASE)


class Parsed(NamedTuple):
    """A screenplay, and what in its text could not be read as it stands."""

    screenplay: Screenplay
    problems: tuple[Problem, ...]


@dataclass
class _Turn:
    """One turn while it is gathered: its text, line by line, and where each line stood."""

    speaker: Speaker
    texts: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def add(self, text: str, number: int) -> None:
        self.texts.append(text)
        self.numbers.append(number)


class _Label(NamedTuple):
    """The label of a line: its words, a bracket or a parenthesis behind them, the rest of the line."""

    words: str
    bracket: str
    aside: str
    rest: str


def parse_screenplay(
    text: str,
    *,
    id: str,
    profile_id: str,
    resistance: Resistance = Resistance.NONE,
    client_names: Sequence[str] = (),
    source: str = "",
) -> Parsed:
    """Reads a screenplay; no word of a turn is lost.

    Stage directions may stand anywhere in a turn, any number of them, one inside another. A bracket without
    its partner is dropped and reported, its words are kept. Two turns of one speaker in a row stay two turns.

    Args:
        text: The screenplay; a line without a speaker goes on with the turn before it.
        id: The screenplay's id.
        profile_id: The client's profile.
        resistance: How the client resists.
        client_names: Names that may stand for "Client", in full; each part of a name is understood as well.
        source: Name of the file, for problems; `id` where empty.
    """
    source = source or id
    problems: list[Problem] = []
    if len(text) > MAX_SCREENPLAY:
        problems.append(
            Problem(source, 1, f"is longer than {MAX_SCREENPLAY} characters: the rest was left out")
        )
    text = re.sub(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]", "\n", text.removeprefix("\ufeff")[:MAX_SCREENPLAY])
    rows = clean(text, MAX_SCREENPLAY).split("\n")
    turns = _gather(rows, _known_names(client_names) or _guess_name(rows), id, source, problems)
    if not turns:
        problems.append(Problem(source, 1, "holds no turn: a turn begins with 'Therapist:' or 'Client:'"))
    lines = tuple(_line(turn, source, problems) for turn in turns)
    problems.sort(key=lambda problem: problem.line)
    if len(problems) > MAX_PROBLEMS:
        more = f"and {len(problems) - MAX_PROBLEMS} further problems"
        problems[MAX_PROBLEMS:] = [Problem(source, problems[MAX_PROBLEMS].line, more)]
    play = Screenplay(id=id, profile_id=profile_id, resistance=resistance, lines=lines)
    return Parsed(play, tuple(problems))


def unknown_speaker(label: str, screenplay_id: str) -> str:
    """Returns the beginning of a problem's message about a speaker who is neither therapist nor client."""
    return f"unknown speaker {label!r} in {screenplay_id}"


def unknown_speakers(problems: Iterable[Problem]) -> dict[str, tuple[str, ...]]:
    """Returns screenplay id -> the unknown speakers, each once, that the problems of a source name."""
    found: dict[str, dict[str, None]] = {}
    for problem in problems:
        if match := _UNKNOWN_SPEAKER.search(problem.message):
            found.setdefault(match["id"], {})[ast.literal_eval(match["label"])] = None
    return {id: tuple(labels) for id, labels in found.items()}


def render_screenplay(screenplay: Screenplay) -> str:
    """Returns the screenplay as text, one turn a line; stage directions stand before the words."""
    return "".join(render_line(line) + "\n" for line in screenplay.lines)


def render_line(line: Line) -> str:
    """Returns one line of a screenplay as text."""
    parts = [f"{line.speaker.value.capitalize()}:", *(f"[{text}]" for text in line.directions), line.words]
    return " ".join(part for part in parts if part)


def split_directions(text: str) -> tuple[tuple[str, ...], str, tuple[int, ...]]:
    """Separates stage directions from words.

    Returns:
        The stage directions without brackets, in order; the words; the offsets of brackets without partner.
    """
    if "[" not in text and "]" not in text:
        return (), _plain(text), ()
    opened: list[int] = []
    partner: dict[int, int] = {}
    stray: list[int] = []
    for place, char in enumerate(text):
        if char == "[":
            opened.append(place)
        elif char == "]":
            if opened:
                partner[opened.pop()] = place
            else:
                stray.append(place)
    directions: list[str] = []
    words: list[str] = []
    place = 0
    while place < len(text):
        if place in partner:
            directions.append(_plain(text[place + 1 : partner[place]]))
            words.append(" ")
            place = partner[place]
        elif text[place] not in "[]":
            words.append(text[place])
        place += 1
    return tuple(filter(None, directions)), _plain("".join(words)), tuple(sorted(stray + opened))


def _plain(text: str) -> str:
    return " ".join(text.replace("[", " ").replace("]", " ").split())


def _gather(rows: list[str], names: set[str], id: str, source: str, problems: list[Problem]) -> list[_Turn]:
    """Sorts the lines of the text into turns."""
    turns: list[_Turn] = []
    for number, row in enumerate(rows, start=1):
        if not row.strip() or _RULE.fullmatch(row):
            continue
        label = _read_label(row)
        speaker = _speaker(label.words, names) if label else None
        if label and speaker:
            turns.append(_Turn(speaker))
            behind = label.bracket or ("" if _key(label.aside) in names else label.aside)
            if behind:
                turns[-1].add(f"[{behind}]", number)
            turns[-1].add(label.rest, number)
            continue
        if not turns:
            problems.append(
                Problem(source, number, f"text before the first speaker was left out: {row.strip()[:60]!r}")
            )
            continue
        if label and _looks_like_speaker(label):
            stranger = unknown_speaker(label.words, id)
            kept = f"{stranger}: the line was kept in the {turns[-1].speaker}'s turn"
            problems.append(Problem(source, number, kept))
        turns[-1].add(row.strip(), number)
    return turns


def _read_label(row: str) -> _Label | None:
    """Returns the label that a line begins with, known or not."""
    found = _LABEL.match(row)
    if not found:
        return None
    rest = row[found.end() :].strip()
    mark = found["mark"]
    if mark and rest.endswith(mark) and rest.count(mark) % 2:
        rest = rest[: -len(mark)]  # the whole line stood in bold
    return _Label(found["label"].strip(), found["bracket"] or "", found["aside"] or "", rest)


def _speaker(label: str, names: set[str]) -> Speaker | None:
    if _CLIENT.fullmatch(label) or _key(label) in names:
        return Speaker.CLIENT
    return Speaker.THERAPIST if _THERAPIST.fullmatch(label) else None


def _looks_like_speaker(label: _Label) -> bool:
    """Whether a line begins with what reads as a name: one to three words, capitalised or a number."""
    words = label.words.split()
    return len(words) <= 3 and all(word[:1].isupper() or word.isdigit() for word in words)


def _key(name: str) -> str:
    return _TITLE.sub("", name.replace("’", "'").strip().lower()).strip()


def _known_names(client_names: Sequence[str]) -> set[str]:
    keys = {_key(name) for name in client_names}
    return {key for key in keys | {part for key in keys for part in key.split()} if len(key) > 1}


def _guess_name(rows: list[str]) -> set[str]:
    """Takes the one unknown name that speaks for the client, where no line is the client's otherwise."""
    labels = [label for row in rows if (label := _read_label(row))]
    if any(_CLIENT.fullmatch(label.words) for label in labels):
        return set()
    if not any(_THERAPIST.fullmatch(label.words) for label in labels):
        return set()
    unknown = {
        _key(label.words)
        for label in labels
        if not _THERAPIST.fullmatch(label.words) and _looks_like_speaker(label)
    }
    return unknown if len(unknown) == 1 else set()


def _line(turn: _Turn, source: str, problems: list[Problem]) -> Line:
    """Makes a line of a gathered turn."""
    text = "\n".join(turn.texts)
    directions, words, stray = split_directions(text)
    begins = list(itertools.accumulate((len(row) + 1 for row in turn.texts), initial=0))
    for place in stray:
        number = turn.numbers[bisect.bisect_right(begins, place) - 1]
        what = "is never closed" if text[place] == "[" else "was never opened"
        problems.append(Problem(source, number, f"a bracket {what}: it was dropped and its words were kept"))
    if not directions and not words:
        problems.append(Problem(source, turn.numbers[0], "a turn without words or stage direction"))
    return Line(speaker=turn.speaker, directions=directions, words=words)
