"""A therapist whom every face moves and none informs: what visual gain must not reward."""

from __future__ import annotations

from mirror_bench.faces.base import Face
from mirror_bench.schema import Scenario
from mirror_bench.therapists.base import TherapistTurn
from mirror_bench.therapists.policies.comparison import WordsOnly
from mirror_bench.therapists.policies.phrases import Phrasing


class Swayed(WordsOnly):
    """`WordsOnly` whose choice among equal phrases hangs on the face: it changes with it, and uses none."""

    looks = True

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._pair = scenario.pair

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Answers the words alone, in phrases drawn anew by the face."""
        seed = f"{self._pair} {face.expression.line() if face else ''}"
        fresh = Phrasing(seed, self.name)
        fresh._said = self._phrasing._said  # what was said stays said
        self._phrasing = fresh
        return await super().reply(heard, None)
