"""A run's scores with intervals and coverage: what `summary.json` holds and every report reads."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from mirror_bench.analysis.attunement import AttunementShares, measure_attunement
from mirror_bench.analysis.candidate_scores import (
    CandidateScores,
    ExpectedSessions,
    make_entry,
    score_of,
)
from mirror_bench.analysis.fitness import (
    ClientFitness,
    ClientTalk,
    RaterFitness,
    judge_client,
    judge_raters,
)
from mirror_bench.analysis.flows import FlowResult, measure_flows
from mirror_bench.analysis.length import LengthEffect, LengthSlope, measure_length
from mirror_bench.analysis.metrics import FormOf, Metric, describe, score_rating
from mirror_bench.analysis.overview.face_verdict import FaceVerdict, judge_faces
from mirror_bench.analysis.overview.ranking import CandidatePlace, rank_candidates
from mirror_bench.analysis.raters.agreement import Halo, RaterAgreement, measure_agreement, measure_halo
from mirror_bench.analysis.replies import ReplyShares, measure_replies
from mirror_bench.analysis.safety import Judged, Safety, measure_safety
from mirror_bench.analysis.session_outcomes import (
    CandidateKey,
    SessionOutcome,
    SessionOutcomes,
    contrast,
    gather,
)
from mirror_bench.analysis.visual_reliance import Reliance, measure_reliance
from mirror_bench.errors import InputError
from mirror_bench.files import write_atomically
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.raters.licence import JudgeStanding, standings
from mirror_bench.raters.names import is_person
from mirror_bench.schema import Ending, FaceCondition, Rating, Record, Scenario, Score, Session, SessionKey
from mirror_bench.sessions.counterfactual_turns import Probe

CONDITIONS = tuple(FaceCondition)


class VisualGain(Record):
    """What a candidate gains from seeing the client's own face, on the same scenario pairs.

    Attributes:
        against: The face condition that the matched face is compared with.
        difference: Matched minus `against`; `n` counts pairs.
        dz: Cohen's d of the paired differences.
        unpaired: Pairs rated under only one of the two conditions.
    """

    therapist: str
    method: str = ""
    against: FaceCondition
    difference: Score
    dz: float | None = None
    unpaired: int = 0


class Summary(Record):
    """Scores of one or several candidates under one protocol.

    Attributes:
        protocol: The protocol's name.
        fingerprint: The protocol's SHA-256.
        metrics: What was measured, in the order to show.
        entries: One per candidate and face condition.
        gains: Visual gains, for every candidate with matched faces and another condition.
        stray_ratings: Ratings that belong to no held session.
        stale_ratings: Ratings that do not count, since instrument or rater have changed since.
        clients: How models played the client, per candidate; none for the packaged clients.
        raters: How each rater filled in each instrument, per candidate.
        judges: Per rater, its licence, or that it has none.
        agreement: Of raters, per candidate and metric; where two or more rated.
        halo: Of items, per candidate, instrument and rater.
        length: Per entry, what length has to do with every total and item, and totals without it.
        length_slopes: Per total, how length was taken out.
        safety: Per candidate, crises and harm; beside the scores and in none of them.
        reliance: How far each candidate depends on the face; see `analysis.visual_reliance`.
        attunement: Per entry, what became of the turns in which the client's face and words disagree.
        face_verdicts: Per candidate, whether its client's face helped it, swayed it or was ignored.
        places: Where each candidate stands on every total, and its tie groups; empty where runs are compared
            without their sessions.
        replies: How many replies of each candidate were cut or empty, and of the clients, where models.
        flows: Per candidate, flow instrument and rater, its dimensions.
        imported: Whether sessions of it were held elsewhere, so that they share no scenario with others.
    """

    version: Literal[1] = 1
    protocol: str = ""
    fingerprint: str = ""
    metrics: tuple[Metric, ...] = ()
    entries: tuple[CandidateScores, ...] = ()
    gains: tuple[VisualGain, ...] = ()
    stray_ratings: int = 0
    stale_ratings: int = 0
    clients: tuple[ClientFitness, ...] = ()
    raters: tuple[RaterFitness, ...] = ()
    judges: tuple[JudgeStanding, ...] = ()
    agreement: tuple[RaterAgreement, ...] = ()
    halo: tuple[Halo, ...] = ()
    length: tuple[LengthEffect, ...] = ()
    length_slopes: tuple[LengthSlope, ...] = ()
    safety: tuple[Safety, ...] = ()
    reliance: tuple[Reliance, ...] = ()
    attunement: tuple[AttunementShares, ...] = ()
    face_verdicts: tuple[FaceVerdict, ...] = ()
    places: tuple[CandidatePlace, ...] = ()
    replies: tuple[ReplyShares, ...] = ()
    flows: tuple[FlowResult, ...] = ()
    imported: bool = False

    def length_effect(self, key: CandidateKey, metric: str) -> LengthEffect | None:
        """Returns what length has to do with a metric of an entry, or None where it was not measured."""
        return next((effect for effect in self.length if effect.key == key and effect.metric == metric), None)


def summarize(
    sessions: Iterable[Session],
    ratings: Iterable[Rating],
    due: int | Iterable[Scenario],
    *,
    protocol: str = "",
    fingerprint: str = "",
    raters: Collection[str] | None = None,
) -> Summary:
    """Returns the summary of a run.

    Args:
        sessions: Streamed once; failed ones included.
        ratings: Streamed once.
        due: The run's scenarios; or, where they are not at hand, how many sessions are due per candidate
            and face condition.
        protocol: The protocol's name.
        fingerprint: The protocol's fingerprint.
        raters: Only ratings of these raters; all where None.

    Raises:
        InputError: If more sessions are recorded than due, or a rating names an unknown instrument.
    """
    gathered = gather(sessions, ratings, score_rating, raters)
    return summarize_outcomes(gathered, due, protocol=protocol, fingerprint=fingerprint)


def summarize_outcomes(
    gathered: SessionOutcomes,
    due: int | Iterable[Scenario],
    *,
    protocol: str = "",
    fingerprint: str = "",
    probes: Iterable[Probe] = (),
    ratings_owed: Sequence[tuple[str, str]] = (),
    form_of: FormOf = load_instrument,
    judged: Judged | None = None,
) -> Summary:
    """Returns the summary of sessions that were boiled down already; arguments as for `summarize`.

    `probes` are turns that were asked for again with other faces, `ratings_owed` the (rater, instrument)
    that the protocol owes, `form_of` looks instruments up by name, and `judged` is what a person said of
    findings.

    Raises:
        InputError: If more sessions are recorded than due.
    """
    groups: dict[CandidateKey, list[SessionOutcome]] = {}
    for outcome in gathered.outcomes:
        groups.setdefault(outcome.key, []).append(outcome)
    due = due if isinstance(due, int) else tuple(due)
    owed = ExpectedSessions.of(due)
    for therapist, method in dict.fromkeys((key.therapist, key.method) for key in groups):
        for condition in owed.conditions:
            groups.setdefault(CandidateKey(therapist, method, condition), [])
    measured = {name for outcome in gathered.outcomes for name in outcome.measures}
    metrics = describe(gathered.metrics, measured, form_of)
    lengths = measure_length(gathered.outcomes, metrics)
    keys = sorted(groups, key=lambda key: (key.therapist, key.method, CONDITIONS.index(key.condition)))
    entries = tuple(make_entry(key, groups[key], metrics, owed) for key in keys)
    probes = tuple(probes)
    return Summary(
        protocol=protocol,
        fingerprint=fingerprint,
        metrics=metrics,
        entries=entries,
        gains=_gains(groups, keys, metrics),
        stray_ratings=gathered.stray_ratings,
        clients=_clients(gathered),
        raters=_raters(gathered, ratings_owed),
        judges=standings(_judges(gathered)),
        agreement=measure_agreement(gathered.outcomes, metrics),
        halo=measure_halo(gathered.outcomes, metrics),
        length=lengths.effects,
        length_slopes=lengths.slopes,
        safety=measure_safety(gathered.safety, due, judged),
        reliance=measure_reliance(gathered.outcomes, metrics, probes),
        flows=tuple(measure_flows({key: groups[key] for key in keys}, form_of)),
        attunement=tuple(
            measure_attunement(
                key,
                [
                    (outcome.attuned, outcome.profile_id)
                    for outcome in groups[key]
                    if outcome.ended is not Ending.FAILED
                ],
            )
            for key in keys
        ),
        face_verdicts=judge_faces(gathered.outcomes, metrics, probes),
        places=rank_candidates(gathered.outcomes, entries, metrics),
        replies=measure_replies((outcome.key[:2], outcome.replies) for outcome in gathered.outcomes),
    )


def compare_runs(summaries: Sequence[Summary], outcomes: Sequence[SessionOutcome] = ()) -> Summary:
    """Returns one summary with the entries of all, in their order.

    Args:
        summaries: At least one.
        outcomes: The sessions of all runs, to rank candidates and to take length out of totals with one slope
            for all; without them there are no places, and correlations with length alone.

    Raises:
        InputError: If there is none, two hold the same entry, or their protocols' fingerprints differ and
            none was imported.
    """
    if not summaries:
        raise InputError("nothing to compare: give at least one run")
    first = summaries[0]
    seen: set[CandidateKey] = set()
    for summary in summaries:
        if summary.fingerprint != first.fingerprint and not (first.imported or summary.imported):
            raise InputError(
                f"runs under different protocols cannot be compared: {first.protocol} "
                f"({first.fingerprint[:12]}) and {summary.protocol} ({summary.fingerprint[:12]})"
            )
        for entry in summary.entries:
            if entry.key in seen:
                raise InputError(f"two runs hold {' '.join(filter(None, entry.key))}: leave one of them out")
            seen.add(entry.key)
    metrics = {metric.name: metric for summary in summaries for metric in summary.metrics}
    entries = tuple(entry for summary in summaries for entry in summary.entries)
    if outcomes:
        effects, slopes = measure_length(outcomes, tuple(metrics.values()))
    else:
        effects, slopes = tuple(_unadjusted(effect) for summary in summaries for effect in summary.length), ()
    return first.model_copy(
        update={
            "metrics": tuple(metrics.values()),
            "agreement": tuple(row for summary in summaries for row in summary.agreement),
            "halo": tuple(row for summary in summaries for row in summary.halo),
            "length": effects,
            "length_slopes": slopes,
            "entries": entries,
            "gains": tuple(gain for summary in summaries for gain in summary.gains),
            "safety": tuple(row for summary in summaries for row in summary.safety),
            "reliance": tuple(row for summary in summaries for row in summary.reliance),
            "attunement": tuple(row for summary in summaries for row in summary.attunement),
            "face_verdicts": tuple(row for summary in summaries for row in summary.face_verdicts),
            "places": rank_candidates(outcomes, entries, tuple(metrics.values())) if outcomes else (),
            "replies": tuple(row for summary in summaries for row in summary.replies),
            "flows": tuple(row for summary in summaries for row in summary.flows),
            "imported": any(summary.imported for summary in summaries),
            "stray_ratings": sum(summary.stray_ratings for summary in summaries),
            "stale_ratings": sum(summary.stale_ratings for summary in summaries),
            "clients": tuple(row for summary in summaries for row in summary.clients),
            "judges": tuple(
                {judge.rater: judge for summary in summaries for judge in summary.judges}.values()
            ),
            "raters": tuple(row for summary in summaries for row in summary.raters),
        }
    )


def _unadjusted(effect: LengthEffect) -> LengthEffect:
    reason = "the sessions of the other runs are not at hand" if effect.adjusted or effect.reason else ""
    return effect.model_copy(update={"adjusted": None, "reason": reason})


def _clients(gathered: SessionOutcomes) -> tuple[ClientFitness, ...]:
    talks: dict[tuple[str, str, str], list[ClientTalk]] = {}
    for outcome in gathered.outcomes:
        if outcome.client_talk is not None:
            talks.setdefault((outcome.key.therapist, outcome.key.method, outcome.client), []).append(
                outcome.client_talk
            )
    judged = (judge_client(*key, heard) for key, heard in sorted(talks.items()))
    return tuple(client for client in judged if client is not None)


def _judges(gathered: SessionOutcomes) -> list[tuple[str, str]]:
    """Returns (rater, edition) of those who may take an examination, which people do not."""
    met = {(rater, note.edition) for (_, rater, _), note in gathered.notes.items()}
    return sorted(rater for rater in met if not is_person(rater[0]))


def _raters(gathered: SessionOutcomes, owed: Sequence[tuple[str, str]]) -> tuple[RaterFitness, ...]:
    held: dict[tuple[str, str], list[SessionKey]] = {}
    for record in gathered.safety:
        if record.held:
            held.setdefault(record.session_key[:2], []).append(record.session_key)
    judged = (judge_raters(*key, sessions, gathered.notes, owed) for key, sessions in sorted(held.items()))
    return tuple(rater for several in judged for rater in several)


def _gains(
    groups: Mapping[CandidateKey, Sequence[SessionOutcome]],
    keys: Sequence[CandidateKey],
    metrics: Sequence[Metric],
) -> tuple[VisualGain, ...]:
    gains = []
    for key in keys:
        matched = groups.get(key._replace(condition=FaceCondition.MATCHED), ())
        if key.condition is FaceCondition.MATCHED or not matched or not groups[key]:
            continue
        for metric in metrics:
            if metric.kind != "total":
                continue
            contrasted = contrast(matched, groups[key], metric.name)
            pairs = len({outcome.pair for outcome in (*matched, *groups[key])})
            gains.append(
                VisualGain(
                    therapist=key.therapist,
                    method=key.method,
                    against=key.condition,
                    difference=score_of(metric.name, contrasted.interval, pairs),
                    dz=None if contrasted.dz is None else round(contrasted.dz, 6),
                    unpaired=contrasted.unpaired,
                )
            )
    return tuple(gains)


def write_summary(path: Path, summary: Summary) -> None:
    """Writes `summary.json`, whole or not at all; makes its folder where missing."""
    text = json.dumps(summary.model_dump(mode="json"), indent=1, ensure_ascii=False)
    write_atomically(path, f"{text}\n".encode())


def read_summary(path: Path) -> Summary:
    """Returns what `write_summary` wrote.

    Raises:
        InputError: If the file cannot be read or is no summary.
    """
    try:
        return Summary.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}): make it with mirror-bench report"
        ) from None
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InputError(
            f"{path}: is no summary of this version (at {where or 'its start'}): make it anew with "
            "mirror-bench report"
        ) from None
