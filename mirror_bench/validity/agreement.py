"""Does the coded rater say the same twice, do its items say different things, and does it reward length?"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from mirror_bench.analysis.length import Lengths, measure_length
from mirror_bench.analysis.metrics import Metric, describe, score_rating
from mirror_bench.analysis.raters.agreement import Halo, measure_halo
from mirror_bench.analysis.session_outcomes import CandidateKey, SessionOutcome, gather
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.raters.coded import CodedRater
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.schema import Profile, Rating, Scenario, Score, Session, SessionKey
from mirror_bench.sessions.offline_sessions import rehearse
from mirror_bench.stats.agreement import mean_inter_item_r, retest_r
from mirror_bench.stats.intervals import Interval
from mirror_bench.stats.length import length_correlation
from mirror_bench.therapists import SCRIPTED
from mirror_bench.validity.evidence import Evidence, Setting, Table, Target

THERAPISTS = ("attuned", "reflective", "directive", "warm", "random")
INSTRUMENTS = ("ctrs", "wai")
TURNS = 12
MOST_HALO = 0.5
"""Mean inter-item r within a therapist past which items would be one item asked several times."""
MOST_LENGTH = 0.3
"""Size of the correlation with length within a therapist up to which an effect counts as small to medium
(Cohen 1988)."""


@dataclass(frozen=True)
class Findings:
    """Sessions rated twice by the coded rater: how far it repeats itself, halo, and effects of length.

    Attributes:
        outcomes: One per session, scored by the coded rater.
        metrics: What it scored.
        same: Ratings that a second rater of its kind repeated to the letter.
        ratings: Ratings made at first.
        again: Metric -> the second rater's totals, in the order of `outcomes`.
        lengths: Correlations with length, and totals without it.
    """

    outcomes: tuple[SessionOutcome, ...]
    metrics: tuple[Metric, ...]
    same: int
    ratings: int
    again: Mapping[str, tuple[float | None, ...]]
    lengths: Lengths

    @property
    def halo(self) -> tuple[Halo, ...]:
        """Halo per therapist and instrument."""
        return measure_halo(self.outcomes, self.metrics)

    def items(self, instrument: str) -> tuple[Metric, ...]:
        """Returns the items of an instrument that were rated."""
        return tuple(m for m in self.metrics if m.instrument == instrument and m.kind == "item")

    def table(self, metrics: Sequence[Metric]) -> list[list[float | None]]:
        """Returns sessions by metrics."""
        return [[outcome.scores.get(metric.name) for metric in metrics] for outcome in self.outcomes]

    @property
    def profiles(self) -> list[str]:
        """The cluster of each session."""
        return [outcome.profile_id for outcome in self.outcomes]

    def correlation_left(self, key: CandidateKey, metric: str) -> Interval | None:
        """Returns one therapist's correlation with length after adjustment; None where there is no slope."""
        slope = next((s.slope.value for s in self.lengths.slopes if s.slope.metric == metric), None)
        own = [outcome for outcome in self.outcomes if _scored(outcome, key, metric)]
        if slope is None:
            return None
        lengths = [math.log(outcome.tokens) for outcome in own]
        rest = [o.scores[metric] - slope * length for o, length in zip(own, lengths, strict=True)]
        return length_correlation(rest, lengths, [outcome.profile_id for outcome in own])

    def therapist_of(self, key: CandidateKey) -> str:
        """Returns a therapist's short name."""
        return key.therapist.removeprefix("scripted/")


def find(profiles: int, seed: int = 0, turns: int = TURNS) -> Findings:
    """Rehearses every therapist with the same clients, and rates each session twice.

    Args:
        profiles: How many profiles of MIRROR-Mini, at most all; the resisting ones first.
        seed: Seed of the scenarios.
        turns: Most client turns of a session.
    """
    chosen = sorted(load_mini().profiles, key=lambda p: (p.resistance == "none", p.id))[:profiles]
    sessions, owners = [], []
    for profile in chosen:
        scenario = Scenario(profile=profile, resistance=profile.resistance, seed=seed)
        for name in THERAPISTS:
            held = rehearse(scenario, SCRIPTED.get(name), turns)
            sessions.append(held.model_copy(update={"therapist": f"scripted/{name}"}))
            owners.append(profile)
    first, second = (_rated(sessions, owners) for _ in range(2))
    gathered = gather(sessions, first, score_rating)
    metrics = describe(gathered.metrics)
    later = {outcome.session_key: outcome for outcome in gather(sessions, second, score_rating).outcomes}
    totals = [metric.name for metric in metrics if metric.kind == "total"]
    return Findings(
        gathered.outcomes,
        metrics,
        sum(before == other for before, other in zip(first, second, strict=True)),
        len(first),
        {name: _totals(gathered.outcomes, later, name) for name in totals},
        measure_length(gathered.outcomes, metrics),
    )


def _rated(sessions: Sequence[Session], owners: Sequence[Profile]) -> list[Rating]:
    async def rate() -> list[Rating]:
        # One of its own each time, so that nothing is repeated from memory.
        rater = CodedRater()
        return [
            await rater.rate(session, profile, load_instrument(instrument))
            for session, profile in zip(sessions, owners, strict=True)
            for instrument in INSTRUMENTS
        ]

    return asyncio.run(rate())


def _totals(
    outcomes: Sequence[SessionOutcome], later: Mapping[SessionKey, SessionOutcome], name: str
) -> tuple[float | None, ...]:
    return tuple(later[outcome.session_key].scores.get(name) for outcome in outcomes)


def examine(setting: Setting) -> Evidence:
    """Examines the coded rater's agreement with itself, its halo and its part of length."""
    return evidence_of(find(12, setting.seed, 8) if setting.quick else find(10_000, setting.seed))


def evidence_of(findings: Findings) -> Evidence:
    """Returns the findings as an examination's evidence, with targets and tables."""
    profiles = len(set(findings.profiles))
    return Evidence(
        title="The coded rater: agreement with itself, halo and length",
        tested=(
            f"{len(THERAPISTS)} scripted therapists ({', '.join(THERAPISTS)}) held sessions with the same "
            f"{profiles} clients of MIRROR-Mini, {len(findings.outcomes)} sessions in all, each rated twice "
            "by coded raters of their own with CTRS and WAI. Halo is the mean correlation between items: "
            "over all therapists it holds true differences of skill, within one it does not, so the target "
            "is held against the latter. Length is the logarithm of the therapist's words in a session; "
            "adjusted totals take out what length explains for the same therapist on the same scenario, with "
            "one slope for all therapists. Intervals are 95 %, clustered by profile."
        ),
        targets=(*_retest_targets(findings), *_halo_targets(findings), *_length_targets(findings)),
        tables=(
            _halo_table(findings),
            _items_table(findings),
            _length_table(findings),
            _item_length_table(findings),
        ),
        not_shown=(
            "That people would give these scores: a rater that repeats itself exactly can be exactly wrong.",
            "How alike a language model's ratings are from one time to the next; report a run with several "
            "judges and `--rater all`.",
            "How scores and length go together in therapists that talk at will: the length of scripted ones "
            "follows from their phrases and from how long the client stays.",
            "Whether length earns a score or comes with what earns it: a client who stays makes a session "
            "longer and better rated, and the adjustment takes out either.",
            "That one slope fits everyone: where a therapist's totals lie at the end of the scale, taking "
            "out the others' slope brings in a correlation that was not there.",
        ),
    )


def _retest_targets(findings: Findings) -> tuple[Target, ...]:
    targets = [
        Target(
            "ratings repeated to the letter",
            "all",
            f"{findings.same} of {findings.ratings}",
            findings.same == findings.ratings,
        )
    ]
    for name, again in findings.again.items():
        once = [outcome.scores.get(name) for outcome in findings.outcomes]
        r = retest_r(once, again, findings.profiles)
        value = r.value if r else None
        targets.append(Target(f"retest r of {name}", "1", _shown(r), value is not None and value >= 1 - 1e-9))
    return tuple(targets)


def _halo_targets(findings: Findings) -> tuple[Target, ...]:
    targets = []
    for instrument in INSTRUMENTS:
        known = [
            halo
            for halo in findings.halo
            if halo.instrument == instrument and halo.inter_item_r.value is not None
        ]
        if known:
            worst = max(known, key=lambda halo: halo.inter_item_r.value or 0.0)
            targets.append(
                Target(
                    f"mean inter-item r of {instrument} within a therapist, the highest",
                    f"<= {MOST_HALO}",
                    f"{_shown(worst.inter_item_r)} ({worst.therapist.removeprefix('scripted/')})",
                    (worst.inter_item_r.value or 0.0) <= MOST_HALO,
                )
            )
    return tuple(targets)


def _length_targets(findings: Findings) -> tuple[Target, ...]:
    targets = []
    for metric in (metric for metric in findings.metrics if metric.kind == "total"):
        known = [
            e for e in findings.lengths.effects if e.metric == metric.name and e.correlation.value is not None
        ]
        if known:
            worst = max(known, key=lambda effect: abs(effect.correlation.value or 0.0))
            targets.append(
                Target(
                    f"correlation of {metric.name} with length within a therapist, the largest",
                    f"at most {MOST_LENGTH} either way",
                    f"{_shown(worst.correlation)} ({findings.therapist_of(worst.key)})",
                    abs(worst.correlation.value or 0.0) <= MOST_LENGTH,
                )
            )
    return tuple(targets)


def _halo_table(findings: Findings) -> Table:
    rows = []
    for instrument in INSTRUMENTS:
        pooled = mean_inter_item_r(findings.table(findings.items(instrument)), findings.profiles)
        rows.append((instrument, "all together", str(len(findings.items(instrument))), _shown(pooled), "–"))
        for halo in (halo for halo in findings.halo if halo.instrument == instrument):
            name = halo.therapist.removeprefix("scripted/")
            rows.append((instrument, name, str(halo.items), _shown(halo.inter_item_r), _shown(halo.alpha)))
    heads = ("instrument", "therapist", "items", "mean inter-item r", "Cronbach's alpha")
    return Table("Halo", heads, tuple(rows))


def _items_table(findings: Findings) -> Table:
    """The pairs of items that go together most and least, over all therapists."""
    pairs = []
    for instrument in INSTRUMENTS:
        for first, second in combinations(findings.items(instrument), 2):
            table = findings.table((first, second))
            r = retest_r([row[0] for row in table], [row[1] for row in table], findings.profiles)
            if r is not None:
                pairs.append((r, first, second))
    pairs.sort(key=lambda pair: -pair[0].value)
    shown = pairs if len(pairs) <= 12 else [*pairs[:6], *pairs[-6:]]
    rows = tuple((first.name, second.name, _shown(r)) for r, first, second in shown)
    return Table("Items that go together most and least, over all therapists", ("item", "item", "r"), rows)


def _length_table(findings: Findings) -> Table:
    rows = []
    for effect in findings.lengths.effects:
        if effect.metric.endswith(".total"):
            own = [
                o.scores[effect.metric] for o in findings.outcomes if _scored(o, effect.key, effect.metric)
            ]
            raw = f"{sum(own) / len(own):.2f}" if own else "–"
            adjusted = _shown(effect.adjusted) if effect.adjusted else effect.reason
            after = _shown(findings.correlation_left(effect.key, effect.metric))
            name = findings.therapist_of(effect.key)
            rows.append((effect.metric, name, _shown(effect.correlation), after, raw, adjusted))
    heads = ("total", "therapist", "r with length", "r when adjusted", "as rated", "at equal length")
    return Table("Totals and length", heads, tuple(rows))


def _scored(outcome: SessionOutcome, key: CandidateKey, metric: str) -> bool:
    return outcome.key == key and outcome.tokens > 0 and metric in outcome.scores


def _item_length_table(findings: Findings) -> Table:
    rows = []
    for metric in (metric for metric in findings.metrics if metric.kind == "item"):
        own = {e.key: e.correlation for e in findings.lengths.effects if e.metric == metric.name}
        if any(score.value is not None for score in own.values()):
            by_name = {findings.therapist_of(key): score for key, score in own.items()}
            rows.append((metric.name, *(_brief(by_name.get(name)) for name in THERAPISTS)))
    return Table("Items and length: correlation within each therapist", ("item", *THERAPISTS), tuple(rows))


def _brief(score: Score | None) -> str:
    return "–" if score is None or score.value is None else f"{score.value:+.2f}"


def _shown(value: Interval | Score | None) -> str:
    if value is None or value.value is None:
        return "cannot be told"
    if value.low is None or value.high is None:
        return f"{value.value:.2f}"
    return f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]"
