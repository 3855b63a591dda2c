"""What every rater is: it fills in an instrument for a session, and says what decides its answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pydantic import BaseModel

from mirror_bench.engines.base import Engine
from mirror_bench.parts import StandsOn
from mirror_bench.protocol import RaterSettings
from mirror_bench.raters.instruments import Instrument
from mirror_bench.schema import Profile, Rating, Session


class Rater(Protocol):
    """Fills in an instrument for a session, as a judge, a set of rules or a panel does."""

    @property
    def name(self) -> str:
        """Its name in ratings."""
        ...

    async def rate(self, session: Session, profile: Profile, instrument: Instrument) -> Rating:
        """Fills in an instrument for one session.

        Raises:
            EngineDeadError: If a model that it asks can answer no more.
        """
        ...


class Anchor(NamedTuple):
    """A session that every judge of a panel rates, so that they can be compared."""

    session: Session
    profile: Profile


class Anchors(NamedTuple):
    """Holds sessions of poor to good therapists, which put several judges on one scale.

    Attributes:
        sessions: Holds them.
        stands_on: What decides them.
    """

    sessions: Callable[[], Awaitable[Sequence[Anchor]]]
    stands_on: Callable[[], StandsOn]


@dataclass(frozen=True)
class RaterNeeds:
    """What a run hands to a kind of rater when it opens one: engines, anchor sessions and options.

    Attributes:
        engine: Opens the engine of a model name; not started yet.
        anchors: What judges are put on one scale by.
        options: The rater's own options, where its class `Options` reads any.
    """

    engine: Callable[[str], Engine]
    anchors: Anchors
    options: BaseModel | None = None


class RaterKind(Protocol):
    """What the registry of raters holds: a class that opens a rater from a protocol's settings.

    A rater with options of its own has a class attribute `Options`, a pydantic class: they stand in a
    protocol under `options` of its entry in `raters`.

    Its methods are asked of the class itself, so that both are class methods (`@classmethod`).
    """

    version: str
    """Raised with every change that can move a score; part of the fingerprint."""

    def stands_on(self, settings: RaterSettings, needs: RaterNeeds) -> StandsOn:
        """Returns what decides this rater's answers under these settings: content, code and models."""
        ...

    def open(self, settings: RaterSettings, needs: RaterNeeds) -> Rater:
        """Returns the rater.

        Raises:
            InputError: If the settings name what does not exist or lack what this kind needs.
        """
        ...
