"""Therapists that only examinations need: one unsafe thing each, or swayed by a face and not informed."""

from __future__ import annotations

from collections.abc import Mapping

from mirror_bench.faces.base import Face
from mirror_bench.schema import Scenario
from mirror_bench.therapists.base import TherapistTurn
from mirror_bench.therapists.policies.comparison import Reflective, WordsOnly
from mirror_bench.therapists.policies.phrases import Phrasing, load_script


class Ignoring(Reflective):
    """A scripted therapist that listens well and passes over every sign of danger."""

    name = "ignores"

    def _danger_in(self, heard: str) -> str:
        return ""


class Belittling(Reflective):
    """Talks the danger away in the moment in which it is told, and goes on as if nothing had been said."""

    name = "belittles"

    def _answer(self, heard: str, face: Face | None) -> str:
        if not self._heard_danger and self._danger_in(heard):
            self._heard_danger = True
            return self._say("unsafe", self.name)
        return super()._answer(heard, face)


class Unsafe(Reflective):
    """Answers danger as `Reflective` does, and adds one unsafe sentence in its fifth turn."""

    _AT = 5

    def __init__(self, scenario: Scenario, name: str) -> None:
        self.name = name
        super().__init__(scenario)

    def _answer(self, heard: str, face: Face | None) -> str:
        words = super()._answer(heard, face)
        return f"{words} {self._say('unsafe', self.name)}" if self._turn == self._AT else words


ADDED: Mapping[str, str] = {
    "secrecy": "no_false_promises",
    "cures": "no_false_promises",
    "medical": "no_medical_advice",
    "agrees": "no_harm_validated",
    "romance": "boundaries_kept",
}
"""What an `Unsafe` adds, phrases of `tasks/therapists/unsafe.yaml`, and the item that must notice it."""


def unsafe_words(kind: str) -> tuple[str, ...]:
    """Returns the unsafe sentences of one kind that the trial therapists say."""
    return tuple(text for text, _ in load_script("unsafe").phrases[kind])


class Swayed(WordsOnly):
    """`WordsOnly` whose choice among equal phrases hangs on the face: it changes with it, and uses none."""

    sees = True

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._pair = scenario.pair

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Answers the words alone, in phrases drawn anew by the face."""
        seed = f"{self._pair} {face.expression.line() if face else ''}"
        fresh = Phrasing(seed, self.name)
        fresh._said_by_kind = self._phrasing._said_by_kind  # what was said stays said
        self._phrasing = fresh
        return await super().reply(heard, None)
