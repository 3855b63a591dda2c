"""A small policy that chooses what a therapist does at each turn, trained by REINFORCE.

It does not write: it chooses among kinds of phrases that scripted therapists, cheats and unsafe therapists
say, by what it hears and sees. So what it learns to choose tells what the reward pays for.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mirror_bench.faces.base import Face
from mirror_bench.schema import Scenario, derive_seed
from mirror_bench.therapists.base import TherapistTurn
from mirror_bench.therapists.cheats import Cheating, cheat_names, load_cheat
from mirror_bench.therapists.policies.client_words import gist_of
from mirror_bench.therapists.policies.phrases import Phrasing, load_script
from mirror_bench.training.rollout import ClientMoment, Rollout, TrainingSetting

Floats: TypeAlias = NDArray[np.float64]

_LISTENING = {
    "reflect": ("reflect",),
    "reflect and ask": ("reflect", "ask"),
    "ask": ("ask",),
    "agenda": ("reflect", "agenda"),
    "challenge": ("reflect", "challenge"),
    "offer a step": ("reflect", "propose", "free"),
    "take up change": ("change", "next"),
    "answer protest": ("discord",),
    "affirm": ("trust",),
}
_OTHERS = {
    "name the face": ("attuned", ("name", "after")),
    "advise": ("directive", ("advise", "check")),
    "teach": ("directive", ("inform", "advise")),
    "dispute": ("directive", ("confront",)),
    "comfort": ("warm", ("warm",)),
}
UNSAFE = ("belittles", "secrecy", "cures", "medical", "agrees", "romance")
_STRONG = 0.3
SIGNS = ("objects", "changes", "sustains", "minimises")
FEATURES = 3 + len(SIGNS) + 2 + 1
"""Of an observation: early, middle, late; signs in words; a feeling shown, one behind light words; 1."""


@functools.cache
def actions() -> tuple[str, ...]:
    """Returns what can be chosen: kinds of listening, of pressing, cheats (`cheat …`), harm (`unsafe …`)."""
    cheats = [f"cheat {name}" for name in cheat_names() if load_cheat(name).kind == "play"]
    return (*_LISTENING, *_OTHERS, *cheats, *(f"unsafe {name}" for name in UNSAFE))


class Speaking:
    """Says what was chosen, in one session: no phrase twice before all of its kind were said."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._phrasing = Phrasing(scenario.pair, "phrase policy")
        self._cheats: dict[str, Cheating] = {}
        self._topic = ""
        self.turn = 0

    def observe(self, seen: ClientMoment) -> Floats:
        """Returns the features of what was heard and seen."""
        listening = load_script("listening")
        third = min(2, self.turn // 4)
        shown = [listening.shows(sign, seen.words) for sign in SIGNS]
        felt = bool(self._feeling(seen.face))
        found = [float(third == number) for number in range(3)] + [float(one) for one in shown]
        return np.array([*found, float(felt), float(felt and shown[-1]), 1.0])

    async def say(self, action: str, seen: ClientMoment) -> str:
        """Returns the words of an action; of one that has nothing to go by here, an open question."""
        self.turn += 1
        gist = gist_of(seen.words)
        self._topic = gist.topic or self._topic
        slots = {"turned": gist.clause, "topic": self._topic or "this", "words": seen.words.strip()[:300]}
        slots["feeling"] = self._feeling(seen.face)
        if action.startswith("cheat "):
            name = action.removeprefix("cheat ")
            if name not in self._cheats:
                self._cheats[name] = Cheating(load_cheat(name), self._scenario)
            return (await self._cheats[name].reply(seen.words, None)).words
        if action.startswith("unsafe "):
            return self._phrases("unsafe", (action.removeprefix("unsafe "),), slots)
        script, kinds = ("listening", _LISTENING[action]) if action in _LISTENING else _OTHERS[action]
        return self._phrases(script, kinds, slots) or self._phrases("listening", ("ask",), slots)

    def _phrases(self, script: str, kinds: Sequence[str], slots: dict[str, str]) -> str:
        found = []
        for kind in kinds:
            said = self._phrasing.choose(load_script(script), kind, self.turn, **slots)
            if not said and kind == "reflect":
                bare = "reflect_topic" if slots["topic"] != "this" else "reflect_bare"
                said = self._phrasing.choose(load_script(script), bare, self.turn, **slots)
            found.append(said)
        return " ".join(found) if all(found) else ""

    @staticmethod
    def _feeling(face: Face | None) -> str:
        shown = face.expression if face else None
        if shown is None or max((*shown.units.values(), *shown.posture.values()), default=0.0) < _STRONG:
            return ""
        words = load_script("attuned").feelings.get(shown.label, ())
        return words[0] if words else ""


@dataclass
class PhrasePolicy:
    """Chances of each action, linear in what is observed."""

    weights: Floats = field(default_factory=lambda: np.zeros((len(actions()), FEATURES)))

    def chances(self, observed: Floats) -> Floats:
        """Returns the chance of each action."""
        logits = self.weights @ observed
        grown = np.exp(logits - logits.max())
        return np.asarray(grown / grown.sum())


class PhraseTherapist:
    """The policy as a therapist of a session that is not trained on; its draws follow from the scenario."""

    sees = True
    plan = ("", "")

    def __init__(self, policy: PhrasePolicy, scenario: Scenario, chosen: list[str]) -> None:
        self._policy = policy
        self._speaking = Speaking(scenario)
        self._draws = np.random.default_rng(derive_seed(scenario.id, "phrase policy"))
        self._chosen = chosen

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Answers with a drawn action, and notes it."""
        seen = ClientMoment(heard, face)
        chances = self._policy.chances(self._speaking.observe(seen))
        action = actions()[int(self._draws.choice(len(chances), p=chances))]
        self._chosen.append(action)
        return TherapistTurn(await self._speaking.say(action, seen))


def train(
    policy: PhrasePolicy,
    scenarios: Sequence[Scenario],
    setting: TrainingSetting,
    *,
    rollouts: int,
    batch: int = 16,
    rate: float = 1.0,
    entropy: float = 0.01,
    seed: int = 0,
) -> Iterator[float]:
    """Trains a policy in place by REINFORCE; yields the mean reward of each batch of rollouts.

    A turn is weighed by the rewards of its own and all later turns, less the batch's mean at that turn.
    """
    draws = np.random.default_rng(seed)
    for start in range(0, rollouts, batch):
        met = [scenarios[(start + place) % len(scenarios)] for place in range(min(batch, rollouts - start))]
        held = [asyncio.run(_roll_out(policy, scenario, setting, draws)) for scenario in met]
        longest = max(len(steps) for steps, _ in held)
        returns = np.full((len(held), longest), np.nan)
        for row, (_, rewards) in enumerate(held):
            returns[row, : len(rewards)] = np.cumsum(rewards[::-1])[::-1]
        gains = (returns - np.nanmean(returns, axis=0)) / (np.nanstd(returns) + 1e-6)
        slope = np.zeros_like(policy.weights)
        turns = 0
        for row, (steps, _) in enumerate(held):
            for turn, (observed, action) in enumerate(steps):
                chances = policy.chances(observed)
                towards = -chances
                towards[action] += 1.0
                surprise = np.log(chances + 1e-12)
                spread = -chances * (surprise - float(chances @ surprise))
                slope += np.outer(gains[row, turn] * towards + entropy * spread, observed)
                turns += 1
        policy.weights += rate * slope / turns * len(actions()) ** 0.5
        yield float(np.mean([sum(rewards) for _, rewards in held]))


async def _roll_out(
    policy: PhrasePolicy, scenario: Scenario, setting: TrainingSetting, draws: np.random.Generator
) -> tuple[list[tuple[Floats, int]], list[float]]:
    rollout, speaking = Rollout(scenario, setting), Speaking(scenario)
    steps: list[tuple[Floats, int]] = []
    try:
        seen: ClientMoment | None = await rollout.begin()
        while seen is not None:
            observed = speaking.observe(seen)
            chances = policy.chances(observed)
            action = int(draws.choice(len(chances), p=chances))
            steps.append((observed, action))
            seen = await rollout.answer(await speaking.say(actions()[action], seen))
        return steps, list(rollout.turn_rewards)
    finally:
        await rollout.close()
