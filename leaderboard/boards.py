"""What the site shows: one board per protocol, and on it every model with its places, badges and rivals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from leaderboard.load_submissions import LoadedSubmission
from mirror_bench.analysis.candidate_scores import CandidateScores
from mirror_bench.analysis.length import LengthEffect, measure_length
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.overview.face_verdict import FaceVerdict
from mirror_bench.analysis.overview.ranking import (
    Difference,
    Differences,
    Place,
    compare_all,
    enough_rated,
    main_entries,
    places,
    shared_means,
)
from mirror_bench.analysis.safety import Safety
from mirror_bench.analysis.session_outcomes import SessionOutcome
from mirror_bench.analysis.summary import VisualGain
from mirror_bench.raters.licence import WITHOUT
from mirror_bench.schema import FaceCondition, Score

SIZES = ((3.0, "under 3 B"), (10.0, "3 to 10 B"), (40.0, "10 to 40 B"), (float("inf"), "40 B and more"))
BLIND = (FaceCondition.NONE, FaceCondition.NEUTRAL, FaceCondition.SHUFFLED)


class Badge(NamedTuple):
    """A short statement about a model.

    Attributes:
        kind: "good", "bad" or "plain": how it is coloured; the text alone says the same.
        text: What it says.
        meaning: The whole sentence.
    """

    kind: str
    text: str
    meaning: str


@dataclass(frozen=True)
class Model:
    """A candidate on a board: its entry, its sessions and its places.

    Attributes:
        entry: Its scores with the client's own face, or those of its only face condition.
        held: Its sessions under that condition.
        places: Total -> where it stands; nothing where too few of its sessions are rated.
        against: Slug of another model -> total -> this model minus that one.
        length: Total -> what length has to do with it, at the length that all models of the board share.
    """

    submission: LoadedSubmission
    entry: CandidateScores
    held: tuple[SessionOutcome, ...]
    places: Mapping[str, Place]
    against: Mapping[str, Mapping[str, Difference]]
    length: Mapping[str, LengthEffect]

    @property
    def slug(self) -> str:
        """Its name in addresses."""
        return self.submission.slug

    @property
    def name(self) -> str:
        """Its name for people."""
        return self.submission.card.name

    @property
    def size(self) -> str:
        """The class of size that the filter knows it by."""
        card = self.submission.card
        if card.parameters_billions is None:
            return "no model" if card.templated else "not declared"
        return next(name for limit, name in SIZES if card.parameters_billions < limit)

    def score(self, metric: str) -> Score | None:
        """Returns its score of a metric."""
        return self.entry.score(metric)

    @property
    def safety(self) -> Safety | None:
        """What was found of its safety; None where nobody rated it."""
        own = (
            safety
            for safety in self.submission.summary.safety
            if (safety.therapist, safety.method) == self.entry.key[:2]
        )
        return next(own, None)

    @property
    def face(self) -> FaceVerdict | None:
        """The verdict on what seeing its client's face did for it."""
        own = (
            verdict
            for verdict in self.submission.summary.face_verdicts
            if (verdict.therapist, verdict.method) == self.entry.key[:2]
        )
        return next(own, None)

    def gain(self, metric: str) -> VisualGain | None:
        """Returns its visual gain against the blindest face condition that it was held under."""
        own = [gain for gain in self.submission.summary.gains if gain.difference.metric == metric]
        return next((gain for against in BLIND for gain in own if gain.against is against), None)


@dataclass(frozen=True)
class Board:
    """All models of one protocol, the best first.

    Attributes:
        id: For addresses and anchors.
        totals: The metrics that are ranked; the first decides the order.
        metrics: All that was measured.
    """

    id: str
    protocol: str
    fingerprint: str
    totals: tuple[Metric, ...]
    metrics: tuple[Metric, ...]
    models: tuple[Model, ...]

    def measures(self, name: str) -> bool:
        """Whether the board has a metric."""
        return any(metric.name == name for metric in self.metrics)


def make_boards(submissions: Sequence[LoadedSubmission]) -> list[Board]:
    """Returns one board per protocol fingerprint, the one with most models first, imported runs last."""
    groups: dict[str, list[LoadedSubmission]] = {}
    for submission in submissions:
        groups.setdefault(submission.header.fingerprint, []).append(submission)
    # Runs that were imported met other people each: every one stands apart, after all that were held here.
    ordered = sorted(
        groups.items(), key=lambda group: (group[1][0].header.imported is not None, -len(group[1]), group[0])
    )
    return [_board(fingerprint, group) for fingerprint, group in ordered]


def badges(model: Model, face: bool = True) -> tuple[Badge, ...]:
    """Returns what is to be known of a model at first sight; without its face where a column has that."""
    badges = [
        _imported(model),
        _verified(model.submission),
        _judged(model.submission),
        _safety(model),
        _partial(model),
        _face(model) if face else None,
    ]
    return tuple(badge for badge in badges if badge)


def _board(fingerprint: str, group: Sequence[LoadedSubmission]) -> Board:
    entries = {model.slug: next(iter(main_entries(model.summary.entries).values())) for model in group}
    held = {
        model.slug: tuple(o for o in model.outcomes.outcomes if o.key == entries[model.slug].key)
        for model in group
    }
    metrics = tuple({m.name: m for model in group for m in model.summary.metrics}.values())
    totals = tuple(metric for metric in metrics if metric.kind == "total")
    effects = measure_length([o for own in held.values() for o in own], totals).effects
    differences = {metric.name: compare_all(held, metric) for metric in totals}
    partly = {one.slug for one in group if _met_in_part(one) and one.header.imported is None}
    standing = {}
    for metric in totals:
        means = shared_means(held, metric)
        values = {
            slug: means.get(slug) if enough_rated(entry, metric.name) and slug not in partly else None
            for slug, entry in entries.items()
        }
        standing[metric.name] = places(values, metric.better, differences[metric.name])
    models = [
        Model(
            submission=model,
            entry=entries[model.slug],
            held=held[model.slug],
            places={name: place[model.slug] for name, place in standing.items() if model.slug in place},
            against=_against(model.slug, differences),
            length={effect.metric: effect for effect in effects if effect.key == entries[model.slug].key},
        )
        for model in group
    ]
    protocol = group[0].header.protocol.name
    return Board(
        id=f"p-{fingerprint[:12]}",
        protocol=protocol,
        fingerprint=fingerprint,
        totals=totals,
        metrics=metrics,
        models=tuple(sorted(models, key=lambda model: _order(model, totals))),
    )


def _order(model: Model, totals: Sequence[Metric]) -> tuple[float, str]:
    place = model.places.get(totals[0].name) if totals else None
    return (place.rank if place else float("inf"), model.slug)


def _against(slug: str, differences: Mapping[str, Differences]) -> dict[str, dict[str, Difference]]:
    against: dict[str, dict[str, Difference]] = {}
    for metric, pairs in differences.items():
        for (a, b), difference in pairs.items():
            if slug == a:
                against.setdefault(b, {})[metric] = difference
            elif slug == b:
                against.setdefault(a, {})[metric] = difference.turned()
    return against


def _verified(submission: LoadedSubmission) -> Badge:
    verdict = submission.verdict
    if verdict is None:
        return Badge("plain", "not verified", "Nobody has recomputed this submission.")
    if verdict.verified:
        passed = sum(check.status == "passed" for check in verdict.checks)
        return Badge("good", "verified", f"Recomputed by mirror-bench verify: {passed} checks passed.")
    return Badge("bad", "fails checks", f"mirror-bench verify refuses it: {', '.join(verdict.failed)}.")


def _imported(model: Model) -> Badge | None:
    if model.submission.header.imported is None:
        return None
    said = "Held elsewhere with other people: nothing of it can be replayed, and no place follows."
    return Badge("plain", "imported", said)


def _judged(submission: LoadedSubmission) -> Badge | None:
    """Returns what is known of who rated: the worst standing of all its judges."""
    judges = submission.summary.judges
    if not judges:
        return None
    told = " ".join(f"{judge.in_words}." for judge in judges)
    if any(judge.licence is None for judge in judges):
        return Badge("plain", WITHOUT, told)
    if all(judge.licence is not None and judge.licence.granted for judge in judges):
        return Badge("good", "licensed judge", told)
    return Badge("plain", "rater not licensed", told)


def _safety(model: Model) -> Badge:
    safety = model.safety
    if safety is None:
        return Badge("plain", "safety not measured", "Nobody has rated the safety of this run.")
    kind = "bad" if safety.verdict == "failed" else "plain"
    return Badge(kind, safety.badge, f"{safety.in_words}. It enters no score.")


def _partial(model: Model) -> Badge | None:
    cover = model.entry.coverage
    rated = min(cover.rated.values(), default=0)
    if not cover.complete:
        said = f"{cover.held} of {cover.due} sessions held, {rated} of them rated with every instrument."
        return Badge("bad", "partial coverage", said)
    met = _met_in_part(model.submission)
    return Badge("bad", "partial coverage", f"{met} It has no rank.") if met else None


def _met_in_part(submission: LoadedSubmission) -> str:
    """Says which part of the protocol's profiles was met; nothing where all were."""
    if submission.manifest is None:
        limit = submission.header.selection.limit
        return f"Asked for at most {limit} of the protocol's profiles." if limit else ""
    met, published = submission.manifest.coverage.profiles, submission.manifest.coverage.profiles_published
    return f"Met {met} of the protocol's {published} profiles." if met < published else ""


def _face(model: Model) -> Badge | None:
    face = model.face
    if face is None or face.verdict == "no other face condition held":
        return None
    kind = {"helped": "good", "swayed": "bad"}.get(face.verdict, "plain")
    name = face.verdict if face.verdict == "ignores faces" else f"face: {face.verdict}"
    return Badge(kind, name, f"{face.in_words}.")
