"""Single turns as a training set, and the reward of replies to them: what TRL's GRPO and the like take.

`turn_rows` makes the rows, `TurnReward` is a reward function `reward(prompts, completions, **columns)`.
"""

from __future__ import annotations

import functools
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from mirror_bench.data.sources.registry import load_data
from mirror_bench.engines.base import Message
from mirror_bench.errors import InputError
from mirror_bench.schema import Scenario
from mirror_bench.therapists import SCRIPTED
from mirror_bench.therapists.base import Therapist
from mirror_bench.training.reward import Reward
from mirror_bench.training.rollout import ClientMoment, Rollout, TrainingSetting, replay, undrawn
from mirror_bench.training.train_split import scenario_named
from mirror_bench.waiting import wait_for

Row = dict[str, Any]


def turn_rows(
    scenarios: Sequence[Scenario],
    therapist: Callable[[Scenario], Therapist] | str = "reflective",
    *,
    images: bool = False,
    setting: TrainingSetting | None = None,
) -> list[Row]:
    """Returns a row for each turn at which a therapist has to answer.

    Args:
        scenarios: Of the train split.
        therapist: Holds the sessions that the turns are taken from: a scripted one's name, or what makes a
            therapist for a scenario.
        images: Whether the client's faces come with the prompts; without, a policy reads words alone.
        setting: What the sessions share.

    Returns:
        `prompt`: the messages that a run asks (with images, each place of one is a part `{"type": "image"}`
        and the pictures are in `images`); `scenario` and `said`: what `TurnReward` knows the session by.

    Raises:
        InputError: If a client is not of the train split.
    """
    make = SCRIPTED.get(therapist) if isinstance(therapist, str) else therapist
    chosen = setting or (TrainingSetting() if images else undrawn(sees=False))

    async def all_rows() -> list[Row]:
        found: list[Row] = []
        for scenario in scenarios:
            async for row in _rows_of(scenario, make(scenario), chosen, images):
                found.append(row)
        return found

    return wait_for(all_rows)


async def _rows_of(
    scenario: Scenario, therapist: Therapist, setting: TrainingSetting, images: bool
) -> AsyncIterator[Row]:
    rollout = Rollout(scenario, setting)
    said: list[str] = []
    try:
        seen: ClientMoment | None = await rollout.begin()
        while seen is not None:
            messages, pictures = chat_of(rollout.messages(), images)
            row: Row = {"prompt": messages, "scenario": scenario.id, "said": list(said)}
            yield row | {"images": pictures} if images else row
            words = (await therapist.reply(seen.words, seen.face)).words
            said.append(words)
            seen = await rollout.answer(words, rewarded=False)
    finally:
        await rollout.close()


def chat_of(messages: Sequence[Message], images: bool) -> tuple[list[Row], list[Any]]:
    """Returns messages as chat templates read them, and the pictures in their order."""
    chat: list[Row] = []
    pictures: list[Any] = []
    for message in messages:
        if not images:
            chat.append({"role": message.role, "content": message.text})
            continue
        parts: list[Row] = []
        for part in message.parts:
            if isinstance(part, str):
                parts.append({"type": "text", "text": part})
            else:
                from PIL import Image

                pictures.append(Image.open(io.BytesIO(part.png)))
                parts.append({"type": "image"})
        chat.append({"role": message.role, "content": parts})
    return chat, pictures


class TurnReward:
    """The reward of replies, each to one turn of a session: a reward function in TRL's form.

    The session is replayed from `scenario` and `said`, the reply is said, the client answers, and the reward
    is what that changed (`training.reward`). It is deterministic with the coded rater.

    Args:
        data: Where the scenarios come from.
        setting: What all rollouts share; without images where None, since a reward needs none.
    """

    def __init__(self, data: str = "mini", setting: TrainingSetting | None = None) -> None:
        self.__name__ = "mirror_bench_turn_reward"  # what TRL logs it as
        self._data = load_data(data)
        self._setting = setting or undrawn()

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[Any],
        scenario: Sequence[str] = (),
        said: Sequence[Sequence[str]] = (),
        **others: Any,
    ) -> list[float]:
        """Returns a reward for each completion.

        Args:
            prompts: Not read: the session is known by the next two.
            completions: Texts, or lists of messages whose last one is the reply.
            scenario: The scenario of each, of the train split.
            said: What the therapist said before in each.
            others: Other columns and the trainer's state; not read.

        Raises:
            InputError: If columns are missing, or a client is not of the train split.
        """
        if not len(completions) == len(scenario) == len(said):
            raise InputError(
                f"{len(completions)} completions need as many values of the columns scenario and said, not "
                f"{len(scenario)} and {len(said)}: take the rows of training.turns.turn_rows as they are"
            )
        replies = [_reply_of(one) for one in completions]
        return wait_for(functools.partial(self._all, replies, scenario, said))

    async def _all(
        self, replies: Sequence[str], scenarios: Sequence[str], said: Sequence[Sequence[str]]
    ) -> list[float]:
        worth: dict[tuple[str, tuple[str, ...]], Reward] = {}
        found = []
        for reply, name, before in zip(replies, scenarios, said, strict=True):
            rollout, seen = await replay(scenario_named(name, self._data), before, self._setting)
            try:
                if seen is None:
                    raise InputError(f"scenario {name}: the session was over before this turn")
                key = (name, tuple(before))
                if key not in worth:  # replies to one turn come in groups
                    worth[key] = await rollout.worth()
                await rollout.answer(reply, rewarded=False)
                found.append((await rollout.worth()).value - worth[key].value)
            finally:
                await rollout.close()
        return found


def _reply_of(completion: Any) -> str:
    if isinstance(completion, str):
        return completion
    try:
        content = completion[-1]["content"]
    except (IndexError, KeyError, TypeError):
        raise InputError(
            f"a completion is neither a text nor a list of messages: {completion!r:.120}"
        ) from None
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
