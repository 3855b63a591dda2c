"""The contamination canary: a string that stands in every file of MIRROR-Mini, so that leaks can be found.

A corpus that holds it has read the benchmark; a model that can complete it was trained on such a corpus. The
convention is that of BIG-bench (Srivastava et al. 2022).
"""

from __future__ import annotations

CANARY = "mirror-bench canary 3f813c01-fb5d-4acf-b994-b3a412beebe5"
"""One string for all files and all time."""

NOTICE = f"Benchmark data: keep it out of training corpora. {CANARY}"
"""What stands at the head of a file, in the file's own form of a comment."""


def holds_canary(text: str) -> bool:
    """Tells whether a text holds the canary, however its white space and letter case were changed."""
    return _plain(CANARY) in _plain(text)


def without_notice(text: str) -> str:
    """Returns a text whose first line is empty where it was a comment with the canary; line numbers stay."""
    head, newline, rest = text.partition("\n")
    return newline + rest if head.startswith("#") and holds_canary(head) else text


def _plain(text: str) -> str:
    return " ".join(text.split()).lower()
