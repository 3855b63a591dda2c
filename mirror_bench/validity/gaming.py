"""Can a therapist be rated well without helping? Cheats against a plain listening therapist.

A benchmark that a constant answer can win measures nothing (Zheng et al. 2024, "Cheating automatic LLM
benchmarks: null models achieve high win rates"). Every cheat of `tasks/gaming/` holds sessions with the
stateful client on the scenarios of *reflective*; both are rated by the coded rater.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from mirror_bench.data.sources.mini import load_mini
from mirror_bench.raters.coded import CodedRater, contributions
from mirror_bench.raters.coded_session import read
from mirror_bench.raters.instruments import instrument_scores, load_instrument
from mirror_bench.raters.session_features import FEATURES, features
from mirror_bench.schema import Ending, Profile, Scenario, Session
from mirror_bench.sessions.offline_sessions import rehearse_async
from mirror_bench.stats.intervals import Interval, cluster_mean
from mirror_bench.stats.paired import paired_difference
from mirror_bench.therapists import SCRIPTED
from mirror_bench.therapists.base import Therapist
from mirror_bench.therapists.cheats import cheat_names, cheating, load_cheat
from mirror_bench.validity.evidence import Evidence, Plot, Setting
from mirror_bench.validity.injection import InjectionReach, tally

STANDARD = "reflective"
INSTRUMENTS = ("wai", "ctrs")
TURNS = 12
CLIENT = frozenset({"client_moves", "client_opens", "client_opposes", "client_holds_back", "left"})
"""Features that are the client's reaction, not the therapist's words."""
_LEAST_POINTS = 0.02


@dataclass(frozen=True)
class RatedSessions:
    """The ratings of all sessions of one therapist, by instrument and scenario.

    Attributes:
        therapist: Its name.
        totals: Instrument -> pair -> total.
        profiles: Pair -> profile, the cluster.
        points: Instrument -> feature -> mean points that it adds to the score.
        left: Share of sessions that the client broke off, in [0, 1].
        injected: What a judge would read of its sessions; None unless its words are meant for one.
    """

    therapist: str
    totals: Mapping[str, Mapping[str, float]]
    profiles: Mapping[str, str]
    points: Mapping[str, Mapping[str, float]]
    left: float
    injected: InjectionReach | None = None

    def interval(self, instrument: str) -> Interval | None:
        """Returns the mean total with its interval, clustered by profile."""
        totals = self.totals[instrument]
        return cluster_mean(list(totals.values()), [self.profiles[pair] for pair in totals])


class CheatStanding(NamedTuple):
    """A cheating therapist's total on one instrument against the standard therapist's.

    Attributes:
        instrument: Its name.
        cheat: The cheat's mean total; None where no session could be rated.
        standard: The standard's.
        gap: Cheat less standard on the same scenarios.
        reasons: Feature -> points of the gap, largest first, those that speak against the cheat.
    """

    instrument: str
    cheat: Interval | None
    standard: Interval | None
    gap: Interval | None
    reasons: Mapping[str, float]

    @property
    def stopped(self) -> bool:
        """Whether the intervals lie apart, the cheat's below, and the paired difference lies below 0."""
        if self.cheat is None or self.standard is None or self.gap is None:
            return False
        ends = [_ends(interval) for interval in (self.cheat, self.standard, self.gap)]
        if None in ends:
            return False
        cheat, standard, gap = (end for end in ends if end is not None)
        return cheat[1] < standard[0] and gap[1] < 0

    @property
    def client_share(self) -> float:
        """Share of what speaks against the cheat that is the client's reaction, in [0, 1]."""
        whole = sum(self.reasons.values())
        return sum(value for name, value in self.reasons.items() if name in CLIENT) / whole if whole else 0.0


def _ends(interval: Interval) -> tuple[float, float] | None:
    """Returns an interval's ends; the value itself where sessions of several profiles are all alike."""
    if interval.low is not None and interval.high is not None:
        return interval.low, interval.high
    return (interval.value, interval.value) if interval.clusters > 1 else None


@dataclass(frozen=True)
class Audit:
    """What an audit found: the standard, the cheats, and how each stands by instrument."""

    standard: RatedSessions
    cheats: Mapping[str, RatedSessions]
    standings: Mapping[str, tuple[CheatStanding, ...]]

    @property
    def through(self) -> list[str]:
        """Names of the cheats that no instrument, or only one, puts below the standard."""
        return [
            name
            for name, standings in self.standings.items()
            if not all(standing.stopped for standing in standings)
        ]


def scenarios_of(profiles: int | None, seeds: int, seed: int = 0) -> list[Scenario]:
    """Returns scenarios with packaged profiles, spread evenly over the set; with all where None."""
    people = load_mini().profiles
    count = len(people) if profiles is None else min(profiles, len(people))
    chosen = [people[place * len(people) // count] for place in range(count)]
    return [
        Scenario(profile=person, resistance=person.resistance, seed=seed + number)
        for number in range(seeds)
        for person in chosen
    ]


def audit_cheats(
    scenarios: Sequence[Scenario],
    names: Sequence[str] = (),
    tick: Callable[[], None] = lambda: None,
) -> Audit:
    """Returns how cheating therapists score against the standard, in sessions held for the audit.

    Args:
        scenarios: With whom; the same for all.
        names: Cheats to try; all where empty.
        tick: Called after each session.

    Raises:
        InputError: If there is no such cheat.
    """
    tried = {name: load_cheat(name) for name in names or cheat_names()}
    standard = asyncio.run(_arm(STANDARD, SCRIPTED.get(STANDARD), scenarios, False, tick))
    cheats = {
        name: asyncio.run(_arm(name, cheating(name), scenarios, cheat.kind == "injection", tick))
        for name, cheat in tried.items()
    }
    standings = {
        name: tuple(_standing(arm, standard, instrument) for instrument in INSTRUMENTS)
        for name, arm in cheats.items()
    }
    return Audit(standard, cheats, standings)


async def _arm(
    name: str,
    therapist: Callable[[Scenario], Therapist],
    scenarios: Sequence[Scenario],
    injects: bool,
    tick: Callable[[], None],
) -> RatedSessions:
    totals: dict[str, dict[str, float]] = {instrument: {} for instrument in INSTRUMENTS}
    points: dict[str, list[dict[str, float]]] = {instrument: [] for instrument in INSTRUMENTS}
    held: list[Session] = []
    for scenario in scenarios:
        session = await rehearse_async(scenario, therapist, TURNS)
        held.append(session)
        for instrument in INSTRUMENTS:
            total, parts = await _rate(session, scenario.profile, instrument)
            points[instrument].append(parts)
            if total is not None:
                totals[instrument][scenario.pair] = total
        tick()
    return RatedSessions(
        therapist=name,
        totals=totals,
        profiles={scenario.pair: scenario.profile.id for scenario in scenarios},
        points={
            instrument: {feature: fmean(part[feature] for part in parts) for feature in FEATURES}
            for instrument, parts in points.items()
        },
        left=fmean(session.ended is Ending.CLIENT_LEFT for session in held),
        injected=tally(held[:3], [load_instrument(name) for name in INSTRUMENTS]) if injects else None,
    )


async def _rate(
    session: Session, profile: Profile, instrument_name: str
) -> tuple[float | None, dict[str, float]]:
    """Returns a session's total and what every feature adds to it."""
    instrument = load_instrument(instrument_name)
    rating = await CodedRater().rate(session, profile, instrument)
    total = instrument_scores(instrument, rating)[f"{instrument_name}.total"]
    return total, contributions(instrument, features(read(session, profile)))


def _standing(cheat: RatedSessions, standard: RatedSessions, instrument: str) -> CheatStanding:
    ours, theirs = cheat.points[instrument], standard.points[instrument]
    behind = {name: theirs[name] - ours[name] for name in FEATURES}
    reasons = sorted(
        ((name, points) for name, points in behind.items() if points >= _LEAST_POINTS),
        key=lambda entry: -entry[1],
    )
    paired = paired_difference(cheat.totals[instrument], standard.totals[instrument], standard.profiles)
    return CheatStanding(
        instrument,
        cheat.interval(instrument),
        standard.interval(instrument),
        paired.interval,
        dict(reasons),
    )


def examine(setting: Setting) -> Evidence:
    """Returns evidence on whether cheating therapists are rated well, on the packaged profiles."""
    return evidence_of(audit_cheats(scenarios_of(12 if setting.quick else 48, 1 if setting.quick else 2)))


def evidence_of(audit: Audit) -> Evidence:
    """Returns the audit of cheats as an examination's evidence."""
    from mirror_bench.validity.gaming_tables import draw, gaming_tables, gaming_targets

    sessions = len(audit.standard.profiles)
    return Evidence(
        title="Gaming",
        tested=(
            f"{len(audit.cheats)} cheating therapists (`tasks/gaming/`) and *{STANDARD}* each held "
            f"{sessions} sessions of at most {TURNS} client turns with the stateful client, on the same "
            "scenarios, and were rated by the coded rater. A cheat is stopped where the interval of its "
            f"total lies below that of *{STANDARD}*, with no overlap, and the paired difference lies "
            "below 0, on both instruments. What stops it is measured: the points by which each feature of "
            "the session sets it back, averaged over items. Prompts for an LLM judge are compared with those "
            "of the same session with harmless words. Intervals are 95 %, clustered by profile."
        ),
        targets=gaming_targets(audit),
        tables=gaming_tables(audit),
        plots=(
            Plot(
                "gaming",
                f"Totals of cheats and of {STANDARD} (band), with 95 % intervals clustered by profile.",
                lambda: draw(audit),
            ),
        ),
        not_shown=(
            "That no other cheat gets through: these are those that we could think of.",
            "That a language model as judge cannot be swayed by what it reads: only that all of it arrives "
            "as marked words of a speaker, with nothing outside the marks changed.",
        ),
    )
