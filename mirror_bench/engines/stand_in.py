"""Stand-ins for models in a dry run: they say what somebody might, and count what they are asked."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from mirror_bench.engines.base import Answer, ImagePart, Request
from mirror_bench.engines.prices import Usage

CHARACTERS = 4.3
"""English letters and blanks in a token, as tokenizers of today cut it."""
_FRAME = 5
"""Tokens of a message beside its text: role and separators."""
_JUDGE_WORDS = 28
_QUOTE_WORDS = 12


class CallCounts:
    """Counts the requests and tokens that stand-ins were asked for, by role and model."""

    def __init__(self, image_tokens: int) -> None:
        self.image_tokens = image_tokens
        self.of: defaultdict[tuple[str, str], Usage] = defaultdict(Usage)

    def note(self, role: str, model: str, request: Request, text: str) -> Answer:
        """Counts a request that `text` answers, and returns that answer."""
        images = sum(isinstance(part, ImagePart) for message in request.messages for part in message.parts)
        asked = sum(tokens_of(message.text) + _FRAME for message in request.messages)
        asked += images * self.image_tokens
        told = min(tokens_of(text), request.sampling.max_tokens)
        self.of[role, model] += Usage(calls=1, prompt_tokens=asked, tokens=told)
        return Answer(text, prompt_tokens=asked, tokens=told)


class StandInEngine:
    """An engine that says what somebody might and counts what it is asked."""

    sees = True

    def __init__(self, role: str, name: str, say: Callable[[Request], str], counts: CallCounts) -> None:
        self.name = name
        self._role, self._say, self._counts = role, say, counts

    async def start(self) -> None:
        """Has nothing to load."""

    async def close(self) -> None:
        """Has nothing to free."""

    async def answer(self, request: Request) -> Answer:
        """Answers as a judge where JSON is asked for, else in its role."""
        if request.json_schema is not None:
            return self._counts.note("judge", self.name, request, _verdict(request.json_schema))
        return self._counts.note(self._role, self.name, request, self._say(request))


def tokens_of(text: str) -> int:
    """Returns about how many tokens a text is."""
    return max(1, round(len(text) / CHARACTERS)) if text else 0


def saying(texts: Sequence[str]) -> Callable[[Request], str]:
    """Returns what says `texts` one after the other, over and over, so that lengths come out as theirs."""
    following = itertools.cycle(texts)
    return lambda request: next(following)


def _verdict(schema: Mapping[str, object]) -> str:
    """An answer of the length and the form of a judge's."""
    properties = schema.get("properties")
    names = list(properties) if isinstance(properties, Mapping) else []
    quote = " ".join(["words"] * _QUOTE_WORDS)
    filled: dict[str, object] = {"applies": True, "shown_by": quote, "evidence": [quote, quote], "score": 3}
    filled["reason"] = " ".join(["reasons"] * _JUDGE_WORDS)
    return json.dumps({name: filled.get(name, quote) for name in names})
