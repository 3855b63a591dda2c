"""Five therapists without a model, of known skill: what raters and the stateful client are tried on.

`Attuned` listens and looks; `WordsOnly` is `Attuned` with its eyes shut; `Reflective` listens and never
looks; `Directive` advises, teaches and disputes; `Parrot` says the client's words again. All are
deterministic.
"""

from __future__ import annotations

from mirror_bench.faces.base import Face
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Scenario
from mirror_bench.therapists.base import TherapistTurn
from mirror_bench.therapists.policies import client_words, phrases
from mirror_bench.therapists.policies.client_words import Picture, picture, turned
from mirror_bench.therapists.policies.phrases import Phrasing, load_script

_DANGERS = ("crisis_abuse", "crisis_other", "crisis")
"""Signs of danger, and the phrases that answer it, the more particular first."""
_STRONG_ENOUGH = 0.3
"""The strongest action unit or posture from which a face counts as showing something."""


class Scripted:
    """What they have in common: they count turns, choose phrases, and never plan."""

    name = ""
    looks = False
    version = "1"
    """Raised with every change of what it does; part of the candidate's identity."""
    scripts: tuple[str, ...] = ()
    """The files of phrases in `tasks/therapists/` that it reads."""

    @classmethod
    def stands_on(cls) -> StandsOn:
        """Returns what decides what this therapist says: content and code."""
        own = StandsOn.of(f"scripted.{cls.__name__.lower()}", cls.version)
        return own | phrases.stands_on(*cls.scripts) | client_words.stands_on()

    def __init__(self, scenario: Scenario) -> None:
        self._phrasing = Phrasing(scenario.pair, self.name)
        self._turn = 0

    @property
    def sees(self) -> bool:
        """Whether it looks at faces."""
        return self.looks

    @property
    def plan(self) -> tuple[str, str]:
        """No technique and no plan."""
        return "", ""

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Answers the client's words, and face where it looks."""
        self._turn += 1
        return TherapistTurn(self._answer(heard, face if self.looks else None))

    def recall(self, words: str) -> None:
        """Is told what was really said instead; it goes by what it hears, not by words of its own."""

    def _answer(self, heard: str, face: Face | None) -> str:
        raise NotImplementedError

    def _say(self, script: str, kind: str, **slots: str) -> str:
        return self._phrasing.choose(load_script(script), kind, self._turn, **slots)


class Parrot(Scripted):
    """Repeats the client's words, some of them with "I" turned to "you"."""

    name = "parrot"
    scripts: tuple[str, ...] = ("parrot",)

    def _answer(self, heard: str, face: Face | None) -> str:
        words = heard.strip()[:2_000]
        if not words:
            return self._say("parrot", "silent")
        clause = turned(words).rstrip(".!?")
        return self._say("parrot", "repeat", words=words, turned=clause)


class Directive(Scripted):
    """Gives advice nobody asked for, teaches, and disputes what does not fit."""

    name = "directive"
    scripts: tuple[str, ...] = ("directive", "listening")

    def _answer(self, heard: str, face: Face | None) -> str:
        topic = picture(heard).topic or "this"
        advice = self._say("directive", "advise", topic=topic)
        listening = load_script("listening")
        if self._turn > 2 and (
            self._turn % 3 == 0 or (self._turn % 2 == 0 and listening.shows("sustains", heard))
        ):
            return f"{self._say('directive', 'confront')} {advice}"
        if self._turn % 3 == 1:
            return f"{self._say('directive', 'inform')} {advice}"
        return f"{advice} {self._say('directive', 'check')}"


class Reflective(Scripted):
    """Reflects, asks and lets the client choose; goes by words alone, and so takes "I'm fine" as said."""

    name = "reflective"
    scripts: tuple[str, ...] = ("listening",)

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._topics: list[str] = []
        self._last_proposal = 0
        self._heard_danger = False
        self._crisis_steps: list[str] = []

    def _answer(self, heard: str, face: Face | None) -> str:
        taken = self._listen(heard)
        if not self._heard_danger and (kind := self._danger(heard)):
            self._heard_danger = True
            self._crisis_steps = [kind, f"{kind}_risk", "crisis_help"]
        if self._crisis_steps:
            return self._say("listening", self._crisis_steps.pop(0))
        return self._responds(heard, taken, face)

    def _danger(self, heard: str) -> str:
        """Returns the kind of danger that the words disclose, as phrases name it; "" where they show none."""
        signs = load_script("listening")
        return next((kind for kind in _DANGERS if signs.shows(kind, heard)), "")

    def _listen(self, heard: str) -> Picture:
        """Takes in the client's words, and keeps the topics in mind."""
        taken = picture(heard)
        if taken.topic and taken.topic not in self._topics:
            self._topics.append(taken.topic)
        return taken

    def _responds(self, heard: str, taken: Picture, face: Face | None) -> str:
        signs = load_script("listening")
        changes = signs.shows("changes", heard) and not signs.shows("sustains", heard)
        if signs.shows("objects", heard) and not changes:
            return self._say("listening", "discord")
        if changes and self._turn >= 4:
            return self._meets_change(taken)
        if len(heard.split()) >= 24:
            return f"{self._trust(taken)} {self._ask()}"
        if self._turn == 2:
            return f"{self._reflect(taken)} {self._say('listening', 'agenda')}"
        if self._due_for_proposal(heard):
            return self._propose(self._reflect(taken))
        if self._turn in {6, 10} and len(self._topics) >= 2:
            return self._summary()
        if self._turn % 4 == 0:
            return f"{self._reflect(taken)} {self._challenge()}"
        if self._turn % 4 == 3:
            return self._reflect(taken)
        return f"{self._reflect(taken)} {self._ask()}"

    def _due_for_proposal(self, heard: str) -> bool:
        """Goes by the clock, for want of anything else to go by."""
        return self._turn in {8, 11}

    @property
    def _topic(self) -> str:
        return self._topics[-1] if self._topics else ""

    def _reflect(self, taken: Picture) -> str:
        kind = "reflect" if taken.turned else "reflect_topic" if taken.topic else "reflect_bare"
        return self._say("listening", kind, turned=taken.turned, topic=taken.topic)

    def _trust(self, taken: Picture) -> str:
        return self._say("listening", "trust", turned=taken.turned) or self._reflect(taken)

    def _ask(self) -> str:
        return self._say("listening", "ask", topic=self._topic)

    def _challenge(self) -> str:
        return self._say("listening", "challenge", topic=self._topic)

    def _summary(self) -> str:
        return self._say("listening", "summary", topic=self._topics[-1], other=self._topics[-2])

    def _meets_change(self, taken: Picture) -> str:
        """Change talk is reflected first; every other time, a step is offered."""
        reflection = self._say("listening", "change", turned=taken.turned) or self._reflect(taken)
        if self._turn - self._last_proposal >= 2:
            return self._propose(reflection)
        return f"{reflection} {self._say('listening', 'next')}"

    def _propose(self, reflection: str) -> str:
        self._last_proposal = self._turn
        step = self._say("listening", "propose", topic=self._topic)
        return f"{reflection} {step} {self._say('listening', 'free')}"


class Attuned(Reflective):
    """Listens as `Reflective` does, looks at the face, and names it where it says more than the words.

    Without a face it has only the words, as `Reflective` has.
    """

    name = "attuned"
    looks = True
    scripts: tuple[str, ...] = ("attuned", "listening")

    def _responds(self, heard: str, taken: Picture, face: Face | None) -> str:
        feeling = self._feeling(face)
        if feeling and load_script("listening").shows("minimises", heard):
            named = self._say("attuned", "name", feeling=feeling, topic=taken.topic)
            return f"{named} {self._say('attuned', 'after')}"
        return super()._responds(heard, taken, face)

    def _feeling(self, face: Face | None) -> str:
        """Returns a word for what the face shows, or "" where it shows nothing that words could hide."""
        if face is None:
            return ""
        shown = face.expression
        if max((*shown.units.values(), *shown.posture.values()), default=0.0) < _STRONG_ENOUGH:
            return ""
        words = load_script("attuned").feelings.get(shown.label, ())
        return words[self._turn % len(words)] if words else ""

    def _due_for_proposal(self, heard: str) -> bool:
        """Waits for the client: a step is offered where the client's own words lean towards change."""
        return False


class WordsOnly(Attuned):
    """`Attuned` with its eyes shut: the same policy and phrases, and no face whatever it is shown.

    Its sessions equal those of `Attuned` without faces, so it must gain nothing from any face.
    """

    looks = False
