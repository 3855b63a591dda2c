"""Does a panel take out what sets judges apart? Shown with simulated judges of known bias, and no model.

Each simulated judge sees a session's true quality through a severity, a spread, noise and gaps of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from mirror_bench.raters.base import Anchor, Rater
from mirror_bench.raters.instruments import Instrument, instrument_scores, load_instrument
from mirror_bench.raters.panel import PanelRater
from mirror_bench.schema import (
    Ending,
    FaceCondition,
    ItemRating,
    Profile,
    Rating,
    Resistance,
    Session,
    Speaker,
    Turn,
    derive_seed,
)
from mirror_bench.stats.agreement import icc
from mirror_bench.validity.evidence import Evidence, Setting, Table, Target

_NOBODY = Profile(id="nobody", name="Nobody")


class Bias(NamedTuple):
    """What a simulated judge does to a quality in [0, 1] before it gives a score.

    Attributes:
        severity: Added, as a share of the scale.
        spread: Multiplies the distance from the middle.
        noise: Half width of uniform noise, per item.
        halo: Half width of uniform noise that all items of a session share.
        missing: Share of items without an answer.
    """

    severity: float = 0.0
    spread: float = 1.0
    noise: float = 0.05
    halo: float = 0.05
    missing: float = 0.0


JUDGES: Mapping[str, Bias] = {
    "mild": Bias(severity=0.22, spread=0.45),
    "severe": Bias(severity=-0.15, spread=0.8, missing=0.3),
    "noisy": Bias(noise=0.25, halo=0.15),
}


class SimulatedJudge:
    """Rates a session whose quality stands in its scenario's id."""

    def __init__(self, name: str, bias: Bias, seed: int) -> None:
        self.name = name
        self._bias = bias
        self._seed = seed

    async def rate(self, session: Session, profile: Profile, instrument: Instrument) -> Rating:
        """Fills in an instrument."""
        bias, low, high = self._bias, instrument.scale.min, instrument.scale.max
        shared = bias.halo * self._draw(session, "halo")
        items = {}
        for item in instrument.items:
            level = 0.5 + bias.spread * (quality_of(session) - 0.5) + bias.severity + shared
            level += bias.noise * self._draw(session, item.id)
            gone = (self._draw(session, item.id, "gone") + 1) / 2 < bias.missing
            score = None if gone else float(round(low + (high - low) * min(1.0, max(0.0, level))))
            items[item.id] = ItemRating(score=score)
        return Rating(
            scenario_id=session.scenario_id,
            therapist=session.therapist,
            rater=self.name,
            instrument=instrument.name,
            items=items,
        )

    def _draw(self, session: Session, *parts: str) -> float:
        return derive_seed(self._seed, self.name, session.scenario_id, *parts) / 2**30 - 1


def session_of(quality: float, name: str) -> Session:
    """Returns a session that stands for a quality in [0, 1]."""
    return Session(
        scenario_id=f"{name}:{quality:.6f}",
        pair=name,
        profile_id="nobody",
        resistance=Resistance.NONE,
        condition=FaceCondition.NONE,
        seed=0,
        therapist="simulated",
        client="simulated",
        turns=(Turn(speaker=Speaker.THERAPIST, words="So."),),
        ended=Ending.TURN_LIMIT,
    )


def quality_of(session: Session) -> float:
    """Returns the true quality of a simulated session, which its ratings are held against."""
    return float(session.scenario_id.rsplit(":", 1)[1])


class PanelFindings(NamedTuple):
    """How far single judges and the panel miss the truth on the same simulated sessions.

    Attributes:
        error: Rater or panel -> mean absolute distance of totals from the truth, in points.
        order: Rater or panel -> Kendall's tau of totals with the truth.
        apart: Mean absolute distance between two judges' totals, before and after equating.
        agreement: ICC(2,1) of the judges' totals, before and after.
    """

    error: Mapping[str, float]
    order: Mapping[str, float]
    apart: tuple[float, float]
    agreement: tuple[float, float]


def simulate(sessions: int, seed: int) -> PanelFindings:
    """Has simulated judges and their panel rate sessions of evenly spread quality."""
    from scipy.stats import kendalltau

    instrument = load_instrument("ctrs")
    low, high = instrument.scale.min, instrument.scale.max
    rated = [session_of((place + 0.5) / sessions, f"s{place}") for place in range(sessions)]
    truth = [low + (high - low) * quality_of(session) for session in rated]
    alone = [SimulatedJudge(name, bias, seed) for name, bias in JUDGES.items()]

    async def anchors() -> Sequence[Anchor]:
        return [Anchor(session_of((place + 0.5) / 12, f"anchor{place}"), _NOBODY) for place in range(12)]

    async def all_totals() -> tuple[dict[str, list[float | None]], PanelRater]:
        panel = PanelRater(alone, anchors)
        totals: dict[str, list[float | None]] = {}
        raters: list[Rater] = [*alone, panel]
        for rater in raters:
            name = "panel" if rater is panel else rater.name
            made = [await rater.rate(session, _NOBODY, instrument) for session in rated]
            totals[name] = [
                instrument_scores(instrument, rating)[f"{instrument.name}.total"] for rating in made
            ]
        return totals, panel

    totals, panel = asyncio.run(all_totals())
    lines = panel.calibration[instrument.name]
    equated = {
        name: [None if total is None else lines[name].apply(total) for total in totals[name]]
        for name in JUDGES
    }
    raw = {name: totals[name] for name in JUDGES}
    both = {
        name: [(t, x) for t, x in zip(truth, scores, strict=True) if x is not None]
        for name, scores in totals.items()
    }
    return PanelFindings(
        error={name: fmean(abs(t - x) for t, x in pairs) for name, pairs in both.items()},
        order={
            name: float(kendalltau([t for t, _ in pairs], [x for _, x in pairs]).statistic)
            for name, pairs in both.items()
        },
        apart=(_apart(raw), _apart(equated)),
        agreement=(_agreement(raw), _agreement(equated)),
    )


def _rows(totals: Mapping[str, Sequence[float | None]]) -> list[tuple[float, ...]]:
    rows = zip(*totals.values(), strict=True)
    return [tuple(float(x) for x in row if x is not None) for row in rows if None not in row]


def _apart(totals: Mapping[str, Sequence[float | None]]) -> float:
    return fmean(abs(a - b) for row in _rows(totals) for a in row for b in row if a is not b)


def _agreement(totals: Mapping[str, Sequence[float | None]]) -> float:
    correlation = icc(_rows(totals))
    return correlation.value if correlation else 0.0


def examine(setting: Setting) -> Evidence:
    """Returns evidence on what a panel gains over single judges, simulated with known biases."""
    simulated = simulate(40 if setting.quick else 200, setting.seed)
    worst = max(simulated.error[name] for name in JUDGES)
    alone = fmean(simulated.error[name] for name in JUDGES)
    return Evidence(
        title="Panels of judges",
        tested=(
            "Three simulated judges rate sessions whose quality is known: one mild and reluctant to use "
            "the scale, one severe that leaves out items, one noisy. Their panel equates them on twelve "
            "anchor sessions and averages. Errors are mean absolute distances from the true total on "
            "the CTRS scale of 0 to 6."
        ),
        targets=(
            Target(
                "distance between judges' totals after equating, as a share of that before",
                "< 0.6",
                f"{simulated.apart[1] / simulated.apart[0]:.2f}",
                simulated.apart[1] < 0.6 * simulated.apart[0],
            ),
            Target(
                "the panel's error, against the judges' mean",
                "smaller",
                f"{simulated.error['panel']:.2f} against {alone:.2f} (worst {worst:.2f})",
                simulated.error["panel"] < alone,
            ),
            Target(
                "the panel's order (Kendall's tau with the truth), against the judges' mean",
                "higher: nobody knows beforehand which judge is best",
                f"{simulated.order['panel']:.2f} against "
                f"{fmean(simulated.order[name] for name in JUDGES):.2f} "
                f"(best {max(simulated.order[name] for name in JUDGES):.2f})",
                simulated.order["panel"] > fmean(simulated.order[name] for name in JUDGES),
            ),
        ),
        tables=(
            Table(
                "Judges alone and together",
                ("rater", "error in points", "Kendall's tau"),
                tuple(
                    (name, f"{simulated.error[name]:.2f}", f"{simulated.order[name]:.2f}")
                    for name in simulated.error
                ),
            ),
            Table(
                "Agreement of the judges' totals",
                ("", "as given", "equated"),
                (
                    ("mean distance of two", *(f"{value:.2f}" for value in simulated.apart)),
                    ("ICC(2,1)", *(f"{value:.2f}" for value in simulated.agreement)),
                ),
            ),
        ),
        not_shown=(
            "How any real model judges: none was at hand. Before its scores are published, let it rate twice "
            "(`rate --retest`), look at agreement and halo in the report, and have it rate sessions that "
            "experts have rated.",
            "That equating mends a judge that misunderstands: it takes out severity and spread alone.",
        ),
    )
