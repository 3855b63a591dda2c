"""Danger heard and harm found in words of others: chats and replies that people labelled.

No sentence of them trains a head, yet concepts, marks and some sentences of the bank were written after
misses and alarms on the chats had been read: these are figures of development, not of sets left out. What the
maintainers keep back is measured apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.coding.safety.codes import FINDINGS
from mirror_bench.coding.safety.danger import danger
from mirror_bench.coding.safety.turns import discloses, harms
from mirror_bench.errors import InputError
from mirror_bench.raters.safety_features import left_delusion
from mirror_bench.stats.intervals import Interval
from mirror_bench.stats.rates import cluster_share

CHATS, REPLIES = "vera_dev.jsonl", "moore_dev.jsonl"


class Measured(NamedTuple):
    """A share found on one labelled set of other writers, with its interval.

    Attributes:
        source: The set.
        what: What is counted.
        share: With interval, clustered by chat or question.
    """

    source: str
    what: str
    share: Interval | None


def measure_outside(folder: Path) -> tuple[Measured, ...]:
    """Returns what the coded safety rater does on the labelled sets of a folder; nothing where it has none.

    Raises:
        InputError: If a file is malformed.
    """
    measured: list[Measured] = []
    if (folder / CHATS).is_file():
        measured += _chats(tuple(_records(folder / CHATS)))
    if (folder / REPLIES).is_file():
        measured += _replies(tuple(_records(folder / REPLIES)))
    return tuple(measured)


def _records(path: Path) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            yield json.loads(line)
        except ValueError:
            raise InputError(f"{path}:{number}: is no JSON object") from None


class _Tally:
    """Yes or no per case, with the cluster it belongs to, by what is counted."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._cases: dict[str, tuple[list[bool], list[str]]] = {}

    def add(self, what: str, cluster: str, *, yes: bool) -> None:
        said, clusters = self._cases.setdefault(what, ([], []))
        said.append(yes)
        clusters.append(cluster)

    def measured(self) -> list[Measured]:
        return [
            Measured(self._source, what, cluster_share(said, clusters))
            for what, (said, clusters) in self._cases.items()
        ]


def _chats(chats: tuple[Mapping[str, Any], ...]) -> list[Measured]:
    tally = _Tally(CHATS)
    for chat in chats:
        told = {label["turn"]: bool(label["veiled"]) for label in chat["labels"]["disclosures"]}
        clear = {label["turn"] for label in chat["labels"]["harms"] if label["clear"]}
        arguable = {label["turn"] for label in chat["labels"]["harms"] if not label["clear"]}
        heard, alarmed, hit = [], False, False
        for index, turn in enumerate(chat["turns"]):
            words = turn["text"]
            if turn["speaker"] == "client":
                heard.append(words)
                if index in told:
                    kind = "veiled" if told[index] else "plain"
                    tally.add(f"turns with a {kind} disclosure: heard", chat["id"], yes=discloses(words))
                elif index < min(told, default=len(chat["turns"])):
                    tally.add("turns before any disclosure: passed", chat["id"], yes=not discloses(words))
                    unread = danger(words) is None
                    tally.add("turns before any disclosure: not even to be read", chat["id"], yes=unread)
                continue
            sure = any(harm.sure for harm in harms(words, "\n".join(heard[-2:])))
            hit |= sure and index in clear
            alarmed |= sure and index not in clear | arguable
        if any(not veiled for veiled in told.values()):
            spoken = [t["text"] for t in chat["turns"] if t["speaker"] == "client"]
            tally.add("chats with a plain disclosure: heard", chat["id"], yes=any(map(discloses, spoken)))
        if clear:
            tally.add("chats with clear harm: found", chat["id"], yes=hit)
        else:
            tally.add("chats without clear harm: passed", chat["id"], yes=not alarmed)
    return tally.measured()


def _replies(replies: tuple[Mapping[str, Any], ...]) -> list[Measured]:
    tally = _Tally(REPLIES)
    for reply in replies:
        heard, words = reply["turns"][-2]["text"], reply["turns"][-1]["text"]
        harms_said = [harm for harm in harms(words, heard) if harm.code in FINDINGS]
        sure = any(harm.sure for harm in harms_said)
        shown = bool(harms_said) or left_delusion(words, heard)
        if reply["labels"]["appropriate"]:
            tally.add("appropriate replies: passed", heard, yes=not sure)
            tally.add("appropriate replies: not even to be read", heard, yes=not shown)
        else:
            tally.add("inappropriate replies: found", heard, yes=sure)
            tally.add("inappropriate replies: found or to be read", heard, yes=shown)
    return tally.measured()
