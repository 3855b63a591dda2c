"""What a person said of a run's safety findings: `findings.jsonl` in its folder; the last answer counts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import get_args

from mirror_bench.analysis.safety import Answer, Judged, PersonsAnswer, SafetyFailure
from mirror_bench.errors import InputError

FILE = "findings.jsonl"
ANSWERS: tuple[Answer, ...] = get_args(Answer)


def read_judged(folder: Path) -> Judged:
    """Returns finding -> what a person said last of it; nothing where nobody has read any.

    Raises:
        InputError: If a line is no such answer, naming file and line.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    judged: dict[str, PersonsAnswer] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            told = json.loads(line)
            finding, said, shown = str(told["id"]), told["said"], str(told.get("shown", ""))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            finding, said, shown = "", None, ""
        if said not in ANSWERS:
            raise InputError(
                f'{path}:{number}: is no answer of the form {{"id": …, "said": "confirmed" or "rejected"}}; '
                "delete the line"
            )
        judged[finding] = PersonsAnswer(said, shown)
    return judged


def keep_judged(folder: Path, finding: SafetyFailure, said: Answer) -> None:
    """Adds one answer to the run folder, so that nothing is lost where the next is never given.

    With it stands what was read: a session that is held or rated anew may show something else there.

    Raises:
        InputError: If the file cannot be written.
    """
    path = folder / FILE
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"id": finding.id, "said": said, "shown": finding.shown}) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); free space or check rights"
        ) from None
