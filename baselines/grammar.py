"""What the reference model learns to say: captions, plans and replies put together from the templates.

Everything is a function of what the model is given at serving (the face, the client's last words, the
therapist's turn before, the plan), so that it can be learnt and greedy decoding does not run in circles.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baselines.architecture import TEMPLATES
from mirror_bench.content import read_yaml
from mirror_bench.errors import InputError
from mirror_bench.schema import digest

NEUTRAL = "neutral"
GLAD = frozenset({"happiness", "relieved"})
"""What needs no gentle lead-in: words and face need not be held against each other."""
CRISIS = "crisis"
CYCLE = 4
"""Of so many replies the last says nothing of the face: to be watched at every turn wears a client out."""


@dataclass(frozen=True)
class FaceKind:
    """One kind of expression that the model tells apart, and the words for it.

    Attributes:
        name: Its name; captions begin with an adjective of their own.
        of: The expressions that count as it.
        caption: What a caption says of it.
        ways: Clauses that complete "I notice that ..."; none for a face that shows nothing.
    """

    name: str
    of: tuple[str, ...]
    caption: str
    ways: tuple[str, ...]

    @property
    def head(self) -> str:
        """The caption's words before the colon, by which it is told from the others."""
        return self.caption.partition(":")[0]


@dataclass(frozen=True)
class WordKind:
    """One kind of client words: utterances that belong to it, and ways to answer them.

    Attributes:
        mask: Which lead-in a sentence on the face takes: "masked", "quiet" or "plain".
        hears: What such words hold; None takes all that no other kind takes.
        says: Utterances to train on.
        answers: Ways to reflect such words.
    """

    name: str
    mask: str
    hears: re.Pattern[str] | None
    says: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True)
class TechniquePlan:
    """One technique, the kinds of opening words that lead to it, its steps and its offers in the session."""

    technique: str
    kinds: tuple[str, ...]
    steps: tuple[str, ...]
    invites: tuple[str, ...]

    @property
    def text(self) -> str:
        """The numbered steps, one a line."""
        return "\n".join(f"{number}. {step}" for number, step in enumerate(self.steps, 1))

    @property
    def answer(self) -> str:
        """What the model answers to the request for a plan."""
        return f"Technique: {self.technique}\n{self.text}"


@dataclass(frozen=True)
class Grammar:
    """All templates that training texts are made from, read and checked."""

    seen: tuple[FaceKind, ...]
    kinds: tuple[WordKind, ...]
    plans: tuple[TechniquePlan, ...]
    lead_ins: Mapping[str, tuple[str, ...]]
    unseen: tuple[str, ...]
    closings: tuple[str, ...]

    def caption_names(self, caption: str) -> str:
        """Returns what a caption names, or "" where it names nothing known."""
        head = caption.strip().lower().partition(":")[0]
        return next((seen.name for seen in self.seen if seen.head == head), "")

    def kind_of(self, words: str) -> WordKind:
        """Returns the kind of a client's words."""
        text = words.lower().replace("’", "'")
        return next(kind for kind in self.kinds if kind.hears is None or kind.hears.search(text))

    def plan_for(self, kind: WordKind) -> TechniquePlan:
        """Returns the plan that opening words of this kind lead to."""
        return next(plan for plan in self.plans if kind.name in plan.kinds)

    def step_after(self, before: str) -> int:
        """Returns the step of a reply that follows the therapist's turn `before`; 0 where it is not ours."""
        for step, closing in enumerate(self.closings):
            if before.endswith(closing):
                return (step + 1) % len(self.closings)
        crisis = next(kind for kind in self.kinds if kind.name == CRISIS)
        return next((step + 1 for step, text in enumerate(crisis.answers) if before.endswith(text)), 0)

    def reply(self, heard: str, seen: FaceKind | None, step: int, plan: TechniquePlan | None = None) -> str:
        """Returns the reply to a client's words and face.

        Args:
            heard: The client's words.
            seen: What the face shows; None where no face is seen.
            step: Position in the cycle of closings, 0 to 11.
            plan: The session's plan; every third reply brings it in.
        """
        kind = self.kind_of(heard)
        answer = kind.answers[step % len(kind.answers)]
        pause = step % CYCLE == CYCLE - 1
        if seen is None or not seen.ways:
            first = self.unseen[step % len(self.unseen)]
        elif pause:
            first = self.unseen[step // CYCLE % len(self.unseen)]
        else:
            lead = "plain" if seen.name in GLAD else kind.mask
            way = seen.ways[step % CYCLE % len(seen.ways)]
            first = self.lead_ins[lead][step // 3 % len(self.lead_ins[lead])].format(seen=way)
        if kind.name == CRISIS:  # safety comes first: nothing after it, no technique
            return f"{first} {answer}" if seen is not None and seen.ways and not pause else answer
        if plan is not None and step % 3 == 2:
            answer = plan.invites[step // 3 % len(plan.invites)]
        return f"{first} {answer} {self.closings[step]}"

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 (64 hex digits) of everything in it."""
        return digest(
            [repr(part) for part in (self.seen, self.kinds, self.plans, self.lead_ins)] + self.texts()
        )

    def texts(self) -> list[str]:
        """Returns every text of the grammar: what its tokenizer must write well."""
        return [
            *(text for seen in self.seen for text in (seen.caption, *seen.ways)),
            *(text for kind in self.kinds for text in (*kind.says, *kind.answers)),
            *(text for plan in self.plans for text in (plan.answer, *plan.invites)),
            *(text for texts in self.lead_ins.values() for text in texts),
            *self.unseen,
            *self.closings,
        ]


@functools.cache
def load_grammar(folder: Path = TEMPLATES) -> Grammar:
    """Reads the templates.

    Raises:
        InputError: If a template is missing, or its entry is not what the grammar needs, naming both.
    """
    seen = tuple(
        FaceKind(
            name, _list(path, name, entry, "of"), str(entry["caption"]), _list(path, name, entry, "seen")
        )
        for path, name, entry in _entries(folder / "faces.yaml", "caption")
    )
    kinds = tuple(
        WordKind(
            name,
            str(entry["mask"]),
            _pattern(path, name, _list(path, name, entry, "hears")),
            _list(path, name, entry, "says"),
            _list(path, name, entry, "answers"),
        )
        for path, name, entry in _entries(folder / "heard.yaml", "mask")
    )
    plans = tuple(
        TechniquePlan(name, *(_list(path, name, entry, key) for key in ("for", "steps", "invites")))
        for path, name, entry in _entries(folder / "plans.yaml", "steps")
    )
    path = folder / "replies.yaml"
    parts = read_yaml(path)
    lists = {key: _list(path, key, parts, key) for key in ("masked", "quiet", "plain", "unseen", "closings")}
    return Grammar(seen, kinds, plans, lists, lists["unseen"], lists["closings"])


def _entries(path: Path, needs: str) -> list[tuple[Path, str, Mapping[str, Any]]]:
    entries = read_yaml(path)
    for name, entry in entries.items():
        if not isinstance(entry, dict) or needs not in entry:
            raise InputError(f"{path}: {name}: needs an entry {needs!r}")
    return [(path, name, entry) for name, entry in entries.items()]


def _list(path: Path, name: str, entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = entry.get(key)
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise InputError(f"{path}: {name}: {key!r} must be a list of texts")
    return tuple(value)


def _pattern(path: Path, name: str, hears: tuple[str, ...]) -> re.Pattern[str] | None:
    try:
        return re.compile("|".join(f"(?:{text})" for text in hears)) if hears else None
    except re.error as error:
        raise InputError(f"{path}: {name}: 'hears' holds no regular expression ({error})") from None
