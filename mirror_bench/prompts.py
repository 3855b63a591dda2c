"""Fills the prompt templates of `tasks/prompts/`."""

from __future__ import annotations

import functools
from typing import Any

import jinja2

from mirror_bench.content import read_text
from mirror_bench.errors import InputError
from mirror_bench.parts import StandsOn

VERSION = "1"
"""Raised with every change of how templates are filled; part of the fingerprint."""


def stands_on(*names: str) -> StandsOn:
    """Returns what decides the prompts of these names, for the parts that fill them."""
    return StandsOn(tuple(f"prompts/{name}.jinja" for name in names), {"prompts": VERSION})


@functools.cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=False, autoescape=False
    )
    source = read_text("prompts", f"{name}.jinja")
    try:
        return environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise InputError(f"tasks/prompts/{name}.jinja:{error.lineno}: {error.message}") from None


def fill(name: str, **values: Any) -> str:
    """Returns the prompt `tasks/prompts/<name>.jinja` filled with `values`, without blanks at either end.

    Raises:
        InputError: If there is no such prompt, or it names something that it is not given.
    """
    try:
        return _template(name).render(**values).strip()
    except jinja2.UndefinedError as error:
        raise InputError(f"tasks/prompts/{name}.jinja: {error.message}") from None
