"""The order of candidates by people who compared them two at a time, and by every judge in the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path
from statistics import fmean

from mirror_bench.analysis.candidate_scores import score_of
from mirror_bench.analysis.comparison import CandidateStanding, Compared, compare
from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.raters.preferences import POINTS, Better, Opinion, Preference
from mirror_bench.schema import Record, Score
from mirror_bench.sessions.rating import counted_ratings, standing_of
from mirror_bench.sessions.run_folder import read_ratings
from mirror_bench.sessions.run_header import read_header
from mirror_bench.stats.agreement import krippendorff_alpha
from mirror_bench.stats.rates import cluster_share
from mirror_bench.study.agreeing import pooled_kappa
from mirror_bench.study.choosing import Place
from mirror_bench.study.comparisons import name_of, read_comparisons
from mirror_bench.study.records import StudyKey

_Pair = tuple[str, str, str]
"""Scenario, and the two candidates."""


class JudgeOrder(Record):
    """How a judge orders the candidates, on the pairs that people compared.

    Attributes:
        judge: A rater in the runs, whose higher mean of totals is better, or whoever made a file of
            comparisons.
        pairs: Pairs that the judge and at least one person decided.
        standings: Strongest first.
        tau: Kendall's tau-b of the judge's strengths with the people's; None with fewer than two candidates.
        kappa: With linear weights over first, tie and second, of the judge with each single person.
        agreed: Share of a person's decided answers (no tie) that the judge shares.
    """

    judge: str
    pairs: int
    standings: tuple[CandidateStanding, ...]
    tau: float | None
    kappa: Score
    agreed: Score


class StudyOrder(Record):
    """How people, and judges beside them, order the candidates in a pairwise study: `agreement.json`.

    Attributes:
        raters: People whose comparisons are there.
        pairs: Pairs of the study, and `compared` those that somebody compared.
        people: Their order, win rates and groups that cannot be told apart.
        kappa: Of people with each other, linear weights over first, tie and second.
        alpha: Krippendorff's alpha of people, ordinal.
        judges: The order of each judge, held against theirs.
        unlike: As in `StudyAgreement`.
    """

    version: int = 1
    study: str
    raters: tuple[str, ...]
    pairs: int
    compared: int
    people: Compared
    kappa: Score
    alpha: Score
    judges: tuple[JudgeOrder, ...]
    unlike: tuple[str, ...] = ()


def order_of_study(study: Path, key: StudyKey, against: Sequence[Path] = ()) -> StudyOrder:
    """Returns the order of a pairwise study's candidates, by people and by judges.

    Args:
        study: The study's folder.
        key: The study.
        against: Folders of `compare --out`, or their `comparisons.jsonl`, of other judges.

    Raises:
        InputError: If nobody has compared anything yet, or a run or file is gone or damaged.
    """
    names = {key.rater_name(code) for code in key.raters}
    made = [preference for preference in read_comparisons(study) if preference.judge in names]
    if not made:
        raise InputError(
            f"{study}: no comparison has been taken in yet: mirror-bench study import {study} FILES..."
        )
    candidates = list(
        dict.fromkeys(name_of(key, session) for session in sorted(key.sessions.values(), key=lambda s: s.run))
    )
    people = compare(
        made, dict.fromkeys(candidates, ()), judge=f"{len({preference.judge for preference in made})} people"
    )
    answers: dict[_Pair, dict[str, float]] = {}
    for preference in made:
        answers.setdefault((preference.pair, preference.first, preference.second), {})[preference.judge] = (
            POINTS[str(preference.better)]
        )
    clusters = {
        (preference.pair, preference.first, preference.second): preference.profile_id for preference in made
    }
    judges = [
        _order(judge, preferences, people, answers, clusters, candidates)
        for judge, preferences in _judges(study, key, answers, clusters, against).items()
    ]
    raters = sorted({preference.judge for preference in made})
    shared = [pair for pair in sorted(answers) if len(answers[pair]) >= 2]
    table = [[answers[pair].get(rater) for rater in raters] for pair in shared]
    both = [
        (answers[pair][rater], answers[pair][other], clusters[pair])
        for pair in shared
        for rater, other in permutations(sorted(answers[pair]), 2)
    ]
    of_people = [clusters[pair] for pair in shared]
    return StudyOrder(
        study=key.study,
        raters=tuple(raters),
        pairs=len({task.id for tasks in key.raters.values() for task in tasks}),
        compared=len(answers),
        people=people,
        kappa=pooled_kappa("kappa", both, "linear"),
        alpha=score_of(
            "alpha", krippendorff_alpha(table, of_people, level="ordinal") if table else None, len(answers)
        ),
        judges=tuple(judges),
        unlike=_unlike(study, key),
    )


def _order(
    judge: str,
    preferences: Sequence[Preference],
    people: Compared,
    answers: Mapping[_Pair, Mapping[str, float]],
    clusters: Mapping[_Pair, str],
    candidates: Sequence[str],
) -> JudgeOrder:
    given = {
        (preference.pair, preference.first, preference.second): POINTS[str(preference.better)]
        for preference in preferences
    }
    both = [
        (given[pair], value, clusters[pair]) for pair in given for _, value in sorted(answers[pair].items())
    ]
    decided = [(float(mine == theirs), name) for mine, theirs, name in both if theirs != 0.5]
    compared = compare(preferences, dict.fromkeys(candidates, ()), judge=judge)
    return JudgeOrder(
        judge=judge,
        pairs=len(given),
        standings=compared.standings,
        tau=_tau(people.standings, compared.standings),
        kappa=pooled_kappa("kappa", both, "linear"),
        agreed=_share(decided),
    )


def _judges(
    study: Path,
    key: StudyKey,
    answers: Mapping[_Pair, object],
    clusters: Mapping[_Pair, str],
    against: Sequence[Path],
) -> dict[str, list[Preference]]:
    """Returns judge -> its comparisons of the pairs that people compared."""
    levels = _levels(study, key)
    margin = float(read_yaml(content_path("pairwise.yaml"))["coded_margin"])
    places = {
        (session.pair, name_of(key, session)): (session.run, session.scenario_id)
        for session in key.sessions.values()
    }
    by_judge: dict[str, list[Preference]] = {}
    for pair in sorted(answers):
        scenario, first, second = pair
        sides = [levels.get(places[scenario, name], {}) for name in (first, second)]
        for judge in sorted(sides[0].keys() & sides[1].keys()):
            gap = sides[0][judge] - sides[1][judge]
            better: Better = "tie" if abs(gap) < margin else "first" if gap > 0 else "second"
            by_judge.setdefault(judge, []).append(_preference(pair, clusters[pair], judge, better))
    for path in against:
        others = read_comparisons(path)
        if not others:
            raise InputError(
                f"--against {path}: holds no comparisons.jsonl: make one with mirror-bench compare RUN RUN "
                "--out DIR"
            )
        known = {
            (preference.pair, preference.first, preference.second): preference
            for preference in others
            if preference.better is not None
        }
        known |= {
            (preference.pair, preference.second, preference.first): _turned(preference)
            for preference in known.values()
        }
        if not known.keys() & answers.keys():
            raise InputError(
                f"--against {path}: compares none of this study's pairs: name a comparison of the same runs"
            )
        for pair in sorted(known.keys() & answers.keys()):
            by_judge.setdefault(f"{known[pair].judge} (compared)", []).append(known[pair])
    return by_judge


def _preference(pair: _Pair, profile: str, judge: str, better: Better) -> Preference:
    return Preference(
        pair=pair[0],
        profile_id=profile,
        first=pair[1],
        second=pair[2],
        judge=judge,
        better=better,
        opinions=(Opinion(better=better),),
    )


def _turned(preference: Preference) -> Preference:
    """Returns a comparison with its two sides exchanged."""
    better: Better | None = preference.better
    if better in ("first", "second"):
        better = "second" if better == "first" else "first"
    sides = {
        "first": preference.second,
        "second": preference.first,
        "tokens": preference.tokens[::-1],
        "better": better,
    }
    return preference.model_copy(update=sides)


def _levels(study: Path, key: StudyKey) -> dict[Place, dict[str, float]]:
    """Returns session -> rater in the runs -> its mean total, each total scaled to [0, 1]."""
    totals: dict[Place, dict[str, dict[str, float]]] = {}
    for index in range(len(key.runs)):
        folder = key.run_folder(study, index)
        ids = {session.scenario_id for session in key.sessions.values() if session.run == index}
        standing = standing_of(folder, read_header(folder))
        for rating in counted_ratings(folder, standing):
            form = standing.form_of(rating.instrument)
            if rating.scenario_id not in ids or rating.lost:
                continue
            value = form.part_scores(rating).get("total")
            row = totals.setdefault((index, rating.scenario_id), {}).setdefault(rating.rater, {})
            row.pop(form.name, None)
            if value is not None:
                row[form.name] = (value - form.scale.min) / (form.scale.max - form.scale.min)
    return {
        place: {rater: fmean(own.values()) for rater, own in by_rater.items() if own}
        for place, by_rater in totals.items()
    }


def _unlike(study: Path, key: StudyKey) -> tuple[str, ...]:
    """Returns the judges whose ratings are all of another edition, and do not enter."""
    by_standing: dict[bool, dict[str, None]] = {True: {}, False: {}}
    for folder in dict.fromkeys(key.run_folder(study, index) for index in range(len(key.runs))):
        standing = standing_of(folder, read_header(folder))
        for rating in read_ratings(folder):
            by_standing[standing.counts(rating)][f"{rating.rater} on {rating.instrument}"] = None
    return tuple(name for name in by_standing[False] if name not in by_standing[True])


def _tau(people: Sequence[CandidateStanding], judge: Sequence[CandidateStanding]) -> float | None:
    from scipy import stats

    mine = {entry.name: entry.strength.value for entry in people}
    theirs = {entry.name: entry.strength.value for entry in judge}
    common = sorted(mine.keys() & theirs.keys())
    if len(common) < 2:
        return None
    value = float(
        stats.kendalltau([mine[name] for name in common], [theirs[name] for name in common]).statistic
    )
    return None if value != value else round(value, 6)


def _share(decided: Sequence[tuple[float, str]]) -> Score:
    share = cluster_share([value for value, _ in decided], [name for _, name in decided]) if decided else None
    return score_of("agreed", share, len(decided))
