"""Keeps the talk of model libraries off the terminal: it goes to a log file that messages can name."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

# File descriptors belong to the whole process, so one library is loaded at a time.
_ONE_AT_A_TIME = threading.Lock()
# The line in which Python, or a process of vLLM behind its prefix, says why it stopped.
_CAUSE = re.compile(r"\b([A-Za-z_.]*(?:Error|Exception|Interrupt)): (.+)")
# Messages that only point to another one.
_POINTERS = ("Engine core initialization failed", "EngineCore encountered an issue", "failed to be inspected")


def new_log(library: str) -> Path:
    """Returns an empty file in the folder for temporary files, named after the library."""
    handle, name = tempfile.mkstemp(prefix=f"mirror-bench-{library}-", suffix=".log")
    os.close(handle)
    return Path(name)


@contextlib.contextmanager
def quiet(log: Path) -> Iterator[None]:
    """Sends everything that this process and its new children print to `log`, while the context lasts.

    Works on file descriptors, because compiled code and child processes know nothing of `sys.stderr`.
    """
    with _ONE_AT_A_TIME, log.open("ab") as target:
        sys.stdout.flush()
        sys.stderr.flush()
        saved = [(number, os.dup(number)) for number in (1, 2)]
        try:
            for number, _ in saved:
                os.dup2(target.fileno(), number)
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, copy in saved:
                os.dup2(copy, number)
                os.close(copy)


def log_to(log: Path, *loggers: str) -> None:
    """Makes the named loggers write to `log` and nowhere else, from now on."""
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    for name in loggers:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False


def cause(error: BaseException, log: Path) -> str:
    """Returns in one line why a library failed: from its error, or from the log it points to."""
    said = " ".join(str(error).split())
    if not said or _points(said):
        found = _CAUSE.findall(log.read_text(encoding="utf-8", errors="replace"))
        causes = [f"{kind}: {text}" for kind, text in found if not _points(text)]
        said = causes[-1] if causes else said
    return (said or type(error).__name__)[:400]


def _points(text: str) -> bool:
    return any(pointer in text for pointer in _POINTERS)
