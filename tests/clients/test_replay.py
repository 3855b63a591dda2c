"""The client of a written session."""

import asyncio

import pytest

from mirror_bench.clients.base import ClientTurn
from mirror_bench.clients.replay import ReplayClient
from mirror_bench.data.screenplays.records import (
    Line,
    Screenplay,
)
from mirror_bench.errors import InputError
from mirror_bench.schema import (
    Ending,
    Speaker,
)


def _screenplay(*lines: Line) -> Screenplay:
    return Screenplay(id="s", profile_id="p", lines=lines)


async def _replayed(screenplay: Screenplay, replies: int) -> list[ClientTurn]:
    client = ReplayClient(screenplay)
    return [await client.open(), *[await client.reply("whatever") for _ in range(replies)]]


def test_the_clients_lines_come_in_order_and_end() -> None:
    said = asyncio.run(
        _replayed(
            _screenplay(
                Line(speaker=Speaker.THERAPIST, words="Welcome."),
                Line(speaker=Speaker.CLIENT, directions=("Looks away", "Arms crossed"), words="Hello."),
                Line(speaker=Speaker.THERAPIST, words="How are you?"),
                Line(speaker=Speaker.CLIENT, directions=("Sad look",)),
            ),
            1,
        )
    )
    assert [turn.words for turn in said] == ["Hello.", ""]
    assert said[0].direction == "Looks away. Arms crossed"
    assert said[0].expression.posture["arms_crossed"] > 0
    assert said[1].expression.label == "sadness"
    assert [turn.ends for turn in said] == [None, Ending.SCRIPT_END]


def test_a_screenplay_without_a_client_is_refused() -> None:
    with pytest.raises(InputError, match="no client line"):
        ReplayClient(_screenplay(Line(speaker=Speaker.THERAPIST, words="Hello?")))
