"""The face verdict: did seeing its client's face help a candidate, sway it, or leave it cold?

Two questions are asked of a candidate. Does it *gain* from the face: is the score with the client's own face
higher than without one (none, or a neutral one), and higher than with a wrong one (shuffled, or incongruent)?
Who gains over no face alone may be moved by any picture at all. And does it *change* with the face: do its
words change where only the face of one turn is another, more often than where the same face is shown again
(`sessions.counterfactual_turns`)?

The rule, in this order:

1. *no other face condition held*: nothing to compare, or the own face was not held.
2. *too few sessions*: fewer than `FEWEST` client profiles were met under both faces.
3. *helped*: some measure (an instrument's total, or attunement) is higher with the own face than with each of
   the faces it is held against, and none is lower. The p of a measure is the largest of its differences,
   with Holm's correction over measures.
4. *swayed*, where a measure is lower with the own face than with one of them.
5. *ignores faces*: its words change at fewer than `MARGIN` of the turns, as the interval's upper end says;
   where no turn was asked again, every session came out exactly as with the other face.
6. *swayed*: its words change (at `MARGIN` of the turns or more, and the interval lies above 0) and no measure
   gains: of each, one of the differences has an upper end below `MARGIN` of the measure's scale.
7. *too few sessions*: nothing of this can be told; where no turn was asked again, *not told*.

All differences are paired by scenario and clustered by profile.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Literal

from mirror_bench.analysis.attunement import ATTUNEMENT
from mirror_bench.analysis.candidate_scores import score_of
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.session_outcomes import SessionOutcome, contrast
from mirror_bench.analysis.visual_reliance import SILENT, WRONG
from mirror_bench.schema import FaceCondition, Record, Score
from mirror_bench.sessions.counterfactual_turns import Probe
from mirror_bench.stats.intervals import FEW_CLUSTERS
from mirror_bench.stats.noninferiority import holm
from mirror_bench.stats.paired import paired_difference

FEWEST = FEW_CLUSTERS
"""Client profiles below which nothing is said of a face."""
MARGIN = 0.05
"""Share of a scale below which a gain is none, and share of turns below which words do not change."""
ALPHA = 0.05
_COURSE = ("dropout", "resistance_change", "turns", "words_per_turn")
"""What shows, where no turn was asked again, whether a session came out as the other did."""
FACE_NAMES = {
    FaceCondition.NONE: "no face",
    FaceCondition.NEUTRAL: "a neutral face",
    FaceCondition.SHUFFLED: "a shuffled face",
    FaceCondition.INCONGRUENT: "an incongruent face",
}

Verdict = Literal[
    "helped", "swayed", "ignores faces", "too few sessions", "not told", "no other face condition held"
]


class FaceDifference(Record):
    """One measure with the own face minus the same with another, on the same scenarios.

    Attributes:
        metric: An instrument's total, or attunement.
        title: For people.
        against: The other face condition.
        difference: In the measure's points; `n` counts scenario pairs.
        p: Two-sided p of no difference, of this one alone.
    """

    metric: str
    title: str
    against: FaceCondition
    difference: Score
    p: float


class FaceVerdict(Record):
    """Whether seeing the client's own face helped a candidate, swayed it, or made no difference.

    Attributes:
        verdict: See the module.
        against: The face conditions that the own face is held against.
        differences: Of every measure against each of them.
        gained: Measures that are higher with the own face than with each of them.
        lost: Measures that are lower with the own face than with one of them.
        changed: Share of turns whose words change with another face, less the noise; None where no turn was
            asked again.
    """

    therapist: str
    method: str = ""
    verdict: Verdict
    against: tuple[FaceCondition, ...] = ()
    differences: tuple[FaceDifference, ...] = ()
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    changed: Score | None = None

    @property
    def in_words(self) -> str:
        """One sentence: the verdict and what it rests on."""
        over = " and ".join(FACE_NAMES[condition] for condition in self.against)
        lower = f"; lower with the own face: {self._listed(self.lost)}" if self.lost else ""
        words = f"its words change with the face at {_share(self.changed)} of turns" if self.changed else ""
        more = f"; {words}" if words else ""
        if self.verdict == "no other face condition held":
            return "face: no other face condition held, so nothing shows whether the face was used"
        if self.verdict == "helped":
            only = "" if len(self.against) > 1 else f"; not held against {_other_kind(self.against)}"
            return f"face: HELPED, higher with the own face: {self._over_each()}{more}{only}"
        if self.verdict == "swayed":
            higher = f"; higher: {self._listed(self.gained)}" if self.gained else ""
            none = "" if self.gained else f" and gains from none, held against {over}"
            return f"face: SWAYED, changes with the face{none}{lower}{higher}{more}"
        if self.verdict == "ignores faces":
            return f"face: IGNORED; {words or f'every session comes out as with {over}'}"
        if self.verdict == "not told":
            return f"face: not told, no gain shown over {over}, and no turn was asked again (--probe-turns)"
        pairs = max((difference.difference.n for difference in self.differences), default=0)
        clients = max((difference.difference.clusters for difference in self.differences), default=0)
        if clients >= FEWEST:
            return (
                f"face: not decided, neither a gain over {over} nor its absence is shown ({pairs} pairs with "
                f"{clients} clients){more}; more seeds, or more turns asked again (--probe-turns), may tell"
            )
        return (
            f"face: too few sessions to tell ({pairs} pairs with {clients} clients; at least {FEWEST} "
            f"clients are needed), held against {over}{more}"
        )

    def gain(self, metric: str) -> FaceDifference | None:
        """Returns the smallest difference of a measure, which is the one that the verdict rests on."""
        return min(self._of(metric), key=lambda difference: difference.difference.value or 0.0, default=None)

    def _over_each(self) -> str:
        """The measures that gain, each with its difference over every face that it is held against."""
        gains = [self._of(metric) for metric in self.gained]
        return "; ".join(
            f"{gain[0].title} "
            + ", ".join(f"{_signed(over.difference)} over {FACE_NAMES[over.against]}" for over in gain)
            for gain in gains
        )

    def _of(self, metric: str) -> list[FaceDifference]:
        """The measure's differences, as far as they have a value."""
        return [
            difference
            for difference in self.differences
            if difference.metric == metric and difference.difference.value is not None
        ]

    def _listed(self, metrics: Iterable[str]) -> str:
        gains = (self.gain(metric) for metric in metrics)
        return ", ".join(f"{gain.title} {_signed(gain.difference)}" for gain in gains if gain)


def judge_faces(
    outcomes: Iterable[SessionOutcome], metrics: Sequence[Metric], probes: Iterable[Probe] = ()
) -> tuple[FaceVerdict, ...]:
    """Returns the face verdict of every candidate, by name.

    Args:
        outcomes: Sessions of any candidates and face conditions.
        metrics: What was measured; totals and attunement count.
        probes: Turns that were asked again with other faces, of any candidates.
    """
    held: dict[tuple[str, str], dict[FaceCondition, list[SessionOutcome]]] = {}
    for outcome in outcomes:
        own = held.setdefault(outcome.key[:2], {})
        own.setdefault(outcome.key.condition, []).append(outcome)
    asked: dict[tuple[str, str], list[Probe]] = {}
    for probe in probes:
        asked.setdefault((probe.therapist, probe.method), []).append(probe)
    return tuple(_judge(key, own, metrics, asked.get(key, ())) for key, own in sorted(held.items()))


def _judge(
    key: tuple[str, str],
    held: Mapping[FaceCondition, Sequence[SessionOutcome]],
    metrics: Sequence[Metric],
    probes: Sequence[Probe],
) -> FaceVerdict:
    therapist, method = key
    against = tuple(
        condition
        for kind in (SILENT, WRONG)
        if (condition := next((condition for condition in kind if condition in held), None))
    )
    own = held.get(FaceCondition.MATCHED)
    if not own or not against:
        return FaceVerdict(therapist=therapist, method=method, verdict="no other face condition held")
    measures = [metric for metric in metrics if metric.kind == "total" or metric.name == ATTUNEMENT]
    differences = tuple(
        _difference(own, held[condition], condition, metric) for metric in measures for condition in against
    )
    gained, lost = _decided(differences, against)
    changed = _changed(probes)
    return FaceVerdict(
        therapist=therapist,
        method=method,
        verdict=_verdict(differences, measures, gained, lost, changed, _alike(own, held, against, measures)),
        against=against,
        differences=differences,
        gained=gained,
        lost=lost,
        changed=changed,
    )


def _verdict(
    differences: Sequence[FaceDifference],
    measures: Sequence[Metric],
    gained: Sequence[str],
    lost: Sequence[str],
    changed: Score | None,
    alike: bool,
) -> Verdict:
    if max((difference.difference.clusters for difference in differences), default=0) < FEWEST:
        return "too few sessions"
    if gained and not lost:
        return "helped"
    if lost:
        return "swayed"
    if changed is None:
        return "ignores faces" if alike else "not told"
    if changed.clusters < FEWEST:
        return "too few sessions"
    least, most = (changed.value if end is None else end for end in (changed.low, changed.high))
    if (most or 0.0) < MARGIN:
        return "ignores faces"
    none = all(_no_gain(metric, differences) for metric in measures)
    changes = (changed.value or 0.0) >= MARGIN and (least or 0.0) > 0
    return "swayed" if changes and none else "too few sessions"


def _difference(
    own: Sequence[SessionOutcome], other: Sequence[SessionOutcome], against: FaceCondition, metric: Metric
) -> FaceDifference:
    sides = (own, other) if metric.better != "lower" else (other, own)
    contrasted = contrast(*sides, metric.name)
    pairs = contrasted.interval.n if contrasted.interval else 0
    mean = contrasted.mean
    return FaceDifference(
        metric=metric.name,
        title=metric.title.removesuffix(" total"),
        against=against,
        difference=score_of(metric.name, contrasted.interval, max(1, pairs + contrasted.unpaired)),
        p=round(mean.p_apart(), 6) if mean is not None and mean.clusters > 1 else 1.0,
    )


def _decided(
    differences: Sequence[FaceDifference], against: Sequence[FaceCondition]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the measures that gain over all faces they are held against, and those that lose to one."""
    up: dict[str, float] = {}
    down: dict[tuple[str, FaceCondition], float] = {}
    for metric in dict.fromkeys(difference.metric for difference in differences):
        own = [difference for difference in differences if difference.metric == metric]
        rises = all((difference.difference.value or 0.0) > 0 for difference in own)
        up[metric] = max(difference.p for difference in own) if rises and len(own) == len(against) else 1.0
        down |= {
            (metric, difference.against): difference.p if (difference.difference.value or 0.0) < 0 else 1.0
            for difference in own
        }
    gained = tuple(metric for metric, p in holm(up).items() if p <= ALPHA)
    lower = {metric for (metric, _), p in holm(down).items() if p <= ALPHA}
    return gained, tuple(metric for metric in up if metric in lower)


def _no_gain(metric: Metric, differences: Sequence[FaceDifference]) -> bool:
    """Tells whether a gain is shown to be none over one of the faces: to be helped it takes both."""
    own = [
        difference
        for difference in differences
        if difference.metric == metric.name and difference.difference.n
    ]
    if not own:
        return metric.name == ATTUNEMENT  # no moment in which face and words disagree, in any session
    room = MARGIN * ((metric.high if metric.high is not None else 1.0) - (metric.low or 0.0))
    return any(_most(difference) < room for difference in own)


def _most(difference: FaceDifference) -> float:
    """Returns the upper end of a difference; where all pairs differ alike, the difference itself."""
    score = difference.difference
    if score.high is None:
        return (score.value or 0.0) if score.clusters >= FEWEST else math.inf
    return score.high


def _changed(probes: Sequence[Probe]) -> Score | None:
    """Returns the share of turns whose words change with another face, less those with the same once more."""
    noise: dict[str, float] = {}
    moved: dict[str, list[float]] = {}
    for probe in probes:
        if probe.lost:
            continue
        turn = f"{probe.scenario_id}#{probe.turn}"
        if probe.shown is FaceCondition.MATCHED:
            noise[turn] = float(probe.changed)
        else:
            moved.setdefault(turn, []).append(float(probe.changed))
    profiles = {f"{probe.scenario_id}#{probe.turn}": probe.profile_id for probe in probes}
    change = paired_difference({turn: fmean(said) for turn, said in moved.items()}, noise, profiles)
    if change.interval is None:
        return None
    score = score_of("words", change.interval, max(1, len(profiles)))
    low = None if score.low is None else max(-1.0, score.low)
    high = None if score.high is None else min(1.0, score.high)
    return score.model_copy(update={"low": low, "high": high})


def _alike(
    own: Sequence[SessionOutcome],
    held: Mapping[FaceCondition, Sequence[SessionOutcome]],
    against: Sequence[FaceCondition],
    measures: Sequence[Metric],
) -> bool:
    """Tells whether every session came out exactly as the same one with another face."""
    names = [*(metric.name for metric in measures), *_COURSE]
    here = {outcome.pair: _came_out(outcome, names) for outcome in own if outcome.measures}
    there = [
        {outcome.pair: _came_out(outcome, names) for outcome in held[kind] if outcome.measures}
        for kind in against
    ]
    pairs = [(here[pair], other[pair]) for other in there for pair in here.keys() & other.keys()]
    return bool(pairs) and all(a == b for a, b in pairs)


def _came_out(outcome: SessionOutcome, names: Iterable[str]) -> tuple[float | None, ...]:
    return tuple(outcome.value(name) for name in names)


def _signed(score: Score) -> str:
    ends = "" if score.low is None or score.high is None else f" [{score.low:+.2f}, {score.high:+.2f}]"
    return f"{score.value or 0.0:+.2f}{ends}"


def _share(score: Score) -> str:
    low, high = score.low, score.high
    ends = "" if low is None or high is None else f" [{100 * low:.0f}, {100 * high:.0f}]"
    return f"{100 * (score.value or 0.0):.0f} %{ends}"


def _other_kind(against: Sequence[FaceCondition]) -> str:
    return "a wrong face" if against[0] in SILENT else "no face"
