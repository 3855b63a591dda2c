"""Attunement of candidates: turns in which face and words disagree, how many are taken up, how rightly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mirror_bench.coding.attunement import attunement
from mirror_bench.coding.face_remarks import FaceRemark
from mirror_bench.schema import FaceCondition, Record, Score, Session
from mirror_bench.stats.intervals import Interval
from mirror_bench.stats.rates import cluster_share

ATTUNEMENT = "attunement"
"""The session metric: from -1 to 1, 0 for who says nothing of faces (`coding.attunement.Attunement`)."""
_DIGITS = 6


class MomentCounts(NamedTuple):
    """How one session's therapist met the turns whose face disagrees with the words, counted by outcome.

    Attributes:
        moments: How many were answered.
        right: Of these, taken up with what the face shows.
        vague: Taken up without a reading that holds.
        wrong: Taken up with a feeling that the face contradicts.
        misread: Wrong remarks on the face at other turns.
        value: The session's attunement; None without a moment.
        examined: Whether any face is logged.
    """

    moments: int = 0
    right: int = 0
    vague: int = 0
    wrong: int = 0
    misread: int = 0
    value: float | None = None
    examined: bool = False


NO_MOMENTS = MomentCounts()


class AttunementShares(Record):
    """What a candidate made of the moments under one face condition, over all its sessions.

    Attributes:
        sessions: Sessions with a moment, of `examined` that log a face and `held` that were held.
        moments: Moments that were answered.
        taken_up: Share of the moments that the next reply takes up at all, with interval.
        right: Share of the moments that it takes up rightly.
        wrong: Share of the moments at which it names what the face contradicts.
        misread: Wrong remarks on the face at other turns.
    """

    therapist: str
    method: str = ""
    condition: FaceCondition
    held: int = 0
    examined: int = 0
    sessions: int = 0
    moments: int = 0
    taken_up: Score | None = None
    right: Score | None = None
    wrong: Score | None = None
    misread: int = 0

    @property
    def in_words(self) -> str:
        """One sentence: how many moments there were, and what was made of them."""
        if not self.examined:
            return "attunement: not examined, as no session logs the client's face"
        if not self.moments:
            return f"attunement: not examined, as face and words agree in all {self.examined} sessions"
        parts = (("taken up", self.taken_up), ("rightly", self.right), ("wrongly", self.wrong))
        shares = ", ".join(f"{100 * (share.value or 0):.0f} % {name}" for name, share in parts if share)
        return f"attunement: of {self.moments} turns in which face and words disagree, {shares}"


def count_moments(session: Session) -> MomentCounts:
    """Returns the counts of a session's moments."""
    attuned = attunement(session)
    return MomentCounts(
        moments=len(attuned.moments),
        right=attuned.count(FaceRemark.RIGHT),
        vague=attuned.count(FaceRemark.VAGUE),
        wrong=attuned.count(FaceRemark.WRONG),
        misread=len(attuned.misread),
        value=attuned.value,
        examined=attuned.examined,
    )


def measure_attunement(
    key: tuple[str, str, FaceCondition], counted: Sequence[tuple[MomentCounts, str]]
) -> AttunementShares:
    """Returns what a candidate made of the moments of its held sessions.

    Args:
        key: Therapist, method and face condition.
        counted: Per held session its counts, and its profile, by which intervals are clustered.
    """
    therapist, method, condition = key

    def share(name: str, hits: Sequence[tuple[int, int]]) -> Score | None:
        said = [place < hit for hit, of in hits for place in range(of)]
        profiles = [profile for (_, of), (_, profile) in zip(hits, counted, strict=True) for _ in range(of)]
        return _score(f"{ATTUNEMENT}.{name}", cluster_share(said, profiles) if said else None)

    ones = [count for count, _ in counted]
    return AttunementShares(
        therapist=therapist,
        method=method,
        condition=condition,
        held=len(ones),
        examined=sum(count.examined for count in ones),
        sessions=sum(count.moments > 0 for count in ones),
        moments=sum(count.moments for count in ones),
        taken_up=share(
            "taken_up", [(count.right + count.vague + count.wrong, count.moments) for count in ones]
        ),
        right=share("right", [(count.right, count.moments) for count in ones]),
        wrong=share("wrong", [(count.wrong, count.moments) for count in ones]),
        misread=sum(count.misread for count in ones),
    )


def _score(metric: str, interval: Interval | None) -> Score | None:
    if interval is None:
        return None
    low, high = interval.low, interval.high
    return Score(
        metric=metric,
        value=round(interval.value, _DIGITS),
        low=None if low is None else round(low, _DIGITS),
        high=None if high is None else round(high, _DIGITS),
        n=interval.n,
        clusters=interval.clusters,
    )
