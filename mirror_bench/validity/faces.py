"""Do scores rise for one who sees the client's face, and only for the right face?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mirror_bench.analysis.metrics import score_rating
from mirror_bench.analysis.session_outcomes import contrast, gather
from mirror_bench.analysis.summary import Summary, summarize_outcomes
from mirror_bench.coding.face_remarks import FaceRemark, judge_remark
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.faces.base import Face
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.raters.coded import CodedRater
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.schema import FaceCondition, Profile, Rating, Resistance, Scenario, Score, Session
from mirror_bench.sessions.counterfactual_turns import Probe, ReopenedTherapist, probe_turn, probed_turns
from mirror_bench.sessions.offline_sessions import UndrawnFaces, rehearse_async
from mirror_bench.sessions.session import FacePresenter
from mirror_bench.stats.paired import PairedDifference
from mirror_bench.therapists.policies.comparison import Attuned, Reflective, Scripted, WordsOnly
from mirror_bench.validity.evidence import Evidence, Plot, Setting, Table, Target
from mirror_bench.validity.trial_therapists import Swayed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS = 3
PROBED_TURNS = 3
NOTHING_GAINED = 0.05
"""Largest gain, either way, that a therapist who uses no face may show, in points of a scale."""
SEEING = ("attuned", "swayed")
MATCHED = FaceCondition.MATCHED
OTHERS = tuple(condition for condition in FaceCondition if condition is not MATCHED)
DENIAL = "It's nothing. I'm fine."


THERAPISTS: Mapping[str, type[Scripted]] = {
    "attuned": Attuned,
    "words-only": WordsOnly,
    "swayed": Swayed,
    "reflective": Reflective,
}


@dataclass(frozen=True)
class FaceFindings:
    """Visual gains and reliance of scripted therapists that do and do not look at faces.

    Attributes:
        summary: Gains and reliance.
        courses: (therapist, condition) -> change of the client's resistance with the own face, less that with
            the other; below 0: the own face helps.
        scenarios: Scenario pairs per therapist and condition.
    """

    summary: Summary
    courses: Mapping[tuple[str, FaceCondition], PairedDifference]
    scenarios: int


def hold_all(profiles: Sequence[Profile], seeds: int, turns: int = PROBED_TURNS) -> FaceFindings:
    """Holds, rates and probes sessions of every therapist under every face condition.

    Args:
        profiles: Who is treated.
        seeds: Scenarios per profile.
        turns: Turns of each session that are asked for again.
    """
    return asyncio.run(_hold_all(profiles, seeds, turns))


async def _hold_all(profiles: Sequence[Profile], seeds: int, turns: int) -> FaceFindings:
    sessions: list[Session] = []
    ratings: list[Rating] = []
    probes: list[Probe] = []
    rater, stage = CodedRater(), FacePresenter(UndrawnFaces())
    instruments = [load_instrument(name) for name in ("ctrs", "wai")]
    due = [
        Scenario(profile=profile, resistance=profile.resistance, seed=seed, condition=condition)
        for profile in profiles
        for seed in range(seeds)
        for condition in FaceCondition
    ]
    for name, kind in THERAPISTS.items():
        opening = partial(_opened, kind)
        for scenario in due:
            held = await rehearse_async(scenario, kind)
            session = held.model_copy(update={"therapist": name})
            sessions.append(session)
            ratings += [await rater.rate(session, scenario.profile, form) for form in instruments]
            if scenario.condition is MATCHED:
                probes += [
                    await probe_turn(session, scenario, turn, shown, opening, stage)
                    for turn in probed_turns(session, turns)
                    for shown in FaceCondition
                ]
    gathered = gather(sessions, ratings, score_rating)
    by = {
        (name, condition): [o for o in gathered.outcomes if o.key[0] == name and o.key.condition is condition]
        for name in THERAPISTS
        for condition in FaceCondition
    }
    courses = {
        (name, condition): contrast(by[name, MATCHED], by[name, condition], "resistance_change")
        for name in THERAPISTS
        for condition in OTHERS
    }
    return FaceFindings(
        summarize_outcomes(gathered, due, probes=probes), courses, len(due) // len(FaceCondition)
    )


def _opened(kind: type[Scripted], scenario: Scenario) -> ReopenedTherapist:
    return ReopenedTherapist(kind(scenario), lambda: None)


def read_expressions() -> dict[str, FaceRemark]:
    """Returns what becomes of each expression that *attuned* is shown while the client denies all.

    `right` and `wrong` as a client would judge the feeling named, `nothing` where the face is not named.
    """
    scenario = Scenario(profile=Profile(id="p", name="P"), resistance=Resistance.EMOTIONAL)

    async def read(name: str) -> FaceRemark:
        face = Face(b"", "", EXPRESSIONS[name])
        words = (await Attuned(scenario).reply(DENIAL, face)).words
        return judge_remark(words, EXPRESSIONS[name])

    return {name: asyncio.run(read(name)) for name in EXPRESSIONS}


def examine(setting: Setting) -> Evidence:
    """Measures visual gain and reliance of therapists who see, who do not, and who are merely swayed."""
    people = load_mini().profiles
    people = people[:: max(1, len(people) // 16)] if setting.quick else people
    findings = hold_all(people, 1 if setting.quick else SEEDS)
    read = read_expressions()
    unnamed = sorted(name for name, seen in read.items() if seen is FaceRemark.NOTHING)
    named = len(read) - len(unnamed)
    right = sum(seen is FaceRemark.RIGHT for seen in read.values())
    return Evidence(
        title="Faces: gain and reliance",
        tested=(
            f"Four scripted therapists on the same {findings.scenarios} scenarios of {len(people)} profiles "
            "under five face conditions, with the stateful client and the coded rater. *Attuned* names the "
            "face where words deny it; *words-only* is *attuned* with its eyes shut; *swayed* lets the face "
            "choose among equal phrases and uses it for nothing else; *reflective* never looks. Gain is the "
            "score with the client's own face less that with another face or none. Reliance is measured by "
            f"asking for {PROBED_TURNS} turns of each session again with the same history and another face, "
            "and by what a wrong face costs. Intervals are 95 %, clustered by profile."
        ),
        targets=tuple(_targets(findings, right, named)),
        tables=(*_tables(findings), _reading_table(right, named, unnamed)),
        plots=(
            Plot(
                "faces-gain-and-reliance",
                "Gain over another face against the share of turns whose words change with the face: attuned "
                "stands high and to the right, swayed to the right at no gain, words-only and reflective in "
                "the corner.",
                partial(_figure, findings.summary),
            ),
        ),
        not_shown=(
            "Scripted therapists read the expression that a face was drawn from, not the image; whether a "
            "model can tell it from the image is a matter of the static tasks.",
            "Faces are drawn, and no person has looked at them: nothing here says that people would read "
            "them alike, or that a gain would carry over to filmed faces.",
            "Words-only and reflective never look, so their gain is 0 without spread: this tests the "
            "machinery. Chance is tested by swayed alone, and only among phrases of equal worth.",
            "The coded rater hears words alone. It credits the naming of a feeling even where the face was "
            "wrong and the client said so; the table of costs shows by how much, and the client's own "
            "resistance what the rater misses.",
        ),
    )


def _targets(findings: FaceFindings, right: int, named: int) -> list[Target]:
    targets = []
    for gain in findings.summary.gains:
        difference = gain.difference
        value, low, high = difference.value or 0.0, difference.low or 0.0, difference.high or 0.0
        what = f"{gain.therapist}: gain in {difference.metric} over {gain.against.value}"
        if gain.therapist == "attuned":
            targets.append(Target(what, "interval above 0", _score(difference), low > 0))
        elif gain.therapist == "words-only":
            met = abs(value) <= NOTHING_GAINED and low <= 0 <= high
            targets.append(Target(what, f"within {NOTHING_GAINED}, 0 inside", _score(difference), met))
        elif gain.therapist == "swayed":
            targets.append(Target(what, "0 inside the interval", _score(difference), low <= 0 <= high))
    for condition in OTHERS:
        interval = findings.courses["attuned", condition].interval
        targets.append(
            Target(
                f"attuned: the client's resistance, own face less {condition.value}",
                "interval below 0",
                _plain(findings.courses["attuned", condition]),
                interval is not None and interval.high is not None and interval.high < 0,
            )
        )
    for reliance in findings.summary.reliance:
        if reliance.measure == "words" and reliance.shown is FaceCondition.SHUFFLED:
            sees = reliance.therapist in SEEING
            low, high = reliance.value.low or 0.0, reliance.value.high or 0.0
            what = f"{reliance.therapist}: share of turns that change with a shuffled face"
            targets.append(
                Target(
                    what,
                    "interval above 0" if sees else "0",
                    _score(reliance.value),
                    low > 0 if sees else low == high == 0,
                )
            )
    targets.append(
        Target(
            "expressions that attuned names, named rightly",
            "all",
            f"{right} of {named}",
            right == named,
        )
    )
    return targets


def _tables(findings: FaceFindings) -> tuple[Table, ...]:
    asked = [reliance for reliance in findings.summary.reliance if reliance.measure != "cost"]
    costs = [reliance for reliance in findings.summary.reliance if reliance.measure == "cost"]
    return (
        Table(
            "The client's resistance (its change over the session), own face less the other",
            ("therapist", *(condition.value for condition in OTHERS)),
            tuple((name, *(_plain(findings.courses[name, c]) for c in OTHERS)) for name in THERAPISTS),
        ),
        Table(
            "Reliance: shares of turns that change with the face alone, and of remarks that fit it",
            ("therapist", "measure", "face shown", "share", "turns"),
            tuple(
                (
                    reliance.therapist,
                    reliance.measure,
                    reliance.shown.value,
                    _score(reliance.value),
                    str(reliance.value.n),
                )
                for reliance in asked
                if reliance.therapist in SEEING
                and (reliance.shown is not MATCHED or reliance.measure == "read")
            ),
        ),
        Table(
            "What a wrong face costs, against no face; above 0 it harms",
            ("therapist", "metric", "wrong face", "cost"),
            tuple(
                (reliance.therapist, reliance.value.metric, reliance.shown.value, _score(reliance.value))
                for reliance in costs
                if reliance.therapist in SEEING
            ),
        ),
    )


def _reading_table(right: int, named: int, unnamed: Sequence[str]) -> Table:
    return Table(
        "How attuned reads the drawn expressions, each at full strength over a denial",
        ("expressions", "named", "named rightly", "left unnamed"),
        ((str(len(EXPRESSIONS)), str(named), str(right), ", ".join(unnamed)),),
    )


def _figure(summary: Summary) -> Figure:
    from mirror_bench.figures.visual_gain import gain_and_reliance

    figure = gain_and_reliance(summary)
    assert figure is not None
    return figure


def _plain(difference: PairedDifference) -> str:
    interval = difference.interval
    if interval is None:
        return "–"
    ends = (
        "" if interval.low is None or interval.high is None else f" [{interval.low:.3f}, {interval.high:.3f}]"
    )
    return f"{interval.value:.3f}{ends}"


def _score(score: Score) -> str:
    if score.value is None:
        return "–"
    ends = "" if score.low is None or score.high is None else f" [{score.low:.3f}, {score.high:.3f}]"
    return f"{score.value:.3f}{ends}"
