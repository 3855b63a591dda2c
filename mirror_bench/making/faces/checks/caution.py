"""Nothing is made of words that call for caution: danger that they disclose, found by the coded rules."""

from __future__ import annotations

from mirror_bench.coding.safety.danger import danger

_QUOTED = 80


def calls_for_caution(*texts: str) -> str:
    """Returns in one line which danger texts disclose, or "" where they disclose none."""
    for text in texts:
        if text and (found := danger(text)) is not None and found.sure:
            words = " ".join(text[found.start : found.end].split())[:_QUOTED]
            return f"{found.kind.value.replace('_', ' ')}: {words!r}"
    return ""
