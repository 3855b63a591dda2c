"""What raters may say of themselves: what their ratings stand on, and how they are asked anew."""

from __future__ import annotations

from typing import Any, TypeVar

R = TypeVar("R")


def edition_of(rater: Any) -> str:
    """Returns what a rater's ratings stand on beside session and instrument, as far as it says."""
    return str(getattr(rater, "edition", "") or getattr(rater, "version", ""))


def asks_anew(rater: Any) -> bool:
    """Tells whether a rater may answer otherwise when it is asked once more."""
    return hasattr(rater, "anew")


def anew(rater: R, number: int) -> R:
    """Returns a rater that asks past what memory holds of `number` times before, where it asks anybody."""
    renew: Any = getattr(rater, "anew", None)
    renewed: R = renew(number) if renew is not None and number else rater
    return renewed
