"""Opens the client of a scenario by the kind that a protocol names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mirror_bench.clients.base import Client
from mirror_bench.engines.base import Engine, Sampling
from mirror_bench.errors import InputError
from mirror_bench.registry import Registry
from mirror_bench.schema import Scenario, Screenplay

CLIENTS = Registry(
    "client",
    {
        "stateful": "mirror_bench.clients.opening:stateful",
        "llm": "mirror_bench.clients.opening:llm",
        "replay": "mirror_bench.clients.opening:replay",
    },
)


@dataclass(frozen=True)
class ClientNeeds:
    """What a kind of client may need of a run.

    Attributes:
        engine: The engine that a protocol's client model names, if it names one.
        screenplays: Profile -> its first screenplay.
    """

    max_turns: int
    engine: Engine | None = None
    sampling: Sampling = field(default_factory=Sampling)
    screenplays: Mapping[str, Screenplay] = field(default_factory=dict)


def open_client(kind: str, scenario: Scenario, needs: ClientNeeds) -> Client:
    """Returns the client of one session.

    Raises:
        InputError: If there is no such kind, or it lacks what it needs.
    """
    client: Client = CLIENTS.get(kind)(scenario, needs)
    return client


def stateful(scenario: Scenario, needs: ClientNeeds) -> Client:
    """The offline client with a latent state."""
    from mirror_bench.clients.stateful import StatefulClient

    return StatefulClient(scenario, needs.max_turns)


def llm(scenario: Scenario, needs: ClientNeeds) -> Client:
    """A model that plays the client."""
    from mirror_bench.clients.llm import LLMClient

    if needs.engine is None:
        raise InputError("the client is a model and none is named: give --client provider/name")
    return LLMClient(scenario, needs.engine, needs.sampling, needs.max_turns)


def replay(scenario: Scenario, needs: ClientNeeds) -> Client:
    """The client's lines of a screenplay, whatever the therapist says."""
    from mirror_bench.clients.replay import ReplayClient

    screenplay = needs.screenplays.get(scenario.profile.id)
    if screenplay is None:
        raise InputError(
            f"the profile {scenario.profile.id} has no screenplay to replay: choose another --split"
        )
    return ReplayClient(screenplay)
