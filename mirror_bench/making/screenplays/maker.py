"""Makes a data set of screenplays: writes, sifts, splits, and counts what fell and why."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mirror_bench.data.base import DataSet
from mirror_bench.data.checks.contamination import Protected
from mirror_bench.data.checks.duplicates import ABOVE
from mirror_bench.data.checks.filters import Rejection
from mirror_bench.data.export.mini_folder import write_packaged
from mirror_bench.engines.base import Engine
from mirror_bench.errors import EngineError, told
from mirror_bench.files import guarded, write_atomically
from mirror_bench.making.screenplays import sieve
from mirror_bench.making.screenplays.splitting import splits_by_person
from mirror_bench.making.screenplays.writer import Brief, Written, write
from mirror_bench.schema import Profile, Record, canonical_json
from mirror_bench.sessions.progress import Tally, shown
from mirror_bench.waiting import gathered

DATA, REJECTIONS, YIELD = "data", "rejections.jsonl", "yield.json"
PROTECTED, LOST = "protected profile", "lost"
_BEFORE = (PROTECTED, LOST, "plan", "cut", "unreadable")
_PROSE = ("presenting_problem", "history", "reason_for_seeking", "distorted_thought", "cbt_plan", "about")


class DataYield(Record):
    """How many of the screenplays to be written were written, kept or rejected, and why.

    Attributes:
        due: Screenplays that were to be written.
        written: Those that a model wrote and that could be read.
        kept: Those that passed everything.
        rejected: Reason -> screenplays that fell to it; one may fall to several.
        first: Reason -> screenplays that fell to it first, in the order of the way; the rest is `kept`.
        splits: Split -> screenplays.
    """

    due: int
    written: int
    kept: int
    rejected: Mapping[str, int]
    first: Mapping[str, int]
    splits: Mapping[str, int] = {}

    @property
    def lost(self) -> int:
        """Screenplays that no model could be asked for: the same command asks again."""
        return self.first.get(LOST, 0)


@dataclass(frozen=True)
class ScreenplayMaker:
    """Has models plan and write a screenplay for each brief, then filters and splits what they wrote.

    Attributes:
        planner: Plans how the client resists.
        writer: Writes the session.
        protected: What must not be repeated.
        shares: Of train, dev and test, in percent.
        concurrency: Sessions that are written at once.
        above: Likeness above which the later of two screenplays falls.
    """

    planner: Engine
    writer: Engine
    protected: Sequence[Protected] = ()
    shares: Sequence[float] = (80.0, 10.0, 10.0)
    concurrency: int = 16
    above: float = ABOVE

    async def make(self, briefs: Sequence[Brief], name: str, quiet: bool = False) -> MadeData:
        """Returns the finished set and every rejection.

        Raises:
            InputError: If a model refuses for good, or what was spent reaches its limit; answers are kept.
        """
        written = await self._write_all(briefs, quiet)
        rejections = [Rejection(play.brief.id, play.fell, 0, play.reason) for play in written if play.fell]
        read = [play for play in written if play.parsed is not None]
        profiles = tuple(play.brief.profile for play in read)
        raw = DataSet(
            name,
            profiles,
            tuple(play.parsed.screenplay for play in read if play.parsed),
            tuple(problem for play in read if play.parsed for problem in play.parsed.problems),
        )
        sifted = sieve.sift(raw, self.protected, self.above)
        rejections += sifted.rejections
        kept = {play.profile_id for play in sifted.kept}
        finished = self._split(name, [profile for profile in profiles if profile.id in kept], sifted)
        return MadeData(finished, tuple(rejections), _yield(briefs, read, finished, rejections))

    async def _write_all(self, briefs: Sequence[Brief], quiet: bool) -> list[Written]:
        tally = Tally("screenplays", due=len(briefs))
        room = asyncio.Semaphore(self.concurrency)

        async def written_of(brief: Brief) -> Written:
            async with room:
                written = await self._write(brief)
            tally.done += 1
            tally.failed += bool(written.fell)
            return written

        async with shown(tally, "screenplays", quiet):
            return await gathered(written_of(brief) for brief in briefs)

    async def _write(self, brief: Brief) -> Written:
        for protected in self.protected:
            text = "\n".join(getattr(brief.profile, field) for field in _PROSE)
            if (hit := protected.check(brief.id, text)) is not None:
                reason = f"the profile shares words with {hit.of or 'a protected split'}: {hit.example!r}"
                return Written(brief, fell=PROTECTED, reason=reason)
        try:
            return await write(brief, self.planner, self.writer)
        except EngineError as error:
            return Written(brief, fell=LOST, reason=told(error))

    def _split(self, name: str, profiles: Sequence[Profile], sifted: sieve.Sifted) -> DataSet:
        split = splits_by_person(profiles, self.shares)
        return DataSet(
            name,
            tuple(profile.model_copy(update={"split": split[profile.id]}) for profile in profiles),
            tuple(play.model_copy(update={"split": split[play.profile_id]}) for play in sifted.kept),
        )


@dataclass(frozen=True)
class MadeData:
    """The data set of screenplays that was made, with rejections and counts."""

    data: DataSet
    rejections: tuple[Rejection, ...]
    counts: DataYield


def write_made(made: MadeData, folder: Path, *, canary: bool) -> None:
    """Writes `data/` (which `mini:FOLDER/data` reads), `rejections.jsonl` and `yield.json`.

    Args:
        made: What was made; of an empty set no `data/` is written.
        folder: In which it was made; what an earlier start wrote is replaced.
        canary: Whether the profiles came with MIRROR-Mini's canary, which then goes on with them.

    Raises:
        InputError: If it cannot be written.
    """
    rows = "".join(canonical_json(rejection._asdict()) + "\n" for rejection in made.rejections)
    write_atomically(folder / REJECTIONS, rows.encode("utf-8", "replace"))
    write_atomically(folder / YIELD, (made.counts.model_dump_json(indent=1) + "\n").encode())
    with guarded(folder):
        shutil.rmtree(folder / DATA, ignore_errors=True)
    if made.data.screenplays:
        write_packaged(made.data, folder / DATA, canary=canary)


def yield_lines(counts: DataYield, folder: Path) -> list[str]:
    """Returns the yield as lines of text: the way from what was due to what was kept."""
    lines = [
        f"{'':<20} {'fell to it':>10} {'fell first':>10} {'left':>8}",
        f"{'due':<20} {'':>10} {'':>10} {counts.due:>8}",
    ]
    left = counts.due
    for name, first in counts.first.items():
        left -= first
        lines.append(f"{name:<20} {counts.rejected.get(name, 0):>10} {first:>10} {left:>8}")
    share = f" ({counts.kept / counts.due:.1%})" if counts.due else ""
    lines.append(f"{counts.kept} of {counts.due} screenplays kept{share}")
    if counts.kept:
        parts = ", ".join(f"{name} {many}" for name, many in counts.splits.items())
        lines.append(f"{parts}: --data mini:{folder / DATA}")
    lines.append(f"every rejection with its reason: {folder / REJECTIONS}")
    if counts.lost:
        lines.append(f"{counts.lost} could not be asked for: run the same command again for them")
    return lines


def _yield(
    briefs: Sequence[Brief], read: Sequence[Written], finished: DataSet, rejections: Sequence[Rejection]
) -> DataYield:
    way = (*_BEFORE, *sieve.names())
    rejected = Counter(dict.fromkeys(way, 0))
    rejected.update(rejection.filter for rejection in rejections)
    fell: dict[str, str] = {}
    for rejection in sorted(rejections, key=lambda rejection: way.index(rejection.filter)):
        fell.setdefault(rejection.screenplay, rejection.filter)
    first = Counter(dict.fromkeys(way, 0))
    first.update(fell.values())
    return DataYield(
        due=len(briefs),
        written=len(read),
        kept=len(finished.screenplays),
        rejected=dict(rejected),
        first=dict(first),
        splits=dict(Counter(play.split for play in finished.screenplays)),
    )
