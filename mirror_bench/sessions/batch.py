"""Holds many sessions and rates them: bounded groups of coroutines over remembered engines.

Resuming needs no code of its own: the same coroutine runs again and its calls are answered from memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from mirror_bench.errors import EngineError, InputError, OwnCodeError, told
from mirror_bench.raters.base import Rater
from mirror_bench.raters.editions import edition_of
from mirror_bench.raters.instruments import Instrument
from mirror_bench.schema import ItemRating, Profile, Rating, Scenario, Session
from mirror_bench.sessions.progress import Tally
from mirror_bench.waiting import gathered

W = TypeVar("W")


async def bounded(work: Iterable[W], do: Callable[[W], Awaitable[None]], concurrency: int) -> None:
    """Does every piece of `work`, at most `concurrency` at a time; pieces are drawn only when one is free.

    The first error cancels the others and is raised.
    """
    pieces: Iterator[W] = iter(work)

    async def worker() -> None:
        for piece in pieces:  # the iterator is shared: each piece goes to one worker
            await do(piece)
            await asyncio.sleep(0)  # work that never waits must not hold up the others

    await gathered(worker() for _ in range(max(1, concurrency)))


async def run_sessions(
    scenarios: Iterable[Scenario],
    hold: Callable[[Scenario], Awaitable[Session]],
    failed: Callable[[Scenario, str], Session],
    keep: Callable[[Session], None],
    tally: Tally,
    *,
    concurrency: int,
    attempts: int,
) -> None:
    """Holds every scenario's session and keeps it as it ends.

    Args:
        scenarios: What is still due.
        hold: Holds one session; called again after an `EngineError`. Whatever else it raises, but for bad
            input, comes from code of the user's or of another package, and fails that session alone.
        failed: Makes the record of a session that failed `attempts` times, from the last reason.
        keep: Keeps a session.
        tally: Counts.
        concurrency: Sessions at a time.
        attempts: Tries per session.

    Raises:
        EngineDeadError: If an engine stopped for good; what was kept stays.
    """

    async def one(scenario: Scenario) -> None:
        reason = ""
        for _ in range(attempts):
            try:
                keep(await hold(scenario))
                break
            except EngineError as error:
                reason = str(error)
            except InputError:
                raise
            except Exception as error:  # somebody's own code; trying again would give the same
                keep(failed(scenario, told(error)))
                tally.failed += 1
                break
        else:
            keep(failed(scenario, reason))
            tally.failed += 1
        tally.done += 1

    await bounded(scenarios, one, concurrency)


class RatingDue(NamedTuple):
    """A session, rater and instrument whose rating is still to be made."""

    session: Session
    profile: Profile
    rater: Rater
    instrument: Instrument


async def run_ratings(
    due: Iterable[RatingDue], keep: Callable[[Rating], None], tally: Tally, *, concurrency: int
) -> None:
    """Makes every rating that is due and keeps it, with what it stands on.

    A rating whose engine failed is kept with all its items lost and the reason.
    """

    async def one(rating: RatingDue) -> None:
        try:
            made = await rating.rater.rate(rating.session, rating.profile, rating.instrument)
            if not isinstance(made, Rating):
                raise OwnCodeError(f"{rating.rater.name}: gave {type(made).__name__}, not a Rating")
        except InputError:
            raise
        except Exception as error:  # an engine's failure, or somebody's own code
            made = _missing(rating, str(error) if isinstance(error, EngineError) else told(error))
            tally.failed += 1
        stated = {"instrument_digest": rating.instrument.digest, "rater_edition": edition_of(rating.rater)}
        keep(made.model_copy(update=stated))
        tally.done += 1

    await bounded(due, one, concurrency)


def _missing(due: RatingDue, reason: str) -> Rating:
    items = {item.id: ItemRating(score=None, reason=reason[:500], lost=True) for item in due.instrument.items}
    return Rating(
        scenario_id=due.session.scenario_id,
        therapist=due.session.therapist,
        method=due.session.method,
        rater=due.rater.name,
        instrument=due.instrument.name,
        items=items,
    )
