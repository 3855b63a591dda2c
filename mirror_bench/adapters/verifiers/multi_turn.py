"""`vf.load_environment("mirror-bench")`: sessions on the train split as multi-turn rollouts of verifiers.

Importing this module needs verifiers (before 0.4, which holds these environments no more).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import verifiers as vf
from datasets import Dataset

from mirror_bench.engines.openai.request import chat_message
from mirror_bench.schema import Ending, Scenario
from mirror_bench.therapists.prompts import reply_messages
from mirror_bench.training.rollout import Rollout
from mirror_bench.training.setup import Training

GONE = "(leaves without a word)"
"""What stands for a last turn without words: verifiers wants some."""


class SessionsEnvironment(vf.MultiTurnEnv):  # type: ignore[misc]
    """Sessions of a policy with the stateful client, whose face stands in every user turn.

    The state of a rollout holds `reward_parts`, `turn_rewards` (they add up to the reward of the session) and
    `session`, the record that a run would keep.

    Args:
        training: Scenarios and setting.
        per_turn: Whether each step of a rollout's trajectory carries the reward of its turn; where not, each
            carries the reward of the session, as verifiers fills it in.
    """

    def __init__(self, training: Training, *, per_turn: bool = False, **options: Any) -> None:
        self._scenarios = {scenario.id: scenario for scenario in training.scenarios}
        self._training = training
        self._per_turn = per_turn
        self._open: dict[str, Rollout] = {}
        rubric = vf.Rubric(funcs=[session_reward], weights=[1.0])
        for metric in (mean_rating, gaming, dropout):
            rubric.add_metric(metric)
        rows = Dataset.from_list([self._row(scenario) for scenario in training.scenarios])
        super().__init__(dataset=rows, eval_dataset=rows, rubric=rubric, max_turns=-1, **options)

    def _row(self, scenario: Scenario) -> dict[str, Any]:
        system = reply_messages(scenario.profile, (), sees=self._training.setting.sees)[0]
        return {
            "prompt": [{"role": "system", "content": system.text}],
            "info": json.dumps({"scenario": scenario.id}),
        }

    async def setup_state(self, state: Any) -> Any:
        """Opens the session: the client's first words and face end the prompt."""
        if self._training.judges is not None:
            await self._training.judges.start()
        rollout = Rollout(self._scenarios[state["info"]["scenario"]], self._training.setting)
        self._open[state["trajectory_id"]] = rollout
        await rollout.begin()
        state["prompt"] = [*state["prompt"], *self._heard(rollout)]
        return state

    async def env_response(self, messages: Any, state: Any, **others: Any) -> Any:
        """Returns the client's answer to the last reply, and notes what that turn was worth."""
        rollout = self._open[state["trajectory_id"]]
        step = state["trajectory"][-1]
        seen = await rollout.answer(_said(step["completion"]))
        state["turn_rewards"] = list(rollout.turn_rewards)
        if self._per_turn:
            step["reward"] = rollout.turn_rewards[-1]
        if seen is not None:
            return self._heard(rollout)
        worth = await rollout.worth()
        state["reward_parts"] = {"value": worth.value, **worth.parts}
        state["session"] = rollout.session.model_dump(mode="json")
        last = vf.UserMessage(content=rollout.session.turns[-1].words or GONE)
        state["final_env_response"] = [last]
        return [last]

    @vf.cleanup
    async def close_session(self, state: Any) -> None:
        """Ends the session of a rollout, finished or not."""
        rollout = self._open.pop(state["trajectory_id"], None)
        if rollout is not None:
            await rollout.close()

    def _heard(self, rollout: Rollout) -> list[Any]:
        """Returns the client's last turn, as verifiers types it."""
        last = chat_message(rollout.messages()[-1], self._training.setting.sees)
        return [vf.UserMessage.model_validate(last)]


def _said(completion: Any) -> str:
    """Returns the words of a model's answer, whatever form of message it comes in."""
    message = completion[-1]
    content = message.get("content") if isinstance(message, Mapping) else message.content
    if isinstance(content, str) or content is None:
        return content or ""
    texts = (part.get("text") if isinstance(part, Mapping) else getattr(part, "text", "") for part in content)
    return "".join(text or "" for text in texts)


def session_reward(state: Any) -> float:
    """Returns what a session was worth; nothing where it was cut short."""
    return float(_parts(state).get("value", 0.0))


def mean_rating(state: Any) -> float:
    """Returns the mean of the instruments' totals, from 0 to 1."""
    found = [value for name, value in _parts(state).items() if name.startswith("rating.")]
    return sum(found) / len(found) if found else 0.0


def gaming(state: Any) -> float:
    """Returns how far a session shows what cheats live on, from 0 to 1."""
    return float(_parts(state).get("gaming", 0.0))


def dropout(state: Any) -> float:
    """Returns 1 where the client left."""
    return float((state.get("session") or {}).get("ended") == Ending.CLIENT_LEFT)


def _parts(state: Any) -> Mapping[str, float]:
    return state.get("reward_parts") or {}
