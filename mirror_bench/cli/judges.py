"""Reads `--judge`: the coded rater, or models as judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mirror_bench.protocol import RaterSettings


def judge_settings(
    judges: tuple[str, ...], samples: int = 1, *, panel: bool = False
) -> tuple[RaterSettings, ...]:
    """Returns the raters that `--judge` names, in their order.

    Args:
        judges: Names.
        samples: How often a model is asked for each item.
        panel: Whether the models also make up a panel, which comes last.

    Raises:
        InputError: If one is neither a rater's name nor of the form provider/name, or a panel has fewer than
            two models.
    """
    from mirror_bench.errors import InputError
    from mirror_bench.modelspec import parse_model
    from mirror_bench.protocol import RaterSettings
    from mirror_bench.raters import RATERS

    found = []
    for judge in judges:
        if judge in RATERS and judge not in {"llm", "panel"}:
            found.append(RaterSettings(kind=judge))
        else:
            model = str(parse_model(judge, "--judge"))
            found.append(RaterSettings(kind="llm", model=model, samples=samples))
    if panel:
        models = tuple(dict.fromkeys(one.model for one in found if one.model))
        if len(models) < 2:
            raise InputError("--panel needs at least two different models: give --judge MODEL once for each")
        found.append(RaterSettings(kind="panel", models=models, samples=samples))
    return tuple(found)
