"""What a rollout is rewarded for: ratings and attunement, less what the cheats of the gaming suite live on.

The reward of a turn is what it changes: the reward of the session so far after the client has answered, less
that before. So the turns of a rollout add up to the reward of the whole.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from mirror_bench.coding.attunement import attunement
from mirror_bench.raters.base import Rater
from mirror_bench.raters.coded import CodedRater
from mirror_bench.raters.coded_session import read
from mirror_bench.raters.instruments import Instrument, instrument_scores, load_instrument
from mirror_bench.raters.session_features import features
from mirror_bench.schema import Profile, Record, Session, Speaker
from mirror_bench.therapists.cheats import cheat_names, load_cheat

INSTRUMENTS = ("ctrs", "wai")


class Reward(Record):
    """The value of a session for training a policy, and the parts that it is made from.

    Attributes:
        value: What a policy is trained on.
        ratings: Instrument -> its total, from 0 (the scale's low end) to 1; without those that gave none.
        attunement: From -1 to 1; None where no moment came in which face and words disagree.
        gaming: From 0 (nothing) to 1: how far the session shows what the cheats live on.
        marks: Feature of the gaming suite -> how much of it, for those that the session shows.
    """

    value: float
    ratings: Mapping[str, float] = {}
    attunement: float | None = None
    gaming: float = 0.0
    marks: Mapping[str, float] = {}

    @property
    def parts(self) -> dict[str, float]:
        """Everything but the value by name, as trackers and trainers log it; what is missing is not there."""
        found = {f"rating.{name}": value for name, value in self.ratings.items()}
        if self.attunement is not None:
            found["attunement"] = self.attunement
        return {**found, "gaming": self.gaming, **{f"gaming.{name}": v for name, v in self.marks.items()}}


@dataclass(frozen=True)
class RewardRule:
    """How ratings, attunement and marks of gaming make a reward.

    Attributes:
        instruments: Whose totals are averaged.
        raters: Who rates; the coded rater where none is given.
        attunement: Weight of the attunement.
        gaming: Weight of what is subtracted.
    """

    instruments: tuple[Instrument, ...] = ()
    raters: tuple[Rater, ...] = ()
    attunement: float = 0.25
    gaming: float = 0.5

    async def of(self, session: Session, profile: Profile) -> Reward:
        """Returns the reward of a session, or of one so far; nothing is worth 0.

        A total that no rater gives is left out of the mean, as is an attunement of which no moment came.

        Raises:
            EngineError: If a model that rates could not answer.
        """
        if not any(turn.speaker is Speaker.THERAPIST for turn in session.turns):
            return Reward(value=0.0)
        ratings = {}
        for instrument in self.instruments or usual_instruments():
            if (share := await self._share(session, profile, instrument)) is not None:
                ratings[instrument.name] = share
        tuned = attunement(session).value
        marks = gaming_marks(session, profile)
        gaming = 1.0 - prod(1.0 - value for value in marks.values())
        value = sum(ratings.values()) / len(ratings) if ratings else 0.0
        value += self.attunement * (tuned or 0.0) - self.gaming * gaming
        return Reward(value=value, ratings=ratings, attunement=tuned, gaming=gaming, marks=marks)

    async def _share(self, session: Session, profile: Profile, instrument: Instrument) -> float | None:
        totals = []
        for rater in self.raters or (CodedRater(),):
            rating = await rater.rate(session, profile, instrument)
            totals.append(instrument_scores(instrument, rating).get(f"{instrument.name}.total"))
        given = [total for total in totals if total is not None]
        if not given:
            return None
        low, high = instrument.scale.min, instrument.scale.max
        return (sum(given) / len(given) - low) / (high - low)


@functools.cache
def usual_instruments() -> tuple[Instrument, ...]:
    """Returns the instruments whose totals are averaged where none are named."""
    return tuple(load_instrument(name) for name in INSTRUMENTS)


@functools.cache
def marked_features() -> tuple[str, ...]:
    """Returns the names of the features by which gaming is told.

    They are those that a file of `tasks/gaming/` names under `stopped_by` and an instrument counts against a
    session; what a cheat merely lacks is no mark of one.
    """
    against = {
        name
        for instrument in usual_instruments()
        for item in instrument.items
        if item.coded is not None
        for name in item.coded.con
    }
    return tuple(
        sorted({name for cheat in cheat_names() for name in load_cheat(cheat).stopped_by if name in against})
    )


def gaming_marks(session: Session, profile: Profile) -> dict[str, float]:
    """Returns what a session shows of the features that give cheats away, by name, without zeros."""
    found = features(read(session, profile))
    return {name: found[name].value for name in marked_features() if found[name].value > 0}


def mean_marks(marks: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Returns the mean of each mark over sessions, for those that any session shows."""
    names = [name for name in marked_features() if any(name in one for one in marks)]
    return {name: sum(one.get(name, 0.0) for one in marks) / len(marks) for name in names}
