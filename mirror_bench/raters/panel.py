"""Several judges as one rater: each put on a common scale, then averaged.

Single language models as judges of counseling overrate, and agree little with each other. A panel of
smaller judges tracks people better than one large one (Verga et al. 2024, "Replacing judges with juries").
Before they are averaged, what sets them apart in severity and spread is taken out on anchor sessions that
all have rated.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Sequence
from statistics import fmean

from mirror_bench.errors import EngineError, InputError
from mirror_bench.parts import StandsOn
from mirror_bench.protocol import RaterSettings
from mirror_bench.raters.base import Anchor, Rater, RaterNeeds
from mirror_bench.raters.editions import anew, edition_of
from mirror_bench.raters.flows import FlowInstrument
from mirror_bench.raters.instruments import Instrument, Item
from mirror_bench.raters.llm import LLMRater
from mirror_bench.raters.names import panel_name
from mirror_bench.raters.safety_features import DOES_NOT_APPLY
from mirror_bench.schema import ItemRating, Profile, Rating, Session
from mirror_bench.stats.equating import EquatingLine, equate

_MOST_QUOTES = 6


class PanelRater:
    """Averages several judges, each put on a common scale by sessions that all of them rate.

    Args:
        judges: At least two, of different names.
        anchors: Returns sessions of poor to good therapists; asked once, when they are first needed.

    Raises:
        InputError: If there are fewer than two judges, or two of one name.
    """

    version = "1"

    def __init__(self, judges: Sequence[Rater], anchors: Callable[[], Awaitable[Sequence[Anchor]]]) -> None:
        names = [judge.name for judge in judges]
        if len(names) < 2 or len(set(names)) < len(names):
            raise InputError(
                f"a panel needs at least two different judges, not {', '.join(names) or 'none'}: "
                "give --judge once for each"
            )
        self._judges = tuple(judges)
        self._calibrated = self._judges
        self._anchors = anchors
        self._lines: dict[str, dict[str, EquatingLine]] = {}
        # Instrument -> why there is no line; asked anew by the next command, not by every rating of this one.
        self._failed: dict[str, str] = {}
        self._lock = asyncio.Lock()

    @classmethod
    def stands_on(cls, settings: RaterSettings, needs: RaterNeeds) -> StandsOn:
        """See `RaterKind`: what its judges stand on, the sessions that equate them, and how that is done."""
        found = StandsOn.of("rater.panel", cls.version) | needs.anchors.stands_on()
        for judge in _judges(settings):
            found |= LLMRater.stands_on(judge, needs)
        return found

    @classmethod
    def open(cls, settings: RaterSettings, needs: RaterNeeds) -> PanelRater:
        """See `RaterKind`."""
        return cls([LLMRater.open(judge, needs) for judge in _judges(settings)], needs.anchors.sessions)

    @property
    def name(self) -> str:
        """The panel's name in ratings, with its judges."""
        return panel_name(judge.name for judge in self._judges)

    @property
    def edition(self) -> str:
        """What its ratings stand on: its version, and the editions of its judges."""
        return f"{self.version} [{'; '.join(map(edition_of, self._judges))}]"

    def anew(self, number: int) -> PanelRater:
        """Returns the panel whose judges are asked for the `number`th time, on the scale found before."""
        other = copy.copy(self)
        other._judges = tuple(anew(judge, number) for judge in self._judges)
        return other

    @property
    def calibration(self) -> dict[str, dict[str, EquatingLine]]:
        """Instrument -> judge -> its line onto the panel's scale, as far as instruments were asked for."""
        return self._lines

    async def rate(self, session: Session, profile: Profile, instrument: Instrument) -> Rating:
        """Fills in an instrument: each item's score is the mean of the judges' equated scores.

        A judge without a score for an item is left out of it, and the reason says so; an equated score never
        leaves the scale.

        Raises:
            EngineDeadError: If a judge can answer no more.
        """
        if isinstance(instrument, FlowInstrument):
            raise InputError(
                f"a panel averages scores, and {instrument.name} is a flow of answers: name its judges "
                "without --panel"
            )
        lines = await self.calibrate(instrument)
        made = await asyncio.gather(*(judge.rate(session, profile, instrument) for judge in self._judges))
        items = {
            item.id: _together(
                [(rating.rater, rating.items.get(item.id)) for rating in made], lines, instrument, item
            )
            for item in instrument.items
        }
        return Rating(
            scenario_id=session.scenario_id,
            therapist=session.therapist,
            method=session.method,
            rater=self.name,
            instrument=instrument.name,
            items=items,
        )

    async def calibrate(self, instrument: Instrument) -> dict[str, EquatingLine]:
        """Returns each judge's line, estimated once from its ratings of the anchors, all items together.

        Raises:
            EngineError: If a judge could not be asked about an anchor: from the rest another scale would
                come, on which later ratings would not lie.
        """
        async with self._lock:
            if (failed := self._failed.get(instrument.name)) is not None:
                raise EngineError(failed)
            if instrument.name not in self._lines:
                anchors = await self._anchors()
                try:
                    scores = {
                        judge.name: await _all_scores(judge, anchors, instrument)
                        for judge in self._calibrated
                    }
                except EngineError as error:
                    self._failed[instrument.name] = str(error)
                    raise
                self._lines[instrument.name] = equate(scores)
            return self._lines[instrument.name]


def _judges(panel: RaterSettings) -> list[RaterSettings]:
    return [panel.model_copy(update={"kind": "llm", "model": name, "models": ()}) for name in panel.models]


async def _all_scores(judge: Rater, anchors: Sequence[Anchor], instrument: Instrument) -> list[float | None]:
    made = await asyncio.gather(*(judge.rate(one.session, one.profile, instrument) for one in anchors))
    if lost := [item.reason for rating in made for item in rating.items.values() if item.lost]:
        raise EngineError(f"{judge.name} could not rate the sessions that equate the panel: {lost[0]}")
    return [
        None if (score := rating.items[item.id].score) is None else instrument.directed(item, score)
        for rating in made
        for item in instrument.items
    ]


def _together(
    given: Sequence[tuple[str, ItemRating | None]],
    lines: dict[str, EquatingLine],
    instrument: Instrument,
    item: Item,
) -> ItemRating:
    scale = instrument.scale
    scores: list[float] = []
    notes: list[str] = []
    # Without a judge that could not be asked the mean is another one: the rating is due again.
    lost = any(answer is not None and answer.lost for _, answer in given)
    quotes: list[int | str] = []
    for name, answer in given:
        if answer is None or answer.score is None:
            notes.append(f"{name}: no score")
            continue
        level = lines[name].apply(instrument.directed(item, answer.score))
        equated = instrument.directed(item, min(float(scale.max), max(float(scale.min), level)))
        scores.append(equated)
        notes.append(f"{name}: {answer.score:g}, equated {equated:.2f}")
        quotes.extend(quote for quote in answer.evidence if quote not in quotes)
    if given and all(answer is not None and not answer.applies for _, answer in given):
        return ItemRating(score=None, reason=DOES_NOT_APPLY, applies=False)
    if not scores:
        return ItemRating(score=None, reason="; ".join(notes), lost=lost)
    return ItemRating(
        score=round(fmean(scores), 4),
        evidence=tuple(quotes[:_MOST_QUOTES]),
        reason="; ".join(notes),
        lost=lost,
    )
