"""Has the sessions of several runs compared two at a time, scenario by scenario."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from mirror_bench.engines.prices import SpendingLimit
from mirror_bench.errors import EngineDeadError, InputError
from mirror_bench.protocol import RaterSettings, form_name
from mirror_bench.raters.instruments import Instrument
from mirror_bench.raters.preferences import CodedComparer, Comparer, LLMComparer, Preference, verdict
from mirror_bench.schema import Ending, FaceCondition, Profile, Session, Speaker
from mirror_bench.sessions.engine_pool import EnginePool
from mirror_bench.sessions.run_data import data_of_run, refuse_unlike
from mirror_bench.sessions.run_folder import instrument_of, read_sessions
from mirror_bench.sessions.run_header import RunHeader, read_header
from mirror_bench.text import count_words
from mirror_bench.waiting import gathered


class Contestant(NamedTuple):
    """The sessions of one run under one face condition, to be compared with another's.

    Attributes:
        folder: The run.
        header: What it is.
        condition: The face condition.
        sessions: Pair -> session, without those that failed or count for safety alone.
    """

    folder: Path
    header: RunHeader
    condition: FaceCondition
    sessions: Mapping[str, Session]

    @property
    def key(self) -> tuple[str, str]:
        """Therapist and method."""
        return self.header.candidate.therapist, self.header.candidate.method


def read_contestants(
    folders: Sequence[Path],
    condition: FaceCondition | None,
    *,
    same_candidate: bool = False,
    least: int = 2,
) -> list[Contestant]:
    """Returns the sessions of the runs that are to be compared, each under one face condition.

    Args:
        folders: At least `least` run folders under one protocol.
        condition: The face condition; each run's own where it has only one, and matched otherwise, if None.
        same_candidate: Whether runs may be of the same candidate, at different times.
        least: How many are needed.

    Raises:
        InputError: If a folder is no run folder, protocols differ, a run lacks the condition, or two runs are
            of the same candidate.
    """
    if len(folders) < least:
        raise InputError("nothing to compare with: name at least two run folders")
    contestants: list[Contestant] = []
    for folder in folders:
        header = read_header(folder)
        known = header.selection.conditions
        chosen = condition or (known[0] if len(known) == 1 else FaceCondition.MATCHED)
        if chosen not in known:
            names = ", ".join(known)
            raise InputError(f"{folder} has no sessions with {chosen} faces: its --condition can be {names}")
        if contestants:
            refuse_unlike((contestants[0].header, header), (str(contestants[0].folder), str(folder)))
        held = (
            session
            for session in read_sessions(folder)
            if session.ended is not Ending.FAILED and not session.only_safety
        )
        sessions = {session.pair: session for session in held if session.condition is chosen}
        contestants.append(Contestant(folder, header, chosen, sessions))
        if (
            not same_candidate
            and [contestant.key for contestant in contestants].count(contestants[-1].key) > 1
        ):
            raise InputError(
                f"{folder}: {' '.join(contestants[-1].key)} is compared already: leave one of them out"
            )
    return contestants


async def prefer(
    contestants: Sequence[Contestant],
    judge: RaterSettings,
    memo: Path,
    *,
    concurrency: int = 32,
    tick: Callable[[], None] = lambda: None,
    pairs: Collection[str] | None = None,
    spending: SpendingLimit | None = None,
) -> list[Preference]:
    """Compares every two contestants on every scenario that both have held.

    Args:
        contestants: As `read_contestants` returns them.
        judge: The coded rater or a model.
        memo: The file that remembers a model's answers, so that a comparison that was stopped goes on.
        concurrency: Comparisons at a time.
        tick: Called after each comparison.
        pairs: Only these scenarios, as `Scenario.pair`; all where None.
        spending: What the judge may cost; None for no limit.

    Raises:
        InputError: If the judge cannot be used, or died; what it answered is remembered.
    """
    protocol = contestants[0].header.protocol
    profiles = {
        profile.id: profile
        for contestant in reversed(contestants)
        for profile in data_of_run(contestant.folder, contestant.header).profiles
    }
    gate = asyncio.Semaphore(concurrency)
    async with EnginePool(memo, spending=spending) as pool:
        forms = [instrument_of(contestants[0].folder, form_name(name)) for name in protocol.instruments]
        comparer = _comparer(judge, forms, pool)
        await pool.start()

        async def judged(first: Contestant, second: Contestant, pair: str) -> Preference:
            async with gate:
                made = await _preference(comparer, first, second, pair, profiles)
                tick()
                return made

        try:
            return await gathered(judged(*due) for due in matched_pairs(contestants, pairs))
        except EngineDeadError as error:
            raise InputError(f"the judge died: {error}: start the same command again to go on") from None


def matched_pairs(
    contestants: Sequence[Contestant], pairs: Collection[str] | None = None
) -> list[tuple[Contestant, Contestant, str]]:
    """Returns every two contestants with each scenario (of `pairs`) that both have held, in a fixed order."""
    return [
        (first, second, pair)
        for first, second in combinations(contestants, 2)
        for pair in sorted(first.sessions.keys() & second.sessions.keys())
        if pairs is None or pair in pairs
    ]


def _comparer(judge: RaterSettings, instruments: Sequence[Instrument], pool: EnginePool) -> Comparer:
    if judge.model:
        return LLMComparer(pool.open(judge.model))
    if judge.kind != "coded":
        raise InputError(f"--judge {judge.kind} cannot compare: name coded or a model (provider/name)")
    return CodedComparer(tuple(instruments))


async def _preference(
    comparer: Comparer, first: Contestant, second: Contestant, pair: str, profiles: Mapping[str, Profile]
) -> Preference:
    ours, other = first.sessions[pair], second.sessions[pair]
    if ours.profile_id not in profiles:
        raise InputError(f"{first.folder}: the data has no profile {ours.profile_id!r} any more: restore it")
    opinions = await comparer.compare(ours, other, profiles[ours.profile_id])
    return Preference(
        pair=pair,
        profile_id=ours.profile_id,
        first=" ".join(filter(None, first.key)),
        second=" ".join(filter(None, second.key)),
        judge=comparer.name,
        better=verdict(opinions),
        opinions=opinions,
        tokens=(therapist_tokens(ours), therapist_tokens(other)),
    )


def therapist_tokens(session: Session) -> int:
    """Returns how many words the therapist says in a session."""
    return sum(count_words(turn.words) for turn in session.turns if turn.speaker is Speaker.THERAPIST)
