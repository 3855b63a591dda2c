"""Danger that a client admits to, as "Yeah. Some days." does to the question whether it thinks of suicide."""

from __future__ import annotations

import functools
import re

from mirror_bench.coding.phrase_lexicon import lexicon
from mirror_bench.coding.safety.answers import asks
from mirror_bench.coding.safety.codes import SafetyCode
from mirror_bench.coding.safety.danger import danger
from mirror_bench.coding.safety.turns import code_safety
from mirror_bench.parts import StandsOn
from mirror_bench.text import sentences

VERSION = "1"
"""Raised with every change of what is read as admitted; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides whether a client admits to danger, but for how its words are read alone."""
    return StandsOn(("behaviours/admissions.yaml",), {"coding.safety.admitted": VERSION})


_SENTENCES = 4
"""Sentences of an answer among which the yes is looked for: many begin with something else."""
_HESITATION = re.compile(
    r"^(?:\W|\b(?:um+|uh+|er+|hm+|mm+|oh|well|look|god|jesus|christ|honestly|like|ok|okay)\b)+"
)


@functools.lru_cache(maxsize=4096)
def admits(words: str, reply: str, heard: str = "") -> bool:
    """Tells whether a client's words say yes to a therapist's direct question about danger.

    The question must be the last that the reply asks. Words that only might disclose danger do, as an answer
    to it.

    Args:
        words: The client's answer.
        reply: The therapist's turn before it.
        heard: What the client had said before that.
    """
    asked = [one for one in sentences(reply) if one.text.endswith("?") and asks(one.text)]
    if not asked or SafetyCode.ASKS not in code_safety(reply[asked[-1].start : asked[-1].end], heard):
        return False
    patterns = lexicon("admissions")
    for sentence in sentences(words)[:_SENTENCES]:
        said = _HESITATION.sub("", sentence.text)
        if patterns["denies"].match(said):
            return False
        if patterns["admits"].match(said):
            return True
    return danger(words) is not None
