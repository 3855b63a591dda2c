"""How long to wait before a server is asked again: as long as it says, or a little longer each time."""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

_FIRST_S, _LONGEST_S = 0.5, 8.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SAID = re.compile(
    r"(?:try(?:ing)? again|retry(?:ing)?|retrydelay|wait|available|come back)\W{0,4}(?:in|after|for|"
    r"about|:|\")*\W{0,4}"
    r"(?P<time>(?:\d+(?:\.\d+)?\s*(?:ms|milliseconds?|s|sec(?:ond)?s?|m|min(?:ute)?s?|h|hours?|d|"
    r"days?)(?![a-z])\s*)+)",
    re.IGNORECASE,
)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|milli|s|m|h|d)", re.IGNORECASE)


def named_wait(headers: Mapping[str, str], words: str = "") -> float | None:
    """Returns the seconds after which a server wants to be asked again, or None where it does not say.

    Args:
        headers: Of its answer, by names in lower case: Retry-After in seconds or as a date, retry-after-ms.
        words: Of its message, for servers that name the time there alone ("try again in 6m0s").
    """
    if (exact := _number(headers.get("retry-after-ms", ""))) is not None:
        return exact / 1000
    given = headers.get("retry-after", "").strip()
    if (seconds := _number(given)) is not None:
        return seconds
    if given and (at := _moment(given)) is not None:
        # A server's clock may be minutes off ours: its own date tells what it means.
        now = _moment(headers.get("date", ""))
        return max(0.0, at - (time.time() if now is None else now))
    found = _SAID.search(words)
    if found is None:
        return None
    parts = ((float(number), unit.lower()) for number, unit in _PART.findall(found["time"]))
    return sum(number * _UNITS["ms" if unit == "milli" else unit] for number, unit in parts)


def growing_wait(tries: int) -> float:
    """Returns the seconds to wait after so many tries: growing, and jittered lest all come back at once."""
    return min(_LONGEST_S, _FIRST_S * 2.0**tries) * (1 - 0.25 * random.random())


def in_words(seconds: float) -> str:
    """Returns a time such as "2 h 5 min" and, for long ones, the moment when it is over."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / 60)
    hours, rest = divmod(minutes, 60)
    span = f"{hours} h {rest} min" if hours else f"{minutes} min"
    if seconds > 10 * 365 * 86400:
        return span
    return f"{span}, at {time.strftime('%Y-%m-%d %H:%M %Z', time.localtime(time.time() + seconds)).strip()}"


def _number(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return min(seconds, 1e12) if seconds >= 0 else None


def _moment(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
