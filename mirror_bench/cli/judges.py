"""Reads `--judge`: the coded rater, or models as judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mirror_bench.protocol import RaterSettings


def judge_settings(judges: tuple[str, ...], samples: int = 1) -> tuple[RaterSettings, ...]:
    """Returns the raters that `--judge` names, in their order.

    Raises:
        InputError: If one is neither a rater's name nor of the form provider/name.
    """
    from mirror_bench.modelspec import parse_model
    from mirror_bench.protocol import RaterSettings
    from mirror_bench.raters import RATERS

    found = []
    for judge in judges:
        if judge in RATERS and judge != "llm":
            found.append(RaterSettings(kind=judge))
        else:
            model = str(parse_model(judge, "--judge"))
            found.append(RaterSettings(kind="llm", model=model, samples=samples))
    return tuple(found)
