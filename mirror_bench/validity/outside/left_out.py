"""Danger and harm with each set left out in turn: its mark is set on the other sets, and it is measured.

The sets are the bank's themes that nothing is trained on, and labelled words of others where they lie beside
AnnoMI. A set's figures are those at the lowest mark that lets `WANTED` of the negatives of every other set
pass. What is trained (weights) never saw a sentence of the others' sets; some sentences of the bank were,
however, written after misses on them had been read, so these are figures of development all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mirror_bench.coding.safety import danger, harm
from mirror_bench.coding.safety.bank import EVERYDAY, HARMS, HELD_OUT, NO_CRISIS, Danger, load_bank
from mirror_bench.stats.intervals import Interval
from mirror_bench.stats.rates import cluster_share

WANTED = 0.95
BANK = "bank, themes left out"
_HEARD = 2


class LabelledTurn(NamedTuple):
    """One labelled turn and the score that heads trained without its set give it.

    Attributes:
        source: Its set.
        cluster: What it belongs to: chat, question or theme.
        level: How far it stands above the mark of being found, in log odds.
        shows: Whether it shows danger, or harm, by those who labelled it.
    """

    source: str
    cluster: str
    level: float
    shows: bool


class LeftOutSafety(NamedTuple):
    """The sensitivity and specificity of safety on one set that the heads were not trained on.

    Attributes:
        task: "danger" or "harm".
        source: The set that was left out.
        mark: Set on the other sets; 0 is the mark as shipped.
        found: Share of what shows danger or harm that is found at this mark; None where nothing does.
        passed: Share of the rest that passes.
        shipped: The share found at the mark as shipped.
        shipped_passed: The share of the rest that passes there.
    """

    task: str
    source: str
    mark: float
    found: Interval | None
    passed: Interval | None
    shipped: Interval | None
    shipped_passed: Interval | None


def leave_out(task: str, cases: Sequence[LabelledTurn]) -> tuple[LeftOutSafety, ...]:
    """Returns the figures of every set that shows danger or harm, each left out in turn."""
    sources = list(dict.fromkeys(case.source for case in cases))
    measured = []
    for source in sources:
        own = [case for case in cases if case.source == source]
        marks = [
            float(
                np.quantile(
                    [case.level for case in cases if case.source == other and not case.shows],
                    WANTED,
                    method="inverted_cdf",
                )
            )
            for other in sources
            if other != source and any(c.source == other and not c.shows for c in cases)
        ]
        if marks and any(case.shows for case in own):
            mark = max(marks)
            measured.append(LeftOutSafety(task, source, mark, *_rates(own, mark), *_rates(own, 0.0)))
    return tuple(measured)


def _rates(cases: Sequence[LabelledTurn], mark: float) -> tuple[Interval | None, Interval | None]:
    return tuple(  # type: ignore[return-value]
        cluster_share(
            [(case.level > mark) is shows for case in cases if case.shows is shows],
            [case.cluster for case in cases if case.shows is shows],
        )
        for shows in (True, False)
    )


def measure(folder: Path) -> tuple[LeftOutSafety, ...]:
    """Returns the figures of danger and of harm by the bank and the labelled sets of a folder."""
    heard, said = [*_bank_danger()], [*_bank_harm()]
    if (folder / "vera_dev.jsonl").is_file():
        chats = _read(folder / "vera_dev.jsonl")
        heard += _chat_danger(chats)
        said += _chat_harm(chats)
    if (folder / "moore_dev.jsonl").is_file():
        said += _reply_harm(_read(folder / "moore_dev.jsonl"))
    return (*leave_out("danger", heard), *leave_out("harm", said))


def _read(path: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _bank_danger() -> Iterator[LabelledTurn]:
    wanted = {kind.value for kind in Danger if kind not in NO_CRISIS}
    for item in load_bank():
        if item.theme in HELD_OUT and item.speaker == "client" and not {*item.shows} & NO_CRISIS:
            yield LabelledTurn(BANK, item.theme, danger.closest(item.text), bool(wanted & set(item.shows)))


def _bank_harm() -> Iterator[LabelledTurn]:
    wanted = {act.value for act in HARMS}
    for item in load_bank():
        if item.theme in HELD_OUT and item.speaker == "therapist" and item.kind in {*wanted, EVERYDAY}:
            level = harm.closest(item.text, item.heard)
            yield LabelledTurn(BANK, item.theme, level, bool(wanted & set(item.shows)))


def _chat_danger(chats: Iterable[Mapping[str, Any]]) -> Iterator[LabelledTurn]:
    """Turns with a disclosure, and those before the first; what follows one may go on about it."""
    for chat in chats:
        told = {label["turn"] for label in chat["labels"]["disclosures"]}
        first = min(told, default=len(chat["turns"]))
        for place, turn in enumerate(chat["turns"]):
            if turn["speaker"] == "client" and (place in told or place < first):
                yield LabelledTurn("chats", chat["id"], danger.closest(turn["text"]), place in told)


def _chat_harm(chats: Iterable[Mapping[str, Any]]) -> Iterator[LabelledTurn]:
    """Turns with clear harm, and those without any; what is arguable counts as neither."""
    for chat in chats:
        clear = {label["turn"]: bool(label["clear"]) for label in chat["labels"]["harms"]}
        heard: list[str] = []
        for place, turn in enumerate(chat["turns"]):
            if turn["speaker"] == "client":
                heard.append(turn["text"])
            elif clear.get(place, True):
                level = harm.closest(turn["text"], "\n".join(heard[-_HEARD:]))
                yield LabelledTurn("chats", chat["id"], level, place in clear)


def _reply_harm(replies: Iterable[Mapping[str, Any]]) -> Iterator[LabelledTurn]:
    for reply in replies:
        heard, said = reply["turns"][-2]["text"], reply["turns"][-1]["text"]
        yield LabelledTurn("replies", heard, harm.closest(said, heard), not reply["labels"]["appropriate"])
