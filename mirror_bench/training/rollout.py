"""One session held open: a trainer reads what the client says and shows, and answers when it likes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mirror_bench.clients.stateful.client import StatefulClient
from mirror_bench.engines.base import ImagePart, Message
from mirror_bench.faces.base import Face
from mirror_bench.faces.factory import open_faces
from mirror_bench.faces.presenter import ShownFaces
from mirror_bench.schema import Ending, Scenario, Session, Speaker, Turn
from mirror_bench.sessions.offline_sessions import UndrawnFaces
from mirror_bench.sessions.session import (
    FacePresenter,
    FaceShower,
    SessionNames,
    hold_session,
    session_record,
)
from mirror_bench.therapists.base import TherapistTurn
from mirror_bench.therapists.prompts import PromptTurn, reply_messages
from mirror_bench.therapists.reply_cleaning import clean_reply
from mirror_bench.training.reward import Reward, RewardRule
from mirror_bench.training.train_split import refuse_held_out

NAMES = SessionNames("policy", "direct", "stateful")
MAX_CLIENT_TURNS = 12


class ClientMoment(NamedTuple):
    """What the policy meets at one turn: the client's words, and its face where one is shown."""

    words: str
    face: Face | None


@dataclass
class TrainingSetting:
    """The settings that all rollouts of a training share: reward rule, turns and faces.

    Attributes:
        rule: What they are rewarded for.
        max_client_turns: A session ends with this many client turns at the latest.
        faces: What shows a face; None for drawn images.
        sees: Whether the policy is shown faces.
    """

    rule: RewardRule = field(default_factory=RewardRule)
    max_client_turns: int = MAX_CLIENT_TURNS
    faces: FaceShower | None = None
    sees: bool = True

    def presenter(self) -> FacePresenter:
        """Returns what shows the faces of a rollout; images are drawn once and remembered."""
        if self.faces is None:
            self.faces = ShownFaces(open_faces("drawn"))
        return FacePresenter(self.faces)


def undrawn(
    rule: RewardRule | None = None, max_client_turns: int = MAX_CLIENT_TURNS, *, sees: bool = True
) -> TrainingSetting:
    """Returns a setting in which a face is its expression alone, for policies that need no image."""
    return TrainingSetting(rule or RewardRule(), max_client_turns, UndrawnFaces(), sees)


class _RelayedTherapist:
    """Stands in the session for a policy outside: hands on what it meets, waits for the reply."""

    plan = ("", "")

    def __init__(self, sees: bool) -> None:
        self.sees = sees
        self.met: asyncio.Queue[ClientMoment] = asyncio.Queue()
        self.replies: asyncio.Queue[TherapistTurn] = asyncio.Queue()

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Waits for the policy's reply to the client's words and face."""
        self.met.put_nowait(ClientMoment(heard, face))
        return await self.replies.get()


class Rollout:
    """A session with the stateful client of the train split, held open for a policy.

    `await begin()` returns the client's opening; `await answer(reply)` returns the client's next turn, or
    None where the session is over. `close()` ends a session that nobody goes on with.

    Args:
        scenario: Who is met.
        setting: What all rollouts share.

    Raises:
        InputError: If the client is not of the train split.
    """

    def __init__(self, scenario: Scenario, setting: TrainingSetting) -> None:
        refuse_held_out(scenario.profile)
        self.scenario = scenario
        self._setting = setting
        self._relay = _RelayedTherapist(setting.sees)
        self._turns: list[Turn] = []
        self._history: list[PromptTurn] = []
        self._task: asyncio.Task[Session] | None = None
        self._worth = Reward(value=0.0)
        self.turn_rewards: list[float] = []

    async def begin(self) -> ClientMoment:
        """Returns the client's opening words and face."""
        self._task = asyncio.create_task(
            hold_session(
                self.scenario,
                StatefulClient(self.scenario, self._setting.max_client_turns),
                self._relay,
                self._setting.presenter(),
                max_client_turns=self._setting.max_client_turns,
                names=NAMES,
                heard=self._turns.append,
            )
        )
        seen = await self._next()
        assert seen is not None, "a client opens, and a session has two turns at least"
        return seen

    async def answer(self, said: str, *, rewarded: bool = True) -> ClientMoment | None:
        """Says a reply, cleaned as a model's answer is, and returns what the client makes of it.

        Args:
            said: The policy's whole answer.
            rewarded: Whether the turn's reward is worked out.

        Returns:
            What the policy meets next; None where the session is over.

        Raises:
            EngineError: If a model that rates could not answer.
        """
        words, removed = clean_reply(said, self.scenario.profile.name)
        self._history.append(PromptTurn(Speaker.THERAPIST, words))
        raw = said if said.strip() != words else ""
        self._relay.replies.put_nowait(TherapistTurn(words, raw, removed))
        seen = await self._next()
        if rewarded:
            now = await self.worth()
            self.turn_rewards.append(now.value - self._worth.value)
            self._worth = now
        return seen

    async def worth(self) -> Reward:
        """Returns the reward of the session so far."""
        return await self._setting.rule.of(self.session, self.scenario.profile)

    @property
    def over(self) -> bool:
        """Whether the session has ended."""
        return self._task is not None and self._task.done()

    @property
    def session(self) -> Session:
        """The session's record; of one that is not over, as if it ended here."""
        if self._task is not None and self._task.done():
            return self._task.result()
        return session_record(self.scenario, NAMES, Ending.TURN_LIMIT, "", turns=tuple(self._turns))

    def messages(self) -> tuple[Message, ...]:
        """Returns what a model is asked at this turn, as a run asks it: system, then a message a turn."""
        return reply_messages(self.scenario.profile, self._history, sees=self._setting.sees)

    async def close(self) -> None:
        """Ends the session, over or not."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _next(self) -> ClientMoment | None:
        assert self._task is not None, "a rollout is answered after it has begun"
        met = asyncio.create_task(self._relay.met.get())
        await asyncio.wait({met, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if met.done():
            seen = met.result()
            image = ImagePart(seen.face.png, seen.face.sha256) if seen.face and seen.face.png else None
            self._history.append(PromptTurn(Speaker.CLIENT, seen.words, image))
            return seen
        met.cancel()
        self._task.result()  # raises what the session raised
        return None


async def replay(
    scenario: Scenario, said: Sequence[str], setting: TrainingSetting
) -> tuple[Rollout, ClientMoment | None]:
    """Returns a rollout in which these replies were said, and what the client says and shows now.

    The client is deterministic, so a session is known by its scenario and what the therapist said.
    """
    rollout = Rollout(scenario, setting)
    seen: ClientMoment | None = await rollout.begin()
    for words in said:
        if seen is None:
            break
        seen = await rollout.answer(words, rewarded=False)
    return rollout, seen
