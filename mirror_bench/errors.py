"""What may go wrong for reasons a person can mend, and what may go wrong in a session."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterable
from pathlib import Path

_LONGEST = 300


class InputError(Exception):
    """Bad input or environment: one line that names the file, line or option and the remedy (exit code 2)."""


class EngineError(Exception):
    """An engine could not answer one request; the session that asked may be tried again."""


class TooMuchError(EngineError):
    """A request holds more turns or images than the model takes; the same with fewer may be answered.

    Attributes:
        images: The most images that it takes, where they are what is too many; None where it is length.
    """

    def __init__(self, said: str, images: int | None = None) -> None:
        super().__init__(said)
        self.images = images


class EngineDeadError(InputError):
    """An engine stopped for good; no further request to it can succeed."""


class OwnCodeError(Exception):
    """Code of a user's or of another package failed; the text says where."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns the question whether the nearest of the known names was meant, with a space after it, or ""."""
    import difflib  # where nothing is misspelt, it is not needed

    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def told(error: BaseException) -> str:
    """Returns what somebody's code raised as one line, with the line of that code where it is known."""
    text = " ".join(str(error).split())[:_LONGEST]
    if isinstance(error, OwnCodeError):
        return text
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not _is_library(frame.filename)]
    at = (own or frames)[-1:]
    where = f" ({Path(at[0].filename).name}:{at[0].lineno})" if at else ""
    return f"{type(error).__name__}{': ' if text else ''}{text}{where}"


def _is_library(filename: str) -> bool:
    """Whether a file belongs to this package, to Python or to an installed package."""
    path = Path(filename)
    known = (str(Path(__file__).parent), sysconfig.get_path("stdlib"))
    return (
        filename.startswith("<")
        or path.is_relative_to(known[0])
        or path.is_relative_to(known[1])
        or ("site-packages" in path.parts)
    )
