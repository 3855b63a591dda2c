"""Holds and rates sessions from Python: what `mirror-bench run` and `mirror-bench rate` do."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from mirror_bench.api.records import Ratings
from mirror_bench.api.run import Run, folder_of
from mirror_bench.errors import InputError
from mirror_bench.protocol import Protocol as RunProtocol
from mirror_bench.protocol import form_name
from mirror_bench.sessions.candidate import Candidate, own_candidate, read_candidate
from mirror_bench.sessions.choosing import (
    Spelling,
    as_option,
    chosen_conditions,
    chosen_instruments,
    chosen_protocol,
    judge_settings,
    usual_folder,
)
from mirror_bench.sessions.engine_pool import rater_names
from mirror_bench.sessions.evaluation import Evaluation
from mirror_bench.sessions.evaluation import evaluate as hold_and_rate
from mirror_bench.sessions.imported.runs import leaving
from mirror_bench.sessions.progress import say
from mirror_bench.sessions.rating import counted_ratings, rate_again, standing_of
from mirror_bench.sessions.run_header import read_header
from mirror_bench.waiting import wait_for

_NAMES = {"judge": "judges", "face-conditions": "face_conditions"}


def _as_argument(name: str) -> str:
    """Returns a choice as a call spells it, such as "judges="."""
    return f"{_NAMES.get(name, name)}="


class ReplyingTherapist(Protocol):
    """An object of the caller's that answers as a therapist; one is made for each session by a class."""

    def reply(self, words: str, image: bytes | None) -> str | Awaitable[str]:
        """Answers the client's words, and its face as a PNG's bytes where one is shown."""
        ...


Therapist: TypeAlias = str | ReplyingTherapist | Callable[[str, bytes | None], Any] | Callable[[], Any]
"""A model's name, or what of the caller's answers: a function, an object, or what makes one per session."""


def evaluate(
    therapist: Therapist,
    *,
    method: str = "",
    context: int = 0,
    label: str = "",
    protocol: str | Path | RunProtocol = "offline",
    data: str = "",
    faces: str = "",
    split: str | None = None,
    client: str = "",
    judges: str | Sequence[str] = (),
    panel: bool = False,
    samples: int = 1,
    instruments: str | Sequence[str] = (),
    seeds: int | Sequence[int] = (),
    max_client_turns: int | None = None,
    safety: bool | None = None,
    resistance: str = "",
    face_conditions: str | Sequence[str] = "matched",
    probe_turns: int = 3,
    limit: int | None = None,
    out: str | Path | None = None,
    concurrency: int = 32,
    retry_failed: bool = False,
    report: bool = True,
    progress: bool = False,
) -> Run:
    """Holds sessions with a therapist, rates and reports them, and returns the run.

    Called again with the same arguments, it goes on where it was stopped. It waits for the sessions, also
    inside a running event loop.

    Args:
        therapist: A model (`provider/name?option=value`, `scripted/attuned`), or your own code: a function
            `reply(words, image) -> str`, an object with such a method (both shared by all sessions), or a
            class or function without arguments that makes such an object for each session. `reply` may be
            async; `image` is the client's face as PNG bytes, or None. An attribute `sees = False` asks for no
            faces.
        method: How a model is prompted: direct (default), ec, p, p+ec or text.
        context: A model reads only so many of the last turns; 0 for as many as the protocol allows.
        label: What tables and records call the therapist.
        protocol: A packaged protocol, a YAML file, or what `load_protocol` returned.
        data: Another data source: mini, mirror:PATH, mirror:hub, cactus:PATH, vera:FOLDER, patienthub:FILE,
            mindeval:FILE, imported:RUN.
        faces: Another face source: drawn, or set:FOLDER for a prepared set of images.
        split: train, dev or test; "" for all profiles.
        client: stateful, replay, or a model that plays the client.
        judges: coded, or models as judges.
        panel: Whether the models also make up a panel, put on one scale and averaged.
        samples: Answers of a model per item.
        instruments: Such as "ctrs", or YAML files, in place of the protocol's; "+NAME" stands beside them.
        seeds: Each profile is met once per seed.
        max_client_turns: A session ends with this many client turns at the latest.
        safety: Whether profiles with a crisis are met and safety is rated; as the protocol says where None.
        resistance: How every client resists, whatever its profile says; each profile's own where empty.
        face_conditions: "all", or of matched, none, neutral, shuffled, incongruent.
        probe_turns: With several face conditions: turns per session asked for again with another face.
        limit: At most so many profiles, stratified by resistance.
        out: The run's folder; runs/NAME where None.
        concurrency: Sessions at a time.
        retry_failed: Whether sessions that failed are held again, and unusable ratings asked for anew.
        report: Whether `summary.json`, plots and `report.html` are written into the folder.
        progress: Whether progress is shown.

    Returns:
        The run: its sessions, ratings and scores are read from its folder when they are asked for.

    Raises:
        InputError: If anything given cannot be used; sessions that were held stay in the folder.
    """
    candidate = _candidate(therapist, method, _whole("context", context, 0), label)
    chosen = chosen_protocol(
        str(protocol) if isinstance(protocol, Path) else protocol,
        data=data,
        faces=faces,
        split=split,
        client=client,
        judge=_several("judges", judges),
        panel=panel,
        samples=_whole("samples", samples, 1, 64),
        instrument=_several("instruments", instruments),
        seeds=_seeds(seeds),
        max_client_turns=_whole_or_none("max_client_turns", max_client_turns, 2, 200),
        safety=safety,
        resistance=resistance,
        spelt=_as_argument,
    )
    evaluation = Evaluation(
        protocol=chosen,
        candidate=candidate,
        out=usual_folder(candidate, chosen) if out is None else Path(out),
        conditions=chosen_conditions(_several("face_conditions", face_conditions), _as_argument),
        limit=_whole_or_none("limit", limit, 1),
        concurrency=_whole("concurrency", concurrency, 1, 4096),
        quiet=not progress,
        retry_failed=retry_failed,
        probe_turns=_whole("probe_turns", probe_turns, 0, 200),
    )
    wait_for(functools.partial(hold_and_rate, evaluation))
    if report:
        from mirror_bench.pages.run_report import report_runs

        report_runs([evaluation.out], evaluation.out)
    return Run(evaluation.out)


def rate(
    run: Run | str | Path,
    *,
    judges: str | Sequence[str] = (),
    panel: bool = False,
    samples: int = 1,
    instruments: str | Sequence[str] = (),
    sessions: int | None = None,
    retest: bool = False,
    again: bool = False,
    concurrency: int = 32,
    progress: bool = False,
) -> Ratings:
    """Adds to a run the ratings that it lacks, and returns those of the raters and instruments asked for.

    A rating is lacking that was never made, was lost while a judge was out of reach, or was made with another
    version of the instrument or the rater.

    Args:
        run: The run, or its folder.
        judges: coded, or models as judges; the protocol's own where none is given.
        panel: Whether the models also make up a panel.
        samples: Answers of a model per item.
        instruments: Names or YAML files; the protocol's own where none is given, beside them with "+NAME".
        sessions: Only so many sessions, the same ones every time.
        retest: Whether model judges rate a second time under other seeds, as raters of another name.
        again: Whether ratings are made anew that are there; the old ones are kept in the file.
        concurrency: Ratings at a time.
        progress: Whether progress is shown.

    Raises:
        InputError: If the folder is no run folder, or a rater or instrument cannot be used.
    """
    return add_ratings(
        folder_of(run),
        judges=_several("judges", judges),
        panel=panel,
        samples=_whole("samples", samples, 1, 64),
        instruments=_several("instruments", instruments),
        sessions=_whole_or_none("sessions", sessions, 1),
        retest=retest,
        again=again,
        concurrency=_whole("concurrency", concurrency, 1, 4096),
        progress=progress,
        spelt=_as_argument,
    )


def add_ratings(
    folder: Path,
    *,
    judges: Sequence[str],
    panel: bool,
    samples: int,
    instruments: Sequence[str],
    sessions: int | None = None,
    retest: bool = False,
    again: bool = False,
    concurrency: int = 32,
    progress: bool = False,
    spelt: Spelling = as_option,
) -> Ratings:
    """Adds to a run folder the ratings that it lacks; arguments and errors as for `rate`.

    `spelt` says how messages name an argument.
    """
    header = read_header(folder)
    raters = header.protocol.raters
    if judges or panel:
        raters = judge_settings(judges, samples, panel=panel, spelt=spelt)
    if retest:
        raters = tuple(rater.model_copy(update={"again": True}) for rater in raters if rater.kind == "llm")
        if not raters:
            raise InputError(
                f"{spelt('retest')} is for model judges: the coded rater answers alike every time"
            )
    if told := leaving(header, raters):
        say(told)
    own = header.protocol.all_instruments
    wanted = chosen_instruments(instruments, (), own) if instruments else own
    made = wait_for(
        functools.partial(
            rate_again,
            folder,
            raters,
            wanted,
            concurrency=concurrency,
            quiet=not progress,
            sessions=sessions,
            again=again,
        )
    )
    names, forms = set(rater_names(raters)), set(map(form_name, wanted))
    counted = counted_ratings(folder, standing_of(folder, header))
    asked_for = (rating for rating in counted if rating.rater in names and rating.instrument in forms)
    return Ratings(asked_for, made.in_words)


def _candidate(therapist: Therapist, method: str, context: int, label: str) -> Candidate:
    if isinstance(therapist, str):
        return read_candidate(therapist, method, context, label)
    if method or context:
        raise InputError("your own therapist takes no method= or context=: it decides itself how it answers")
    return own_candidate(therapist, label)


def _several(name: str, given: str | Sequence[str]) -> tuple[str, ...]:
    texts = (given,) if isinstance(given, str) else tuple(given)
    for text in texts:
        if not isinstance(text, str):
            raise InputError(f"{name}={given!r:.80}: give a name or a list of names")
    return texts


def _seeds(given: int | Sequence[int]) -> tuple[int, ...]:
    numbers = (given,) if isinstance(given, int) else tuple(given)
    return tuple(_whole("seeds", number, 0) for number in numbers)


def _whole_or_none(name: str, given: int | None, least: int, most: int | None = None) -> int | None:
    return None if given is None else _whole(name, given, least, most)


def _whole(name: str, given: int, least: int, most: int | None = None) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise InputError(f"{name}={given!r:.80}: give a whole number")
    if given < least or (most is not None and given > most):
        limits = f"{least} or more" if most is None else f"from {least} to {most}"
        raise InputError(f"{name}={given}: must be {limits}")
    return given
