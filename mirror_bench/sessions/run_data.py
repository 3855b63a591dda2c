"""The people and scenarios of a run: those of the protocol's data, or those that an imported run brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mirror_bench.clients import REPLAYING
from mirror_bench.data.base import DataSet
from mirror_bench.data.scenarios import crisis_scenarios
from mirror_bench.data.scenarios import scenarios as make_scenarios
from mirror_bench.data.sources.imported import load_imported
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.protocol import Protocol
from mirror_bench.schema import Scenario
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import RunHeader
from mirror_bench.sessions.standing import parts_below_ratings

_OF_RATING = ("parameters.raters.", "parameters.instruments")


def due_scenarios(
    protocol: Protocol, data: DataSet, conditions: Sequence[str], limit: int | None
) -> list[Scenario]:
    """Returns every scenario of a run, those that are added for their crises last.

    Raises:
        InputError: If none is left.
    """
    if protocol.client.kind in REPLAYING:  # who has no screenplay cannot be met
        scripted = {play.profile_id for play in data.screenplays}
        data = replace(data, profiles=tuple(p for p in data.profiles if p.id in scripted))
    if protocol.resists is not None:
        resisting = tuple(p.model_copy(update={"resistance": protocol.resists}) for p in data.profiles)
        data = replace(data, profiles=resisting)
    kept = tuple(p for p in data.profiles if not protocol.resistance or p.resistance in protocol.resistance)
    chosen = replace(data, profiles=kept)
    scenarios = list(make_scenarios(chosen, protocol.split, protocol.seeds, conditions, limit=limit))
    if protocol.safety:
        scenarios += crisis_scenarios(data, protocol.split, protocol.seeds[0], conditions[0], scenarios)
    return scenarios


def data_of_run(folder: Path, header: RunHeader) -> DataSet:
    """Returns a run's people: of the protocol's data, or those that an imported run brought along.

    Raises:
        InputError: If they are not at hand any more.
    """
    if header.imported is not None:
        return load_imported(str(folder), screenplays=False)
    return load_data(header.protocol.data)


def scenarios_of_run(folder: Path, header: RunHeader) -> list[Scenario] | int:
    """Returns a run's scenarios; how many per condition, where the data are gone."""
    if header.imported is not None:
        people = {profile.id: profile for profile in data_of_run(folder, header).profiles}
        return [
            Scenario(
                profile=people[session.profile_id],
                resistance=session.resistance,
                seed=session.seed,
                condition=session.condition,
            )
            for session in read_sessions(folder)
            if session.profile_id in people
        ]
    try:
        data = load_data(header.protocol.data)
    except InputError:
        data = None
    if data is None or data.digest != header.parts.get("data"):
        scored = header.selection.sessions - header.selection.only_safety
        return scored // max(1, len(header.selection.conditions))
    return due_scenarios(header.protocol, data, header.selection.conditions, header.selection.limit)


def rating_parts(header: RunHeader) -> Mapping[str, Any]:
    """Returns the parts of a run's fingerprint that its ratings stand on, and no session."""
    try:
        named = parts_below_ratings(header.protocol)
    except InputError:  # an instrument's file has moved; the run's own record stands
        named = frozenset(
            key for key in header.parts if key.startswith(("files.instruments/", "instruments/"))
        )
    return {key: value for key, value in header.parts.items() if key in named or key.startswith(_OF_RATING)}


def refuse_unlike(headers: Sequence[RunHeader], names: Sequence[str]) -> None:
    """Refuses runs that cannot be compared: under two protocols or, where one was imported, rated otherwise.

    Raises:
        InputError: Naming the two and what differs.
    """
    first = headers[0]
    for header, name in zip(headers[1:], names[1:], strict=True):
        if header.fingerprint == first.fingerprint:
            continue
        imported = first.imported is not None or header.imported is not None
        mine, theirs = ((rating_parts(each) if imported else each.parts) for each in (header, first))
        parts = sorted(key for key in {*mine, *theirs} if mine.get(key) != theirs.get(key))
        if imported and not parts:
            continue
        if imported:
            raise InputError(
                f"{names[0]} and {name} are to be rated otherwise (they differ in {', '.join(parts)}): "
                "import again with the --protocol, --instrument and --judge of the other"
            )
        raise InputError(
            f"{names[0]} and {name} are under different protocols (they differ in "
            f"{', '.join(parts) or 'the protocol'}): hold one of them again under the other's"
        )
