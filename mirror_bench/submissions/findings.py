"""What a check of a submission finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mirror_bench.schema import Record
from mirror_bench.text import one_line

SHOWN = 20
"""The most problems of one check that are told one by one."""
_LONGEST = 300

Status = Literal["passed", "failed", "skipped"]


class Check(Record):
    """One named check of a submission.

    Attributes:
        name: Short and stable, for machines: "scenarios", "client".
        status: "skipped" where nothing could be looked at; such a check proves nothing.
        reason: In one line, what was found, or why nothing could be looked at.
        problems: What is wrong, at most `SHOWN` of it; empty unless failed.
    """

    name: str
    status: Status
    reason: str
    problems: tuple[str, ...] = ()


class Verdict(Record):
    """What the checks say about one file.

    Attributes:
        file: The file's name.
        sha256: Digest of the whole file, to compare with one that was published beside it.
        model: The model's name as the manifest says, or "".
        checks: In the order in which they were held.
    """

    file: str
    sha256: str
    model: str = ""
    checks: tuple[Check, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether no check failed."""
        return all(check.status != "failed" for check in self.checks)

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the checks that failed."""
        return tuple(check.name for check in self.checks if check.status == "failed")


def judged(name: str, problems: Sequence[str], passed: str) -> Check:
    """Returns a check that failed where there are problems, else passed with the reason `passed`."""
    if not problems:
        return Check(name=name, status="passed", reason=plain(passed))
    told = tuple(plain(problem) for problem in problems[:SHOWN])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Check(name=name, status="failed", reason=f"{told[0]}{more}", problems=told)


def skipped(name: str, reason: str) -> Check:
    """Returns a check that could not be held."""
    return Check(name=name, status="skipped", reason=plain(reason))


def plain(text: str) -> str:
    """Returns a text as one bounded, printable line: parts of it come from a stranger's file."""
    return one_line(text, _LONGEST)
