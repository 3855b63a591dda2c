"""Therapist methods over an engine: `direct`, `ec`, `p`, `p+ec` (Kim et al. 2025), `text` and `text+p`.

A method says whether the model sees faces, first captions each (`ec`) and first writes a plan (`p`). The plan
is written once per session; a caption once per turn, from the image alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mirror_bench.engines.base import Answer, Engine, ImagePart, Message, Request, Sampling
from mirror_bench.engines.fitting import FittedContext, Reading, ask_fitting, newest_images
from mirror_bench.faces.base import Face
from mirror_bench.parts import StandsOn
from mirror_bench.protocol import TherapistSettings
from mirror_bench.registry import Registry
from mirror_bench.schema import Scenario, Speaker, derive_seed
from mirror_bench.therapists import prompts, reply_cleaning
from mirror_bench.therapists.base import Therapist, TherapistTurn
from mirror_bench.therapists.prompts import (
    Layout,
    PromptTurn,
    caption_messages,
    first_read,
    plan_messages,
    read_plan,
    reply_messages,
)
from mirror_bench.therapists.reply_cleaning import clean_reply

VERSION = "1"
"""Raised with every change of what a packaged method asks and in which order; part of the fingerprint."""

PLAN_TOKENS = 512
CAPTION_TOKENS = 64
CAPTION_CHARACTERS = 400
PLAN_CHARACTERS = 4_000


@dataclass(frozen=True)
class Asking:
    """The sampling, and how many turns are shown, that a protocol allows a therapist model.

    Attributes:
        sampling: For replies; plans and captions use it with their own lengths.
        context_messages: How many of the last turns are shown; 0 for all.
    """

    sampling: Sampling = Sampling(max_tokens=128)  # noqa: RUF009 - frozen
    context_messages: int = 0
    layout: Layout = "chat"


class TherapistMethod(Protocol):
    """What an entry of `METHODS` is; another package's may be anything of this shape."""

    @property
    def sees(self) -> bool:
        """Whether it shows faces."""
        ...

    def stands_on(self, settings: TherapistSettings) -> StandsOn:
        """Returns what decides how the model is asked and what is heard of its answer: content and code.

        That of the packaged methods is part of every protocol's fingerprint, whichever the candidate chose:
        methods are compared under one protocol. That of another package's is part of the candidate.
        """
        ...

    def therapist(self, scenario: Scenario, engine: Engine, asking: Asking) -> Therapist:
        """Returns the therapist of one session."""
        ...


@dataclass(frozen=True)
class Method:
    """A way of prompting a therapist model: whether it sees faces, captions them, or plans first."""

    name: str
    sees: bool
    captions: bool = False
    plans: bool = False

    def stands_on(self, settings: TherapistSettings) -> StandsOn:
        """See `TherapistMethod`."""
        own = StandsOn.of("therapists.methods", VERSION) | reply_cleaning.stands_on()
        return own | prompts.stands_on(settings.layout, captions=self.captions, plans=self.plans)

    def therapist(self, scenario: Scenario, engine: Engine, asking: Asking) -> ModelTherapist:
        """Returns the therapist of one session."""
        return ModelTherapist(scenario, engine, self, asking)


DIRECT = Method("direct", sees=True)
EC = Method("ec", sees=True, captions=True)
P = Method("p", sees=True, plans=True)
P_EC = Method("p+ec", sees=True, captions=True, plans=True)
TEXT = Method("text", sees=False)
TEXT_P = Method("text+p", sees=False, plans=True)

METHODS = Registry(
    "method",
    {
        "direct": "mirror_bench.therapists.methods:DIRECT",
        "ec": "mirror_bench.therapists.methods:EC",
        "p": "mirror_bench.therapists.methods:P",
        "p+ec": "mirror_bench.therapists.methods:P_EC",
        "text": "mirror_bench.therapists.methods:TEXT",
        "text+p": "mirror_bench.therapists.methods:TEXT_P",
    },
)


class ModelTherapist:
    """A therapist of one session whose replies a model writes, prompted by one method."""

    def __init__(self, scenario: Scenario, engine: Engine, method: Method, asking: Asking) -> None:
        self._scenario = scenario
        self._engine = engine
        self._method = method
        self._asking = asking
        self._history: list[PromptTurn] = []
        self._plan: tuple[str, str] = ("", "")
        self._fit = FittedContext()
        self._tokens = 0

    @property
    def sees(self) -> bool:
        """Whether the method and the engine look at faces."""
        return self._method.sees and self._engine.sees

    @property
    def plan(self) -> tuple[str, str]:
        """The technique and the plan, empty without planning."""
        return self._plan

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Answers the client's words and face."""
        self._tokens = 0
        image = ImagePart(face.png, face.sha256) if face is not None and self.sees else None
        caption = await self._caption(image)
        self._history.append(PromptTurn(Speaker.CLIENT, heard, image, caption))
        if self._method.plans and not self._plan[1]:
            self._plan = await self._make_plan()
        fitted = await ask_fitting(self._engine, self._reading, self._fit)
        answer, self._fit = fitted.answer, fitted.fit
        self._tokens += answer.tokens
        words, removed = clean_reply(answer.whole, self._scenario.profile.name, cut=answer.finish == "length")
        self._history.append(PromptTurn(Speaker.THERAPIST, words))
        raw = answer.whole if answer.whole.strip() != words else ""
        return TherapistTurn(words, raw, removed, caption, self._tokens, answer.finish, fitted.left_out)

    def recall(self, words: str) -> None:
        """Puts what was really said in the place of the last answer, in a session whose history is given."""
        if self._history and self._history[-1].speaker is Speaker.THERAPIST:
            self._history[-1] = PromptTurn(Speaker.THERAPIST, words)

    def _reading(self, fit: FittedContext) -> Reading:
        """Returns the question for a reply that holds so much of the session."""
        technique, plan = self._plan
        first = first_read(self._history, self._asking.context_messages, fit.start)
        messages = reply_messages(
            self._scenario.profile,
            self._history[first:],
            layout=self._asking.layout,
            sees=self.sees,
            technique=technique,
            plan=plan,
        )
        request = self._request("reply", newest_images(messages, fit.faces), self._asking.sampling)
        return Reading(request, first, len(self._history) - 1)

    async def _caption(self, image: ImagePart | None) -> str:
        if not self._method.captions or image is None:
            return ""
        answer = await self._ask("caption", caption_messages(image), self._short(CAPTION_TOKENS))
        return clean_reply(answer.text).words[:CAPTION_CHARACTERS]

    async def _make_plan(self) -> tuple[str, str]:
        answer = await self._ask(
            "plan", plan_messages(self._scenario.profile, self._history), self._short(PLAN_TOKENS)
        )
        technique, plan = read_plan(answer.text[:PLAN_CHARACTERS])
        return technique, plan or "(none)"

    def _short(self, max_tokens: int) -> Sampling:
        sampling = self._asking.sampling
        return Sampling(sampling.temperature, sampling.top_p, max_tokens=max_tokens)

    async def _ask(self, what: str, messages: tuple[Message, ...], sampling: Sampling) -> Answer:
        answer = await self._engine.answer(self._request(what, messages, sampling))
        self._tokens += answer.tokens
        return answer

    def _request(self, what: str, messages: tuple[Message, ...], sampling: Sampling) -> Request:
        seed = derive_seed(self._scenario.pair, "therapist", what, len(self._history))
        return Request(messages, sampling, seed)
