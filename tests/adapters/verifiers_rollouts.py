"""Rolls the training environment out through verifiers against a chat server; for a Python that has it.

Usage: python verifiers_rollouts.py ADDRESS. Prints what came back as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys

import verifiers as vf
from verifiers.clients import resolve_client
from verifiers.types import ClientConfig


async def main(address: str) -> None:
    environment = vf.load_environment("mirror-bench", limit=4, max_client_turns=5, per_turn=True)
    client = resolve_client(ClientConfig(client_type="openai_chat_completions", api_base_url=address))
    made = await environment.evaluate(
        client,
        "m",
        rollouts_per_example=2,
        state_columns=["turn_rewards", "reward_parts", "session", "trajectory"],
    )
    print(json.dumps([dict(one) for one in made["outputs"]], default=lambda one: one.model_dump()))
    try:
        vf.load_environment("mirror-bench", split="dev")
    except Exception as error:
        print(json.dumps(str(error)))


asyncio.run(main(sys.argv[1]))
