"""Three scripted therapists that no rater should reward: warm ones, random ones, and guessers of feelings."""

from __future__ import annotations

from mirror_bench.faces.base import Face
from mirror_bench.schema import Scenario, derive_seed
from mirror_bench.therapists.policies.client_words import gist_of
from mirror_bench.therapists.policies.comparison import Scripted, WordsOnly
from mirror_bench.therapists.policies.phrases import load_script


class Warm(Scripted):
    """Answers whatever the client says with a warm phrase, and does nothing else."""

    name = "warm"
    scripts = ("warm",)

    def _answer(self, heard: str, face: Face | None) -> str:
        return self._say("warm", "warm")


class Random(Scripted):
    """Answers with any phrase of the listening or the directive therapist, whatever the client said."""

    name = "random"
    scripts = ("directive", "listening", "warm")

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._pair = scenario.pair

    def _answer(self, heard: str, face: Face | None) -> str:
        gist = gist_of(heard)
        topic = gist.topic or "this"
        choices = [
            (script, kind) for script in ("listening", "directive") for kind in load_script(script).phrases
        ]
        for attempt in range(len(choices)):
            script, kind = choices[derive_seed(self._pair, self.name, self._turn, attempt) % len(choices)]
            if words := self._say(script, kind, turned=gist.clause, topic=topic):
                return words
        return self._say("warm", "warm")


class FaceGuesser(WordsOnly):
    """Answers as `Attuned` does, but sees no face: it draws the feeling that it names from all it knows."""

    name = "guesser"

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._pair = scenario.pair

    def _feeling_in(self, face: Face | None) -> str:
        feelings = [feeling for words in load_script("attuned").feelings.values() for feeling in words]
        return feelings[derive_seed(self._pair, self.name, self._turn) % len(feelings)]
