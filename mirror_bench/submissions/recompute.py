"""What a submission's records come to: summary and coverage. `pack` writes them, `verify` makes them anew."""

from __future__ import annotations

from collections.abc import Sequence

from mirror_bench.analysis.metrics import score_rating
from mirror_bench.analysis.session_outcomes import gather
from mirror_bench.analysis.summary import Summary, summarize_outcomes
from mirror_bench.data.base import DataSet
from mirror_bench.schema import Ending, Rating, Scenario, Session
from mirror_bench.sessions.counterfactual_turns import Probe
from mirror_bench.sessions.engine_pool import rater_names
from mirror_bench.sessions.run_data import due_scenarios
from mirror_bench.sessions.run_header import RunHeader
from mirror_bench.submissions.manifest import SubmissionCoverage


def scenarios_due(header: RunHeader, data: DataSet) -> list[Scenario]:
    """Returns every scenario of a run, in the order in which a submission holds its sessions.

    Raises:
        InputError: If the header's selection is none.
    """
    chosen = header.selection
    return due_scenarios(header.protocol, data, chosen.conditions, chosen.limit)


def summary_of(
    header: RunHeader,
    sessions: Sequence[Session],
    ratings: Sequence[Rating],
    probes: Sequence[Probe],
    due: Sequence[Scenario],
) -> Summary:
    """Returns the summary of a submission, over the protocol's own raters.

    Raises:
        InputError: If there are more sessions than due, or a rating names an unknown instrument.
    """
    raters = rater_names(header.protocol.raters)
    return summarize_outcomes(
        gather(sessions, ratings, score_rating, raters),
        due,
        protocol=header.protocol.name,
        fingerprint=header.fingerprint,
        probes=probes,
        ratings_owed=[(rater, form) for rater in raters for form in header.protocol.all_instruments],
    ).model_copy(update={"imported": header.imported is not None})


def coverage_of(
    header: RunHeader,
    data: DataSet,
    sessions: Sequence[Session],
    ratings: Sequence[Rating],
    due: Sequence[Scenario],
) -> SubmissionCoverage:
    """Returns how many of the sessions and ratings due a run holds."""
    published = due if header.imported else due_scenarios(header.protocol, data, ["matched"], None)
    failed = sum(session.ended is Ending.FAILED for session in sessions)
    names, instruments = set(rater_names(header.protocol.raters)), set(header.protocol.all_instruments)
    own = [rating for rating in ratings if rating.rater in names and rating.instrument in instruments]
    return SubmissionCoverage(
        profiles=len({scenario.profile.id for scenario in due if not scenario.only_safety}),
        profiles_published=len({scenario.profile.id for scenario in published}),
        due=len(due),
        failed=failed,
        ratings_due=(len(due) - failed) * len(names) * len(instruments),
        items_missing=sum(item.score is None for rating in own for item in rating.items.values()),
    )
