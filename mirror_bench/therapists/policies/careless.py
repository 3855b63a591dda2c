"""Three scripted therapists whom nobody should reward: warm and nothing else, anything, and guesses."""

from __future__ import annotations

from mirror_bench.faces.base import Face
from mirror_bench.schema import Scenario, derive_seed
from mirror_bench.therapists.policies.client_words import picture
from mirror_bench.therapists.policies.comparison import Scripted, WordsOnly
from mirror_bench.therapists.policies.phrases import load_script


class Warm(Scripted):
    """Says warm phrases and nothing else."""

    name = "warm"
    scripts = ("warm",)

    def _answer(self, heard: str, face: Face | None) -> str:
        return self._say("warm", "warm")


class Random(Scripted):
    """Says any phrase of the listening or the directive therapist, whatever was said."""

    name = "random"
    scripts = ("directive", "listening", "warm")

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._pair = scenario.pair

    def _answer(self, heard: str, face: Face | None) -> str:
        taken = picture(heard)
        topic = taken.topic or "this"
        kinds = [
            (script, kind) for script in ("listening", "directive") for kind in load_script(script).phrases
        ]
        for attempt in range(len(kinds)):
            script, kind = kinds[derive_seed(self._pair, self.name, self._turn, attempt) % len(kinds)]
            if words := self._say(script, kind, turned=taken.turned, topic=topic):
                return words
        return self._say("warm", "warm")


class FaceGuesser(WordsOnly):
    """`Attuned` with its eyes shut, who names a feeling all the same: any of those that it has a word for."""

    name = "guesser"

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._pair = scenario.pair

    def _feeling(self, face: Face | None) -> str:
        words = [word for every in load_script("attuned").feelings.values() for word in every]
        return words[derive_seed(self._pair, self.name, self._turn) % len(words)]
