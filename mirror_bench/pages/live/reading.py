"""Follows a run folder: what was added to it since it was last looked at, and what of it one page shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from mirror_bench.analysis.metrics import score_rating
from mirror_bench.analysis.run_summary import summarize_run
from mirror_bench.analysis.safety import SafetyFailure
from mirror_bench.errors import InputError
from mirror_bench.locks import is_held
from mirror_bench.raters.instruments import Instrument
from mirror_bench.schema import Ending, Rating, Record, Session
from mirror_bench.sessions.rating import standing_of
from mirror_bench.sessions.run_header import read_header
from mirror_bench.sessions.watching import is_fresh, read_open_sessions

R = TypeVar("R", bound=Record)


class FollowedSession(NamedTuple):
    """A held session as the live page lists it.

    Attributes:
        turns: Of both speakers.
        reason: Why it ended or failed.
        totals: Instrument -> mean of its totals over raters, as far as it is rated.
    """

    scenario_id: str
    ended: Ending
    turns: int
    reason: str
    totals: dict[str, float]


class RunState(NamedTuple):
    """How far a run has come: sessions and ratings done and due, and the newest sessions.

    Attributes:
        status: "running", "finished" or "stopped".
        ratings_due: Of the sessions held so far.
        reasons: Why sessions failed -> how many.
        rows: The newest first.
        reported: Whether it is finished and has a report.
    """

    candidate: str
    protocol: str
    status: str
    held: int
    due: int
    failed: int
    ratings: int
    ratings_due: int
    reasons: tuple[tuple[str, int], ...]
    open: tuple[Session, ...]
    rows: tuple[FollowedSession, ...]
    reported: bool = False


class _Tail(Generic[R]):
    """Reads what is added to a file of records; where each stands, so that it can be read again alone."""

    def __init__(self, path: Path, kind: type[R]) -> None:
        self._path, self._kind = path, kind
        self._offset, self._inode = 0, 0

    def anew(self) -> bool:
        """Whether the file was written anew, so that all of it is to be read again."""
        try:
            found = self._path.stat()
        except OSError:
            return False
        anew = found.st_ino != self._inode or found.st_size < self._offset
        if anew:
            self._offset, self._inode = 0, found.st_ino
        return anew

    def added(self) -> Iterator[tuple[int, R]]:
        """Yields offset and record of every whole line that was added; what is no record is passed over."""
        if not self._path.is_file():
            return
        with self._path.open("rb") as lines:
            lines.seek(self._offset)
            for line in lines:
                if not line.endswith(b"\n"):
                    return  # still being written
                where, self._offset = self._offset, self._offset + len(line)
                try:
                    yield where, self._kind.model_validate_json(line)
                except ValidationError:
                    continue

    def at(self, offset: int) -> R:
        """Returns the record that stands at an offset."""
        with self._path.open("rb") as lines:
            lines.seek(offset)
            return self._kind.model_validate_json(lines.readline())


class FollowedRun:
    """Reads a run folder again and again while it grows, only what was added each time.

    Args:
        folder: The run, held by another process, stopped or finished.

    Raises:
        InputError: If it is no run folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._header = read_header(folder)
        self._standing = standing_of(folder, self._header)
        self._sessions = _Tail(folder / "sessions.jsonl", Session)
        self._ratings = _Tail(folder / "ratings.jsonl", Rating)
        self._rows: dict[str, FollowedSession] = {}
        self._where: dict[str, int] = {}
        self._rated: dict[tuple[str, str, str], tuple[int, float | None]] = {}
        self._findings: tuple[int, tuple[SafetyFailure, ...]] = (-1, ())

    def state(self) -> RunState:
        """Reads what was added and returns how the run stands."""
        self._read()
        header = self._header
        rows = list(self._rows.values())
        failed = [row for row in rows if row.ended is Ending.FAILED]
        raters = max(1, len(self._standing.editions))
        due = (len(rows) - len(failed)) * raters * len(header.protocol.all_instruments)
        whole = len(rows) >= header.selection.sessions and len(self._rated) >= due
        running = is_fresh(self.folder) or self._locked()
        return RunState(
            candidate=header.candidate.full_name,
            protocol=header.protocol.name,
            status="running" if running else "finished" if whole else "stopped",
            held=len(rows),
            due=header.selection.sessions,
            failed=len(failed),
            ratings=len(self._rated),
            ratings_due=due,
            reasons=tuple(Counter(row.reason for row in failed).most_common(5)),
            open=tuple(read_open_sessions(self.folder)) if running else (),
            rows=tuple(self._with_totals(row) for row in reversed(rows[-200:])),
            reported=whole and not running and (self.folder / "report.html").is_file(),
        )

    def session(self, scenario_id: str) -> tuple[Session, list[Rating]] | None:
        """Returns a held session with its ratings, or None where it is not held yet."""
        if scenario_id not in self._where:
            return None
        held = self._sessions.at(self._where[scenario_id])
        own = [where for (scenario, *_), (where, _) in self._rated.items() if scenario == scenario_id]
        return held, [self._ratings.at(where) for where in own]

    def findings(self) -> tuple[SafetyFailure, ...]:
        """Returns the safety findings; they are worked out again once there are more ratings or answers."""
        mark = len(self._rated) + self._answers()
        if self._findings[0] != mark:
            try:
                found = [one for safety in summarize_run(self.folder).safety for one in safety.failures]
            except InputError:  # a line is just being written, or nothing is there to be summarized
                return self._findings[1]
            self._findings = (mark, tuple(found))
        return self._findings[1]

    def _answers(self) -> int:
        path = self.folder / "findings.jsonl"
        return path.stat().st_size if path.is_file() else 0

    def _read(self) -> None:
        if self._sessions.anew():
            self._rows.clear()
            self._where.clear()
        for where, session in self._sessions.added():
            self._rows.pop(session.scenario_id, None)  # held again, it is the newest
            self._rows[session.scenario_id] = FollowedSession(
                session.scenario_id, session.ended, len(session.turns), session.reason, {}
            )
            self._where[session.scenario_id] = where
        if self._ratings.anew():
            self._rated.clear()
        for where, rating in self._ratings.added():
            key = (rating.scenario_id, rating.rater, rating.instrument)
            if self._standing.counts(rating):
                self._rated[key] = (where, self._total(rating))

    def _total(self, rating: Rating) -> float | None:
        form: Instrument = self._standing.form_of(rating.instrument)
        return score_rating(rating, self._standing.form_of).get(f"{form.name}.total")

    def _with_totals(self, row: FollowedSession) -> FollowedSession:
        forms = self._header.protocol.all_instruments
        raters = self._standing.editions
        totals = {}
        for form in forms:
            found = [self._rated.get((row.scenario_id, rater, form), (0, None))[1] for rater in raters]
            if known := [value for value in found if value is not None]:
                totals[form] = fmean(known)
        return row._replace(totals=totals)

    def _locked(self) -> bool:
        """Whether a process has the run open, which may rate or write of no open session."""
        return is_held(self.folder / ".lock")
