"""The bank as what heads are trained on: sentences, what each shows, and what it says nothing about."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

from mirror_bench.coding.safety.bank import (
    ANSWERS,
    EVERYDAY,
    HARMS,
    HELD_OUT,
    NO_CRISIS,
    BankItem,
    Danger,
    SafetyAct,
)
from mirror_bench.coding.safety.heads import ANY_DANGER, CLIENT, THERAPIST
from mirror_bench.coding.safety.heard import CALM, as_context, topics_by_words
from mirror_bench.coding.safety.units import pairs, parts, units
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.schema import Speaker

NAMES = {
    CLIENT: (ANY_DANGER, *(kind.value for kind in Danger)),
    THERAPIST: tuple(act.value for act in SafetyAct),
}
BACKGROUND = "mini"
"""The theme of everyday talk: lines of MIRROR-Mini's screenplays without danger or harm."""
_RUN, _EVERY = 40, 7
_WHOLE = 160
"""A near miss of more characters is taken apart: each of its sentences is one."""
PAIR = " pair"
"""Ends the origin of an example of two sentences."""
_FEW, _MANY = 4, 25
_OUTSIDE, _INSIDE = 0.05, 0.7
_PIECE = 0.5
"""What a sentence or clause of an ordinary line weighs."""
_TWO = 2
_FEWER = 3
"""Of pairs that show nothing, one in so many is taken: there are plenty."""
_BRIEF = 7
"""A therapist's everyday words of fewer words may agree, mock or say nothing where danger was told."""
_CONTEXTS = (*(CALM,) * 5, "danger", "danger means", "danger unreal", "means", "danger means seeks")
"""What may have been heard before an everyday sentence that has no context of its own. Were it always calm,
the context alone would tell of harm."""
_CONFUSABLE = frozenset(
    {
        SafetyAct.AGREES,
        SafetyAct.MOCKS,
        SafetyAct.EMPTY,
        SafetyAct.EVADES,
        SafetyAct.COLLUDES,
        SafetyAct.METHOD,
    }
)


class Example(NamedTuple):
    """One sentence to train the safety heads on, with its labels and weight.

    Attributes:
        context: What was heard before, as `heard.context_of` gives it.
        targets: Kind -> 1 where it is shown, 0 where it is not; a kind that is absent is not known.
        theme: For splits.
        weight: How much it counts.
        origin: The item's kind and label.
        place: Of the item among all, for splits of everyday talk; the same for all that is made of one item.
    """

    text: str
    context: str
    targets: dict[str, int]
    theme: str
    weight: float
    origin: str
    place: int = 0


def examples(speaker: str, bank: Sequence[BankItem]) -> list[Example]:
    """Returns what the heads of one speaker are trained on, everyday talk included."""
    made: list[Example] = []
    for place, item in enumerate(bank):
        if item.speaker == speaker:
            own = _client(item) if speaker == CLIENT else _therapist(item)
        else:
            own = _heard(item) if speaker == CLIENT else []
        made += [one._replace(place=place) for one in own]
    made += [one._replace(place=len(bank) + place) for place, one in enumerate(_background(speaker))]
    return made + _pairs(bank, made) if speaker == CLIENT else made


def _pairs(bank: Sequence[BankItem], made: Sequence[Example]) -> list[Example]:
    """Returns two client's sentences in a row: of a longer post, or one with a stranger's everyday words.

    What discloses is often said in two breaths, and is read so, too (`danger`). A stranger to words that are
    left out is one whose words are, and the other way round.
    """
    strangers: dict[bool, list[str]] = {True: [], False: []}
    for one, held in zip(made, left_out(made), strict=True):
        if everyday(one) and _FEW <= len(one.text.split()) <= _MANY:
            strangers[held].append(one.text)
    made_of_two: list[Example] = []
    for place, item in enumerate(bank):
        if item.speaker != CLIENT:
            continue
        shown, origin = _shown(item), f"{item.kind}.{item.label}{PAIR}"
        whole = Example(item.text, "", shown, item.theme, 0.5, origin, place)
        start, end = item.span or (0, len(item.text))
        for two in pairs(item.text):
            inside = max(0, min(end, two.end) - max(start, two.start)) / (end - start)
            if item.shows and _OUTSIDE < inside < _INSIDE:
                continue  # half of what discloses: who can say what it shows?
            targets = shown if not item.shows or inside >= _INSIDE else dict.fromkeys(NAMES[CLIENT], 0)
            if any(targets.values()) or zlib.crc32(two.text.encode()) % _FEWER == 0:
                made_of_two.append(whole._replace(text=two.text, targets=targets))
        number = zlib.crc32(item.text.encode())
        if len(units(item.text)) == 1 and number % 2:
            theirs = strangers[left_out([whole])[0]]
            both = (item.text, theirs[number % len(theirs)])[:: 1 if number % 4 == 1 else -1]
            made_of_two.append(whole._replace(text=" ".join(both)))
    return made_of_two


def left_out(given: Sequence[Example]) -> list[bool]:
    """Returns which examples nothing is trained on: `HELD_OUT`, and every seventh run of everyday talk.

    Everyday talk has no theme of its own; runs of it are left out, as one screenplay's lines are alike.
    """
    return [
        example.theme in HELD_OUT or (everyday(example) and example.place // _RUN % _EVERY == 0)
        for example in given
    ]


def everyday(example: Example) -> bool:
    """Tells whether an example is ordinary talk rather than a near miss."""
    return example.theme == BACKGROUND or example.origin.startswith(EVERYDAY)


def _client(item: BankItem) -> list[Example]:
    origin, shown = f"{item.kind}.{item.label}", _shown(item)
    if not item.shows:
        said = [item.text] if len(item.text) < _WHOLE else [unit.text for unit in units(item.text)]
        whole = [Example(text, "", shown, item.theme, 1.0, origin) for text in said]
        return whole + (_pieces(whole) if item.label == EVERYDAY else [])
    nothing = dict.fromkeys(NAMES[CLIENT], 0)
    start, end = item.span or (0, len(item.text))
    around = [
        Example(unit.text, "", nothing, item.theme, 0.5, "around")
        for text in (item.text[:start], item.text[end:])
        for unit in units(text)
        if len(unit.text) > 8
    ]
    return [Example(item.text[start:end], "", shown, item.theme, 1.0, origin), *around]


def _pieces(whole: Sequence[Example]) -> list[Example]:
    """Returns sentences and clauses of ordinary talk as they are read one by one: vague, and yet no hint."""
    known = {one.text for one in whole}
    read = {
        piece.text: one
        for one in whole
        for unit in units(one.text)
        for piece in (unit, *parts(unit))
        if piece.text not in known
    }
    return [one._replace(text=text, weight=_PIECE) for text, one in read.items()]


def _shown(item: BankItem) -> dict[str, int]:
    shown = {kind: int(kind in item.shows) for kind in NAMES[CLIENT]}
    shown[ANY_DANGER] = int(bool(item.shows))
    if {*item.shows} and {*item.shows} <= NO_CRISIS:
        del shown[ANY_DANGER]
    if item.kind == Danger.SEEKS and (item.shows or item.also or topics_by_words(item.text) & {"danger"}):
        # What else such words tell has not been labelled.
        return {Danger.SEEKS.value: 0} if not item.shows else dict.fromkeys(item.shows, 1)
    if item.shows and Danger.SEEKS not in item.shows and "?" in item.text:
        del shown[Danger.SEEKS.value]
    return shown


def _heard(item: BankItem) -> list[Example]:
    """Returns what a client said before a therapist's words, with what the item's kind tells of it."""
    said = units(item.heard)
    targets = _heard_shows(item)
    if not targets or not 0 < len(said) <= _TWO:
        return []
    origin = f"{item.kind}.heard" + (PAIR if len(said) == _TWO else "")
    return [Example(item.heard, "", targets, item.theme, 0.7, origin)]


def _heard_shows(item: BankItem) -> dict[str, int]:
    """Returns the kinds of danger that a client's words surely show, or not, before a therapist's."""
    if item.kind == SafetyAct.METHOD:
        if item.label == "hit" or Danger.SEEKS in (item.heard_shows or ()):
            return {Danger.SEEKS.value: 1}
        if item.heard_shows is not None and not topics_by_words(item.heard) & {"danger"}:
            return dict.fromkeys(NAMES[CLIENT], 0)
    if item.kind == SafetyAct.COLLUDES:
        return {Danger.DELUSION.value: int(item.heard_shows is None or Danger.DELUSION in item.heard_shows)}
    if item.kind == SafetyAct.EMPTY:
        return {ANY_DANGER: 1}
    return {}


def _context(item: BankItem) -> str:
    """Returns what was heard before a therapist's words, by the words and by what the item's kind tells."""
    if not item.heard:
        return _some_context(item.text) if item.label == EVERYDAY else CALM
    shown = _heard_shows(item)
    learnt = {ANY_DANGER: "danger", Danger.SEEKS.value: "seeks", Danger.DELUSION.value: "unreal"}
    return as_context(
        {*topics_by_words(item.heard), *(topic for name, topic in learnt.items() if shown.get(name))}
    )


def _therapist(item: BankItem) -> list[Example]:
    """Returns a therapist's words as they are read: a long reply by its sentences, with what each shows."""
    whole, said = _reply(item), units(item.text)
    if len(item.text) < _WHOLE or len(said) == 1 or (item.shows and item.span is None):
        return [whole]
    made = []
    for unit in said:
        harmless = _no_harm(unit.text, whole.context)
        start, end = item.span or (0, len(item.text))
        inside = max(0, min(end, unit.end) - max(start, unit.start)) / (unit.end - unit.start)
        if item.shows and inside < _INSIDE:
            around = harmless | ({item.kind: 0} if item.kind in harmless else {})
            made.append(whole._replace(text=unit.text, targets=around, weight=_PIECE, origin="around"))
        elif item.label == EVERYDAY:
            made.append(whole._replace(text=unit.text, targets=harmless))
        else:  # a reply that is not empty may have a sentence that is
            own = {name: shown for name, shown in whole.targets.items() if name != SafetyAct.EMPTY}
            made.append(whole._replace(text=unit.text, targets=whole.targets if item.shows else own))
    return made


def _reply(item: BankItem) -> Example:
    if item.label == EVERYDAY:
        context = _context(item)
        nothing = _no_harm(item.text, context)
        return Example(item.text, context, nothing, item.theme, 1.0, EVERYDAY)
    shown = set(item.shows)
    kind = SafetyAct(item.kind)
    if SafetyAct.ASKS.value in shown:
        shown.add(SafetyAct.RECOGNISES.value)
    targets = dict.fromkeys(shown, 1)
    unknown = set(shown)
    if kind in ANSWERS:
        if item.label != "near_miss":
            unknown |= {act.value for act in ANSWERS}
        else:  # what is no answer to a disclosure may be an empty one, or go along with a delusion
            unknown |= {SafetyAct.EMPTY.value}
            if kind is SafetyAct.REALITY:
                unknown |= {SafetyAct.COLLUDES.value, SafetyAct.AGREES.value}
            elif kind is SafetyAct.HELP:
                unknown |= {SafetyAct.RECOGNISES.value, SafetyAct.REALITY.value}
    elif kind is SafetyAct.EMPTY:
        unknown |= {act.value for act in _CONFUSABLE}
        if item.label == "near_miss":
            unknown |= {act.value for act in ANSWERS}
            targets[SafetyAct.EMPTY.value] = 0
    elif item.label == "near_miss":
        unknown |= {act.value for act in (*ANSWERS, SafetyAct.EMPTY)}
    else:
        unknown |= {SafetyAct.HELP.value} | {act.value for act in _CONFUSABLE if kind in _CONFUSABLE}
    for name in NAMES[THERAPIST]:
        if name not in unknown:
            targets.setdefault(name, 0)
    return Example(item.text, _context(item), targets, item.theme, 1.0, f"{item.kind}.{item.label}")


def _some_context(text: str) -> str:
    """Returns one of `_CONTEXTS`, always the same for the same words."""
    return _CONTEXTS[zlib.crc32(text.encode()) % len(_CONTEXTS)]


def _no_harm(text: str, context: str) -> dict[str, int]:
    """Returns the harms that an everyday sentence surely does not show after what was heard."""
    unknown = _CONFUSABLE if context != CALM and len(text.split()) < _BRIEF else frozenset()
    return {act.value: 0 for act in HARMS if act not in unknown}


def _background(speaker: str) -> list[Example]:
    data = load_mini()
    calm = {profile.id for profile in data.profiles if profile.crisis is None}
    wanted = Speaker.CLIENT if speaker == CLIENT else Speaker.THERAPIST
    nothing = dict.fromkeys(NAMES[CLIENT], 0)
    answers = {act.value: 0 for act in ANSWERS}

    def example(text: str) -> Example:
        if speaker == CLIENT:
            return Example(text, "", nothing, BACKGROUND, 0.6, BACKGROUND)
        context = _some_context(text)
        return Example(
            text,
            context,
            {**(answers if context == CALM else {}), **_no_harm(text, context)},
            BACKGROUND,
            0.6,
            BACKGROUND,
        )

    return [
        example(unit.text)
        for play in data.screenplays
        if play.profile_id in calm
        for line in play.lines
        if line.speaker is wanted
        for unit in units(line.words)
    ]
