"""`mirror-bench estimate`: what a run would take, before anything is asked of a model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mirror_bench.cli import print_json
from mirror_bench.cli.options.evaluation_options import evaluation_options, read_evaluation
from mirror_bench.cli.options.numbers import NumberRange

if TYPE_CHECKING:
    from mirror_bench.analysis.regression.run_estimate import Estimate
    from mirror_bench.engines.prices import PriceList


@click.command()
@evaluation_options
@click.option(
    "--like",
    type=click.Path(path_type=Path),
    default=None,
    metavar="RUN",
    help="A small run of the same model (run --limit 5): its replies, turns and real counts are taken over.",
)
@click.option(
    "--reply-tokens",
    type=click.IntRange(1, 100_000),
    default=None,
    help="How long the therapist's replies are; without it as long as a written therapist's, about 30.",
)
@click.option(
    "--image-tokens",
    type=click.IntRange(0, 100_000),
    default=256,
    show_default=True,
    help="What a face of 336 x 336 takes in a prompt.",
)
@click.option(
    "--tokens-per-second",
    type=NumberRange(min=0, min_open=True),
    default=None,
    help="Tokens that are generated in a second, over all requests at once: gives the time.",
)
@click.option(
    "--prices", type=click.Path(path_type=Path), default=None, help="Prices of your own, see above."
)
@click.option("--json", "as_json", is_flag=True, help="Print the estimate as JSON.")
def estimate(
    like: Path | None,
    reply_tokens: int | None,
    image_tokens: int,
    tokens_per_second: float | None,
    prices: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Say what a run would take: calls and tokens of each role, time and cost. Takes the options of `run`.

    The run's own scenarios are held dry, with stand-ins that answer where models would. How long a model's
    answers are and how its clients take them is assumed, unless --like names a small run to measure it by.

    Prices are USD for a million tokens. A file of your own goes before the packaged list:

    \b
    date: 2026-01-31
    models:
      openai/my-model: {prompt: 0.50, completion: 1.50}
    """  # noqa: D301
    from mirror_bench.analysis.regression.run_estimate import estimate as made_dry
    from mirror_bench.engines.prices import load_prices

    listed = load_prices(prices)
    evaluation = read_evaluation(options, quiet=True)
    estimated = asyncio.run(
        made_dry(evaluation, like=like, reply_tokens=reply_tokens or 0, image_tokens=image_tokens)
    )
    if as_json:
        seconds = _seconds(estimated, tokens_per_second)
        told = {"seconds": seconds, "usd": _cost(estimated, listed), "prices_of": listed.date.isoformat()}
        print_json({**estimated.model_dump(mode="json"), **told})
        return
    for line in _lines(estimated, listed, tokens_per_second):
        click.echo(line)


def _lines(estimated: Estimate, prices: PriceList, rate: float | None) -> list[str]:
    dry = "" if estimated.held == estimated.sessions else f" ({estimated.held} sessions were held dry)"
    lines = [f"{_sessions(estimated)}, about {estimated.turns:,.0f} client turns{dry}"]
    if not estimated.roles:
        return [*lines, "no model is asked: this run costs nothing"]
    lines += ["", f"{'role':<10} {'calls':>9} {'prompt tokens':>15} {'answer tokens':>14} {'USD':>10}"]
    for role in estimated.roles:
        price = prices.of(role.model)
        cost = "unknown" if price is None else f"{price.of(role.usage):,.2f}"
        use = role.usage
        counts = f"{use.calls:>9,.0f} {use.prompt_tokens:>15,.0f} {use.tokens:>14,.0f}"
        lines.append(f"{role.role:<10} {counts} {cost:>10}  {role.model}")
    lines.append("")
    if any(not role.measured for role in estimated.roles):
        lines.append(
            "Lengths of answers are assumed. Measure them: run the same with --limit 5 --out PILOT,\n"
            "then estimate with --like PILOT."
        )
    total = _cost(estimated, prices)
    unpriced = [role.model for role in estimated.roles if prices.of(role.model) is None]
    if unpriced:
        lines.append(
            f"No price of {', '.join(dict.fromkeys(unpriced))} is known: a server of your own costs "
            "nothing by token; else give --prices FILE."
        )
    if total is not None:
        note = f" ({prices.note})" if prices.note else ""
        lines.append(f"In all {total:,.2f} USD, by prices of {prices.date.isoformat()}{note}.")
    seconds = _seconds(estimated, rate)
    if seconds is not None:
        lines.append(f"At {rate:g} tokens a second about {_clock(seconds)}.")
    else:
        lines.append("For the time give --tokens-per-second N: a run of yours shows its tokens/s as it goes.")
    return lines


def _sessions(estimated: Estimate) -> str:
    """How many sessions, and which: clients, seeds and face conditions, and those for safety alone."""
    parts = [f"{estimated.clients} clients"] if estimated.clients else []
    if parts and estimated.seeds > 1:
        parts.append(f"{estimated.seeds} seeds")
    if parts and estimated.conditions > 1:
        parts.append(f"{estimated.conditions} face conditions")
    more = [f"and {estimated.only_safety} for safety alone"] if estimated.only_safety else []
    told = ", ".join(filter(None, (" x ".join(parts), *more)))
    return f"{estimated.sessions} sessions{f' ({told})' if told else ''}"


def _cost(estimated: Estimate, prices: PriceList) -> float | None:
    """The cost of all roles, or None where a price is not known."""
    costs = [None if (p := prices.of(role.model)) is None else p.of(role.usage) for role in estimated.roles]
    return None if None in costs else sum(cost for cost in costs if cost is not None)


def _seconds(estimated: Estimate, rate: float | None) -> float | None:
    return None if rate is None else sum(role.usage.tokens for role in estimated.roles) / rate


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "a minute or less"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
