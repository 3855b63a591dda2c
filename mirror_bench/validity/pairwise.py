"""Do comparisons of two at a time order therapists of known skill, and does talking more pay?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING

from mirror_bench.analysis.comparison import Compared, compare
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.faces.base import Face
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.raters.preferences import CodedComparer, Preference, verdict
from mirror_bench.schema import Profile, Scenario, Session
from mirror_bench.sessions.offline_sessions import rehearse
from mirror_bench.sessions.pairwise_runs import therapist_tokens
from mirror_bench.therapists.base import TherapistTurn
from mirror_bench.therapists.policies.comparison import Attuned, Directive, Parrot, Reflective
from mirror_bench.validity.evidence import Evidence, Plot, Setting, Table, Target

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ORDER = ("attuned", "reflective", "directive", "parrot")
SEEDS = 2


class Wordy(Reflective):
    """Reflects as *reflective* does, and says of everything at length that it has been said."""

    name = "wordy"

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Answers, and then goes on."""
        answer = await super().reply(heard, face)
        more = self._say("wordy", "more")
        return TherapistTurn(f"{answer.words} {more}")


THERAPISTS = {
    "attuned": Attuned,
    "reflective": Reflective,
    "wordy": Wordy,
    "directive": Directive,
    "parrot": Parrot,
}


def held_by_all(profiles: Sequence[Profile], seeds: int) -> dict[str, dict[str, Session]]:
    """Returns therapist -> pair -> session, all on the same scenarios."""
    scenarios = [
        Scenario(profile=profile, resistance=profile.resistance, seed=seed)
        for profile in profiles
        for seed in range(seeds)
    ]
    return {
        name: {scenario.pair: rehearse(scenario, therapist) for scenario in scenarios}
        for name, therapist in THERAPISTS.items()
    }


def preferences_of(
    held: dict[str, dict[str, Session]], profiles: Sequence[Profile], margin: float | None = None
) -> list[Preference]:
    """Compares every two therapists on every scenario by their coded ratings."""
    comparer = CodedComparer((load_instrument("ctrs"), load_instrument("wai")), margin)
    people = {profile.id: profile for profile in profiles}

    async def all_pairs() -> list[Preference]:
        made = []
        for first, second in combinations(held, 2):
            for pair, session in held[first].items():
                other = held[second][pair]
                opinions = await comparer.compare(session, other, people[session.profile_id])
                made.append(
                    Preference(
                        pair=pair,
                        profile_id=session.profile_id,
                        first=first,
                        second=second,
                        judge=comparer.name,
                        better=verdict(opinions),
                        opinions=opinions,
                        tokens=(therapist_tokens(session), therapist_tokens(other)),
                    )
                )
        return made

    return asyncio.run(all_pairs())


def ties_between_equals(profiles: Sequence[Profile]) -> float:
    """Returns the share of ties where *reflective* meets itself under another seed: nobody is better."""
    held = {
        f"reflective-{seed}": {
            profile.id: rehearse(
                Scenario(profile=profile, resistance=profile.resistance, seed=seed), Reflective
            )
            for profile in profiles
        }
        for seed in (100, 101)
    }
    return fmean(preference.better == "tie" for preference in preferences_of(held, profiles))


def examine(setting: Setting) -> Evidence:
    """Returns evidence on the order that pairwise comparison gives to scripted therapists."""
    from scipy.stats import kendalltau

    people = load_mini().profiles
    people = people[:: max(1, len(people) // 10)] if setting.quick else people
    held = held_by_all(people, 1 if setting.quick else SEEDS)
    compared = compare(preferences_of(held, people), dict.fromkeys(held, ()), judge="coded")
    places = {standing.name: standing for standing in compared.standings}
    strengths = [standing.strength.value or 0.0 for name in ORDER for standing in (places[name],)]
    tau = float(kendalltau([-place for place in range(len(ORDER))], strengths).statistic)
    wordy = next(
        match for match in compared.matches if {match.first, match.second} == {"reflective", "wordy"}
    )
    directive = next(
        match for match in compared.matches if (match.first, match.second) == ("reflective", "directive")
    )
    return Evidence(
        title="Comparisons of two at a time",
        tested=(
            f"Five scripted therapists on the same {len(next(iter(held.values())))} scenarios, every two "
            "of them compared on each by their coded ratings and ranked by Bradley-Terry strengths with "
            "ties. *Wordy* is *reflective* with two empty sentences after every turn. Intervals are 95 %, "
            "clustered by profile. A model as a judge is asked in both orders; no model was a judge here, "
            "and that part is tested with judges of known bias behind a server in the test suite."
        ),
        targets=(
            Target("Kendall's tau between strength and known skill", "1", f"{tau:.2f}", tau > 0.99),
            Target(
                "win rate of reflective over directive",
                "interval above 0.5",
                _shown(directive.win_rate.value, directive.win_rate.low, directive.win_rate.high),
                (directive.win_rate.low or 0.0) > 0.5,
            ),
            Target(
                "win rate of reflective over wordy",
                "interval not below 0.5: words do not win",
                _shown(wordy.win_rate.value, wordy.win_rate.low, wordy.win_rate.high),
                (wordy.win_rate.high or 0.0) >= 0.5,
            ),
        ),
        tables=(
            Table(
                "Strengths",
                ("therapist", "log strength", "rank", "ranks within the interval"),
                tuple(
                    (
                        standing.name,
                        _shown(standing.strength.value, standing.strength.low, standing.strength.high),
                        str(standing.rank),
                        f"{standing.best_rank} to {standing.worst_rank}",
                    )
                    for standing in compared.standings
                ),
            ),
            Table(
                "Two at a time",
                ("first", "second", "win/tie/loss", "win rate of the first", "at equal length"),
                tuple(
                    (
                        match.first,
                        match.second,
                        f"{match.wins}/{match.ties}/{match.losses}",
                        _shown(match.win_rate.value, match.win_rate.low, match.win_rate.high),
                        match.controlled_note
                        or _shown(match.controlled.value, match.controlled.low, match.controlled.high),
                    )
                    for match in compared.matches
                ),
            ),
            Table(
                "The margin of a tie",
                ("pair", "share of ties"),
                (("reflective against itself under another seed", f"{ties_between_equals(people):.2f}"),),
            ),
        ),
        plots=(
            Plot(
                "pairwise-strengths",
                "Bradley-Terry log strengths, with tie groups.",
                lambda: _figure(compared),
            ),
        ),
        not_shown=("That a language model as a judge agrees with experts on which session is better.",),
    )


def _figure(compared: Compared) -> Figure:
    from mirror_bench.figures.comparison import strengths_figure

    return strengths_figure(compared)


def _shown(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"
