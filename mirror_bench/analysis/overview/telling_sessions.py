"""The few sessions that tell most of a run, each with the reason why a person should read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from mirror_bench.analysis.attunement import ATTUNEMENT
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.overview.face_verdict import FACE_NAMES
from mirror_bench.analysis.safety import SafetyFailure
from mirror_bench.analysis.session_outcomes import SessionOutcome
from mirror_bench.analysis.summary import Summary
from mirror_bench.raters.names import single
from mirror_bench.schema import Ending, FaceCondition, SessionKey

_LONGEST = 160
_MOST_COUNTED = 8
"""Findings of one session that count towards how bad it is: fewer than the step between two statuses."""
_SEVERITY = ("confirmed", "found", "to be read", "rejected")


class TellingSession(NamedTuple):
    """A session that a person should read, and why.

    Attributes:
        key: Which one.
        why: Why it was chosen, in a few words.
        told: What was found there.
        turn: The turn that shows it, from 1; None where no single one does.
    """

    key: SessionKey
    why: str
    told: str
    turn: int | None = None


class _Scored(NamedTuple):
    """A session and how far it goes in one respect; the furthest is chosen, of equals the first by name."""

    far: float
    session: TellingSession


def telling_sessions(summary: Summary, outcomes: Sequence[SessionOutcome]) -> tuple[TellingSession, ...]:
    """Returns up to four sessions, none twice, whatever the order of records.

    They are the one that holds the worst safety finding, the one that its own face lifted most over the same
    scenario without it, the one with the worst attunement and the one on which raters disagree most.

    Args:
        summary: Of the runs.
        outcomes: Their sessions.
    """
    totals = [metric for metric in summary.metrics if metric.kind == "total"]
    held = [outcome for outcome in outcomes if outcome.ended is not Ending.FAILED]
    telling: list[TellingSession] = []
    searches: tuple[Callable[[], Iterator[_Scored]], ...] = (
        lambda: _findings(summary),
        lambda: _lifted(summary, held, totals),
        lambda: _misread(held),
        lambda: _disputed(held, totals),
    )
    for search in searches:
        taken = {session.key for session in telling}
        left = [candidate for candidate in search() if candidate.session.key not in taken]
        if left:
            telling.append(min(left, key=lambda candidate: (-candidate.far, candidate.session.key)).session)
    return tuple(telling)


def _findings(summary: Summary) -> Iterator[_Scored]:
    for safety in summary.safety:
        deciding = Counter(failure.scenario_id for failure in safety.failures if failure.decides)
        for failure in safety.failures:
            if failure.status == "rejected":
                continue
            key = SessionKey(safety.therapist, safety.method, failure.scenario_id)
            told = f"{failure.what}, {failure.status}{_quoted(failure)}"
            # A sentence may be misheard: a session in which much is found is worse than one with one finding.
            far = _severity(failure) + min(_MOST_COUNTED, deciding[failure.scenario_id])
            far += 0.001 * min(400, safety.missed + safety.harmed)
            yield _Scored(far, TellingSession(key, "worst safety finding", told, failure.turn))


def _severity(failure: SafetyFailure) -> float:
    """Returns higher for what decides, for what a person confirmed, and for what is shown by a turn."""
    status = len(_SEVERITY) - _SEVERITY.index(failure.status)
    return 100.0 * failure.decides + 10 * status - failure.score + 0.5 * (failure.turn is not None)


def _quoted(failure: SafetyFailure) -> str:
    if failure.words:
        return f" (“{failure.words[:_LONGEST]}”)"
    return f" ({failure.reason[:_LONGEST]})" if failure.reason else ""


def _lifted(summary: Summary, held: Iterable[SessionOutcome], totals: Sequence[Metric]) -> Iterator[_Scored]:
    if not totals:
        return
    total = totals[0]
    by_key = {(outcome.key, outcome.pair): outcome for outcome in held}
    verdicts = {(verdict.therapist, verdict.method): verdict for verdict in summary.face_verdicts}
    for (key, pair), own in by_key.items():
        verdict, here = verdicts.get(key[:2]), own.value(total.name)
        if verdict is None or here is None or key.condition is not FaceCondition.MATCHED:
            continue
        others = {
            condition: by_key.get((key._replace(condition=condition), pair)) for condition in verdict.against
        }
        known = {
            condition: value
            for condition, other in others.items()
            if other and (value := other.value(total.name)) is not None
        }
        gain = here - max(known.values(), default=here)
        if gain > 0:
            rest = ", ".join(
                f"{value:.1f} with {FACE_NAMES[condition]}" for condition, value in known.items()
            )
            told = f"{total.title} {here:.1f} with the own face; the same scenario: {rest}"
            # What a face does for one who is not helped on the whole is chance: it comes last.
            far = gain + 1000 * (verdict.verdict == "helped")
            yield _Scored(far, TellingSession(own.session_key, "largest gain by the face", told))


def _misread(held: Iterable[SessionOutcome]) -> Iterator[_Scored]:
    for outcome in held:
        value = outcome.value(ATTUNEMENT)
        if value is None or outcome.key.condition is not FaceCondition.MATCHED:
            continue
        counts = outcome.attuned
        passed = counts.moments - counts.right - counts.vague - counts.wrong
        if counts.wrong + counts.misread + passed == 0:
            continue
        told = (
            f"attunement {value:.2f}: of {counts.moments} turns in which face and words disagree "
            f"{counts.wrong} read wrongly and {passed} passed over"
        )
        told += f"; {counts.misread} wrong remarks on the face elsewhere" if counts.misread else ""
        yield _Scored(
            -value + 0.01 * counts.moments, TellingSession(outcome.session_key, "worst attunement", told)
        )


def _disputed(held: Iterable[SessionOutcome], totals: Sequence[Metric]) -> Iterator[_Scored]:
    for outcome in held:
        for total in totals:
            given = {
                rater: value
                for (rater, instrument), scores in outcome.by_rater.items()
                if instrument == total.instrument and (value := scores.get(total.name)) is not None
            }
            given = {rater: given[rater] for rater in single(given)}
            if len(given) < 2 or total.low is None or total.high is None:
                continue
            least = min(given, key=lambda name: (given[name], name))
            most = max(given, key=lambda name: (given[name], name))
            apart = (given[most] - given[least]) / (total.high - total.low)
            if apart > 0:
                told = f"{total.title}: {most} gives {given[most]:.1f}, {least} {given[least]:.1f}"
                session = TellingSession(outcome.session_key, "largest disagreement of raters", told)
                yield _Scored(apart, session)
