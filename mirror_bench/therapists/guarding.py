"""Holds therapists that other packages bring to the shape that a session needs."""

from __future__ import annotations

import inspect
from typing import Any

from mirror_bench.errors import InputError
from mirror_bench.faces.base import Face
from mirror_bench.therapists.base import Therapist, TherapistTurn

EXPECTED = (
    "expected is an object with sees (a bool), plan (two texts) and async reply(heard, face) -> "
    "TherapistTurn (docs/agents.md)"
)


def refuse_wrong_shape(made: Any, name: str) -> None:
    """Refuses an object that has not the methods of a therapist.

    Raises:
        InputError: Naming what is missing, and what was expected.
    """
    where = f"scripted/{name}"
    lacking = [part for part in ("sees", "plan", "reply") if not hasattr(made, part)]
    if lacking:
        raise InputError(f"{where}: is a {type(made).__name__} without {', '.join(lacking)}: {EXPECTED}")
    plan = made.plan
    if not (isinstance(plan, tuple) and len(plan) == 2 and all(isinstance(part, str) for part in plan)):
        raise InputError(f"{where}: plan is {plan!r:.80}: {EXPECTED}")
    if not inspect.iscoroutinefunction(made.reply):
        raise InputError(f"{where}: reply is not async: {EXPECTED}")
    try:
        inspect.signature(made.reply).bind(None, None)
    except TypeError as error:
        raise InputError(f"{where}: reply does not take (heard, face) ({error}): {EXPECTED}") from None


class Guarded:
    """A therapist of another package, whose answers are checked as they come."""

    def __init__(self, made: Therapist, name: str) -> None:
        self._made = made
        self._name = name

    @property
    def sees(self) -> bool:
        """Whether it looks at faces."""
        return bool(self._made.sees)

    @property
    def plan(self) -> tuple[str, str]:
        """Its technique and plan."""
        return self._made.plan

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Answers.

        Raises:
            InputError: If what it answers is no turn: so will be all else that it says.
        """
        said: Any = await self._made.reply(heard, face)
        if not isinstance(said, TherapistTurn):
            raise InputError(f"scripted/{self._name}: reply answered with {type(said).__name__}: {EXPECTED}")
        return said
