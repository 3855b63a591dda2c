"""Numbers as options take them: never infinite, and never "not a number", which no limit would catch."""

from __future__ import annotations

import math
from typing import Any

import click


class Number(click.types.FloatParamType):
    """A finite number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Returns the number that a text says; `click.BadParameter` where it says none that is finite."""
        return _finite(float(super().convert(value, param, ctx)), param, ctx)


class NumberRange(click.FloatRange):
    """A finite number in a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Returns the number that a text says; `click.BadParameter` where it says none that is in range."""
        return _finite(float(super().convert(value, param, ctx)), param, ctx)


def _finite(number: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
    if math.isfinite(number):
        return number
    raise click.BadParameter(f"{number} is not a finite number.", ctx=ctx, param=param)
