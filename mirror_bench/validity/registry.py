"""The examinations of validity, in the order in which `docs/VALIDITY.md` tells of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence

from mirror_bench.errors import InputError
from mirror_bench.validity.evidence import Evidence, Setting

EXAMINATIONS = {
    "left_out_sets": "mirror_bench.validity.left_out_sets:examine",
    "known_groups": "mirror_bench.validity.known_groups:examine",
    "coding": "mirror_bench.validity.coding:examine",
    "agreement": "mirror_bench.validity.agreement:examine",
    "judges": "mirror_bench.validity.judges:examine",
    "gaming": "mirror_bench.validity.gaming:examine",
    "clients": "mirror_bench.validity.clients:examine",
    "faces": "mirror_bench.validity.faces:examine",
    "pairwise": "mirror_bench.validity.pairwise:examine",
    "safety": "mirror_bench.validity.safety:examine",
}
"""Name -> "module:function"; a module is loaded when its examination is held."""


def examination(name: str) -> Callable[[Setting], Evidence]:
    """Returns the function that holds the examination of this name.

    Raises:
        InputError: If there is none of that name.
    """
    if name not in EXAMINATIONS:
        raise InputError(f"no examination {name!r}: known are {', '.join(EXAMINATIONS)}")
    module, function = EXAMINATIONS[name].split(":")
    found: Callable[[Setting], Evidence] = getattr(importlib.import_module(module), function)
    return found


def examine_all(
    setting: Setting,
    names: Sequence[str] = (),
    begin: Callable[[str], None] = lambda name: None,
) -> dict[str, Evidence]:
    """Holds the examinations named and returns their evidence.

    Args:
        setting: What they may use.
        names: Which ones; all where empty.
        begin: Called with the name of each before it is held.

    Returns:
        Name -> what was found, in the order asked for.

    Raises:
        InputError: If there is no examination of a name.
    """
    found = {}
    for name in names or tuple(EXAMINATIONS):
        begin(name)
        found[name] = examination(name)(setting)
    return found
