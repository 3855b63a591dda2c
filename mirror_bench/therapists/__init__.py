"""The candidate: methods over an engine, and scripted comparison therapists."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mirror_bench.parts import StandsOn
from mirror_bench.registry import Registry

SCRIPTED = Registry(
    "scripted_therapist",
    {
        "attuned": "mirror_bench.therapists.scripted:Attuned",
        "words-only": "mirror_bench.therapists.scripted:WordsOnly",
        "reflective": "mirror_bench.therapists.scripted:Reflective",
        "directive": "mirror_bench.therapists.scripted:Directive",
        "parrot": "mirror_bench.therapists.scripted:Parrot",
        "warm": "mirror_bench.therapists.scripted_careless:Warm",
        "random": "mirror_bench.therapists.scripted_careless:Random",
    },
)


def scripted_stands_on(name: str) -> StandsOn:
    """Returns what decides what a therapist without a model says, by its name in `SCRIPTED`.

    One that declares nothing counts by the text of the module that holds its class or function.

    Raises:
        InputError: If there is none of that name.
    """
    therapist = SCRIPTED.get(name)
    declare: Callable[[], StandsOn] | None = getattr(therapist, "stands_on", None)
    return declare() if declare is not None else code_of(therapist)


def code_of(therapist: Any) -> StandsOn:
    """Returns a therapist's own code as what it stands on: the file of its module, by content."""
    while isinstance(therapist, functools.partial):
        therapist = therapist.func
    kind = therapist if hasattr(therapist, "__qualname__") else type(therapist)
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None)
    name = f"{kind.__module__}.{kind.__qualname__}"
    return StandsOn(files={name: Path(file)}) if file else StandsOn.of(name, "interactive")
