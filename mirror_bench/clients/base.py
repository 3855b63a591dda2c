"""What every client is: the simulated, resisting client of one scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mirror_bench.schema import Ending, Expression


@dataclass(frozen=True)
class ClientTurn:
    """A client's turn.

    Attributes:
        words: What is said, without stage directions; may be empty for a silent turn.
        direction: The stage direction, for the record only.
        expression: What the client's face shows.
        state: Latent state after the turn, name -> value; empty where there is none.
        marks: What moved the state.
        ends: Set when the session is over with this turn.
        reason: In plain words, why it is over.
        tokens: Generated tokens, where an engine spoke.
    """

    words: str
    direction: str = ""
    expression: Expression = field(default_factory=Expression)
    state: Mapping[str, float] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    ends: Ending | None = None
    reason: str = ""
    tokens: int = 0


class Client(Protocol):
    """The client of one session."""

    async def open(self) -> ClientTurn:
        """The session's first turn."""
        ...

    async def reply(self, heard: str) -> ClientTurn:
        """Answers the therapist's words."""
        ...
