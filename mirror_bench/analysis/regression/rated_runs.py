"""A run's rated sessions under one face condition, as gates and histories read them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from mirror_bench.analysis.attunement import ATTUNEMENT
from mirror_bench.analysis.metrics import FormOf, score_rating
from mirror_bench.analysis.run_summary import gather_run
from mirror_bench.analysis.session_outcomes import SafetyRecord, SessionOutcome, SessionOutcomes, gather
from mirror_bench.errors import InputError
from mirror_bench.raters.instruments import Instrument
from mirror_bench.sessions.pairwise_runs import Contestant
from mirror_bench.sessions.rating import counted_ratings, standing_of
from mirror_bench.sessions.run_data import data_of_run, scenarios_of_run
from mirror_bench.sessions.run_header import RunHeader


class RatedRun(NamedTuple):
    """The rated sessions that a run holds under one face condition, and the scenarios that it owes.

    Attributes:
        outcomes: Sessions under the face condition, failed ones included, with the scores of the protocol's
            own raters.
        safety: Every session under any condition, as far as safety goes.
        due: Pair -> profile, of the scenarios that the run owes under the condition; what is recorded, where
            the data is not at hand any more.
        due_ids: Ids of every scenario that it owes; None where the data is not at hand any more.
        totals: The totals that its protocol's instruments owe.
        form_of: Name -> instrument, the run's own first.
    """

    outcomes: tuple[SessionOutcome, ...]
    safety: tuple[SafetyRecord, ...]
    due: dict[str, str]
    due_ids: frozenset[str] | None
    totals: tuple[str, ...]
    form_of: FormOf


def rated(side: Contestant) -> SessionOutcomes:
    """Returns the sessions and what was measured, with those ratings of the protocol's raters that count."""
    standing = standing_of(side.folder, side.header)
    ratings = counted_ratings(side.folder, standing)
    scoring = partial(score_rating, form_of=standing.form_of)
    return gather(side.sessions.values(), ratings, scoring, tuple(standing.editions))


def read_rated(side: Contestant) -> RatedRun:
    """Returns all of a run's sessions and what it owes.

    Raises:
        InputError: If a record is damaged.
    """
    gathered = gather_run(side.folder)
    form_of = standing_of(side.folder, side.header).form_of
    totals = tuple(
        f"{name}.total" for name in side.header.protocol.all_instruments if form_of(name).total != "none"
    )
    outcomes = tuple(outcome for outcome in gathered.outcomes if outcome.key.condition is side.condition)
    scenarios = scenarios_of_run(side.folder, side.header)
    if isinstance(scenarios, int):
        recorded = {outcome.pair: outcome.profile_id for outcome in outcomes}
        return RatedRun(outcomes, gathered.safety, recorded, None, totals, form_of)
    owed = (
        scenario
        for scenario in scenarios
        if scenario.condition is side.condition and not scenario.only_safety
    )
    due = {scenario.pair: scenario.profile.id for scenario in owed}
    return RatedRun(
        outcomes, gathered.safety, due, frozenset(scenario.id for scenario in scenarios), totals, form_of
    )


def chosen_metrics(
    outcomes: Sequence[Sequence[SessionOutcome]], named: Sequence[str], due: Collection[str] = ()
) -> list[str]:
    """Returns the metrics that `--metric` names, or every total.

    Args:
        outcomes: Sessions per run.
        named: Such as "wai", for its total, "wai.bond", or "attunement".
        due: Totals that the runs owe, whether or not one of them holds them.

    Raises:
        InputError: If the runs hold no such score, or no total.
    """
    known = sorted({name for side in outcomes for outcome in side for name in outcome.scores})
    if any(ATTUNEMENT in outcome.measures for side in outcomes for outcome in side):
        known.append(ATTUNEMENT)
    wanted = [name if "." in name or name == ATTUNEMENT else f"{name}.total" for name in named]
    for name in wanted:
        if name not in known:
            raise InputError(f"--metric {name}: the runs hold no such score: known are {', '.join(known)}")
    totals = [name for name in known if name.endswith(".total")]
    if not wanted and not totals:
        raise InputError("the runs hold no total to compare: rate them first (mirror-bench rate)")
    return list(dict.fromkeys(wanted or sorted({*totals, *due})))


def form_of_any(runs: Sequence[RatedRun]) -> FormOf:
    """Returns name -> instrument, as the first of the runs that knows it has it."""

    def form_of(name: str) -> Instrument:
        for run in runs[:-1]:
            with contextlib.suppress(InputError):
                return run.form_of(name)
        return runs[-1].form_of(name)

    return form_of


def profiles_in(folder: Path, header: RunHeader) -> int | None:
    """Returns how many profiles a run's data have; None where they are not at hand any more."""
    try:
        data = data_of_run(folder, header)
    except InputError:
        return None
    kinds, own = header.protocol.resistance, data.of_split(header.protocol.split).profiles
    return sum(not kinds or profile.resistance in kinds for profile in own) or None
