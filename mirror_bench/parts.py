"""What every part of a protocol says of itself: what it stands on, and which options of its own it takes.

A part is a client, a rater, a face source, a therapist's method, a scripted therapist or the session loop.
Each answers one question, `stands_on`: which content, which code and which models decide what it does? The
protocol's fingerprint is composed of the answers, so that nothing which can move a score is forgotten in a
list elsewhere.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from mirror_bench.errors import InputError, told


@dataclass(frozen=True)
class StandsOn:
    """The content files, code versions, models and data that decide what a part of a protocol does.

    Attributes:
        content: Files under `tasks/`, such as "prompts/client.jinja".
        versions: Name of a piece of code -> its version, raised with every change that can move a score.
        models: Model names (`provider/name?option=value`) that the part asks. They count by what decides
            their answers: a checkpoint by its content wherever it lies, an option where it decides an answer.
        files: Name -> a file or folder outside `tasks/`, of another package or of a user. It counts by its
            content and that name, wherever it lies.
        data: Data sources besides the protocol's own, such as "mini".
    """

    content: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    data: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, version: str, model: str = "") -> StandsOn:
        """Returns what one piece of code stands on, with the model that it asks where one is named."""
        return cls(versions={name: version}, models=(model,) if model else ())

    def __or__(self, other: StandsOn) -> StandsOn:
        """Returns both together.

        Raises:
            InputError: If two pieces of code or two files go by one name.
        """
        return StandsOn(
            content=_united(self.content, other.content),
            versions=_agreeing(self.versions, other.versions, "code"),
            models=_united(self.models, other.models),
            files=_agreeing(self.files, other.files, "files"),
            data=_united(self.data, other.data),
        )


class Declared(NamedTuple):
    """What one part of a protocol stands on, and the options that it was given.

    Attributes:
        options: Its own options, defaults included; those that decide nothing left out.
    """

    stands_on: StandsOn
    options: Mapping[str, Any] = {}


def ask_stands_on(kind: str, name: str, part: Any, *settings: Any) -> StandsOn:
    """Returns what a part says that it stands on.

    Args:
        kind: What it is ("client").
        name: The name in its registry, to name in messages.
        part: The registered class or object.
        settings: What its `stands_on` takes.

    Raises:
        InputError: If it says nothing, or something else, and what to add.
    """
    declare: Callable[..., Any] | None = getattr(part, "stands_on", None)
    remedy = f'return mirror_bench.parts.StandsOn(versions={{"{kind}.{name}": "1"}}, content=…, models=…)'
    given = f"({', '.join(('settings', 'needs')[: len(settings)])})"
    if not callable(declare):
        raise InputError(
            f"the {kind} {name!r} does not say what it stands on, so no fingerprint can cover it: "
            f"give {_named(part)} a method stands_on{given} and {remedy}"
        )
    if inspect.isclass(part) and settings and inspect.isfunction(inspect.getattr_static(part, "stands_on")):
        raise InputError(
            f"the {kind} {name!r} is asked what it stands on before it is made: make "
            f"{_named(part)}.stands_on{given} a class method (@classmethod)"
        )
    try:
        found = declare(*settings)
    except InputError:
        raise
    except Exception as error:  # another package's code
        raise InputError(f"the {kind} {name!r} cannot say what it stands on: {told(error)}") from None
    if not isinstance(found, StandsOn):
        raise InputError(
            f"the {kind} {name!r} says that it stands on {type(found).__name__} {str(found)[:60]!r}: {remedy}"
        )
    return found


def read_options(part: Any, given: Mapping[str, Any], where: str) -> BaseModel | None:
    """Returns a part's own options, read by its class `Options`; None where it takes none.

    Args:
        part: The registered class; its attribute `Options` is a pydantic class where it takes options.
        given: The options as a protocol gives them.
        where: File and key, to name in messages ("mine.yaml: client.options").

    Raises:
        InputError: If one is unknown or wrong, or the part takes none.
    """
    options: type[BaseModel] | None = getattr(part, "Options", None)
    if options is None:
        if given:
            raise InputError(f"{where}.{next(iter(given))}: {_named(part)} takes no options; leave them out")
        return None
    for key in given:
        if key not in options.model_fields:
            known = ", ".join(options.model_fields) or "none"
            raise InputError(f"{where}.{key}: no option has that name: known are {known}")
    try:
        return options.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise InputError(f"{where}.{place}: {str(first['msg']).removeprefix('Value error, ')}") from None


def deciding(options: BaseModel | None) -> Mapping[str, Any]:
    """Returns the options that enter a fingerprint: all but fields declared with `Field(exclude=True)`."""
    return {} if options is None else options.model_dump(mode="json")


def _named(part: Any) -> str:
    kind = part if isinstance(part, type) else type(part)
    return f"{kind.__module__}.{kind.__qualname__}"


def _united(mine: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*mine, *theirs}))


def _agreeing(mine: Mapping[str, Any], theirs: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    for name in mine.keys() & theirs.keys():
        if mine[name] != theirs[name]:
            raise InputError(
                f"two different {what} are both named {name!r} ({mine[name]} and {theirs[name]}): "
                "a part that another package adds must name what it stands on by names of its own"
            )
    return {**mine, **theirs}
