"""A run, as the public face returns it: the folder that holds it, and what stands in that folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mirror_bench.api.records import Ratings, Sessions
from mirror_bench.protocol import Protocol
from mirror_bench.schema import Ending
from mirror_bench.sessions.rating import counted_ratings, standing_of
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import RunCandidate, RunHeader, read_header

if TYPE_CHECKING:
    from mirror_bench.api.analysing import Scores


class Run:
    """One candidate under one protocol; everything is read from its folder when it is asked for.

    Attributes:
        folder: Where the run is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._header = read_header(folder)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}: {self.candidate.full_name}, protocol {self.protocol.name})"

    @property
    def header(self) -> RunHeader:
        """What the run is: all of `run.json`."""
        return self._header

    @property
    def protocol(self) -> Protocol:
        """The protocol that it was held under."""
        return self._header.protocol

    @property
    def fingerprint(self) -> str:
        """The fingerprint of that protocol; runs are compared only where it agrees."""
        return self._header.fingerprint

    @property
    def candidate(self) -> RunCandidate:
        """Who was evaluated: therapist, model, method, and a digest of its code where it has some."""
        return self._header.candidate

    @property
    def sessions(self) -> Sessions:
        """The sessions, failed ones included."""
        return Sessions(read_sessions(self.folder))

    @property
    def ratings(self) -> Ratings:
        """The ratings that count: those by the present edition of their instrument and rater."""
        return Ratings(counted_ratings(self.folder, standing_of(self.folder, self._header)))

    @property
    def failed(self) -> int:
        """How many sessions failed; they count against coverage. `evaluate(…, retry_failed=True)` retries."""
        return sum(session.ended is Ending.FAILED for session in read_sessions(self.folder))

    @property
    def scores(self) -> Scores:
        """The scores with 95 % intervals: `summarize` of this run."""
        from mirror_bench.api.analysing import summarize

        return summarize(self)

    @property
    def report(self) -> Path:
        """The report, a page that needs nothing else; made by `evaluate`."""
        return self.folder / "report.html"


def load_run(folder: str | Path) -> Run:
    """Returns a run that was held before, finished or not.

    Args:
        folder: Its folder, as `evaluate` or `mirror-bench run` made it.

    Raises:
        InputError: If it is no run folder.
    """
    return Run(Path(folder))


def folder_of(run: Run | str | Path) -> Path:
    """Returns the folder of a run, given as such or by its folder."""
    return run.folder if isinstance(run, Run) else Path(run)
