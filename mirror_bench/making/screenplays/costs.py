"""What making screenplays would cost: the whole way dry, with stand-ins that answer where models would."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from mirror_bench.data.screenplays.parser import render_screenplay
from mirror_bench.data.sources.registry import load_data
from mirror_bench.engines.prices import PriceList, Usage
from mirror_bench.engines.stand_in import CallCounts, StandInEngine, saying
from mirror_bench.making.screenplays.writer import Brief, write

_STEP = (
    "The client says it is nothing and looks at the window, jaw tight; the therapist waits, then names it "
    "as a guess."
)
_PLAN = "TECHNIQUE: reality testing\n" + "\n".join(f"{number}. {_STEP}" for number in range(1, 7))


class RoleCost(NamedTuple):
    """What one role takes; `usd` is None where the price is not known."""

    role: str
    model: str
    usage: Usage
    usd: float | None


async def costs(briefs: Sequence[Brief], planner: str, writer: str, prices: PriceList) -> list[RoleCost]:
    """Returns what planner and writer would be asked and would answer; no model is asked.

    A plan is taken to have six steps, a screenplay to be as long as those of MIRROR-Mini.
    """
    counts = CallCounts(image_tokens=0)
    plays = [render_screenplay(play) for play in load_data("mini").screenplays]
    plans = StandInEngine("planner", planner, saying([_PLAN]), counts)
    texts = StandInEngine("writer", writer, saying(plays), counts)
    await asyncio.gather(*(write(brief, plans, texts) for brief in briefs))
    return [
        RoleCost(role, model, usage, None if (price := prices.of(model)) is None else price.of(usage))
        for (role, model), usage in counts.of.items()
    ]


def cost_lines(costs: Sequence[RoleCost], prices: PriceList) -> list[str]:
    """Returns the costs as lines of text."""
    lines = [f"{'role':<10} {'calls':>9} {'prompt tokens':>15} {'answer tokens':>14} {'USD':>10}"]
    for role in costs:
        cost = "unknown" if role.usd is None else f"{role.usd:,.2f}"
        use = role.usage
        counts = f"{use.calls:>9,.0f} {use.prompt_tokens:>15,.0f} {use.tokens:>14,.0f}"
        lines.append(f"{role.role:<10} {counts} {cost:>10}  {role.model}")
    known = [role.usd for role in costs if role.usd is not None]
    if len(known) == len(costs):
        lines.append(
            f"In all {sum(known):,.2f} USD, by prices of {prices.date.isoformat()}; lengths are assumed."
        )
    else:
        unpriced = ", ".join(dict.fromkeys(role.model for role in costs if role.usd is None))
        lines.append(f"No price of {unpriced} is known: give --prices FILE. Lengths of answers are assumed.")
    return lines
