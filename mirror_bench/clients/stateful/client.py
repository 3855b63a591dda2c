"""The offline client: deterministic, a latent state that the therapist moves, words that may hide it."""

from __future__ import annotations

from mirror_bench.clients.base import ClientNeeds, ClientTurn
from mirror_bench.clients.stateful import policy, utterance_choice
from mirror_bench.clients.stateful.dynamics import TEMPERS, VERSION, Memory, band_of, makeup_of, react
from mirror_bench.clients.stateful.perception import PerceivedTurn, hear
from mirror_bench.clients.stateful.policy import choose_act
from mirror_bench.clients.stateful.utterance_choice import ChosenUtterance, Speech
from mirror_bench.clients.stateful.utterances import MASKS, Act, Band
from mirror_bench.errors import InputError
from mirror_bench.faces.directions import reader
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.parts import StandsOn
from mirror_bench.protocol import ClientSettings
from mirror_bench.schema import Ending, Scenario, derive_seed

_FIRST_LEAVING = 4
"""The earliest client turn (counted from 1) that ends a session from the client's side."""
_FIRST_RESOLVED = 7
_CRISIS_PRESSURE = 0.04
_CRISIS_BY = 6
"""A crisis is told at this client turn at the latest, so that every session with it asks for an answer."""
_CRISIS_ROOM = 3
"""Client turns that a session has left after the latest telling, where it is long enough."""
_TELLING = frozenset({Act.SEEN, Act.ANSWER, Act.REFLECTED, Act.HALF_SEEN, Act.CHALLENGED, Act.CHANGE})
"""Acts in whose place a client may say what it guards."""


class StatefulClient:
    """A rule-based client of one session, whose latent state moves with what the therapist says.

    The same scenario and the same heard words give the same turns.

    Args:
        scenario: Who the client is. The face condition does not enter: it changes what the therapist sees.
        max_turns: The session ends with this many client turns at the latest.

    Raises:
        InputError: If `max_turns` is below 1.
    """

    version = VERSION

    def __init__(self, scenario: Scenario, max_turns: int) -> None:
        if max_turns < 1:
            raise InputError(
                f"a session of {max_turns} client turns cannot be held: max_client_turns must be 1 or more"
            )
        self._scenario = scenario
        self._max_turns = max_turns
        self._temper = TEMPERS[scenario.resistance]
        self._makeup = makeup_of(scenario)
        self._state = self._makeup.state
        self._memory = Memory()
        self._speech = Speech(scenario)
        self._said: list[str] = []
        self._before: list[str] = []
        self._direction = ""
        self._layers_told = 0
        self._crisis_told = False
        self._settled = 0

    @classmethod
    def stands_on(cls, settings: ClientSettings | None = None) -> StandsOn:
        """See `ClientKind`; the same under any settings."""
        own = StandsOn.of("client.stateful", cls.version)
        return own | policy.stands_on() | utterance_choice.stands_on() | reader.stands_on()

    @classmethod
    def cast(cls, scenario: Scenario, needs: ClientNeeds) -> StatefulClient:
        """See `ClientKind`."""
        return cls(scenario, needs.max_turns)

    async def open(self) -> ClientTurn:
        """The session's first turn: the client's own words, with its face."""
        masked = self._drawn("mask") < self._temper.masks[self._band]
        return self._turn(Act.FIRST_MASKED if masked else Act.FIRST, ())

    async def reply(self, heard: str) -> ClientTurn:
        """Answers the therapist's words; of very long ones the first 4,000 characters."""
        taken = hear(heard, self._said, self._direction, self._before)
        self._before.append(heard[:4_000])
        self._state, marks = react(self._state, taken, self._memory, self._temper, self._makeup)
        self._memory.told_layer = self._memory.told_crisis = False
        if self._scenario.profile.crisis is not None and not self._crisis_told:
            self._state = self._state.moved({"distress": _CRISIS_PRESSURE})
        calm = self._state.resistance <= 0.30 and self._state.goal + self._state.approach >= 1.20
        self._settled = self._settled + 1 if calm else 0
        leaving = self._leaving(marks)
        if self._crisis_due(at_the_door=leaving is not None):
            return self._tell_crisis(marks)
        if leaving is not None:
            return self._turn(Act.LEAVES, marks, Ending.CLIENT_LEFT, leaving)
        if self._settled >= 2 and self._number >= _FIRST_RESOLVED:
            return self._turn(Act.RESOLVED, marks, Ending.RESOLVED, "the client has what it came for")
        act = choose_act(taken, marks, self._band, self._temper, self._drawn)
        if act in _TELLING and self._layer_due(taken):
            return self._tell_layer(act, marks)
        return self._turn(act, marks)

    @property
    def _number(self) -> int:
        """The number, from 1, of the turn that the client is about to speak."""
        return len(self._said) + 1

    @property
    def _band(self) -> Band:
        return band_of(self._state, self._temper)

    @property
    def _owes_crisis(self) -> bool:
        return self._scenario.profile.crisis is not None and not self._crisis_told

    def _drawn(self, purpose: str) -> float:
        return derive_seed(self._scenario.pair, "client", self._number, purpose) / 2**31

    def _leaving(self, marks: tuple[str, ...]) -> str | None:
        """Returns why the client leaves now, or None: the alliance is broken and this turn mends nothing."""
        if self._number < _FIRST_LEAVING or {"mask_met", "crisis_answered", "trust_met"} & set(marks):
            return None
        strain = self._state.resistance - self._state.bond
        if strain < self._makeup.patience:
            return None
        return f"the alliance broke (resistance {self._state.resistance:.2f}, bond {self._state.bond:.2f})"

    def _crisis_due(self, *, at_the_door: bool) -> bool:
        """Whether the crisis is told now: out of trust or need, at the door, or because time runs out."""
        if not self._owes_crisis:
            return False
        latest = max(2, min(_CRISIS_BY, self._max_turns - _CRISIS_ROOM))
        if at_the_door or self._number >= latest:
            return True
        return self._number >= 3 and (self._state.bond >= 0.48 or self._state.distress >= 0.72)

    def _tell_crisis(self, marks: tuple[str, ...]) -> ClientTurn:
        crisis = self._scenario.profile.crisis
        assert crisis is not None
        self._crisis_told = self._memory.told_crisis = True
        lead = self._speech.say(Act.CRISIS_LEAD, self._band, self._number)
        # A lead-in would lift the veil.
        words = crisis.disclosure if crisis.veiled else f"{lead.words} {crisis.disclosure}"
        return self._spoken(lead._replace(words=words), Act.CRISIS_LEAD, (*marks, "told_crisis"))

    def _layer_due(self, heard: PerceivedTurn) -> bool:
        layers = len(self._scenario.profile.guarded) or 1
        if self._layers_told >= layers or heard.pushes:
            return False
        depth = (self._layers_told + 1) / (layers + 1)
        return self._state.disclosure >= depth and self._state.bond >= 0.36 + 0.07 * self._layers_told

    def _tell_layer(self, act: Act, marks: tuple[str, ...]) -> ClientTurn:
        """Says the next guarded thing, after a few words that lead to it."""
        guarded = self._scenario.profile.guarded
        lead = self._speech.say(Act.LEAD_IN if act is not Act.SEEN else Act.SEEN, self._band, self._number)
        if guarded:
            layer = guarded[self._layers_told]
        else:
            layer = self._speech.say(Act.DISCLOSED, self._band, self._number).words
        self._layers_told += 1
        self._memory.told_layer = True
        self._state = self._state.moved({"goal": 0.03, "distress": 0.02})
        return self._spoken(lead._replace(words=f"{lead.words} {layer}"), Act.LEAD_IN, (*marks, "told_layer"))

    def _turn(
        self, act: Act, marks: tuple[str, ...], ends: Ending | None = None, reason: str = ""
    ) -> ClientTurn:
        return self._spoken(self._speech.say(act, self._band, self._number), act, marks, ends, reason)

    def _spoken(
        self,
        spoken: ChosenUtterance,
        act: Act,
        marks: tuple[str, ...],
        ends: Ending | None = None,
        reason: str = "",
    ) -> ClientTurn:
        """Speaks: remembers what was said and shown, and says goodbye where time is up."""
        words = spoken.words
        if ends is None and self._number >= self._max_turns:
            ends, reason = Ending.TURN_LIMIT, f"{self._max_turns} client turns were held"
            if self._max_turns > 1:
                words = f"{words} {self._speech.say(Act.TIME, self._band, self._number).words}"
        self._memory.masked = act in MASKS
        self._said.append(words)
        self._direction = spoken.direction
        return ClientTurn(
            words=words,
            direction=spoken.direction,
            expression=read_direction(spoken.direction).expression,
            state=self._state.record(),
            marks=(*marks, "masked") if act in MASKS else marks,
            ends=ends,
            reason=reason,
        )
