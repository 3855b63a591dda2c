"""Evaluates one candidate under one protocol into one run folder: sessions first, then ratings."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mirror_bench.data.base import DataSet
from mirror_bench.data.sources.registry import load_data
from mirror_bench.engines.base import Engine
from mirror_bench.engines.prices import SpendingLimit
from mirror_bench.errors import InputError
from mirror_bench.faces.factory import open_faces
from mirror_bench.faces.presenter import ShownFaces
from mirror_bench.processors import cores
from mirror_bench.protocol import Protocol
from mirror_bench.raters.instruments import own_file
from mirror_bench.schema import Ending, FaceCondition, Scenario, Session, Turn
from mirror_bench.sessions.batch import run_sessions
from mirror_bench.sessions.build import SessionFactory
from mirror_bench.sessions.candidate import Candidate
from mirror_bench.sessions.counterfactual_turns import probes_due, run_probes
from mirror_bench.sessions.engine_pool import EnginePool, open_raters
from mirror_bench.sessions.fits import count_fits, fit_lines
from mirror_bench.sessions.progress import Tally, safety_line, say, shown
from mirror_bench.sessions.rating import load_forms, rate
from mirror_bench.sessions.run_data import due_scenarios
from mirror_bench.sessions.run_folder import RunFolder, read_probes, write_probes
from mirror_bench.sessions.run_header import RunHeader, RunSelection, current_environment
from mirror_bench.sessions.session import FacePresenter, session_record
from mirror_bench.sessions.standing import protocol_fingerprint
from mirror_bench.sessions.watching import OpenSessions


@dataclass(frozen=True)
class Evaluation:
    """The settings of a run: protocol, candidate, scenarios, concurrency and folder.

    Attributes:
        conditions: Face conditions; each scenario is held under each.
        limit: At most this many profiles, a stratified subset; None for all.
        concurrency: Sessions at a time.
        retry_failed: Whether sessions recorded as failed are held again, and unusable ratings asked again.
        probe_turns: Turns of each session that are asked for again under every other face condition.
        spending: What the run may cost in all; None for no limit.
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
    spending: SpendingLimit | None = None

    def data(self) -> DataSet:
        """Loads the protocol's data."""
        return load_data(self.protocol.data)

    def header(self, data: DataSet, due: int, only_safety: int = 0) -> RunHeader:
        """Returns what `run.json` holds; `due` sessions are due, so many of them for safety alone."""
        mark = protocol_fingerprint(self.protocol, data)
        return RunHeader(
            protocol=self.protocol,
            fingerprint=mark.value,
            parts=mark.parts,
            candidate=self.candidate.recorded(self.protocol.therapist),
            selection=RunSelection(
                conditions=self.conditions, limit=self.limit, sessions=due, only_safety=only_safety
            ),
            environment=current_environment(),
        )


@dataclass(frozen=True)
class EvaluationOutcome:
    """How many of the sessions due an evaluation held, and the time and tokens they took.

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


async def evaluate(evaluation: Evaluation, engine: Engine | None = None) -> EvaluationOutcome:
    """Holds and rates every session that is still due.

    Args:
        evaluation: What to evaluate.
        engine: Answers for the candidate, already started and closed by the caller; opened here where None.

    Raises:
        InputError: If anything given cannot be used, or an engine died; what was kept stays.
    """
    data = evaluation.data()
    due = due_scenarios(evaluation.protocol, data, evaluation.conditions, evaluation.limit)
    instruments = load_forms(evaluation.protocol.instruments_due, evaluation.protocol.raters)
    header = evaluation.header(data, len(due), sum(scenario.only_safety for scenario in due))
    with RunFolder(evaluation.out, header) as folder:
        async with EnginePool(evaluation.out / "calls.sqlite", spending=evaluation.spending) as pool:
            try:
                cast = SessionFactory(evaluation.protocol, evaluation.candidate, data, pool, engine)
                raters = open_raters(evaluation.protocol.raters, pool)
                await pool.start()
                cast.check(due[0])
                for path in filter(None, map(own_file, evaluation.protocol.instruments)):
                    folder.keep_instrument(path)
            except InputError:
                folder.discard_if_new()
                raise
            if evaluation.retry_failed:
                folder.drop_failed()
            if not evaluation.quiet and evaluation.protocol.safety:
                say(safety_line(due))
            looked_at = OpenSessions(evaluation.out, cast.names)
            try:
                async with looked_at.shown():
                    tally = await _hold(evaluation, folder, cast, due, looked_at)
                    _tell_fits(folder, quiet=evaluation.quiet)
                    await _probe(evaluation, folder, cast, due)
                    profiles = {scenario.profile.id: scenario.profile for scenario in due}
                    await rate(
                        folder,
                        raters,
                        instruments,
                        profiles,
                        concurrency=evaluation.concurrency,
                        quiet=evaluation.quiet,
                        retry=evaluation.retry_failed,
                    )
            finally:
                folder.keep_adapted(pool.adapted)
    return EvaluationOutcome(len(due), tally.done, tally.failed, tally.seconds, tally.turns, tally.tokens)


async def _hold(
    evaluation: Evaluation,
    folder: RunFolder,
    cast: SessionFactory,
    due: Sequence[Scenario],
    looked_at: OpenSessions,
) -> Tally:
    held = {session.scenario_id for session in folder.sessions()}
    left = [scenario for scenario in due if scenario.id not in held]
    client = evaluation.protocol.client
    # The therapist's turns beside the client's; a screenplay ends where it ends.
    longest = 0 if client.kind == "replay" else 2 * evaluation.protocol.max_client_turns
    tally = Tally("sessions", len(due), len(due) - len(left), len(due) - len(left), longest=longest)
    source = open_faces(**evaluation.protocol.faces.model_dump())
    with ThreadPoolExecutor(max(2, cores()), thread_name_prefix="faces") as drawers:
        stage = FacePresenter(ShownFaces(source), drawers, folder.keep_face)

        async def hold(scenario: Scenario) -> Session:
            with looked_at.holding(scenario) as spoken:

                def heard(turn: Turn) -> None:
                    tally.heard(turn)
                    spoken(turn)

                return await cast.hold(scenario, stage, heard)

        async with shown(tally, cast.candidate.name, evaluation.quiet):
            await run_sessions(
                left,
                hold,
                lambda scenario, reason: session_record(scenario, cast.names, Ending.FAILED, reason),
                folder.keep_session,
                tally,
                concurrency=evaluation.concurrency,
                attempts=evaluation.protocol.attempts,
            )
    return tally


def _tell_fits(folder: RunFolder, *, quiet: bool) -> None:
    """Records and says what of the sessions did not fit the models."""
    counted = count_fits(folder.sessions())
    folder.note_fits(counted)
    for line in () if quiet else fit_lines(counted):
        say(line)


async def _probe(
    evaluation: Evaluation, folder: RunFolder, cast: SessionFactory, due: Sequence[Scenario]
) -> None:
    """Asks for single turns again under the run's other face conditions; what was asked before is kept."""
    made = {(p.scenario_id, p.turn, p.shown): p for p in read_probes(folder.folder) if not p.lost}
    scenarios = {scenario.id: scenario for scenario in due if not scenario.only_safety}
    turns = evaluation.probe_turns
    left = list(probes_due(folder.sessions(), scenarios, evaluation.conditions, turns, made))
    if not left:
        return
    found = list(made.values())
    with ThreadPoolExecutor(max(2, cores()), thread_name_prefix="faces") as drawers:
        stage = FacePresenter(ShownFaces(open_faces(**evaluation.protocol.faces.model_dump())), drawers)
        await run_probes(left, cast.open_again, stage, found.append, concurrency=evaluation.concurrency)
    write_probes(folder.folder, sorted(found, key=lambda p: (p.scenario_id, p.turn, p.shown)))
