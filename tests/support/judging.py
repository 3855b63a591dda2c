"""Judges of known bias behind a real server of the OpenAI form."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chat_server import Body
from talking_server import TalkingServer, prompt_of, scale_of, serving

Scorer = Callable[[str, str, int, int], float]
"""(model, prompt, min, max) -> a score, rounded and kept on the scale before it is sent."""


@contextmanager
def judges(scorer: Scorer) -> Iterator[TalkingServer]:
    """Serves judges that answer every item by a scorer."""

    def says(body: Body, number: int) -> str:
        prompt = prompt_of(body)
        low, high = scale_of(prompt)
        score = min(high, max(low, round(scorer(body["model"], prompt, low, high))))
        # Whether the item applies is read only where it is asked for.
        return json.dumps({"applies": True, "evidence": [], "reason": "so", "score": score})

    with serving(says) as server:
        yield server


def skill(text: str) -> float:
    """In [0, 1]: questions of the therapist's and few words of the client's again; crude, and known."""
    therapist = " ".join(re.findall(r"^\[\w+ THERAPIST\] (.*)$", text, re.MULTILINE))
    return min(1.0, therapist.count("?") / 4)


def noise(*parts: str) -> float:
    """In [-1, 1], the same for the same parts."""
    return int(hashlib.sha256("".join(parts).encode()).hexdigest()[:8], 16) / 2**31 - 1
