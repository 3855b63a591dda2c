"""What each session adds to the scores: read as a stream, so that transcripts never pile up in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from sys import intern
from typing import NamedTuple

from mirror_bench.analysis.attunement import ATTUNEMENT, NO_MOMENTS, MomentCounts, count_moments
from mirror_bench.analysis.fitness import ClientTalk, RatingNote, hear_client, note_rating
from mirror_bench.analysis.raters.means import RaterScores, RatersOwed, mean_scores, raters_owed
from mirror_bench.analysis.replies import ReplyCounts, count_replies
from mirror_bench.protocol import SAFETY
from mirror_bench.schema import (
    Ending,
    FaceCondition,
    ItemRating,
    Rating,
    Resistance,
    Session,
    SessionKey,
    Speaker,
    Turn,
)
from mirror_bench.stats.paired import PairedDifference, paired_difference
from mirror_bench.text import words_of

ALLIANCE = ("goal", "approach", "bond")
LONGEST_REASON = 200

ScoreRating = Callable[[Rating], Mapping[str, float | None]]
"""Turns a rating into metric -> value, None where the rating gives none."""


class CandidateKey(NamedTuple):
    """Therapist, method and face condition: what a group of scores is about."""

    therapist: str
    method: str
    condition: FaceCondition


@dataclass(frozen=True, slots=True)
class SessionOutcome:
    """The numbers of one session that scores are made of: metrics, ending and state traces, no transcript.

    Attributes:
        measures: Session metric -> value ("dropout", "turns", "words_per_turn", "resistance_change",
            "attunement"); empty where the session failed.
        attuned: What the therapist made of the moments in which face and words disagree.
        traces: State -> its value after each client turn, in [0, 1]; only where the client logs one.
        scores: Instrument metric -> mean over its raters, where all of them gave a value.
        raters: Whose scores these are: a panel stands for its judges, and nobody for a retest.
        by_rater: (rater, instrument) -> the metrics of that rating, None where it gives no value; what
            does not apply to the session is not there.
        tokens: Words of the therapist in the whole session, as `text.words_of` counts them.
        client_talk: How a model spoke as the client; None for the packaged clients.
        replies: Speaker -> how its replies ended.
    """

    key: CandidateKey
    session_key: SessionKey
    pair: str
    profile_id: str
    resistance: Resistance
    client: str
    ended: Ending
    reason: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)
    attuned: MomentCounts = NO_MOMENTS
    traces: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    raters: tuple[str, ...] = ()
    by_rater: Mapping[tuple[str, str], Mapping[str, float | None]] = field(default_factory=dict)
    tokens: int = 0
    client_talk: ClientTalk | None = None
    replies: Mapping[Speaker, ReplyCounts] = field(default_factory=dict)

    def owes(self, metric: str) -> bool:
        """Tells whether it could have given a value of a metric: not where it brought no such moment."""
        held = self.ended is not Ending.FAILED
        if metric == ATTUNEMENT:
            return not (held and not self.attuned.moments)
        return not self.spares(metric)

    def value(self, metric: str) -> float | None:
        """Returns the session's value of a metric of either kind, or None."""
        found = self.measures.get(metric)
        return self.scores.get(metric) if found is None else found

    def spares(self, metric: str) -> bool:
        """Whether an instrument was filled in of which this metric does not apply to the session."""
        if metric in self.scores:
            return False
        name = metric.partition(".")[0]
        made = [scored for (_, instrument), scored in self.by_rater.items() if instrument == name]
        return bool(made) and not any(metric in scored for scored in made)


class SafetyRecord(NamedTuple):
    """The part of one session that safety is judged by: its profile and its ratings of safety.

    Attributes:
        held: Whether it did not fail.
        ratings: Of the instrument `safety`, one per rater.
    """

    session_key: SessionKey
    profile_id: str
    held: bool
    ratings: tuple[Rating, ...]


class HeldOutcome(NamedTuple):
    """A session that was boiled down, and whether it counts for safety alone."""

    outcome: SessionOutcome
    only_safety: bool


class RatedOutcome(NamedTuple):
    """What of a rating scores need: its metrics, and the note on its rater; its answers only for safety.

    Attributes:
        counts: Whether it was made with the present instrument and rater.
        scored: Metric -> value; None for safety, which enters no score.
        watched: The rating itself, of safety alone.
    """

    session_key: SessionKey
    rater: str
    instrument: str
    counts: bool
    note: RatingNote
    scored: Mapping[str, float | None] | None = None
    watched: Rating | None = None


class SessionOutcomes(NamedTuple):
    """The outcomes of all sessions of a run, with the metrics met and the notes on its raters.

    Attributes:
        outcomes: One per session, in order of first appearance.
        metrics: Every instrument metric met, values or not, in order of first appearance.
        stray_ratings: Ratings of sessions that were not given, or that failed.
        safety: Every session, also those that count for safety alone.
        notes: (session, rater, instrument) -> what the rating that counts tells of its rater.
        stale_ratings: Ratings that do not count.
    """

    outcomes: tuple[SessionOutcome, ...]
    metrics: tuple[str, ...]
    stray_ratings: int
    safety: tuple[SafetyRecord, ...] = ()
    notes: Mapping[tuple[SessionKey, str, str], RatingNote] = {}
    stale_ratings: int = 0


def gather(
    sessions: Iterable[Session | HeldOutcome],
    ratings: Iterable[Rating | RatedOutcome],
    score_rating: ScoreRating,
    raters: Collection[str] | None = None,
    counts: Callable[[Rating], bool] = lambda rating: True,
) -> SessionOutcomes:
    """Reads sessions and ratings once each and keeps only what scores need.

    A session or rating that stands twice counts once, as it stood last: a run retries what failed. A rating
    that was lost in an outage replaces none that was made. Ratings of safety, and sessions held for it alone,
    enter no score.

    Args:
        sessions: Streamed; a session's turns are dropped as soon as it is boiled down. Some may be already.
        ratings: Streamed. Some may be boiled down already.
        score_rating: The instruments' scoring.
        raters: Only ratings of these raters; all where None.
        counts: Whether a rating counts; those that do not are counted as stale.
    """
    found: dict[SessionKey, SessionOutcome] = {}
    beside: set[SessionKey] = set()
    for session in sessions:
        outcome, only_safety = held_outcome(session) if isinstance(session, Session) else session
        found[outcome.session_key] = outcome
        if only_safety:
            beside.add(outcome.session_key)
    ratable = {o.session_key for o in found.values() if o.ended is not Ending.FAILED}
    given: dict[SessionKey, dict[tuple[str, str], Mapping[str, float | None]]] = {}
    watched: dict[SessionKey, dict[str, Rating]] = {}
    metrics: dict[str, None] = {}
    notes: dict[tuple[SessionKey, str, str], RatingNote] = {}
    stray = stale = 0
    shared: dict[tuple[object, ...], ItemRating] = {}
    for rating in ratings:
        if not (rating.counts if isinstance(rating, RatedOutcome) else counts(rating)):
            stale += 1
            continue
        if raters is not None and rating.rater not in raters:
            continue
        if rating.session_key not in ratable:
            stray += 1
            continue
        note_key = (rating.session_key, rating.rater, rating.instrument)
        rated = rating if isinstance(rating, RatedOutcome) else rated_outcome(rating, score_rating, shared)
        if rated.note.lost and note_key in notes and not notes[note_key].lost:
            continue
        notes[note_key] = rated.note
        if rated.watched is not None:
            watched.setdefault(rated.session_key, {})[rated.rater] = rated.watched
            continue
        if rated.session_key in beside or rated.scored is None:
            continue
        metrics.update(dict.fromkeys(rated.scored))
        given.setdefault(rated.session_key, {})[rated.rater, rated.instrument] = rated.scored
    owed = raters_owed({key: found[key].key[:2] for key in given}, given)
    outcomes = tuple(
        _with_scores(outcome, given.get(key, {}), owed) for key, outcome in found.items() if key not in beside
    )
    safety = tuple(
        SafetyRecord(key, outcome.profile_id, key in ratable, tuple(watched.get(key, {}).values()))
        for key, outcome in found.items()
    )
    return SessionOutcomes(outcomes, tuple(metrics), stray, safety, notes, stale)


def held_outcome(session: Session) -> HeldOutcome:
    """Returns the numbers of a session, with whether it was held for safety alone."""
    return HeldOutcome(session_outcome(session), session.only_safety)


def rated_outcome(
    rating: Rating,
    score_rating: ScoreRating,
    shared: dict[tuple[object, ...], ItemRating],
    counts: bool = True,
) -> RatedOutcome:
    """Returns what of a rating scores need.

    Args:
        rating: Any.
        score_rating: The instruments' scoring.
        shared: Answers that were met, to be kept once; those of this rating are added.
        counts: Whether it was made with the present instrument and rater.
    """
    safety = rating.instrument == SAFETY
    return RatedOutcome(
        rating.session_key,
        intern(rating.rater),
        intern(rating.instrument),
        counts,
        note_rating(rating),
        None if safety else {intern(name): value for name, value in score_rating(rating).items()},
        _lean(rating, shared) if safety else None,
    )


def session_outcome(session: Session) -> SessionOutcome:
    """Returns the numbers of a session that need no rating: its own metrics, ending and state traces."""
    failed = session.ended is Ending.FAILED
    client = [turn for turn in session.turns if turn.speaker is Speaker.CLIENT]
    traces = {} if failed else _traces(client)
    attuned = NO_MOMENTS if failed else count_moments(session)
    return SessionOutcome(
        key=CandidateKey(session.therapist, session.method, session.condition),
        session_key=session.key,
        pair=session.pair,
        profile_id=session.profile_id,
        resistance=session.resistance,
        client=session.client,
        ended=session.ended,
        reason=session.reason[:LONGEST_REASON],
        measures={} if failed else _measures(session, client, traces, attuned),
        attuned=attuned,
        traces=traces,
        tokens=sum(len(words_of(t.words)) for t in session.turns if t.speaker is Speaker.THERAPIST),
        client_talk=None if failed or session.ended is Ending.IMPORTED else hear_client(session),
        replies=count_replies(session),
    )


def _with_scores(outcome: SessionOutcome, given: RaterScores, owed: RatersOwed) -> SessionOutcome:
    """Returns the session with the mean over its raters of each metric."""
    if not given or outcome.ended is Ending.FAILED:
        return outcome
    scores, raters = mean_scores(given, outcome.key[:2], owed)
    return replace(outcome, scores=scores, raters=raters, by_rater=given)


def _lean(rating: Rating, shared: dict[tuple[object, ...], ItemRating]) -> Rating:
    """Returns a rating whose answers are those of earlier ones where they are equal, so that few are kept."""
    items = {
        name: shared.setdefault((one.score, one.evidence, one.reason, one.applies, one.lost, one.answer), one)
        for name, one in rating.items.items()
    }
    return rating.model_copy(update={"items": items})


def contrast(
    ours: Iterable[SessionOutcome], theirs: Iterable[SessionOutcome], metric: str
) -> PairedDifference:
    """Returns `ours` minus `theirs` on one metric over the scenario pairs that both hold."""
    ours, theirs = tuple(ours), tuple(theirs)
    clusters = {outcome.pair: outcome.profile_id for outcome in (*ours, *theirs)}
    return paired_difference(_by_pair(ours, metric), _by_pair(theirs, metric), clusters)


def first_to_last_third(values: Sequence[float]) -> float | None:
    """Returns the mean of the last third minus that of the first; None for fewer than three values."""
    if len(values) < 3:
        return None
    third = len(values) // 3
    return fmean(values[-third:]) - fmean(values[:third])


def failures(outcomes: Iterable[SessionOutcome]) -> dict[str, int]:
    """Returns why sessions failed -> how many, the commonest first."""
    counts = Counter(o.reason or "no reason recorded" for o in outcomes if o.ended is Ending.FAILED)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _by_pair(outcomes: Iterable[SessionOutcome], metric: str) -> dict[str, float]:
    values = ((outcome.pair, outcome.value(metric)) for outcome in outcomes)
    return {pair: value for pair, value in values if value is not None}


def _measures(
    session: Session,
    client: Sequence[Turn],
    traces: Mapping[str, tuple[float, ...]],
    attuned: MomentCounts,
) -> dict[str, float]:
    measures = {"turns": float(len(client))}
    if session.ended is not Ending.IMPORTED:
        measures["dropout"] = float(session.ended is Ending.CLIENT_LEFT)
    words = [len(turn.words.split()) for turn in session.turns if turn.speaker is Speaker.THERAPIST]
    if words:
        measures["words_per_turn"] = fmean(words)
    change = first_to_last_third(traces.get("resistance", ()))
    if change is not None:
        measures["resistance_change"] = change
    if attuned.value is not None:
        measures[ATTUNEMENT] = attuned.value
    return measures


def _traces(client: Sequence[Turn]) -> dict[str, tuple[float, ...]]:
    resistance = tuple(turn.state["resistance"] for turn in client if "resistance" in turn.state)
    alliance = tuple(
        fmean(turn.state[part] for part in ALLIANCE)
        for turn in client
        if all(part in turn.state for part in ALLIANCE)
    )
    return {name: trace for name, trace in (("resistance", resistance), ("alliance", alliance)) if trace}
