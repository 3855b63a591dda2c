"""How far the raters of a study agree, with each other and with every judge of the same sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path
from statistics import fmean

from mirror_bench.analysis.attunement import ATTUNEMENT, count_moments
from mirror_bench.analysis.candidate_scores import score_of
from mirror_bench.errors import InputError
from mirror_bench.raters.instruments import Instrument
from mirror_bench.raters.names import is_person
from mirror_bench.schema import Record, Score
from mirror_bench.sessions.rating import standing_of
from mirror_bench.sessions.run_folder import read_ratings, read_sessions
from mirror_bench.sessions.run_header import read_header
from mirror_bench.stats.agreement import (
    Weights,
    cohen_kappa,
    icc,
    incomplete_icc,
    kendall_tau,
    krippendorff_alpha,
)
from mirror_bench.stats.paired import paired_difference
from mirror_bench.study.records import StudyKey

PEOPLE = "people"
CODED_ATTUNEMENT = f"{ATTUNEMENT} (coded)"
"""The measure that needs no rater, put beside what people see; on a scale of its own."""
_SEEN = "observed_attunement"

_Values = Mapping[str, Mapping[str, float]]
"""Session -> rater -> score."""


class PeopleAgreement(Record):
    """How far people agree on one part of an instrument.

    Attributes:
        raters: People who rated it.
        sessions: Sessions that two or more of them rated.
        icc: ICC(2,1), absolute agreement, with sessions that only some rated.
        alpha: Krippendorff's alpha, interval level.
        kappa: Cohen's kappa with quadratic weights, over all pairs of people who rated the same session.
    """

    metric: str
    raters: int
    sessions: int
    icc: Score
    alpha: Score
    kappa: Score


class JudgeAgreement(Record):
    """How far a judge agrees with the people on one part of an instrument.

    Attributes:
        sessions: Sessions that the judge and at least one person rated.
        icc: ICC(2,1) of the judge with the people's mean.
        alpha: Krippendorff's alpha of the two, interval level.
        kappa: With quadratic weights, of the judge with each single person: to be held against the people's
            own.
        tau: Kendall's tau-b of the judge with the people's mean: the order alone.
        difference: Judge minus the people's mean.
    """

    judge: str
    metric: str
    sessions: int
    icc: Score
    alpha: Score
    kappa: Score
    tau: Score
    difference: Score


class StudyAgreement(Record):
    """The agreement of people, and of judges with them, in a rating study: `agreement.json`.

    Attributes:
        people: For each total, subscale and item.
        judges: Likewise, for each judge that has rated some of the sessions.
        raters: People whose ratings are in the runs.
        sessions: Sessions of the study, and `rated` those that somebody rated.
        unlike: Judges whose ratings are all by another edition of instrument or judge, and do not enter.
    """

    version: int = 1
    study: str
    raters: tuple[str, ...]
    sessions: int
    rated: int
    people: tuple[PeopleAgreement, ...]
    judges: tuple[JudgeAgreement, ...]
    unlike: tuple[str, ...] = ()


def agree_on_ratings(study: Path, key: StudyKey) -> StudyAgreement:
    """Returns how far the people of a rating study agree, with each other and with the judges in the runs.

    Scores are those of the study's own instruments, higher always better. Intervals leave out a client at a
    time.

    Raises:
        InputError: If no person's rating is in the runs, or a run is gone.
    """
    values, unlike = _scores(study, key)
    people = {key.rater_name(code) for code in key.raters}
    met = {rater for by_session in values.values() for row in by_session.values() for rater in row}
    if not met & people:
        raise InputError(
            f"{study}: no rating of study {key.study} is in the runs yet: mirror-bench study import {study} "
            "FILES..."
        )
    clusters = {name: session.profile_id for name, session in key.sessions.items()}
    metrics = [f"{form.name}.{part}" for form in key.instruments for part in _parts(form)]
    own = [metric for metric in metrics if metric in values]
    judges = sorted(met - people)
    return StudyAgreement(
        study=key.study,
        raters=tuple(sorted(met & people)),
        sessions=len(key.sessions),
        rated=len(
            {
                name
                for by_session in values.values()
                for name, row in by_session.items()
                if people & row.keys()
            }
        ),
        people=tuple(_people(metric, values[metric], people, clusters) for metric in own),
        judges=tuple(
            judged
            for judge in judges
            for metric in own
            if (judged := _judge(judge, metric, values[metric], people, clusters)) is not None
        ),
        unlike=tuple(unlike),
    )


def _parts(form: Instrument) -> list[str]:
    total = [] if form.total == "none" else ["total"]
    return [*total, *form.subscales, *(item.id for item in form.items)]


def _scores(study: Path, key: StudyKey) -> tuple[dict[str, dict[str, dict[str, float]]], list[str]]:
    """Returns metric -> session -> rater -> score, and the judges whose ratings are of another edition."""
    values: dict[str, dict[str, dict[str, float]]] = {}
    forms = {form.name: form for form in key.instruments}
    unlike: dict[str, None] = {}
    made_anew: set[str] = set()
    for index in range(len(key.runs)):
        folder = key.run_folder(study, index)
        ids = {session.scenario_id: name for name, session in key.sessions.items() if session.run == index}
        standing = standing_of(folder, read_header(folder))
        for rating in read_ratings(folder):
            if rating.scenario_id not in ids or rating.instrument not in forms or rating.lost:
                continue
            if is_person(rating.rater) and rating.rater_edition != f"study {key.study}":
                continue  # people of another study
            form = forms[rating.instrument]
            stale = not is_person(rating.rater) and not standing.counts(rating)
            if stale or rating.instrument_digest not in ("", form.digest):
                unlike[f"{rating.rater} on {form.name}"] = None
                continue
            made_anew.add(f"{rating.rater} on {form.name}")
            for part, score in form.part_scores(rating).items():
                row = values.setdefault(f"{form.name}.{part}", {}).setdefault(ids[rating.scenario_id], {})
                row.pop(rating.rater, None)  # a later rating replaces an earlier one, with a score or without
                if score is not None:
                    row[rating.rater] = score
        if _SEEN in forms:
            for session in read_sessions(folder):
                value = count_moments(session).value if session.scenario_id in ids else None
                if value is not None:
                    row = values.setdefault(f"{_SEEN}.total", {}).setdefault(ids[session.scenario_id], {})
                    row[CODED_ATTUNEMENT] = value
    return values, [name for name in unlike if name not in made_anew]


def _people(metric: str, values: _Values, people: set[str], clusters: Mapping[str, str]) -> PeopleAgreement:
    raters = sorted({rater for row in values.values() for rater in row if rater in people})
    shared = [name for name in sorted(values) if len(people & values[name].keys()) >= 2]
    table = [[values[name].get(rater) for rater in raters] for name in shared]
    names = [clusters[name] for name in shared]
    # Each two people both ways round, as neither comes first.
    pairs = [
        (row[person], row[other], clusters[name])
        for name, row in ((name, values[name]) for name in shared)
        for person, other in permutations(sorted(people & row.keys()), 2)
    ]
    many = len(values)
    return PeopleAgreement(
        metric=metric,
        raters=len(raters),
        sessions=len(shared),
        icc=score_of(metric, incomplete_icc(table, names) if table else None, many),
        alpha=score_of(metric, krippendorff_alpha(table, names) if table else None, many),
        kappa=pooled_kappa(metric, pairs, "quadratic"),
    )


def _judge(
    judge: str, metric: str, values: _Values, people: set[str], clusters: Mapping[str, str]
) -> JudgeAgreement | None:
    shared = [name for name in sorted(values) if judge in values[name] and people & values[name].keys()]
    if not shared:
        return None
    given = {name: values[name][judge] for name in shared}
    mean = {
        name: fmean(values[name][person] for person in sorted(people & values[name].keys()))
        for name in shared
    }
    table = [[mean[name], given[name]] for name in shared]
    names = [clusters[name] for name in shared]
    pairs = [
        (given[name], values[name][person], clusters[name])
        for name in shared
        for person in sorted(people & values[name].keys())
    ]
    alike = judge != CODED_ATTUNEMENT  # on another scale nothing but the order can agree
    return JudgeAgreement(
        judge=judge,
        metric=metric,
        sessions=len(shared),
        icc=score_of(metric, icc(table, names) if alike else None, len(shared)),
        alpha=score_of(metric, krippendorff_alpha(table, names) if alike else None, len(shared)),
        kappa=pooled_kappa(metric, pairs if alike else [], "quadratic"),
        tau=score_of(metric, kendall_tau(table, names), len(shared)),
        difference=score_of(
            metric, paired_difference(given, mean, clusters).interval if alike else None, len(shared)
        ),
    )


def pooled_kappa(metric: str, pairs: Sequence[tuple[float, float, str]], weights: Weights) -> Score:
    """Returns Cohen's kappa over pairs of answers to the same thing, each with its client."""
    first, second = [left for left, *_ in pairs], [other for _, other, _ in pairs]
    kappa = cohen_kappa(first, second, [name for *_, name in pairs], weights=weights) if pairs else None
    return score_of(metric, kappa, len(pairs))
