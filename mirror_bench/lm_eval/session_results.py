"""A session run in the files that lm-eval writes, so that its viewers and trackers show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirror_bench.analysis.run_summary import gather_run, summarize_run
from mirror_bench.analysis.session_outcomes import SessionOutcome
from mirror_bench.errors import InputError
from mirror_bench.lm_eval.task_runs import TaskFiles, write_results
from mirror_bench.schema import Score, Session, SessionKey, Speaker, canonical_json
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import RunHeader, read_header

if TYPE_CHECKING:
    from mirror_bench.analysis.candidate_scores import CandidateScores
    from mirror_bench.analysis.summary import Summary

_LEVEL = 0.95


def export_run(run: Path, out: Path, raters: Sequence[str] = ()) -> TaskFiles:
    """Writes a run as lm-eval's `results_*.json` and one `samples_*.jsonl` per face condition.

    Each face condition becomes one task, `mirror_<protocol>_<condition>`; each session one document, with
    one request per turn of the therapist. Sessions held for safety alone are left out, as they enter no
    score.

    Args:
        run: The run folder, finished or not.
        out: Where the files go, below a folder called after the candidate.
        raters: Whose ratings count, or "all"; the protocol's own where empty.

    Raises:
        InputError: If it is no run folder, no session was held in it, or the files cannot be written.
    """
    header = read_header(run)
    summary = summarize_run(run, raters)
    outcomes = {outcome.session_key: outcome for outcome in gather_run(run, raters).outcomes}
    # Sessions held for safety alone enter no score, so they have no outcome.
    sessions: dict[SessionKey, Session] = {
        session.key: session for session in read_sessions(run) if session.key in outcomes
    }
    if not sessions:
        raise InputError(f"{run}: no session has been held in it yet; go on with mirror-bench run")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--out {out}: cannot be made ({error.strerror}); choose a writable folder"
        ) from None
    samples: dict[str, list[dict[str, Any]]] = {
        _task(header, entry): list(_samples(entry, sessions.values(), outcomes)) for entry in summary.entries
    }
    return write_results(_tracker(header, out), _results(header, summary), samples)


def standard_error(score: Score) -> float | None:
    """Returns the standard error behind a score's interval, or None where it has none.

    Half the interval's width over Student's t with a degree of freedom less than clusters. Where the interval
    is not symmetric (skewed scores, shares), or was cut at the end of the scale, this is an average of both
    sides.
    """
    if score.low is None or score.high is None or score.clusters < 2:
        return None
    from scipy import stats

    edge = float(stats.t.ppf((1 + _LEVEL) / 2, score.clusters - 1))
    return (score.high - score.low) / (2 * edge)


def _task(header: RunHeader, entry: CandidateScores) -> str:
    return f"mirror_{header.protocol.name}_{entry.condition.value}"


def _results(header: RunHeader, summary: Summary) -> dict[str, Any]:
    better = {metric.name: {"higher": True, "lower": False}.get(metric.better) for metric in summary.metrics}
    tasks = {_task(header, entry): entry for entry in summary.entries}
    return {
        "results": {task: _values(task, entry) for task, entry in tasks.items()},
        "group_subtasks": {task: [] for task in tasks},
        "configs": {task: _config(task, header, summary, entry) for task, entry in tasks.items()},
        "versions": dict.fromkeys(tasks, header.fingerprint[:12]),
        "n-shot": dict.fromkeys(tasks, 0),
        "higher_is_better": {task: dict(better) for task in tasks},
        "n-samples": {
            task: {"original": entry.coverage.due, "effective": entry.coverage.held}
            for task, entry in tasks.items()
        },
        "config": {
            "model": header.candidate.therapist,
            "model_args": header.candidate.model_dump(exclude_defaults=True),
            "batch_size": None,
            "batch_sizes": [],
            "device": None,
            "use_cache": None,
            "limit": header.selection.limit,
            "bootstrap_iters": 0,
            "gen_kwargs": None,
        },
        "git_hash": None,
        "date": _started(header),
        "lm_eval_version": version("lm_eval"),
        "mirror_bench": {"fingerprint": header.fingerprint, "environment": header.environment.model_dump()},
    }


def _values(task: str, entry: CandidateScores) -> dict[str, Any]:
    values: dict[str, Any] = {"name": task, "alias": task, "sample_len": entry.coverage.held}
    for score in entry.scores:
        if score.value is not None:
            error = standard_error(score)
            values[f"{score.metric},none"] = score.value
            values[f"{score.metric}_stderr,none"] = "N/A" if error is None else error
    return values


def _config(task: str, header: RunHeader, summary: Summary, entry: CandidateScores) -> dict[str, Any]:
    return {
        "task": task,
        "output_type": "generate_until",
        "description": (
            f"Sessions with a resisting client under protocol {header.protocol.name}, "
            f"face shown: {entry.condition.value}."
        ),
        "num_fewshot": 0,
        "repeats": 1,
        "metric_list": [{"metric": metric.name} for metric in summary.metrics],
        "metadata": {
            "version": header.fingerprint[:12],
            "protocol": header.protocol.name,
            "client": entry.client,
            "raters": list(entry.raters),
            "method": entry.method,
            "coverage": entry.coverage.model_dump(mode="json"),
        },
    }


def _samples(
    entry: CandidateScores, sessions: Iterable[Session], outcomes: Mapping[SessionKey, SessionOutcome]
) -> Iterator[dict[str, Any]]:
    from lm_eval.utils import hash_string

    names = [score.metric for score in entry.scores]
    of_entry = (
        session
        for session in sessions
        if (session.therapist, session.method, session.condition) == tuple(entry.key)
    )
    for number, session in enumerate(sorted(of_entry, key=lambda session: session.scenario_id)):
        doc = _document(session)
        heard, said = _exchanges(session)
        outcome = outcomes[session.key]
        values = {name: value for name in names if (value := outcome.value(name)) is not None}
        yield {
            "doc_id": number,
            "doc": doc,
            "target": "",
            "arguments": [(text, {"turn": turn}) for turn, text in enumerate(heard, 1)],
            "resps": [[text] for text in said],
            "filtered_resps": list(said),
            "filter": "none",
            "metrics": list(values),
            "doc_hash": hash_string(canonical_json(doc)),
            "prompt_hash": hash_string("\n".join(heard)),
            "target_hash": hash_string(""),
            **values,
        }


def _document(session: Session) -> dict[str, Any]:
    return {
        "scenario_id": session.scenario_id,
        "pair": session.pair,
        "profile_id": session.profile_id,
        "resistance": session.resistance.value,
        "condition": session.condition.value,
        "seed": session.seed,
        "client": session.client,
        "ended": session.ended.value,
        "reason": session.reason,
        "faces": [turn.face for turn in session.turns if turn.speaker is Speaker.CLIENT],
    }


def _exchanges(session: Session) -> tuple[list[str], list[str]]:
    """Returns what the therapist heard before each turn of its own, and what it said."""
    heard, said, waiting = [], [], ""
    for turn in session.turns:
        if turn.speaker is Speaker.CLIENT:
            waiting = turn.words
        else:
            heard.append(waiting)
            said.append(turn.words)
            waiting = ""
    return heard, said


def _started(header: RunHeader) -> float | None:
    try:
        return datetime.fromisoformat(header.environment.started).timestamp()
    except ValueError:
        return None


def _tracker(header: RunHeader, out: Path) -> Any:
    from lm_eval.loggers import EvaluationTracker

    tracker = EvaluationTracker(output_path=str(out))
    name = header.candidate.full_name.replace(" ", ":")
    general = tracker.general_config_tracker
    general.log_experiment_args(
        model_source="mirror-bench",
        model_args={"model": name},
        system_instruction=None,
        chat_template=None,
        fewshot_as_multiturn=True,
    )
    # The clock of the tracker would pass the time of this export off as that of the sessions.
    general.log_end_time = lambda: None
    return tracker
