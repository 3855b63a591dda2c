"""What a study is: who rates which sessions, blinded, in which order (`key.json`), and what comes back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from mirror_bench.errors import InputError
from mirror_bench.files import read_record, write_atomically
from mirror_bench.raters.instruments import Instrument
from mirror_bench.raters.names import HUMAN
from mirror_bench.schema import Record, digest

Form = Literal["rating", "pairwise"]
FORMS: tuple[Form, ...] = ("rating", "pairwise")
KEY = "key.json"
CHECK = "check"
"""The key under which an attention check is answered."""
BETTER = "better"
"""The key under which a pair is answered."""
UNKNOWN, SPARED = "unknown", "na"
"""Answers beside those of the scale: "I cannot tell", and "does not apply to this conversation"."""


class AttentionCheck(Record):
    """A question with a known answer, which shows whether a rater reads.

    Attributes:
        text: What is asked; it names the answer.
        answer: The answer that it names.
        instrument: Among whose questions it stands; empty in a pair.
        before: The item that it stands before; empty in a pair.
    """

    text: str
    answer: str
    instrument: str = ""
    before: str = ""


class StudyTask(Record):
    """One session to rate or one pair to compare, as one rater meets it.

    Attributes:
        id: Of the session or the pair; the same for every rater.
        sessions: The session, or those shown as A and B.
        check: The attention check in it, if any.
    """

    id: str
    sessions: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]
    check: AttentionCheck | None = None


class StudySession(Record):
    """The run and session behind a blinded id.

    Attributes:
        run: Index of its run.
        digest: Of the session as it was shown; a session that was held again is another one.
    """

    run: int
    therapist: str
    method: str = ""
    scenario_id: str
    pair: str
    profile_id: str
    condition: str
    digest: str


class StudyKey(Record):
    """The content of `key.json`: tasks, raters and what hides behind blinded ids; its maker keeps it.

    Attributes:
        study: Its id, a digest of all below but where the runs lie.
        runs: The run folders, as seen from the study's folder.
        instruments: What is filled in, whole: a later version changes nothing here.
        consent: What raters agreed to.
        sessions: Blinded id -> session.
        raters: Code -> tasks in their order.
    """

    version: Literal[1] = 1
    study: str = ""
    form: Form
    seed: int = 0
    runs: tuple[str, ...]
    instruments: tuple[Instrument, ...] = ()
    consent: tuple[str, ...] = ()
    sessions: Mapping[str, StudySession]
    raters: Mapping[str, tuple[StudyTask, ...]]

    def named(self) -> StudyKey:
        """Returns the study under its id."""
        held = digest(self.model_dump(mode="json", exclude={"study", "runs"}))
        return self.model_copy(update={"study": held[:10]})

    def instrument(self, name: str) -> Instrument:
        """Returns an instrument of the study by its name."""
        return next(one for one in self.instruments if one.name == name)

    def rater_name(self, code: str) -> str:
        """Returns what ratings call a rater of this study."""
        return f"{HUMAN}{self.study}-{code}"

    def run_folder(self, study: Path, index: int) -> Path:
        """Returns where a run lies, given the study's folder.

        Raises:
            InputError: If it is not there.
        """
        folder = Path(os.path.normpath(study / self.runs[index]))
        if not (folder / "run.json").is_file():
            raise InputError(
                f"{study / KEY}: the run {folder} is not there: put it back, or name its place under runs"
            )
        return folder


def read_key(study: Path) -> StudyKey:
    """Returns the key of a study's folder.

    Raises:
        InputError: If there is none, or it is damaged.
    """
    path = study / KEY
    absent = f"{study} is no study: it has no {KEY} (make one with mirror-bench study make)"
    remedy = "restore the file from a copy; without it no answer can be assigned"
    key = read_record(path, StudyKey, absent, remedy)
    if key.named().study != key.study:
        raise InputError(
            f"{path}: was changed since the study was made (only runs may be): restore it from a copy, as no "
            "answer could be assigned safely"
        )
    return key


def write_key(study: Path, key: StudyKey) -> None:
    """Writes a study's key whole or not at all."""
    write_atomically(study / KEY, (key.model_dump_json(indent=1) + "\n").encode())
