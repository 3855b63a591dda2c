"""The simulated, resisting client."""

from mirror_bench.registry import Registry

CLIENTS = Registry(
    "client",
    {
        "stateful": "mirror_bench.clients.stateful.client:StatefulClient",
        "llm": "mirror_bench.clients.llm:LLMClient",
        "recorded": "mirror_bench.clients.recorded:RecordedClient",
        "replay": "mirror_bench.clients.replay:ReplayClient",
        "replay-given": "mirror_bench.clients.replay:GivenReplayClient",
    },
)

REPLAYING = frozenset({"replay", "replay-given"})
"""Clients that say the lines of a screenplay, and so meet only profiles that have one."""
