"""A training set up from plain choices, as environments take them: scenarios, setting, judges."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from mirror_bench.errors import InputError
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.schema import Scenario
from mirror_bench.sessions.choosing import judge_settings
from mirror_bench.sessions.engine_pool import EnginePool, open_raters
from mirror_bench.training.reward import INSTRUMENTS, RewardRule
from mirror_bench.training.rollout import MAX_CLIENT_TURNS, TrainingSetting, undrawn
from mirror_bench.training.train_split import TRAIN, training_scenarios


@dataclass
class JudgeEngines:
    """The engines of judges, started when the first rollout begins."""

    pool: EnginePool
    folder: TemporaryDirectory[str]
    _started: asyncio.Task[None] | None = field(default=None, init=False)

    async def start(self) -> None:
        """Starts them once, however often it is called.

        Raises:
            InputError: If a model or an option is unusable.
        """
        if self._started is None:
            self._started = asyncio.ensure_future(self.pool.start())
        await self._started


@dataclass
class Training:
    """The scenarios, settings and judges of a training with sessions as its environment.

    Attributes:
        judges: Engines that must be started before a reward is asked for; None without model judges.
    """

    scenarios: list[Scenario]
    setting: TrainingSetting
    judges: JudgeEngines | None = None


def set_up(
    *,
    data: str = "mini",
    split: str = TRAIN,
    seeds: Sequence[int] = (0,),
    face_conditions: str | Sequence[str] = "matched",
    limit: int | None = None,
    judges: str | Sequence[str] = (),
    instruments: str | Sequence[str] = INSTRUMENTS,
    max_client_turns: int = MAX_CLIENT_TURNS,
    attunement: float = 0.25,
    gaming: float = 0.5,
    images: bool = True,
) -> Training:
    """Returns the scenarios and the setting of a training.

    Args:
        data: Where the clients come from; they must be of its split *train*.
        split: Nothing but "train" is taken: dev and test are refused.
        seeds: Each client is met once per seed.
        face_conditions: matched, none, neutral, shuffled or incongruent; several, separated by commas.
        limit: At most so many clients, spread over the resistance types.
        judges: Models that rate, `provider/name`; the coded rater where none is given.
        instruments: Whose totals are averaged.
        max_client_turns: A session ends with this many client turns at the latest.
        attunement: Weight of the attunement in the reward.
        gaming: Weight of what is subtracted for the marks of gaming.
        images: Whether the policy is shown the client's face.

    Raises:
        InputError: If a choice names what does not exist, or another split than train.
    """
    if max_client_turns < 2:
        raise InputError(f"max_client_turns={max_client_turns}: must be 2 or more, the opening is one")
    scenarios = training_scenarios(data, tuple(seeds), _several(face_conditions), limit, split)
    rule = RewardRule(
        instruments=tuple(load_instrument(name) for name in _several(instruments)),
        attunement=attunement,
        gaming=gaming,
    )
    engines = None
    if names := _several(judges):
        folder = TemporaryDirectory(prefix="mirror-bench-")
        engines = JudgeEngines(EnginePool(Path(folder.name) / "calls.sqlite"), folder)
        raters = tuple(open_raters(judge_settings(names, spelt=lambda name: f"{name}s="), engines.pool))
        rule = RewardRule(rule.instruments, raters, attunement, gaming)
    if images:
        return Training(scenarios, TrainingSetting(rule, max_client_turns), engines)
    return Training(scenarios, undrawn(rule, max_client_turns, sees=False), engines)


def _several(given: str | Sequence[str]) -> tuple[str, ...]:
    return (
        tuple(part.strip() for part in given.split(",") if part.strip())
        if isinstance(given, str)
        else tuple(given)
    )
