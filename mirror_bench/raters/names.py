"""What raters' names tell: who is a person, a panel, or a judge that was asked a second time."""

from __future__ import annotations

from collections.abc import Iterable

HUMAN = "human:"
"""What the names of people who rate begin with; their ratings come from a study, and no rater makes them."""
RETEST = " (retest)"
"""What the name of a judge that is asked once more ends with."""
_PANEL, _BETWEEN = "panel(", ", "


def panel_name(judges: Iterable[str]) -> str:
    """Returns the name of a panel, from the names of its judges in any order."""
    return f"{_PANEL}{_BETWEEN.join(sorted(judges))})"


def first_time(names: Iterable[str]) -> list[str]:
    """Returns the raters that are no retest, sorted; a retest measures a judge and scores nobody."""
    return sorted(name for name in set(names) if not name.endswith(RETEST))


def scoring(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the raters whose scores are averaged: a panel stands for its judges, and a retest for nobody.

    Args:
        names: Who rated.
    """
    first = first_time(names)
    panels = [_judges(name) for name in first if name.startswith(_PANEL)]
    return tuple(
        name for name in first if not any(f"{_BETWEEN}{name}{_BETWEEN}" in judges for judges in panels)
    )


def single(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the raters that can agree or disagree: no retest, and no panel, which is made of the others.

    Args:
        names: Who rated; where fewer than two of them are no panel, panels count as well.
    """
    first = first_time(names)
    alone = [name for name in first if not name.startswith(_PANEL)]
    return tuple(alone if len(alone) > 1 else first)


def is_person(name: str) -> bool:
    """Tells whether a rater is a person of a study."""
    return name.startswith(HUMAN)


def _judges(panel: str) -> str:
    """Returns a panel's judges with what stands between them also before the first and after the last."""
    return f"{_BETWEEN}{panel.removeprefix(_PANEL).removesuffix(')')}{_BETWEEN}"
