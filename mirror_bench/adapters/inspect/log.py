"""A run as a log of Inspect's, which `inspect view` and `read_eval_log` open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import mirror_bench
from mirror_bench.adapters.inspect.messages import message_of
from mirror_bench.adapters.inspect.scores import measures_of, score_of_session
from mirror_bench.analysis.metrics import KINDS
from mirror_bench.analysis.run_summary import summarize_run
from mirror_bench.analysis.summary import Summary
from mirror_bench.files import guarded, make_folder
from mirror_bench.raters.instruments import Instrument
from mirror_bench.schema import Ending, FaceCondition, Rating, Session
from mirror_bench.sessions.rating import counted_ratings, standing_of
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import RunHeader, read_header

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample, EvalScore

_SCORER = "mirror_bench/ratings"


def export_inspect(folder: Path, out: Path, raters: Sequence[str] = ()) -> list[Path]:
    """Writes one log for each face condition of a run, and returns their paths.

    Args:
        folder: The run, finished or not.
        out: Where the logs are put; made where it does not exist.
        raters: Whose ratings count, or "all"; the protocol's own where empty.

    Raises:
        InputError: If it is no run folder, a record is damaged, or nothing can be written.
    """
    from inspect_ai.log import write_eval_log

    header = read_header(folder)
    summary = summarize_run(folder, raters)
    make_folder(out)
    written = []
    for condition in header.selection.conditions:
        name = f"{folder.resolve().name}-{condition.value}.eval"
        with guarded(out / name):
            write_eval_log(_log(folder, header, summary, condition, raters), str(out / name))
        written.append(out / name)
    return written


def _log(
    folder: Path, header: RunHeader, summary: Summary, condition: FaceCondition, raters: Sequence[str]
) -> EvalLog:
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalResults, EvalSpec, EvalStats

    samples = _samples(folder, header, condition, raters)
    held = [sample for sample in samples if sample.error is None]
    due = header.selection.sessions // max(1, len(header.selection.conditions))
    began = header.environment.started or "1970-01-01T00:00:00Z"
    return EvalLog(
        status="cancelled" if len(samples) < due else "success" if held else "error",
        eval=EvalSpec(
            created=began,
            task="mirror_bench/sessions",
            task_version=header.fingerprint[:12],
            task_args={"protocol": header.protocol.name, "face_conditions": condition.value},
            dataset=EvalDataset(name=header.protocol.data, samples=len(samples)),
            model=header.candidate.model or header.candidate.therapist,
            config=EvalConfig(limit=header.selection.limit),
            packages={"mirror_bench": mirror_bench.__version__},
            metadata={
                "candidate": header.candidate.full_name,
                "fingerprint": header.fingerprint,
                "safety": [one.in_words for one in summary.safety],
            },
        ),
        results=EvalResults(
            total_samples=due,
            completed_samples=len(held),
            scores=_scores(header, summary, condition),
        ),
        stats=EvalStats(started_at=began, completed_at=began),
        samples=samples,
    )


def _scores(header: RunHeader, summary: Summary, condition: FaceCondition) -> list[EvalScore]:
    """The run's scores of totals and sessions, each with its 95 % interval."""
    from inspect_ai.log import EvalMetric, EvalScore

    shown = [metric.name for metric in summary.metrics if metric.kind in (KINDS[0], KINDS[-1])]
    found = []
    for entry in summary.entries:
        if entry.condition is not condition:
            continue
        for name in shown:
            score = entry.score(name)
            if score is None or score.value is None:
                continue
            values = {"mean": score.value, "ci95_low": score.low, "ci95_high": score.high}
            found.append(
                EvalScore(
                    name=name,
                    scorer=_SCORER,
                    scored_samples=score.n,
                    metrics={
                        key: EvalMetric(name=key, value=value)
                        for key, value in values.items()
                        if value is not None
                    },
                    metadata={"profiles": score.clusters, "coverage": score.coverage},
                )
            )
    return found


def _samples(
    folder: Path, header: RunHeader, condition: FaceCondition, raters: Sequence[str]
) -> list[EvalSample]:
    standing = standing_of(folder, header)
    counting = set(raters) or set(standing.editions)
    own: dict[str, list[Rating]] = {}
    for rating in counted_ratings(folder, standing):
        if rating.rater in counting or "all" in counting:
            own.setdefault(rating.scenario_id, []).append(rating)
    rated = (rating.instrument for ratings in own.values() for rating in ratings)
    forms = [standing.form_of(name) for name in dict.fromkeys((*header.protocol.all_instruments, *rated))]
    last = {
        session.scenario_id: session for session in read_sessions(folder) if session.condition is condition
    }
    show = partial(_sample, folder, header.candidate.model, forms, own)
    return [show(session) for session in last.values()]


def _sample(
    folder: Path,
    model: str,
    forms: Sequence[Instrument],
    ratings: Mapping[str, Sequence[Rating]],
    session: Session,
) -> EvalSample:
    from inspect_ai.log import EvalError, EvalSample
    from inspect_ai.model import ModelOutput

    failed = session.ended is Ending.FAILED
    scores = (
        None
        if failed
        else {
            "ratings": score_of_session(
                session, ratings.get(session.scenario_id, ()), forms, measures_of(forms)
            )
        }
    )
    return EvalSample(
        id=session.scenario_id,
        epoch=1,
        input=f"A session with the client {session.profile_id}, {session.resistance.value} resistance",
        target="",
        messages=[message_of(turn, partial(_face, folder), model) for turn in session.turns],
        output=ModelOutput.from_content(model, f"ended: {session.ended.value}"),
        scores=scores,
        metadata={
            "profile": session.profile_id,
            "resistance": session.resistance.value,
            "face_condition": session.condition.value,
            "seed": session.seed,
            "only_safety": session.only_safety,
            "client": session.client,
            "plan": session.plan,
        },
        error=EvalError(message=session.reason, traceback="", traceback_ansi="") if failed else None,
    )


def _face(folder: Path, sha256: str) -> bytes | None:
    path = folder / "faces" / f"{sha256}.png"
    return path.read_bytes() if path.is_file() else None
