"""The client of a written session."""

import asyncio

import pytest

from mirror_bench.clients.base import ClientTurn
from mirror_bench.clients.replay import ReplayClient
from mirror_bench.data.screenplays.records import (
    Line,
    Screenplay,
)
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.protocol import load_protocol
from mirror_bench.schema import (
    Ending,
    Speaker,
)
from mirror_bench.sessions.run_data import due_scenarios


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


@pytest.mark.parametrize("name", ["replay-real", "offline"])
def test_who_has_no_screenplay_is_met_by_other_clients_alone(name: str) -> None:
    data, protocol = load_data("mini"), load_protocol(name)
    written = {play.profile_id for play in data.screenplays}
    met = {one.profile.id for one in due_scenarios(protocol, data, ["matched"], None)}
    all_of_split = {one.id for one in data.profiles if one.split == protocol.split}
    assert all_of_split - written  # MIRROR-Mini has profiles without one
    assert met & all_of_split == (all_of_split & written if name == "replay-real" else all_of_split)
