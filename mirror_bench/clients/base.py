"""What every client is: the simulated, resisting client of one scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import BaseModel

from mirror_bench.data.screenplays.records import (
    Screenplay,
)
from mirror_bench.engines.base import Engine, Sampling
from mirror_bench.parts import StandsOn
from mirror_bench.protocol import ClientSettings
from mirror_bench.schema import (
    ContextFit,
    Ending,
    Expression,
    Scenario,
)


@dataclass(frozen=True)
class ClientTurn:
    """The client's turn: words, facial expression, latent state, and whether the session ends with it.

    Attributes:
        words: What is said, without stage directions; may be empty for a silent turn.
        direction: The stage direction, for the record only.
        expression: What the client's face shows.
        state: Latent state after the turn, name -> value; empty where there is none.
        marks: What moved the state.
        ends: Set when the session is over with this turn.
        reason: In plain words, why it is over.
        tokens: Generated tokens, where an engine spoke.
        raw: What the model answered, thoughts and directions included, where it differs from `words`.
        removed: What was taken out of `raw`, by kind.
        finish: Why the model ended its answer, as in `schema.Turn`.
        fit: What a model read of the session, where all was too much for it.
    """

    words: str
    direction: str = ""
    expression: Expression = field(default_factory=Expression)
    state: Mapping[str, float] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    ends: Ending | None = None
    reason: str = ""
    tokens: int = 0
    raw: str = ""
    removed: tuple[str, ...] = ()
    finish: str = ""
    fit: ContextFit | None = None


class Client(Protocol):
    """Plays the client in one session: opens it, and answers each of the therapist's turns."""

    async def open(self) -> ClientTurn:
        """The session's first turn."""
        ...

    async def reply(self, heard: str) -> ClientTurn:
        """Answers the therapist's words."""
        ...


@dataclass(frozen=True)
class ClientNeeds:
    """What a run hands to a kind of client when it opens one: an engine, screenplays and options.

    Attributes:
        engine: The engine that a protocol's client model names, if it names one.
        screenplays: Profile -> its first screenplay.
        options: The client's own options, where its class `Options` reads any.
    """

    max_turns: int
    engine: Engine | None = None
    sampling: Sampling = field(default_factory=Sampling)
    screenplays: Mapping[str, Screenplay] = field(default_factory=dict)
    options: BaseModel | None = None


class ClientKind(Protocol):
    """What the registry of clients holds: a class that casts a client for each scenario.

    A client with options of its own has a class attribute `Options`, a pydantic class: they stand in a
    protocol under `client.options`.

    Its methods are asked of the class itself, so that both are class methods (`@classmethod`).
    """

    version: str
    """Raised with every change that can move a score; part of the fingerprint."""

    def stands_on(self, settings: ClientSettings) -> StandsOn:
        """Returns what decides what this client does under these settings: content, code and models."""
        ...

    def cast(self, scenario: Scenario, needs: ClientNeeds) -> Client:
        """Returns the client of one session.

        Raises:
            InputError: If `needs` lacks what this kind needs.
        """
        ...
