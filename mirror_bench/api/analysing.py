"""Scores and comparisons of runs from Python: what `mirror-bench report` and `mirror-bench compare` find."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from mirror_bench.analysis.comparison import Compared, Match
from mirror_bench.analysis.comparison import compare as compare_preferences
from mirror_bench.analysis.regression.rated_runs import rated
from mirror_bench.analysis.run_summary import summarize_runs
from mirror_bench.analysis.summary import Summary
from mirror_bench.api.records import Records
from mirror_bench.api.run import Run, folder_of
from mirror_bench.engines.prices import SpendingLimit
from mirror_bench.errors import InputError
from mirror_bench.protocol import RaterSettings
from mirror_bench.raters.preferences import Preference
from mirror_bench.schema import FaceCondition, Record
from mirror_bench.sessions.choosing import Spelling, as_option, chosen_conditions, judge_settings
from mirror_bench.sessions.pairwise_runs import Contestant, matched_pairs, prefer, read_contestants
from mirror_bench.waiting import wait_for

AnyRun = Run | str | Path


class ScoreRow(Record):
    """A score of one candidate under one face condition, with its 95 % interval.

    Attributes:
        metric: "wai.total", "ctrs.understanding", "dropout", …
        value: The estimate; None where nothing was rated.
        n: Sessions that entered, of `clusters` profiles.
        coverage: Share of the sessions due that were rated.
    """

    therapist: str
    method: str
    condition: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    clusters: int
    coverage: float


class Scores(Records[ScoreRow]):
    """The scores of one or several runs, a row each.

    Attributes:
        summary: All that was measured: safety, visual gains and reliance, agreement, length and more; what
            `summary.json` holds.
    """

    Row = ScoreRow

    def __init__(self, summary: Summary) -> None:
        self.summary = summary
        super().__init__(
            ScoreRow(
                therapist=entry.therapist,
                method=entry.method,
                condition=entry.condition,
                metric=score.metric,
                value=score.value,
                low=score.low,
                high=score.high,
                n=score.n,
                clusters=score.clusters,
                coverage=score.coverage,
            )
            for entry in summary.entries
            for score in entry.scores
        )

    def rows(self) -> Iterator[ScoreRow]:
        """Yields the rows, which are the records."""
        return iter(self)

    def score(
        self, metric: str, *, therapist: str = "", method: str = "", condition: str = "matched"
    ) -> ScoreRow:
        """Returns one score.

        Args:
            metric: Such as "ctrs.total"; "ctrs" stands for its total.
            therapist: Whose; may be left out where there is one.
            method: Of which method; may be left out where there is one.
            condition: Under which faces; the run's only one is found whatever is given.

        Raises:
            InputError: If there is none, or more than one, naming what there is.
        """
        wanted = {metric, f"{metric}.total"}
        rows = [row for row in self if row.metric in wanted]
        if not rows:
            known = ", ".join(dict.fromkeys(row.metric for row in self)) or "none"
            raise InputError(f"metric={metric!r}: was not measured: known are {known}")
        if len({row.condition for row in rows}) > 1:
            rows = [row for row in rows if row.condition == condition]
        rows = [row for row in rows if therapist in ("", row.therapist) and method in ("", row.method)]
        if len(rows) != 1:
            known = ", ".join(dict.fromkeys(f"{row.therapist} {row.method}".strip() for row in self))
            which = "no candidate fits" if not rows else "several candidates fit"
            raise InputError(f"{which}: give therapist=, method= and condition= of one of {known}")
        return rows[0]


class MatchRow(Record):
    """Two candidates compared, scenario by scenario; ties count half in the win rate of the first."""

    first: str
    second: str
    wins: int
    ties: int
    losses: int
    missing: int
    unpaired: int
    win_rate: float | None
    low: float | None
    high: float | None


class RunComparison(Records[Match]):
    """Every two candidates, compared; a row each.

    Attributes:
        compared: All that was found: strengths, groups that cannot be told apart, paired differences.
        preferences: The verdict on every scenario.
    """

    Row = MatchRow

    def __init__(self, compared: Compared, preferences: Sequence[Preference]) -> None:
        super().__init__(compared.matches)
        self.compared = compared
        self.preferences = tuple(preferences)

    def rows(self) -> Iterator[MatchRow]:
        """Yields a row per two candidates."""
        for match in self:
            yield MatchRow(
                first=match.first,
                second=match.second,
                wins=match.wins,
                ties=match.ties,
                losses=match.losses,
                missing=match.missing,
                unpaired=match.unpaired,
                win_rate=match.win_rate.value,
                low=match.win_rate.low,
                high=match.win_rate.high,
            )


def summarize(runs: AnyRun | Sequence[AnyRun], *, raters: str | Sequence[str] = ()) -> Scores:
    """Returns the scores of one run, or of several under one protocol, with 95 % intervals and coverage.

    Args:
        runs: Runs, or their folders.
        raters: Whose ratings count, or "all"; the protocol's own where none is named.

    Raises:
        InputError: If a folder is no run folder, protocols differ, or a rater has rated nothing.
    """
    named = (raters,) if isinstance(raters, str) and raters else tuple(raters)
    return Scores(summarize_runs(_folders(runs), named))


def compare(
    runs: Sequence[AnyRun],
    *,
    judge: str = "coded",
    condition: str = "",
    out: str | Path | None = None,
    concurrency: int = 32,
) -> RunComparison:
    """Returns who does better on the scenarios that both have held, for every two of the runs.

    A model is asked in both orders; an answer that turns with the order is a tie.

    Args:
        runs: Two or more runs, or their folders, under one protocol.
        judge: coded, or a model: provider/name.
        condition: Face condition; a run's only one, or matched, where empty.
        out: A folder in which a model's answers are kept, so that a comparison that was stopped goes on.
        concurrency: Comparisons at a time.

    Raises:
        InputError: If a folder is no run folder, protocols differ, or the judge cannot be used.
    """
    return compare_folders(
        _folders(runs),
        judge=judge,
        condition=chosen_conditions((condition,), _as_argument)[0] if condition else None,
        out=None if out is None else Path(out),
        concurrency=concurrency,
        spelt=_as_argument,
    )


def _as_argument(name: str) -> str:
    return {"face-conditions": "condition", "retry-failed": "retry_failed"}.get(name, name) + "="


def compare_folders(
    folders: Sequence[Path],
    *,
    judge: str,
    condition: FaceCondition | None,
    out: Path | None,
    concurrency: int,
    tick: Callable[[int], None] = lambda due: None,
    spelt: Spelling = as_option,
    pairs: Collection[str] | None = None,
    spending: SpendingLimit | None = None,
    lost_may_stand: bool = False,
) -> RunComparison:
    """Compares run folders; arguments and errors as for `compare`.

    `tick` is called after each comparison with how many there are in all; `spelt` says how messages name an
    argument; `pairs` and `spending` as for `prefer`; `lost_may_stand` says that a run without a session is no
    error.
    """
    (settings,) = judge_settings((judge,), spelt=spelt)
    if settings.model and out is None:
        raise InputError(f"a model's answers must be kept somewhere: give {spelt('out')} FOLDER")
    contestants = read_contestants(folders, condition)
    for contestant in () if lost_may_stand else contestants:
        if not contestant.sessions:
            again = (
                "" if contestant.header.imported else f": hold them, with {spelt('retry-failed')} if need be"
            )
            raise InputError(
                f"{contestant.folder} has no session with {contestant.condition} faces to compare{again}"
            )
    preferences = _preferences(contestants, settings, out, concurrency, tick, pairs, spending)
    gathered = {" ".join(filter(None, contestant.key)): rated(contestant) for contestant in contestants}
    metrics = {metric for run in gathered.values() for metric in run.metrics}
    compared = compare_preferences(
        preferences,
        {name: run.outcomes for name, run in gathered.items()},
        sorted(name for name in metrics if name.endswith(".total")),
        judge=judge,
        protocol=contestants[0].header.protocol.name,
        fingerprint=contestants[0].header.fingerprint,
        condition=", ".join(dict.fromkeys(contestant.condition.value for contestant in contestants)),
    )
    return RunComparison(compared, preferences)


def _preferences(
    contestants: Sequence[Contestant],
    judge: RaterSettings,
    out: Path | None,
    concurrency: int,
    tick: Callable[[int], None],
    pairs: Collection[str] | None,
    spending: SpendingLimit | None,
) -> list[Preference]:
    due = len(matched_pairs(contestants, pairs))
    with tempfile.TemporaryDirectory() as scratch:
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        memo = (Path(scratch) if out is None else out) / "calls.sqlite"
        asking = functools.partial(
            prefer,
            contestants,
            judge,
            memo,
            concurrency=concurrency,
            tick=lambda: tick(due),
            pairs=pairs,
            spending=spending,
        )
        return wait_for(asking)


def _folders(runs: AnyRun | Sequence[AnyRun]) -> list[Path]:
    given = [runs] if isinstance(runs, Run | str | Path) else list(runs)
    if not given:
        raise InputError("no run is given: give a run, a run's folder, or a list of them")
    return [folder_of(run) for run in given]
