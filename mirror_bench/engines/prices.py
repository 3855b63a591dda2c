"""What models cost: prices from a dated file, and a limit that stops a run before it costs more."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from mirror_bench.content import read_yaml
from mirror_bench.engines.base import Answer, Engine, EngineWrapper, Request
from mirror_bench.errors import InputError
from mirror_bench.schema import Record

PACKAGED = Path(__file__).with_name("prices.yaml")
_MILLION = 1_000_000
_DATED = re.compile(r"(-(latest|\d{4}[\d-]*))?([@:].*)?")
"""What may stand behind a priced name: a date, a version of four digits or more, a variant after a colon."""


class Usage(Record):
    """What was asked of one model: calls, and tokens of prompts and of answers."""

    calls: float = 0
    prompt_tokens: float = 0
    tokens: float = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            tokens=self.tokens + other.tokens,
        )


class TokenPrice(Record):
    """What a model takes for a million tokens of prompts and of answers."""

    prompt: Annotated[float, Field(ge=0)]
    completion: Annotated[float, Field(ge=0)]

    def of(self, usage: Usage) -> float:
        """Returns what a usage costs."""
        return (usage.prompt_tokens * self.prompt + usage.tokens * self.completion) / _MILLION


class PriceList(Record):
    """Prices as of a day: a model's name, without a date, -> its price.

    Attributes:
        note: How far they can be relied on, beside their day.
    """

    date: date
    note: str = ""
    models: Mapping[str, TokenPrice]

    def of(self, model: str) -> TokenPrice | None:
        """Returns the price under the longest name that fits a model's, or None.

        A name fits that is the model's own, or its own without a date behind it; one that ends with a slash
        fits all that it begins. What Inspect opens costs what it costs without Inspect. `gpt-5` is no price
        of `gpt-5-pro`, which takes twelve times as much: no price is better than another model's.
        """
        name = model.partition("?")[0]
        for asked in dict.fromkeys((name, name.removeprefix("inspect/"))):
            fitting = [
                key
                for key in self.models
                if asked.startswith(key) and (key.endswith("/") or _DATED.fullmatch(asked, len(key)))
            ]
            if fitting:
                return self.models[max(fitting, key=len)]
        return None

    def must(self, model: str) -> TokenPrice:
        """Returns a model's price.

        Raises:
            InputError: If none is known.
        """
        if (found := self.of(model)) is None:
            name = model.partition("?")[0]
            raise InputError(
                f"no price of {name} is known: write it into a file, 'models: {{{name}: {{prompt: USD per "
                "million, completion: USD per million}}', and give that with --prices"
            )
        return found


def load_prices(own: Path | None = None) -> PriceList:
    """Returns the packaged prices, those of the user's own file, with its day and note, before.

    Raises:
        InputError: If a file cannot be read or a key or value in it is wrong, naming it.
    """
    prices = _read(PACKAGED, {})
    if own is None:
        return prices
    mine = _read(own, {"date": date.today()})
    return PriceList(date=mine.date, note=mine.note, models={**prices.models, **mine.models})


def _read(path: Path, usual: Mapping[str, object]) -> PriceList:
    try:
        return PriceList.model_validate({**usual, **read_yaml(path)})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}") from None


class CostReachedError(InputError):
    """The run has cost what it may; what was answered is kept."""


class SpendingLimit:
    """Lets models be asked until their answers have cost so much in all.

    A question in flight counts twice as dear as the dearest that was answered, since prompts grow with every
    turn; so near the limit fewer are asked at a time.

    Args:
        most: In USD.
        prices: What models cost.
    """

    def __init__(self, most: float, prices: PriceList) -> None:
        self.most = most
        self.spent = 0.0
        self.calls = 0
        self._prices = prices
        self._dearest = 0.0
        self._flying = 0
        self._landed = asyncio.Event()

    def count(self, model: str, usage: Usage) -> None:
        """Adds what was asked of a model, now or by an earlier start.

        Raises:
            InputError: If its price is not known.
        """
        cost = self._prices.must(model).of(usage)
        self.spent += cost
        self.calls += round(usage.calls)
        self._dearest = max(self._dearest, cost / max(1, usage.calls))

    def watch(self, engine: Engine) -> Engine:
        """Returns an engine whose answers are counted.

        Raises:
            InputError: If its price is not known.
        """
        self._prices.must(engine.name)
        return _CountedEngine(engine, self)

    async def ask(self, engine: Engine, request: Request) -> Answer:
        """Asks, if one more answer is within the limit; at the limit, once those in flight have come in.

        Raises:
            CostReachedError: If it is not.
        """
        while self._would_exceed():
            if not self._flying:
                raise CostReachedError(
                    f"stopped at --max-cost {self.most:g}: {self.spent:.4f} USD for {self.calls} calls so "
                    "far; every answer is kept, and the same command with a higher --max-cost goes on"
                )
            self._landed.clear()
            await self._landed.wait()
        self._flying += 1
        try:
            answer = await engine.answer(request)
            self.count(engine.name, Usage(calls=1, prompt_tokens=answer.prompt_tokens, tokens=answer.tokens))
            return answer
        finally:
            self._flying -= 1
            self._landed.set()

    def _would_exceed(self) -> bool:
        if not self.calls and self._flying:
            return True  # nobody knows yet what a call costs
        return self.spent + 2 * self._dearest * (self._flying + 1) > self.most


class _CountedEngine(EngineWrapper):
    def __init__(self, engine: Engine, limit: SpendingLimit) -> None:
        super().__init__(engine)
        self._limit = limit

    async def answer(self, request: Request) -> Answer:
        """Asks within the limit."""
        return await self._limit.ask(self.engine, request)
