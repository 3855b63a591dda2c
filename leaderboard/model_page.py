"""What the page of one model shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from leaderboard.boards import Badge, Board, Model, badges
from leaderboard.charts import Radar, StateCourse, course, radar
from mirror_bench.analysis.display_names import CONDITION_NAMES
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.safety import Safety
from mirror_bench.analysis.session_outcomes import SessionOutcome
from mirror_bench.analysis.visual_reliance import Reliance
from mirror_bench.pages.session_viewer import ENDINGS
from mirror_bench.schema import Ending, FaceCondition, Resistance, Score

LOWEST = 10
"""How many of the lowest-rated sessions are listed."""


class RadarView(NamedTuple):
    """A radar of one instrument, and its scores beside the board's medians.

    Attributes:
        title: The instrument.
        rows: (metric, score, the board's median).
    """

    title: str
    drawn: Radar
    rows: tuple[tuple[Metric, Score | None, float | None], ...]


class BoardSession(NamedTuple):
    """A session as a model's page lists it.

    Attributes:
        number: Of the file that holds it.
        values: One per total of the board.
        note: Why it is listed.
    """

    number: int
    pair: str
    resistance: str
    faces: str
    ended: str
    values: tuple[float | None, ...]
    note: str


class FaceRow(NamedTuple):
    """A face condition: the score under it, and what the own face gains against it."""

    name: str
    metric: Metric
    score: Score | None
    gain: Score | None
    dz: float | None


class ModelView(NamedTuple):
    """The content of a model's page."""

    badges: tuple[Badge, ...]
    radars: tuple[RadarView, ...]
    faces: tuple[FaceRow, ...]
    courses: tuple[StateCourse, ...]
    resistances: tuple[Resistance, ...]
    failures: tuple[BoardSession, ...]
    sessions: tuple[BoardSession, ...]
    safety: Safety | None
    reliance: tuple[Reliance, ...]
    command: str
    checkpoint: str


Numbers = Mapping[tuple[str, FaceCondition], int]
"""(pair, face condition) -> number of the session's file."""
_LOCAL = re.compile(r"(?P<path>[^@?]+)@(?P<digest>[0-9a-f]{12})(?P<options>\?.*)?")
"""A model in a folder, as a run records it: nobody can pass the digest to `--therapist`."""


def view_model(model: Model, board: Board, numbers: Numbers) -> ModelView:
    """Returns the content of a model's page."""
    drawn = (course(name, points) for name, points in model.entry.trajectories.items())
    return ModelView(
        badges=badges(model),
        radars=tuple(_radars(model, board)),
        faces=tuple(_faces(model, board)),
        courses=tuple(course for course in drawn if course),
        resistances=tuple(kind for kind in Resistance if kind in model.entry.by_resistance),
        failures=tuple(_failures(model, board, numbers)),
        sessions=tuple(_row(outcome, board, numbers) for outcome in _sorted(model.submission.sessions)),
        safety=model.safety,
        reliance=tuple(reliance for reliance in model.submission.summary.reliance if _own(reliance, model)),
        command=reproduce(model),
        checkpoint=_named(model)[1],
    )


def reproduce(model: Model) -> str:
    """Returns the command that makes the run again."""
    header = model.submission.header
    candidate, selection = header.candidate, header.selection
    words = ["mirror-bench", "run", "--therapist", _named(model)[0]]
    if candidate.method:
        words += ["--method", candidate.method]
    if candidate.context_messages:
        words += ["--context", str(candidate.context_messages)]
    if candidate.therapist != candidate.model:
        words += ["--label", candidate.therapist]
    words += ["--protocol", header.protocol.name]
    conditions = ",".join(selection.conditions)
    if conditions != "matched":
        words += ["--face-conditions", conditions]
    if selection.limit:
        words += ["--limit", str(selection.limit)]
    return " ".join(shlex.quote(word) for word in [*words, "--out", f"runs/{model.slug}"])


def _named(model: Model) -> tuple[str, str]:
    """Returns what answered, as `--therapist` takes it, and the digest of a local folder's content or ""."""
    candidate = model.submission.header.candidate
    name = candidate.model or candidate.therapist
    match = _LOCAL.fullmatch(name)
    return (match["path"] + (match["options"] or ""), match["digest"]) if match else (name, "")


def _radars(model: Model, board: Board) -> Iterable[RadarView]:
    for total in board.totals:
        own = [metric for metric in board.metrics if metric.instrument == total.instrument]
        for kind in ("item", "subscale"):
            spokes = [metric for metric in own if metric.kind == kind]
            short = total.instrument.upper()
            named = [(_bare(metric.title, short), model.score(metric.name)) for metric in spokes]
            drawn = radar(named, total.low or 0.0, total.high or 1.0)
            if drawn and len(spokes) <= 8:  # Twelve names around a circle cannot be read.
                rows = tuple((m, model.score(m.name), _median(board, m.name)) for m in spokes)
                yield RadarView(f"{short}, by {kind}", drawn, rows)
                break


def _bare(title: str, instrument: str) -> str:
    return title.removeprefix(instrument).strip().capitalize() if title.startswith(instrument) else title


def _median(board: Board, metric: str) -> float | None:
    from statistics import median

    scores = (model.score(metric) for model in board.models)
    values = [score.value for score in scores if score and score.value is not None]
    return median(values) if len(values) > 1 else None


def _own(reliance: Reliance, model: Model) -> bool:
    return (reliance.therapist, reliance.method) == model.entry.key[:2]


def _faces(model: Model, board: Board) -> Iterable[FaceRow]:
    summary = model.submission.summary
    for metric in board.totals:
        for entry in summary.entries:
            if entry.key[:2] != model.entry.key[:2]:
                continue
            gain = next(
                (
                    gain
                    for gain in summary.gains
                    if gain.against is entry.condition and gain.difference.metric == metric.name
                ),
                None,
            )
            yield FaceRow(
                CONDITION_NAMES[entry.condition],
                metric,
                entry.score(metric.name),
                gain.difference if gain else None,
                gain.dz if gain else None,
            )


def _failures(model: Model, board: Board, numbers: Numbers) -> Iterable[BoardSession]:
    """The sessions that failed, those that the client left, and the lowest-rated of the others."""
    for outcome in _sorted(model.submission.sessions):
        if outcome.ended is Ending.FAILED:
            yield _row(outcome, board, numbers, f"failed: {outcome.reason or 'no reason recorded'}")
    left = [outcome for outcome in model.held if outcome.ended is Ending.CLIENT_LEFT]
    for outcome in _sorted(left):
        yield _row(outcome, board, numbers, f"client left: {outcome.reason or 'no reason recorded'}")
    if board.totals:
        name = board.totals[0].name
        rest = [
            outcome for outcome in model.held if outcome not in left and outcome.scores.get(name) is not None
        ]
        for outcome in sorted(rest, key=lambda outcome: (outcome.scores[name], outcome.pair))[:LOWEST]:
            yield _row(outcome, board, numbers, f"among the {LOWEST} lowest on {board.totals[0].title}")


def _row(outcome: SessionOutcome, board: Board, numbers: Numbers, note: str = "") -> BoardSession:
    return BoardSession(
        number=numbers[outcome.pair, outcome.key.condition],
        pair=outcome.pair,
        resistance=outcome.resistance.value,
        faces=CONDITION_NAMES[outcome.key.condition],
        ended=ENDINGS[outcome.ended],
        values=tuple(outcome.value(metric.name) for metric in board.totals),
        note=note,
    )


def _sorted(outcomes: Iterable[SessionOutcome]) -> list[SessionOutcome]:
    order = list(FaceCondition)
    return sorted(outcomes, key=lambda outcome: (order.index(outcome.key.condition), outcome.pair))
