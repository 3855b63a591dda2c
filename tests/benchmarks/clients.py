"""Prints how many turns a second the stateful client answers on one core, reading included."""

from __future__ import annotations

import argparse
import asyncio
import json
import time

from mirror_bench.clients.stateful.client import StatefulClient
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.schema import Scenario
from mirror_bench.therapists.policies.comparison import Reflective


async def _held(scenarios: list[Scenario], replies: list[list[str]]) -> int:
    turns = 0
    for scenario, said in zip(scenarios, replies, strict=True):
        client = StatefulClient(scenario, 12)
        turn = await client.open()
        for words in said:
            if turn.ends:
                break
            turn = await client.reply(words)
            turns += 1
    return turns


async def _replies(scenario: Scenario) -> list[str]:
    client, therapist = StatefulClient(scenario, 12), Reflective(scenario)
    turn, said = await client.open(), []
    while not turn.ends:
        said.append((await therapist.reply(turn.words, None)).words)
        turn = await client.reply(said[-1])
    return said


def turns_per_second(sessions: int) -> dict[str, float]:
    """Returns client turns per second of one core's time, for new words and for known ones."""
    profiles = load_mini().profiles
    scenarios = [
        Scenario(profile=one, resistance=one.resistance, seed=place // len(profiles))
        for place in range(sessions)
        for one in [profiles[place % len(profiles)]]
    ]
    replies = [asyncio.run(_replies(scenario)) for scenario in scenarios]
    # A mark in every turn makes each text new to every cache.
    new = [[f"{words} Yes, {place}." for words in said] for place, said in enumerate(replies)]
    rates = {}
    for name in ("new_words", "known_words"):
        begun = time.process_time()
        turns = asyncio.run(_held(scenarios, new))
        rates[name] = turns / (time.process_time() - begun)
    return rates


def main() -> None:
    """Runs the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=150, help="sessions of up to 12 client turns")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    rates = turns_per_second(given.sessions)
    if given.json:
        print(json.dumps({f"client_turns_per_second_{name}": round(rate) for name, rate in rates.items()}))
    else:
        print(
            ", ".join(
                f"{rate:,.0f} client turns/s ({name.replace('_', ' ')})" for name, rate in rates.items()
            )
        )


if __name__ == "__main__":
    main()
