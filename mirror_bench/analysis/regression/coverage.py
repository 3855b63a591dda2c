"""What is missing of a comparison: counted, tested for excess, and at its worst."""

from __future__ import annotations

from collections.abc import Mapping

from mirror_bench.analysis.candidate_scores import score_of
from mirror_bench.schema import Record, Score
from mirror_bench.stats.intervals import cluster_mean

MIN_COVERAGE = 0.95
"""Share of the sessions due below which a run or a comparison is not measured: `--min-coverage`."""


class Loss(Record):
    """How many scenarios of two runs lack a score of one metric, and on which side.

    Attributes:
        due: Scenarios that both runs owe.
        paired: Those of them that both have scored.
        baseline_alone: Scored by the candidate, missing in the baseline.
        candidate_alone: Scored in the baseline, missing in the candidate.
        neither: Missing in both.
        p_excess: One-sided p that the candidate loses no more scenarios than the baseline (McNemar, exact).
        worst: Candidate minus baseline with the lowest score in the place of what the candidate alone lost
            (worst-case imputation: National Research Council 2010, "The prevention and treatment of missing
            data in clinical trials"); without a value where it lost nothing.
    """

    due: int
    paired: int
    baseline_alone: int = 0
    candidate_alone: int = 0
    neither: int = 0
    p_excess: float = 1.0
    worst: Score

    @property
    def coverage(self) -> float:
        """Share of the scenarios due that both runs have scored."""
        return self.paired / self.due if self.due else 0.0

    @property
    def in_words(self) -> str:
        """How many are scored in both runs, and where the others are missing."""
        parts = [
            f"{count} {where}"
            for count, where in (
                (self.candidate_alone, "missing in the candidate"),
                (self.baseline_alone, "missing in the baseline"),
                (self.neither, "missing in both"),
            )
            if count
        ]
        missing = f" ({', '.join(parts)})" if parts else ""
        return f"{self.paired} of {self.due} scenarios scored in both runs{missing}"


def measure_loss(
    metric: str,
    baseline: Mapping[str, float],
    candidate: Mapping[str, float],
    due: Mapping[str, str],
    lowest: float | None = None,
) -> tuple[Loss, list[tuple[float, str]]]:
    """Returns what is missing, and the differences of the worst case, each with its profile.

    Args:
        metric: Its name.
        baseline: Pair -> score.
        candidate: Pair -> score.
        due: Pair -> profile, of the scenarios that both owe.
        lowest: The lowest score of the scale; the lowest score met where None.
    """
    from scipy import stats

    floor = min([*baseline.values(), *candidate.values()], default=0.0) if lowest is None else lowest
    lost = [pair for pair in due if pair in baseline and pair not in candidate]
    alone = sum(pair in candidate and pair not in baseline for pair in due)
    imputed = [
        (candidate.get(pair, floor) - baseline[pair], profile)
        for pair, profile in sorted(due.items())
        if pair in baseline
    ]
    worst = cluster_mean([change for change, _ in imputed], [profile for _, profile in imputed])
    discordant = len(lost) + alone
    paired = sum(pair in baseline and pair in candidate for pair in due)
    return Loss(
        due=len(due),
        paired=paired,
        baseline_alone=alone,
        candidate_alone=len(lost),
        neither=len(due) - paired - discordant,
        p_excess=float(stats.binom.sf(len(lost) - 1, discordant, 0.5)) if discordant else 1.0,
        worst=score_of(metric, worst if lost else None, max(1, len(due))),
    ), imputed
