"""How a client chooses its words in one session: a line of its own or of its type's bank, and none twice."""

from __future__ import annotations

import functools
from typing import NamedTuple

from mirror_bench.clients.stateful import utterances
from mirror_bench.clients.stateful.utterances import SLOTS, Act, Band, Utterance, load_bank, load_voice
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Profile, Scenario, derive_seed

VERSION = "1"
"""Raised with every change of which line a client says; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides which line a client says."""
    return StandsOn.of("clients.stateful.utterance_choice", VERSION) | utterances.stands_on()


# Where the lines of an act are used up, the nearest thing that the client might do instead.
_INSTEAD: dict[Act, tuple[Act, ...]] = {
    Act.MASKED: (Act.EVADE, Act.REFLECTED),
    Act.MASKED_YES: (Act.MASKED,),
    Act.ANSWER: (Act.EVADE, Act.SUSTAIN, Act.REFLECTED),
    Act.REFLECTED: (Act.ANSWER, Act.SUSTAIN),
    Act.SEEN: (Act.REFLECTED, Act.ANSWER),
    Act.HALF_SEEN: (Act.REFLECTED, Act.ANSWER),
    Act.CORRECTS: (Act.CONFRONTED, Act.DISCORD),
    Act.ADVISED: (Act.PREMATURE, Act.SUSTAIN, Act.DISCORD, Act.EVADE),
    Act.INFORMED: (Act.ADVISED, Act.SUSTAIN, Act.EVADE),
    Act.PREMATURE: (Act.ADVISED, Act.SUSTAIN, Act.DISCORD),
    Act.ACCEPTS: (Act.CHANGE, Act.REFLECTED),
    Act.WARMED: (Act.SUSTAIN, Act.EVADE, Act.ANSWER),
    Act.CONFRONTED: (Act.DISCORD, Act.SUSTAIN, Act.EVADE),
    Act.CHALLENGED: (Act.CHANGE, Act.ANSWER, Act.REFLECTED),
    Act.CHANGE: (Act.ACCEPTS, Act.ANSWER, Act.REFLECTED),
    Act.SUSTAIN: (Act.ANSWER, Act.EVADE),
    Act.DISCORD: (Act.CONFRONTED, Act.EVADE),
    Act.REPEATED: (Act.DISCORD, Act.CONFRONTED),
    Act.ECHOED: (Act.REPEATED, Act.DISCORD),
    Act.UNANSWERED: (Act.EVADE, Act.DISCORD),
    Act.OVERLONG: (Act.EVADE, Act.DISCORD),
    Act.EVADE: (Act.SUSTAIN, Act.ANSWER),
}
_SPREAD = (Act.ANSWER, Act.REFLECTED, Act.EVADE, Act.SUSTAIN, Act.MASKED, Act.DISCORD)
_NEAR: dict[Band, tuple[Band, ...]] = {
    Band.GUARDED: (Band.GUARDED, Band.AMBIVALENT),
    Band.AMBIVALENT: (Band.AMBIVALENT, Band.GUARDED, Band.OPENING),
    Band.OPENING: (Band.OPENING, Band.AMBIVALENT, Band.COMMITTED),
    Band.COMMITTED: (Band.COMMITTED, Band.OPENING),
}

_TOPICS = ("my situation", "this whole thing", "the state I'm in")
_COMFORTS = ("a long walk by myself", "a cup of tea in the quiet", "music with the door shut")
_THOUGHT = "Whatever I do, it won't be good enough."
_LONGEST_THOUGHT = 300


class ChosenUtterance(NamedTuple):
    """The words that the client says in a turn, and the stage direction of its face.

    Attributes:
        mood: The named expression behind the direction.
    """

    words: str
    direction: str
    mood: str


class Speech:
    """Chooses the client's lines in one session, none twice while others are left.

    Deterministic: the same calls give the same words.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._bank = load_bank(scenario.resistance)
        profile = scenario.profile
        # A voice is written for one way of resisting.
        self._own = load_voice(profile.id, profile.voice) if profile.resistance is scenario.resistance else {}
        self._pair = scenario.pair
        self._profile_id, self._seed = profile.id, scenario.seed
        self._said: set[str] = set()
        self._shown: set[str] = set()
        self._slots = _fillings(profile)
        self._given = dict.fromkeys(SLOTS, 0)

    def say(self, act: Act, band: Band, turn: int) -> ChosenUtterance:
        """Returns a line that was not said before, and a stage direction in a mood that fits.

        Where every line that fits is used up, the nearest act or band is used; only when the whole bank is
        used up does a line come back.
        """
        line = self._pick(act, band, turn)
        self._said.add(line.text)
        words = line.text
        if line.slots:
            words = words.format(**{slot: self._fill(slot) for slot in line.slots})
        return self.show(words, act, band, turn)

    def show(self, words: str, act: Act, band: Band, turn: int) -> ChosenUtterance:
        """Returns words with a stage direction in a mood that fits the act."""
        moods = self._bank.moods_of(act, band)
        mood = moods[derive_seed(self._pair, "mood", turn) % len(moods)]
        directions = self._bank.directions[mood]
        fresh = [text for text in directions if text not in self._shown] or directions
        direction = fresh[derive_seed(self._pair, "direction", turn) % len(fresh)]
        self._shown.add(direction)
        return ChosenUtterance(words, direction, mood)

    def _pick(self, act: Act, band: Band, turn: int) -> Utterance:
        place = derive_seed(self._pair, act, turn)
        lines = self._bank.lines
        if not lines[act][band]:  # written for other bands only: take it from the nearest
            band = next(near for near in (*_NEAR[band], *Band) if lines[act][near])
        for candidate, near in _order(act, band):
            own = self._own.get(candidate, {}).get(near, ())
            start = self._start(candidate, near)
            for line in (*own[start % len(own) :], *own[: start % len(own)]) if own else ():
                if self._usable(line):
                    return line
            pool = [line for line in lines[candidate][near] if self._usable(line)]
            if pool:
                return pool[place % len(pool)]
        every = [line for line in self._bank.all_lines() if not line.slots]
        return every[place % len(every)]

    def _start(self, act: Act, band: Band) -> int:
        """Returns where to begin with the profile's own lines: each seed with another one."""
        return derive_seed(self._profile_id, act, band) + self._seed

    def _usable(self, line: Utterance) -> bool:
        # The thought is one fixed sentence: a second hearing of it is already a repetition.
        return line.text not in self._said and not ("thought" in line.slots and self._given["thought"])

    def _fill(self, slot: str) -> str:
        values = self._slots[slot]
        value = values[self._given[slot] % len(values)]
        self._given[slot] += 1
        return value


@functools.cache
def _order(act: Act, band: Band) -> tuple[tuple[Act, Band], ...]:
    """Returns where to look for a line, best first."""
    acts = (act, *_INSTEAD.get(act, ()))
    order = [(candidate, near) for near in _NEAR[band] for candidate in acts]
    return tuple(
        dict.fromkeys([*order, *((candidate, near) for near in _NEAR[band] for candidate in _SPREAD)])
    )


def _fillings(profile: Profile) -> dict[str, tuple[str, ...]]:
    """Returns slot -> what fills it, in the order of use; general words where the profile has none."""
    topics = tuple(_phrase(topic) for topic in profile.topics if topic.strip()) or _TOPICS
    thought = " ".join(profile.distorted_thought.split())
    if not thought or len(thought) > _LONGEST_THOUGHT or _of_third_person(thought, profile.name):
        thought = _THOUGHT
    return {
        "topic": topics,
        "other": topics[1:] + topics[:1],
        "comfort": tuple(_phrase(comfort) for comfort in profile.comfort if comfort.strip()) or _COMFORTS,
        "thought": (_sentence(thought),),
    }


def _of_third_person(thought: str, name: str) -> bool:
    """Tells whether a source describes the thought ("Laura believes that …") where the client must say it."""
    first = name.split()[0].lower() if name.split() else "the client"
    return thought.lower().startswith((first, "the client", "client "))


def _phrase(text: str) -> str:
    return " ".join(text.split()).rstrip(".!?;,")


def _sentence(text: str) -> str:
    text = text.strip("\"“”' ")
    text = text[:1].upper() + text[1:]
    return text if text[-1:] in {".", "!", "?", "…"} else text + "."
