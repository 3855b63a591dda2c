"""What a study is, and studies of intervals: means, shares, areas under curves, agreement, length."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats

from benchmarks import designs
from benchmarks.designs import Floats, Rng
from mirror_bench.stats import agreement
from mirror_bench.stats.auc import auc_interval, match_pairs
from mirror_bench.stats.classes import class_agreement
from mirror_bench.stats.independent import independent_difference
from mirror_bench.stats.intervals import Interval, cluster_mean
from mirror_bench.stats.length import adjust_for_length, length_correlation
from mirror_bench.stats.logistic import logistic
from mirror_bench.stats.pairwise_length import controlled_win_rate
from mirror_bench.stats.rates import cluster_share

Kind = Literal["coverage", "alarm", "power", "bias"]
Trial = Callable[[Rng], float | None]
PROFILES = (4, 8, 16, 48)


class Study(NamedTuple):
    """One method on one design.

    Attributes:
        method: What is audited.
        design: On what data.
        profiles: How many profiles (or transcripts, or clusters).
        kind: How `nominal` is read: "coverage" and "power" at least, "alarm" at most, "bias" exactly.
        nominal: What the method promises.
        trial: One simulated data set: 1 or 0 for an event, a number for a bias, None where the method
            declines.
        cost: Relative time of a trial; costly studies hold fewer.
        known: Why the design cannot hold what is promised, where it cannot; `docs/statistics.md` says so.
    """

    method: str
    design: str
    profiles: int
    kind: Kind
    nominal: float
    trial: Trial
    cost: float = 1.0
    known: str = ""


def holds(interval: Interval | None, true: float) -> float | None:
    """Returns 1 where an interval holds the truth, 0 where not, None where it has no ends."""
    if interval is None or interval.low is None or interval.high is None:
        return None
    return float(interval.low - 1e-9 <= true <= interval.high + 1e-9)


def means() -> Iterator[Study]:
    """Means and paired differences, complete and with sessions missing."""
    few = "a skewed mean needs more profiles"
    for profiles in PROFILES:
        names = designs.names_of(profiles)
        for design in designs.DESIGNS:

            def trial(
                rng: Rng, design: str = design, names: list[int] = names, n: int = profiles
            ) -> float | None:
                scores = designs.DESIGNS[design](rng, n).ravel()
                return holds(cluster_mean(scores, names), designs.truth(design))

            known = few if design in {"skew"} or (design != "plain" and profiles < 8) else ""
            yield Study("mean", design, profiles, "coverage", 0.95, trial, known=known)

        def at_random(rng: Rng, n: int = profiles) -> float | None:
            scores = designs.DESIGNS["plain"](rng, n).ravel()
            kept = [
                (s, name) for s, name in zip(scores, designs.names_of(n), strict=True) if rng.random() > 0.3
            ]
            return holds(cluster_mean([s for s, _ in kept], [c for _, c in kept]), designs.truth("plain"))

        def worst_missing(rng: Rng, n: int = profiles) -> float | None:
            scores = designs.DESIGNS["plain"](rng, n).ravel()
            edge = np.quantile(scores, 0.15)
            kept = [(s, name) for s, name in zip(scores, designs.names_of(n), strict=True) if s > edge]
            return holds(cluster_mean([s for s, _ in kept], [c for _, c in kept]), designs.truth("plain"))

        yield Study("mean", "30 % missing at random", profiles, "coverage", 0.95, at_random)
        yield Study(
            "mean", "worst 15 % missing", profiles, "coverage", 0.95, worst_missing,
            known="no score tells that the worst are missing: coverage is shown, ranks and gate decline",
        )  # fmt: skip

        def paired(rng: Rng, n: int = profiles) -> float | None:
            return holds(cluster_mean(designs.differences(rng, n, 0.1).ravel(), designs.names_of(n)), 0.1)

        def ceilings(rng: Rng, n: int = profiles) -> float | None:
            first, other = (np.minimum(6.0, designs.DESIGNS["ceiling"](rng, n)) for _ in range(2))
            return holds(cluster_mean((first - other).ravel(), designs.names_of(n)), 0.0)

        yield Study("paired difference", "plain", profiles, "coverage", 0.95, paired)
        yield Study("paired difference", "both at a ceiling", profiles, "coverage", 0.95, ceilings)


def apart() -> Iterator[Study]:
    """Differences of two groups of other people, as of an imported run and one held here."""
    for profiles in PROFILES:
        for shape, other, times in (("plain", "plain", 1), ("plain", "plain", 4), ("ceiling", "plain", 4)):

            def trial(
                rng: Rng,
                design: str = shape,
                other: str = other,
                n: int = profiles,
                m: int = profiles * times,
            ) -> float | None:
                a, b = designs.DESIGNS[design](rng, n).ravel(), designs.DESIGNS[other](rng, m).ravel()
                interval = independent_difference(
                    a.tolist(), designs.names_of(n), b.tolist(), designs.names_of(m)
                )
                return holds(interval, designs.truth(design) - designs.truth(other))

            known = "a skewed mean needs more profiles" if shape == "ceiling" and profiles < 16 else ""
            design = f"{shape} against {times} times as many {other}"
            yield Study(
                "difference over other people", design, profiles, "coverage", 0.95, trial, known=known
            )


def shares() -> Iterator[Study]:
    """Shares of events and win rates."""
    for profiles in PROFILES:
        for share, alike in ((0.02, 0.0), (0.02, 1.0), (0.1, 0.0), (0.1, 0.5), (0.3, 0.5), (0.3, 1.0)):

            def trial(
                rng: Rng, n: int = profiles, share: float = share, alike: float = alike
            ) -> float | None:
                events = designs.events(rng, n, share, alike).ravel()
                return holds(cluster_share(events, designs.names_of(n)), share)

            yield Study("share", f"{share:g}, alike {alike:g}", profiles, "coverage", 0.95, trial)

        def wins(rng: Rng, n: int = profiles) -> float | None:
            won = designs.events(rng, n, 0.7, 0.3).ravel()
            tied = rng.random(len(won)) < 0.3
            return holds(cluster_share(np.where(tied, 0.5, won), designs.names_of(n)), 0.7 * 0.7 + 0.15)

        yield Study("win rate", "30 % ties", profiles, "coverage", 0.95, wins)


def areas() -> Iterator[Study]:
    """Areas under the ROC curve, matched pairs, and a score that is length alone."""
    for high, low in ((55, 11), (11, 55), (40, 40)):
        for spread in (1.0, 2.0):
            for true in (0.6, 0.8, 0.95):

                def trial(
                    rng: Rng, high: int = high, low: int = low, spread: float = spread, true: float = true
                ) -> float | None:
                    shift = float(stats.norm.ppf(true)) * math.hypot(1.0, spread)
                    ours, theirs = rng.normal(shift, 1, high), rng.normal(0, spread, low)
                    return holds(auc_interval(ours.tolist(), theirs.tolist()), true)

                design = f"{high} against {low}, spread 1 to {spread:g}, AUC {true:g}"
                yield Study("AUC", design, high + low, "coverage", 0.95, trial, cost=2)

    def matched(rng: Rng) -> float | None:
        # Length moves both scores; within a pair of equal length the high one wins with chance .8.
        shift = float(stats.norm.ppf(0.8)) * math.sqrt(2)
        lengths = rng.normal(0.3, 1, 55), rng.normal(0.0, 1, 40)
        ours, theirs = 3 * lengths[0] + shift + rng.normal(size=55), 3 * lengths[1] + rng.normal(size=40)
        pairs = match_pairs(lengths[0].tolist(), lengths[1].tolist(), 0.05)
        wins = [float(ours[h] > theirs[x]) for h, x in pairs]
        return holds(cluster_share(wins, range(len(wins))), 0.8)

    yield Study("share of matched pairs won", "length moves all scores", 95, "coverage", 0.95, matched)


def agreements() -> Iterator[Study]:
    """Agreement of raters and of classes."""
    for profiles in PROFILES:
        for raters in (2, 3):

            def random_raters(rng: Rng, n: int = profiles, raters: int = raters) -> float | None:
                table = _rated(rng, n, rng.normal(0, 0.4, raters))
                true = 0.5 / (0.5 + 0.16 + 0.25)
                return holds(agreement.icc(table, designs.names_of(n)), true)

            yield Study("ICC", f"{raters} raters drawn from many", profiles, "coverage", 0.95, random_raters)

        def blocks(rng: Rng, n: int = profiles) -> float | None:
            severities = np.array([-0.45, -0.15, 0.15, 0.45])
            table = _rated(rng, n, severities)
            for row in table:
                row[rng.permutation(4)[:2]] = np.nan  # each session is rated by two of the four
            true = 0.5 / (0.5 + float(np.var(severities, ddof=1)) + 0.25)
            return holds(agreement.incomplete_icc(table, designs.names_of(n)), true)

        yield Study("ICC over blocks", "two of these four raters", profiles, "coverage", 0.95, blocks)

        def alpha(rng: Rng, n: int = profiles) -> float | None:
            table = _rated(rng, n, np.array([-0.3, 0.0, 0.3]))
            # Expected disagreement is that of all values together, over these three raters.
            severities = [-0.3, 0.0, 0.3]
            observed, expected = 0.25 + np.var(severities, ddof=1), 0.5 + 0.25 + np.var(severities)
            interval = agreement.krippendorff_alpha(table, designs.names_of(n))
            return holds(interval, float(1 - observed / expected))

        def tau(rng: Rng, n: int = profiles) -> float | None:
            table = _rated(rng, n, np.array([-0.3, 0.3]))
            true = 2 / math.pi * math.asin(0.5 / 0.75)
            return holds(agreement.kendall_tau(table, designs.names_of(n)), true)

        def cronbach(rng: Rng, n: int = profiles) -> float | None:
            table = _rated(rng, n, np.zeros(5))
            return holds(
                agreement.cronbach_alpha(table, designs.names_of(n)), 5 * (2 / 3) / (1 + 4 * (2 / 3))
            )

        low = "a little too low where profiles are few" if profiles < 48 else ""
        yield Study("Krippendorff's alpha", "these three raters", profiles, "coverage", 0.95, alpha, 4, low)
        yield Study("Kendall's tau", "these two raters", profiles, "coverage", 0.95, tau, cost=6)
        yield Study("Cronbach's alpha", "five items", profiles, "coverage", 0.95, cronbach, cost=3)
        for figure in ("macro F1", "kappa"):

            def classes(rng: Rng, n: int = profiles, figure: str = figure) -> float | None:
                real, coded = _classes(rng, n)
                names = designs.names_of(n, 10)
                got = class_agreement(real, coded, "abc", names)
                true = _class_truth()[figure]
                return holds(got.macro_f1 if figure == "macro F1" else got.kappa, true)

            yield Study(f"{figure} of classes", "ten lines each", profiles, "coverage", 0.95, classes, cost=2)


def lengths() -> Iterator[Study]:
    """Correlations with length, and what is left when length is taken out."""
    for profiles in PROFILES[1:]:

        def spearman(rng: Rng, n: int = profiles) -> float | None:
            shared = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], (n, 1))
            own = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], (n, 2))
            x, y = np.moveaxis(0.6 * shared + 0.8 * own, 2, 0)
            true = 6 / math.pi * math.asin(0.25)
            return holds(length_correlation(x.ravel(), y.ravel(), designs.names_of(n)), true)

        yield Study("correlation with length", "rho .5", profiles, "coverage", 0.95, spearman)
        for shape, apart in (("linear", 0.5), ("none", 0.5), ("saturating", 0.5), ("saturating", 2.0)):

            def adjusted(
                rng: Rng, n: int = profiles, shape: str = shape, apart: float = apart
            ) -> float | None:
                slopes = _adjusted(rng, n, shape, apart)
                return None if len(slopes) < 2 else slopes["b"].value - slopes["a"].value

            design = f"{shape} effect, lengths {apart:g} apart"
            known = (
                "a bend that so few sessions do not show" if shape == "saturating" and profiles < 48 else ""
            )
            yield Study("difference at equal length", design, profiles, "bias", 0.0, adjusted, 2, known)

        def winning(rng: Rng, n: int = profiles) -> float | None:
            ratio = rng.normal(0.4, 0.5, 2 * n)
            won = rng.random(2 * n) < 1 / (1 + np.exp(-(0.5 + ratio)))
            got = controlled_win_rate(won.astype(float).tolist(), ratio.tolist(), designs.names_of(n))
            interval = None if got.value is None else Interval(got.value, got.low, got.high, 2 * n, n)
            return holds(interval, 1 / (1 + math.exp(-0.5)))

        yield Study("win rate at equal length", "length helps", profiles, "coverage", 0.95, winning, cost=3)

    def partial(rng: Rng) -> float | None:
        length = rng.normal(size=66)
        high = rng.random(66) < 1 / (1 + np.exp(-length))
        fit = logistic(
            {"score": (length + rng.normal(size=66)).tolist(), "length": length.tolist()}, high.tolist()
        )
        return float(fit.partials["score"].p <= 0.05) if fit.partials else None

    yield Study("score beside length (logistic)", "length alone", 66, "alarm", 0.05, partial, cost=6)


def _rated(rng: Rng, profiles: int, severities: Floats) -> Floats:
    """Returns (units, raters) ratings whose units share half of their variance within a profile."""
    units = rng.normal(0, 0.5, (profiles, 1, 1)) + rng.normal(0, 0.5, (profiles, designs.SEEDS, 1))
    rated = units + severities + rng.normal(0, 0.5, (profiles, designs.SEEDS, len(severities)))
    whole: Floats = rated.reshape(-1, len(severities))
    return whole


def _classes(rng: Rng, profiles: int) -> tuple[list[str], list[str]]:
    skill = np.clip(0.8 + 0.1 * rng.normal(size=(profiles, 1)), 0, 1)
    real = rng.choice(3, (profiles, 10), p=[0.5, 0.3, 0.2])
    right = rng.random((profiles, 10)) < skill
    coded = np.where(right, real, rng.integers(0, 3, (profiles, 10)))
    return (["abc"[cell] for cell in side.ravel()] for side in (real, coded))  # type: ignore[return-value]


def _class_truth() -> dict[str, float]:
    if not _TRUTHS:
        real, coded = _classes(np.random.default_rng(1), 20_000)
        got = class_agreement(real, coded, "abc", [0] * len(real))
        assert got.kappa is not None
        _TRUTHS.update({"macro F1": got.macro_f1.value, "kappa": got.kappa.value})
    return _TRUTHS


_TRUTHS: dict[str, float] = {}


def _adjusted(rng: Rng, profiles: int, shape: str, apart: float) -> dict[str, Interval]:
    n = profiles * designs.SEEDS
    level = np.repeat(rng.normal(0, 0.4, profiles), designs.SEEDS)
    spoken = rng.normal(5.0, 0.4, n), rng.normal(5.0 + apart, 0.4, n)
    effect = {
        "linear": lambda x: 0.4 * x,
        "none": lambda x: 0 * x,
        "saturating": lambda x: 0.6 * np.minimum(x, 5.2),
    }
    scores = [3 + level + effect[shape](length) + rng.normal(0, 0.4, n) for length in spoken]
    names = designs.names_of(profiles) * 2
    got = adjust_for_length(
        np.concatenate(scores).tolist(),
        np.concatenate(spoken).tolist(),
        ["a"] * n + ["b"] * n,
        [*range(n)] * 2,
        names,
    )
    return {str(name): mean for name, mean in got.means.items()}
