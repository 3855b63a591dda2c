"""Does a policy that is trained on the reward learn to help, or to please the rater?

The policy of `phrase_policy` is trained on MIRROR-Mini's train split and looked at on *dev*, before and
after: `python -m benchmarks.reward_study`. Phrases, clients and rater are this project's own, so nothing here
is evidence about people: it tells what the reward pays for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.phrase_policy import PhrasePolicy, PhraseTherapist, train
from mirror_bench.data.scenarios import scenarios
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.schema import Ending, Scenario, Session
from mirror_bench.sessions.offline_sessions import rehearse_async
from mirror_bench.stats.paired import paired_difference
from mirror_bench.training.reward import RewardRule, marked_features
from mirror_bench.training.rollout import undrawn
from mirror_bench.training.train_split import training_scenarios

RULES = {
    "whole": RewardRule(),
    "ratings alone": RewardRule(attunement=0.0, gaming=0.0),
}
"""What is trained on: the reward, and one that nothing is subtracted from."""


@dataclass(frozen=True)
class PolicySessions:
    """What a policy's sessions showed: measure -> scenario -> value, and shares of turns."""

    measures: Mapping[str, Mapping[str, float]]
    shares: Mapping[str, float]


def look_at(policy: PhrasePolicy, met: Sequence[Scenario]) -> PolicySessions:
    """Holds a session with each scenario and measures it; none of them is trained on."""
    return asyncio.run(_look_at(policy, met))


async def _look_at(policy: PhrasePolicy, met: Sequence[Scenario]) -> PolicySessions:
    measures: dict[str, dict[str, float]] = {}
    chosen: list[str] = []
    for scenario in met:
        session = await rehearse_async(scenario, lambda profile: PhraseTherapist(policy, profile, chosen))
        for name, value in (await _measures(session, scenario)).items():
            measures.setdefault(name, {})[scenario.id] = value
    return PolicySessions(
        measures,
        {
            "cheats' phrases": fmean(phrase.startswith("cheat ") for phrase in chosen),
            "unsafe phrases": fmean(phrase.startswith("unsafe ") for phrase in chosen),
            "advice, teaching, dispute": fmean(phrase in {"advise", "teach", "dispute"} for phrase in chosen),
            "naming the face": fmean(phrase == "name the face" for phrase in chosen),
        },
    )


async def _measures(session: Session, scenario: Scenario) -> dict[str, float]:
    worth = await RULES["whole"].of(session, scenario.profile)
    low = {"ctrs": (0.0, 6.0), "wai": (1.0, 5.0)}
    measures = {"reward": worth.value, "gaming": worth.gaming}
    measures |= {
        name: low[name][0] + share * (low[name][1] - low[name][0]) for name, share in worth.ratings.items()
    }
    if worth.attunement is not None:
        measures["attunement"] = worth.attunement
    measures["client left"] = float(session.ended is Ending.CLIENT_LEFT)
    measures["client has what it came for"] = float(session.ended is Ending.RESOLVED)
    for state in ("resistance", "bond"):
        trace = [turn.state[state] for turn in session.turns if turn.state]
        measures[f"client's {state}, end less start"] = trace[-1] - trace[0]
    return measures | {f"mark: {name}": worth.marks.get(name, 0.0) for name in marked_features()}


def study(rollouts: int, seeds: int, rule: str, training_seed: int = 0) -> dict[str, object]:
    """Trains one policy and returns what it was before and after, with intervals clustered by profile."""
    data = load_mini()
    met = list(scenarios(data, "dev", range(seeds)))
    policy = PhrasePolicy()
    before = look_at(policy, met)
    began = time.process_time()
    course = list(
        train(
            policy,
            training_scenarios(seeds=range(4)),
            undrawn(RULES[rule]),
            rollouts=rollouts,
            seed=training_seed,
        )
    )
    spent = time.process_time() - began
    after = look_at(policy, met)
    cluster = {scenario.id: scenario.profile.id for scenario in met}
    rows = {}
    for name, values in after.measures.items():
        gain = paired_difference(values, before.measures[name], cluster).interval
        rows[name] = {
            "before": fmean(before.measures[name].values()),
            "after": fmean(values.values()),
            "gain": None if gain is None else [gain.value, gain.low, gain.high],
        }
    return {
        "rule": rule,
        "rollouts": rollouts,
        "sessions": len(met),
        "profiles": len(set(cluster.values())),
        "cpu seconds of training": round(spent, 1),
        "course": [round(reward, 3) for reward in course],
        "measures": rows,
        "shares of turns": {name: [before.shares[name], after.shares[name]] for name in after.shares},
    }


def as_markdown(measured: Mapping[str, object]) -> str:
    """Returns what a study found as a table."""
    rows = measured["measures"]
    shares = measured["shares of turns"]
    assert isinstance(rows, dict)
    assert isinstance(shares, dict)
    lines = ["| measure | before | after | gain, 95 % |", "| --- | --- | --- | --- |"]
    for name, row in rows.items():
        if row["before"] == row["after"] == 0:
            continue
        gain = "" if row["gain"] is None else "{:.2f} [{:.2f}, {:.2f}]".format(*row["gain"])
        lines.append(f"| {name} | {row['before']:.2f} | {row['after']:.2f} | {gain} |")
    lines += [f"| share of turns: {name} | {a:.2f} | {b:.2f} | |" for name, (a, b) in shares.items()]
    return "\n".join(lines)


def main() -> None:
    """Runs the study and prints tables, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rollouts", type=int, default=640)
    parser.add_argument("--seeds", type=int, default=4, help="Sessions with each client of the dev split.")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    for rule in RULES:
        measured = study(chosen.rollouts, chosen.seeds, rule)
        if chosen.json:
            print(json.dumps(measured))
        else:
            print(
                f"\nTrained on: {rule}; {measured['rollouts']} rollouts, "
                f"{measured['cpu seconds of training']} s"
            )
            print(as_markdown(measured))


if __name__ == "__main__":
    main()
