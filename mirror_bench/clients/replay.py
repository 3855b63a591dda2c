"""The client of a written session: says its lines in their order, whatever it hears."""

from __future__ import annotations

from mirror_bench.clients.base import ClientNeeds, ClientTurn
from mirror_bench.data.screenplays.records import (
    Line,
    Screenplay,
)
from mirror_bench.errors import InputError
from mirror_bench.faces.directions import reader
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.parts import StandsOn
from mirror_bench.protocol import ClientSettings
from mirror_bench.schema import (
    Ending,
    Scenario,
    Speaker,
)


class ReplayClient:
    """Replays the client's lines of a screenplay.

    The last line ends the session (`Ending.SCRIPT_END`).

    Raises:
        InputError: If the screenplay has no client line.
    """

    version = "1"

    def __init__(self, screenplay: Screenplay) -> None:
        self._lines = [line for line in screenplay.lines if line.speaker is Speaker.CLIENT]
        self._spoken = 0
        if not self._lines:
            raise InputError(f"the screenplay {screenplay.id!r} has no client line: nothing can be replayed")

    @classmethod
    def stands_on(cls, settings: ClientSettings) -> StandsOn:
        """See `ClientKind`; the screenplays are the protocol's data."""
        return StandsOn.of("client.replay", cls.version) | reader.stands_on()

    @classmethod
    def cast(cls, scenario: Scenario, needs: ClientNeeds) -> ReplayClient:
        """See `ClientKind`."""
        if scenario.profile.id not in needs.screenplays:
            raise InputError(
                f"the profile {scenario.profile.id} has no screenplay to replay: choose another --split"
            )
        return cls(needs.screenplays[scenario.profile.id])

    async def open(self) -> ClientTurn:
        """The client's first line."""
        return self._next()

    async def reply(self, heard: str) -> ClientTurn:
        """The client's next line; after the last, silence."""
        return self._next()

    def _next(self) -> ClientTurn:
        line = self._lines[self._spoken] if self._spoken < len(self._lines) else Line(speaker=Speaker.CLIENT)
        self._spoken += 1
        direction = ". ".join(line.directions)
        over = self._spoken >= len(self._lines)
        return ClientTurn(
            words=line.words,
            direction=direction,
            expression=read_direction(direction).expression,
            ends=Ending.SCRIPT_END if over else None,
            reason="the screenplay is over" if over else "",
        )
