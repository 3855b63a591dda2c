"""A model that plays the client: own prompt, one bracket for the face, an end token in a form of its own."""

from __future__ import annotations

import re
from functools import partial
from typing import NamedTuple

from mirror_bench.clients.base import ClientNeeds, ClientTurn
from mirror_bench.engines import reasoning
from mirror_bench.engines.base import Engine, Message, Request, Sampling
from mirror_bench.engines.fitting import Fitted, FittedContext, Reading, ask_fitting
from mirror_bench.engines.reasoning import part_thoughts, without_template_tokens
from mirror_bench.errors import EngineError, InputError
from mirror_bench.faces.directions import marks
from mirror_bench.faces.directions.marks import part_directions
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.parts import StandsOn
from mirror_bench.prompts import fill, stands_on
from mirror_bench.protocol import ClientSettings
from mirror_bench.schema import Ending, Profile, Scenario, derive_seed
from mirror_bench.text import without_invisible

ATTEMPTS = 2
"""How often a turn is asked before the session fails."""
MAX_WORDS = 4_000
"""The longest turn a client speaks, in characters; the rest is cut."""
_MAX_HEARD = 4_000
_MAX_DIRECTION = 400

# Models vary the token's brackets, case and blanks. In quotation marks, or within a sentence that goes on in
# small letters, it is spoken of rather than given.
_ENDS = re.compile(
    r"(?<![\"'“‘`])[*_`]*(?:<{1,3}|\[{1,3}|«|\{{1,2}|\()\s*SESSION\s+(?:ENDS?|ENDED|OVER)\s*[:\-–—]\s*"
    r"(?P<how>resolved|left)\s*\.?\s*(?:>{1,3}|\]{1,3}|»|\}{1,2}|\))(?![>\]}])[*_`]*"
    r"(?![\"'”’*_`]|[ \t]+(?-i:[a-z]))",
    re.IGNORECASE,
)
# Whatever else has its shape is not said, and ends nothing.
_LIKE_ENDS = re.compile(r"<{1,3}[ \t]*SESSION[ \t]+EN[^<>\n]{0,40}>{1,3}", re.IGNORECASE)
_ENDINGS = {
    "resolved": (Ending.RESOLVED, "the client has what it came for"),
    "left": (Ending.CLIENT_LEFT, "the client wants no more of it"),
}
_THERAPIST = re.compile(r"^[*_\s]*(?:therapist|counsell?or)[*_]*\s*:", re.IGNORECASE | re.MULTILINE)

_EXAMPLES = (
    "Looks at the window, jaw tight",
    "Brows drawn up in the middle, eyes on the floor",
    "Small smile, lips pressed together",
    "Leans back, arms crossed, one eyebrow raised",
)


class Reply(NamedTuple):
    """A model's answer, parted into the client's words, stage direction and ending.

    Attributes:
        words: Without directions, labels and end token; empty for a silent turn.
        direction: What stood in the marks of a direction, joined by ". ".
        ends: Why the session is over, or None.
        reason: The same in plain words.
        removed: What else was taken out, by kind.
    """

    words: str
    direction: str
    ends: Ending | None = None
    reason: str = ""
    removed: tuple[str, ...] = ()


def read_reply(raw: str, name: str = "") -> Reply:
    """Returns a model's answer as the client's words, stage direction and ending.

    The session ends with the end token, wherever it stands; "END" in ordinary text never ends it. Whatever
    follows the token, or an invented turn of the therapist, is cut.

    Args:
        raw: The model's answer.
        name: The client's name, which some models write before its words.
    """
    text = without_invisible(raw)
    removed: list[str] = []
    thought = part_thoughts(text)
    if thought.said != text:
        removed.append("reasoning")
    text = without_template_tokens(thought.said)
    if (invented := _THERAPIST.search(text)) is not None:
        removed.append("invented therapist turn")
        text = text[: invented.start()]
    ends, reason = None, ""
    if (token := _ENDS.search(text)) is not None:
        ends, reason = _ENDINGS[token["how"].lower()]
        text = text[: token.start()]
    shown = part_directions(_LIKE_ENDS.sub(" ", text))
    text = shown.words.replace("[", " ").replace("]", " ")
    first = re.escape(name.split()[0]) if name.split() else "client"
    text = re.sub(rf"^[*_\s]*(?:client|patient|{first})[*_]*\s*:[*_]*", "", text, flags=re.IGNORECASE)
    words = " ".join(text.split())[:MAX_WORDS].strip()
    if not any(character.isalnum() for character in words) and "…" not in words and "..." not in words:
        words = ""  # what is left is punctuation around a direction
    direction = ". ".join(shown.directions)[:_MAX_DIRECTION]
    return Reply(words, direction, ends, reason, tuple(removed))


class LLMClient:
    """A client whose turns a language model writes, in the role of the scenario's profile.

    Args:
        scenario: Who is played.
        engine: Who plays.
        sampling: How its answers are drawn; the protocol's.
        max_turns: The session ends with this many client turns at the latest.

    Raises:
        InputError: If `max_turns` is below 1.
    """

    version = "2"

    def __init__(self, scenario: Scenario, engine: Engine, sampling: Sampling, max_turns: int) -> None:
        if max_turns < 1:
            raise InputError(f"max_client_turns is {max_turns}: a session needs 1 or more")
        self._scenario = scenario
        self._engine = engine
        self._sampling = sampling
        self._max_turns = max_turns
        self._messages = [Message("system", (client_prompt(scenario),))]
        self._spoken = 0
        self._fit = FittedContext()

    @classmethod
    def stands_on(cls, settings: ClientSettings) -> StandsOn:
        """See `ClientKind`."""
        own = StandsOn.of("client.llm", cls.version, settings.model)
        own |= stands_on("client", "client_opening", "client_silence")
        return own | marks.stands_on() | reasoning.stands_on()

    @classmethod
    def cast(cls, scenario: Scenario, needs: ClientNeeds) -> LLMClient:
        """See `ClientKind`."""
        if needs.engine is None:
            raise InputError("the client is a model and none is named: give --client provider/name")
        return cls(scenario, needs.engine, needs.sampling, needs.max_turns)

    async def open(self) -> ClientTurn:
        """The session's first turn.

        Raises:
            EngineError: If the engine could not answer, or gave nothing that can be said twice over.
        """
        return await self._answer(fill("client_opening"))

    async def reply(self, heard: str) -> ClientTurn:
        """Answers the therapist's words.

        Raises:
            EngineError: As `open`.
        """
        # A therapist that says the end token must not have it said after.
        heard = _LIKE_ENDS.sub(" ", _ENDS.sub(" ", heard))
        return await self._answer(heard.strip()[:_MAX_HEARD] or fill("client_silence"))

    async def _answer(self, heard: str) -> ClientTurn:
        self._messages.append(Message("user", (heard,)))
        self._spoken += 1
        tokens = 0
        for attempt in range(ATTEMPTS):
            fitted = await ask_fitting(self._engine, partial(self._reading, attempt), self._fit)
            self._fit = fitted.fit
            tokens += fitted.answer.tokens
            reply = read_reply(fitted.answer.whole, self._scenario.profile.name)
            if reply.words or reply.direction or reply.ends:
                return self._turn(reply, fitted, tokens)
        raise EngineError(
            f"{self._engine.name} gave no usable client turn {self._spoken} in {ATTEMPTS} attempts "
            f"(session {self._scenario.id})"
        )

    def _reading(self, attempt: int, fit: FittedContext) -> Reading:
        seed = derive_seed(self._scenario.pair, "client", "llm", self._spoken, attempt)
        rules, *heard_and_said = self._messages
        messages = (rules, *heard_and_said[fit.start :])
        request = Request(messages, self._sampling, seed, attempt=attempt)
        return Reading(request, fit.start, len(heard_and_said) - 1)

    def _turn(self, reply: Reply, fitted: Fitted, tokens: int) -> ClientTurn:
        answer = fitted.answer
        # What the model reads of itself is what was understood: nothing that was cut comes back.
        bracket = f"[{reply.direction}] " if reply.direction else ""
        self._messages.append(Message("assistant", (f"{bracket}{reply.words}".strip() or "…",)))
        ends, reason = reply.ends, reply.reason
        if ends is None and self._spoken >= self._max_turns:
            ends, reason = Ending.TURN_LIMIT, f"{self._max_turns} client turns were held"
        return ClientTurn(
            words=reply.words,
            direction=reply.direction,
            expression=read_direction(reply.direction).expression,
            ends=ends,
            reason=reason,
            tokens=tokens,
            raw=answer.whole if answer.whole.strip() != reply.words else "",
            removed=reply.removed,
            finish=answer.finish,
            fit=fitted.left_out,
        )


def client_prompt(scenario: Scenario) -> str:
    """Returns the system prompt of a client, with what its profile holds."""
    profile = scenario.profile
    crisis = profile.crisis
    return fill(
        "client",
        client=profile.name or "the client",
        about=_about(profile),
        personality=profile.personality,
        problem=profile.presenting_problem,
        history=profile.history,
        reason=profile.reason_for_seeking,
        thought=profile.distorted_thought,
        comfort=profile.comfort,
        guarded=profile.guarded,
        would_leave=profile.would_leave,
        resistance=scenario.resistance.value,
        crisis=crisis.disclosure if crisis else "",
        veiled=crisis.veiled if crisis else False,
        example=_EXAMPLES[derive_seed(scenario.pair, "client", "example") % len(_EXAMPLES)],
    )


def _about(profile: Profile) -> str:
    """Returns the personal information as prose: the source's own sentence, or one made of the fields."""
    if profile.about:
        return profile.about
    parts = [
        profile.name,
        f"{profile.age} years old" if profile.age is not None else "",
        profile.gender,
        profile.occupation,
        profile.education,
        profile.marital_status,
        profile.family,
        profile.culture,
    ]
    return "; ".join(part for part in parts if part) or "(nothing more is known)"
