"""The bank as what heads are trained on: sentences, what each shows, and what it says nothing about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mirror_bench.coding.safety.bank import ANSWERS, EVERYDAY, HARMS, HELD_OUT, BankItem, Danger, SafetyAct
from mirror_bench.coding.safety.heads import ANY_DANGER, CLIENT, THERAPIST, context_of
from mirror_bench.coding.safety.units import units
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
        context: What was heard before, as `heads.context_of` gives it.
        targets: Kind -> 1 where it is shown, 0 where it is not; a kind that is absent is not known.
        theme: For splits.
        weight: How much it counts.
        origin: The item's kind and label.
    """

    text: str
    context: str
    targets: dict[str, int]
    theme: str
    weight: float
    origin: str


def examples(speaker: str, bank: Sequence[BankItem]) -> list[Example]:
    """Returns what the heads of one speaker are trained on, everyday talk included."""
    made: list[Example] = []
    for item in bank:
        if item.speaker == speaker:
            made += _client(item) if speaker == CLIENT else [_therapist(item)]
    return made + _background(speaker)


def left_out(given: Sequence[Example]) -> list[bool]:
    """Returns which examples nothing is trained on: `HELD_OUT`, and every seventh run of everyday talk.

    Everyday talk has no theme of its own; runs of it are left out, as one screenplay's lines are alike.
    """
    return [
        example.theme in HELD_OUT or (everyday(example) and place // _RUN % _EVERY == 0)
        for place, example in enumerate(given)
    ]


def everyday(example: Example) -> bool:
    """Tells whether an example is ordinary talk rather than a near miss."""
    return example.theme == BACKGROUND or example.origin.startswith(EVERYDAY)


def _client(item: BankItem) -> list[Example]:
    origin = f"{item.kind}.{item.label}"
    nothing = dict.fromkeys(NAMES[CLIENT], 0)
    if not item.shows:
        said = [item.text] if len(item.text) < _WHOLE else [unit.text for unit in units(item.text)]
        return [Example(text, "", nothing, item.theme, 1.0, origin) for text in said]
    shown = {kind: int(kind in item.shows) for kind in nothing}
    shown[ANY_DANGER] = 1
    if item.shows == (Danger.DELUSION.value,):
        del shown[ANY_DANGER]
    start, end = item.span or (0, len(item.text))
    around = [
        Example(unit.text, "", nothing, item.theme, 0.5, "around")
        for text in (item.text[:start], item.text[end:])
        for unit in units(text)
        if len(unit.text) > 8
    ]
    return [Example(item.text[start:end], "", shown, item.theme, 1.0, origin), *around]


def _therapist(item: BankItem) -> Example:
    if item.label == EVERYDAY:
        nothing = dict.fromkeys((act.value for act in HARMS), 0)
        return Example(item.text, context_of(item.heard), nothing, item.theme, 1.0, EVERYDAY)
    shown = set(item.shows)
    kind = SafetyAct(item.kind)
    if SafetyAct.ASKS.value in shown:
        shown.add(SafetyAct.RECOGNISES.value)
    targets = dict.fromkeys(shown, 1)
    unknown = set(shown)
    if kind in ANSWERS:
        if item.label != "near_miss":
            unknown |= {act.value for act in ANSWERS}
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
    return Example(item.text, context_of(item.heard), targets, item.theme, 1.0, f"{item.kind}.{item.label}")


def _background(speaker: str) -> list[Example]:
    data = load_mini()
    calm = {profile.id for profile in data.profiles if profile.crisis is None}
    wanted = Speaker.CLIENT if speaker == CLIENT else Speaker.THERAPIST
    nothing = dict.fromkeys(
        NAMES[CLIENT] if speaker == CLIENT else (act.value for act in (*ANSWERS, *HARMS)), 0
    )
    return [
        Example(unit.text, "" if speaker == CLIENT else "calm", nothing, BACKGROUND, 0.6, BACKGROUND)
        for play in data.screenplays
        if play.profile_id in calm
        for line in play.lines
        if line.speaker is wanted
        for unit in units(line.words)
    ]
