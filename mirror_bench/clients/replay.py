"""The client of a written or recorded session: says its lines in their order, whatever it hears."""

from __future__ import annotations

from itertools import groupby

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


class GivenReplayClient(ReplayClient):
    """Replays a session turn by turn under its own history: each point is asked for by itself.

    What the therapist answers is kept for the record alone; before the next turn it is reminded of what the
    written or recorded therapist said (`therapists.reminded`). Lines of one speaker in a row are one turn. A
    silent turn without a face ends the session, so that the client's last words are answered too.
    """

    version = "1"

    def __init__(self, screenplay: Screenplay) -> None:
        super().__init__(screenplay)
        self._lines = [
            *(turn for turn in _turns(screenplay) if turn.speaker is Speaker.CLIENT),
            Line(speaker=Speaker.CLIENT),
        ]

    @classmethod
    def stands_on(cls, settings: ClientSettings) -> StandsOn:
        """See `ClientKind`; the screenplays are the protocol's data."""
        return StandsOn.of("client.replay-given", cls.version) | reader.stands_on()

    @classmethod
    def cast(cls, scenario: Scenario, needs: ClientNeeds) -> GivenReplayClient:
        """See `ClientKind`."""
        ReplayClient.cast(scenario, needs)  # refuses what cannot be replayed
        return cls(needs.screenplays[scenario.profile.id])

    @classmethod
    def given_replies(cls, scenario: Scenario, needs: ClientNeeds) -> tuple[str, ...]:
        """Returns what the session's own therapist said after each client turn; "" where nothing."""
        turns = _turns(needs.screenplays[scenario.profile.id])
        following = [*turns[1:], Line(speaker=Speaker.CLIENT)]
        return tuple(
            after.words if after.speaker is Speaker.THERAPIST else ""
            for turn, after in zip(turns, following, strict=True)
            if turn.speaker is Speaker.CLIENT
        )


def _turns(screenplay: Screenplay) -> list[Line]:
    """Returns the lines with those of one speaker in a row made one."""
    turns = []
    for speaker, lines in groupby(screenplay.lines, key=lambda line: line.speaker):
        some = list(lines)
        directions = tuple(direction for line in some for direction in line.directions)
        words = " ".join(line.words for line in some if line.words)
        turns.append(Line(speaker=speaker, directions=directions, words=words))
    return turns
