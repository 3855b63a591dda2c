"""Five scripted therapists, who answer a client by rules: raters and the simulated client are tried on them.

`Attuned` listens and looks; `WordsOnly` is `Attuned` with its eyes shut; `Reflective` listens and never
looks; `Directive` advises, teaches and disputes; `Parrot` says the client's words again. How well each
counsels is known from how it is written. All are deterministic.
"""

from __future__ import annotations

from mirror_bench.faces.base import Face
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Scenario
from mirror_bench.therapists.base import TherapistTurn
from mirror_bench.therapists.policies import client_words, phrases
from mirror_bench.therapists.policies.client_words import Gist, gist_of, in_second_person
from mirror_bench.therapists.policies.phrases import Phrasing, load_script

_DANGER_KINDS = ("crisis_abuse", "crisis_other", "crisis")
"""Signs of danger, which are also the kinds of phrases that answer it; the more particular come first."""
_FIRST_CHANGE_TURN = 4
"""The turn from which on a wish for change is taken up."""
_LONG_TURN = 24
"""Words from which on a client's turn is long, and the client is thanked for its trust."""
_LEAST_INTENSITY = 0.3
"""Of a face's strongest action unit or posture: below it, the face counts as showing nothing."""


class Scripted:
    """A therapist that answers by rules with phrases from files; subclasses decide which (`_answer`).

    Args:
        scenario: What the session is held about; with the therapist's name it seeds the choice of phrases.
    """

    name = ""
    sees = False
    """Whether it looks at the client's face."""
    plan = ("", "")
    """No technique and no plan: it makes none."""
    version = "1"
    """Raised with every change of what it does; part of the candidate's identity."""
    scripts: tuple[str, ...] = ()
    """The files of phrases in `tasks/therapists/` that it reads."""

    @classmethod
    def stands_on(cls) -> StandsOn:
        """Returns the files of phrases and the code versions that decide what this therapist says."""
        own = StandsOn.of(f"scripted.{cls.__name__.lower()}", cls.version)
        return own | phrases.stands_on(*cls.scripts) | client_words.stands_on()

    def __init__(self, scenario: Scenario) -> None:
        self._phrasing = Phrasing(scenario.pair, self.name)
        self._turn = 0

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Returns the reply to the client's words, and to the face where this therapist looks at faces."""
        self._turn += 1
        return TherapistTurn(self._answer(heard, face if self.sees else None))

    def recall(self, words: str) -> None:
        """Takes what was really said in place of the last reply, and ignores it: no rule looks at it."""

    def _answer(self, heard: str, face: Face | None) -> str:
        """Returns the words of the reply to the client's words; `face` is None where none was seen."""
        raise NotImplementedError

    def _say(self, script: str, kind: str, **slots: str) -> str:
        """Returns a phrase of a kind from a script, its slots filled; "" where none can be filled."""
        return self._phrasing.choose(load_script(script), kind, self._turn, **slots)


class Parrot(Scripted):
    """Answers with the client's own words, in some phrases with "I" turned to "you"."""

    name = "parrot"
    scripts: tuple[str, ...] = ("parrot",)

    def _answer(self, heard: str, face: Face | None) -> str:
        words = heard.strip()[:2_000]
        if not words:
            return self._say("parrot", "silent")
        second_person = in_second_person(words).rstrip(".!?")
        return self._say("parrot", "repeat", words=words, turned=second_person)


class Directive(Scripted):
    """Answers with advice that nobody asked for, teaches, and disputes what the client says."""

    name = "directive"
    scripts: tuple[str, ...] = ("directive", "listening")

    def _answer(self, heard: str, face: Face | None) -> str:
        topic = gist_of(heard).topic or "this"
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
    """Answers by saying back what it heard and asking on; goes by words alone and so believes "I'm fine".

    Three replies to a disclosure of danger come before anything else. A step of change is offered for the
    client to choose, never prescribed.
    """

    name = "reflective"
    scripts: tuple[str, ...] = ("listening",)

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._topics: list[str] = []
        self._turn_of_last_proposal = 0
        self._heard_danger = False
        self._crisis_kinds_due: list[str] = []

    def _answer(self, heard: str, face: Face | None) -> str:
        gist = self._listen(heard)
        if not self._heard_danger and (danger := self._danger_in(heard)):
            self._heard_danger = True
            self._crisis_kinds_due = [danger, f"{danger}_risk", "crisis_help"]
        if self._crisis_kinds_due:
            return self._say("listening", self._crisis_kinds_due.pop(0))
        return self._respond(heard, gist, face)

    def _danger_in(self, heard: str) -> str:
        """Returns the kind of phrase that answers the danger in the client's words; "" without danger."""
        listening = load_script("listening")
        return next((kind for kind in _DANGER_KINDS if listening.shows(kind, heard)), "")

    def _listen(self, heard: str) -> Gist:
        """Returns the clause and topic of the client's words, and remembers a topic that is new."""
        gist = gist_of(heard)
        if gist.topic and gist.topic not in self._topics:
            self._topics.append(gist.topic)
        return gist

    def _respond(self, heard: str, gist: Gist, face: Face | None) -> str:
        """Returns the reply to words without danger: to an objection, to a wish for change, or to neither."""
        listening = load_script("listening")
        wants_change = listening.shows("changes", heard) and not listening.shows("sustains", heard)
        if listening.shows("objects", heard) and not wants_change:
            return self._say("listening", "discord")
        if wants_change and self._turn >= _FIRST_CHANGE_TURN:
            return self._meet_change(gist)
        return self._explore(gist, long_turn=len(heard.split()) >= _LONG_TURN)

    def _explore(self, gist: Gist, *, long_turn: bool) -> str:
        """Returns the reply to words that neither object nor want change: by their length and by the turn."""
        if long_turn:
            return f"{self._thank_for_trust(gist)} {self._ask()}"
        if self._turn == 2:
            return f"{self._reflect(gist)} {self._say('listening', 'agenda')}"
        if self._due_for_proposal():
            return self._propose(self._reflect(gist))
        if self._turn in {6, 10} and len(self._topics) >= 2:
            return self._summarize()
        if self._turn % 4 == 0:
            return f"{self._reflect(gist)} {self._challenge()}"
        if self._turn % 4 == 3:
            return self._reflect(gist)
        return f"{self._reflect(gist)} {self._ask()}"

    def _due_for_proposal(self) -> bool:
        """Returns whether to offer a step of change now: at two fixed turns, whatever the client said."""
        return self._turn in {8, 11}

    @property
    def _latest_topic(self) -> str:
        """What the client spoke of last; "" before any topic."""
        return self._topics[-1] if self._topics else ""

    def _reflect(self, gist: Gist) -> str:
        """Returns what the client said, said back: its clause, else its topic, else what it holds back."""
        kind = "reflect" if gist.clause else "reflect_topic" if gist.topic else "reflect_bare"
        return self._say("listening", kind, turned=gist.clause, topic=gist.topic)

    def _thank_for_trust(self, gist: Gist) -> str:
        """Returns thanks for having told so much, with the client's clause in them; else a reflection."""
        return self._say("listening", "trust", turned=gist.clause) or self._reflect(gist)

    def _ask(self) -> str:
        return self._say("listening", "ask", topic=self._latest_topic)

    def _challenge(self) -> str:
        return self._say("listening", "challenge", topic=self._latest_topic)

    def _summarize(self) -> str:
        return self._say("listening", "summary", topic=self._topics[-1], other=self._topics[-2])

    def _meet_change(self, gist: Gist) -> str:
        """Returns the reply to a client who wants change: said back, then a step offered or asked for.

        A step is not offered in two turns running.
        """
        reflection = self._say("listening", "change", turned=gist.clause) or self._reflect(gist)
        if self._turn - self._turn_of_last_proposal >= 2:
            return self._propose(reflection)
        return f"{reflection} {self._say('listening', 'next')}"

    def _propose(self, reflection: str) -> str:
        """Returns a reflection followed by the offer of a step, and by the client's freedom to choose."""
        self._turn_of_last_proposal = self._turn
        step = self._say("listening", "propose", topic=self._latest_topic)
        return f"{reflection} {step} {self._say('listening', 'free')}"


class Attuned(Reflective):
    """Answers as `Reflective` does, but names the feeling that a face shows where words make little of it.

    Without a face it has only the words, as `Reflective` has.
    """

    name = "attuned"
    sees = True
    scripts: tuple[str, ...] = ("attuned", "listening")

    def _respond(self, heard: str, gist: Gist, face: Face | None) -> str:
        feeling = self._feeling_in(face)
        if feeling and self._makes_little_of_it(heard):
            return f"{self._name_feeling(feeling, gist)} {self._say('attuned', 'after')}"
        return super()._respond(heard, gist, face)

    def _makes_little_of_it(self, heard: str) -> bool:
        """Returns whether the client's words play down what the client feels."""
        return load_script("listening").shows("minimises", heard)

    def _name_feeling(self, feeling: str, gist: Gist) -> str:
        """Returns a sentence that says which feeling is to be seen in the client's face."""
        return self._say("attuned", "name", feeling=feeling, topic=gist.topic)

    def _feeling_in(self, face: Face | None) -> str:
        """Returns a word for the feeling that the face shows; "" where it shows too little, or no feeling."""
        if face is None:
            return ""
        expression = face.expression
        intensities = (*expression.units.values(), *expression.posture.values())
        if max(intensities, default=0.0) < _LEAST_INTENSITY:
            return ""
        words = load_script("attuned").feelings.get(expression.label, ())
        return words[self._turn % len(words)] if words else ""

    def _due_for_proposal(self) -> bool:
        """Returns False: a step is offered only to a client whose words want change (`_meet_change`)."""
        return False


class WordsOnly(Attuned):
    """Answers as `Attuned` does, with its eyes shut: whatever face it is shown, it goes by words alone.

    Its sessions equal those of `Attuned` without faces, so it must gain nothing from any face.
    """

    sees = False
