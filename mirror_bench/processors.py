"""How many processors this process may use."""

from __future__ import annotations

import os


def cores(most: int = 8) -> int:
    """Returns how many processors this process may use, at most `most`."""
    try:
        return max(1, min(most, len(os.sched_getaffinity(0))))
    except AttributeError:  # not on every system
        return max(1, min(most, os.cpu_count() or 1))
