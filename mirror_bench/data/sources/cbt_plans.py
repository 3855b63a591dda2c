"""Parts the cell of a CBT plan into the technique and the plan, as the official files hold both in one."""

from __future__ import annotations

import functools
import re

from mirror_bench.content import content_path, read_yaml

_TECHNIQUE = re.compile(
    r"^\W{0,4}(?:CBT\s)?techniques?\W{0,4}:[ \t*]*\n?[ \t]*(?P<name>[^\n]{1,120})",
    re.IGNORECASE | re.MULTILINE,
)
_PLAN = re.compile(
    r"^\W{0,4}(?:counsell?ing\splan(?:ning)?|CBT\splan|plan)\W{0,4}:[ \t*]*\n?", re.IGNORECASE | re.MULTILINE
)


def read_cbt_plan(text: str) -> tuple[str, str]:
    """Returns the technique and the plan of a cell; "" for what it does not tell.

    The technique is what stands behind its heading; without one, the first of the twelve that the text names.
    """
    stated, headed = _TECHNIQUE.search(text), _PLAN.search(text)
    if stated:
        plan = text[headed.end() :] if headed else text[: stated.start()] + text[stated.end() :]
        return stated["name"].strip(" .*_"), plan.strip()
    low = text.lower()
    named = [(low.index(name), name) for name in _techniques() if name in low]
    return (min(named)[1] if named else ""), (text[headed.end() :] if headed else text).strip()


@functools.cache
def _techniques() -> tuple[str, ...]:
    return tuple(read_yaml(content_path("techniques.yaml")))
