"""A panel puts severe and mild judges on one scale, keeps reversed items turned, and says what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from annomi import session

from mirror_bench.errors import EngineError, InputError
from mirror_bench.raters.base import Anchor
from mirror_bench.raters.instruments import Instrument, load_instrument
from mirror_bench.raters.panel import PanelRater
from mirror_bench.schema import ItemRating, Profile, Rating, Session, Speaker, Turn

CTRS = load_instrument("ctrs")
NOBODY = Profile(id="p", name="P")


def of_quality(quality: int) -> Session:
    return session([Turn(speaker=Speaker.THERAPIST, words="x" * (quality + 1))], name=f"s{quality}")


class Judge:
    """Gives every item the session's quality, moved and stretched."""

    def __init__(self, name: str, level: Callable[[int], float | None]) -> None:
        self.name = name
        self._level = level
        self.asked = 0

    async def rate(self, one: Session, profile: Profile, instrument: Instrument) -> Rating:
        self.asked += 1
        level = self._level(len(one.turns[0].words) - 1)
        items = {
            item.id: ItemRating(
                score=None if level is None else instrument.directed(item, level), reason=self.name
            )
            for item in instrument.items
        }
        return Rating(
            scenario_id=one.scenario_id,
            therapist=one.therapist,
            method="",
            rater=self.name,
            instrument=instrument.name,
            items=items,
        )


async def anchors() -> Sequence[Anchor]:
    return [Anchor(of_quality(quality), NOBODY) for quality in (1, 2, 3, 4)]


def rated(panel: PanelRater, quality: int, instrument: Instrument = CTRS) -> Rating:
    return asyncio.run(panel.rate(of_quality(quality), NOBODY, instrument))


def test_severe_and_mild_meet_and_one_alone_no_longer_decides() -> None:
    mild = Judge("mild", lambda q: q + 1.0)
    severe = Judge("severe", lambda q: None if q == 2 else q - 1.0)
    panel = PanelRater([mild, severe], anchors)
    both, alone = rated(panel, 3), rated(panel, 2)
    assert {item.score for item in both.items.values()} == {3.0}
    assert {item.score for item in alone.items.values()} == {2.0}  # and not 3, which the mild one gave
    assert "severe: no score" in alone.items["focus"].reason
    assert "mild: 4, equated 3.00" in both.items["focus"].reason
    assert panel.calibration["ctrs"]["severe"].severity == pytest.approx(1.0)
    assert panel.name == "panel(mild, severe)"


def test_reversed_items_stay_turned() -> None:
    first, *rest = CTRS.items
    turned = CTRS.model_copy(update={"items": (first.model_copy(update={"reversed": True}), *rest)})
    panel = PanelRater([Judge("a", lambda q: q + 1.0), Judge("b", lambda q: q - 1.0)], anchors)
    scores = {name: item.score for name, item in rated(panel, 4, turned).items.items()}
    assert scores.pop(first.id) == 2.0  # poor is 6 here, and a quality of 4 stands at 2
    assert set(scores.values()) == {4.0}


def test_anchors_are_rated_once_and_scores_never_leave_the_scale() -> None:
    wide, narrow = Judge("wide", lambda q: 2.0 * q - 2), Judge("narrow", lambda q: 3.0 + 0.5 * (q > 2))
    panel = PanelRater([wide, narrow], anchors)
    for quality in (0, 1, 4, 5):
        scores = [item.score for item in rated(panel, quality).items.values()]
        assert all(score is not None and 0 <= score <= 6 for score in scores)
    assert wide.asked == narrow.asked == 4 + 4


def test_nobody_having_a_score_is_missing_and_no_zero() -> None:
    panel = PanelRater([Judge("a", lambda q: None), Judge("b", lambda q: None)], anchors)
    assert {item.score for item in rated(panel, 3).items.values()} == {None}


@pytest.mark.parametrize("names", [[], ["a"], ["a", "a"]])
def test_a_panel_is_at_least_two(names: list[str]) -> None:
    with pytest.raises(InputError, match="two different judges"):
        PanelRater([Judge(name, lambda q: 1.0) for name in names], anchors)


class Interrupted(Judge):
    """A judge that cannot be asked at first."""

    async def rate(self, one: Session, profile: Profile, instrument: Instrument) -> Rating:
        made = await super().rate(one, profile, instrument)
        if self.asked > 2:
            return made
        lost = {name: ItemRating(score=None, reason="HTTP 429", lost=True) for name in made.items}
        return made.model_copy(update={"items": lost})


def test_an_outage_while_judges_are_equated_gives_no_other_scale() -> None:
    judges = [Interrupted("mild", lambda q: q + 1.0), Judge("severe", lambda q: q - 1.0)]
    panel = PanelRater(judges, anchors)
    with pytest.raises(EngineError, match=r"mild could not rate .* HTTP 429"):
        rated(panel, 3)
    assert panel.calibration == {}
    asked = judges[0].asked
    with pytest.raises(EngineError, match="HTTP 429"):
        rated(panel, 4)
    assert judges[0].asked == asked  # not once more for every session
    again = PanelRater(judges, anchors)  # as the same command makes it
    assert {item.score for item in rated(again, 3).items.values()} == {3.0}
