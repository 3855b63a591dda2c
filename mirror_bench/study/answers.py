"""What a rater sends back: one file of answers, read as a stranger's file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mirror_bench.data.untrusted_input import clean, parse_json, read_file
from mirror_bench.errors import InputError
from mirror_bench.schema import Record
from mirror_bench.study.records import BETTER, CHECK, SPARED, UNKNOWN, StudyKey, StudyTask
from mirror_bench.study.texts import study_texts
from mirror_bench.text import one_line

LONGEST_REMARK = 1000
LARGEST_FILE = 20_000_000
_DOWNLOAD = "ask the rater to download it from the form again"


class SentAnswers(Record):
    """The answers in one file that a rater sent back, checked against the study's questions.

    Attributes:
        file: Its name.
        rater: The rater's code.
        consent: When the rater agreed to take part.
        saved: When the last answer was given.
        answers: Task -> question -> answer.
        remarks: Task -> what the rater wrote.
        seconds: Task -> how long it was open.
    """

    file: str
    rater: str
    consent: str
    saved: str = ""
    answers: Mapping[str, Mapping[str, str]]
    remarks: Mapping[str, str] = {}
    seconds: Mapping[str, float] = {}

    @property
    def given(self) -> dict[tuple[str, str], str]:
        """(task, question) -> answer, attention checks included."""
        return {(task, key): value for task, own in self.answers.items() for key, value in own.items()}


def questions_of(key: StudyKey, task: StudyTask) -> dict[str, frozenset[str]]:
    """Returns question -> its possible answers, of one task of a form, in the form's order."""
    if key.form == "pairwise":
        answers = frozenset(study_texts().pairwise.answers)
        asked = {BETTER: answers}
        return asked | ({CHECK: answers} if task.check else {})
    asked = {}
    for form in key.instruments:
        points = frozenset(str(point) for point in range(form.scale.min, form.scale.max + 1))
        for item in form.items:
            more = {UNKNOWN} if item.applies == "always" else {UNKNOWN, SPARED}
            asked[f"{form.name}.{item.id}"] = points | more
        if task.check is not None and task.check.instrument == form.name:
            asked[CHECK] = points
    return asked


def read_answers(path: Path, key: StudyKey) -> SentAnswers:
    """Returns the answers of one file, checked against the study's questions.

    Raises:
        InputError: In one line with the remedy: if it cannot be read, is no file of answers or a torn one, is
            of another study, of an unknown rater or another form, has no consent, or holds an answer that no
            question of the form allows.
    """
    held = _value(path)
    if not isinstance(held, dict) or not isinstance(held.get("answers"), dict) or "study" not in held:
        raise InputError(f"{path}: is no file of answers (no study and answers in it): {_DOWNLOAD}")
    study = one_line(held["study"], 40)
    if study != key.study:
        raise InputError(
            f"{path}: belongs to another study ({study}), not to {key.study}: import it into that study's "
            "folder"
        )
    if held.get("version") != 1:
        raise InputError(f"{path}: is of version {one_line(held.get('version'), 20)}, not 1: {_DOWNLOAD}")
    code = held.get("rater")
    if not isinstance(code, str) or code not in key.raters:
        known = f"{next(iter(key.raters))} to {list(key.raters)[-1]}"
        raise InputError(
            f"{path}: names the rater {one_line(code, 40)!r}: this study has {known}: {_DOWNLOAD}"
        )
    if held.get("form") != key.form:
        raise InputError(
            f"{path}: is of a {one_line(held.get('form'), 20)} form, this study of {key.form}: {_DOWNLOAD}"
        )
    if not isinstance(held.get("consent"), str) or not held["consent"]:
        raise InputError(
            f"{path}: holds no consent of rater {code}, so nothing of it may be used: ask the rater to open "
            "the form, tick the box and download again"
        )
    sent = SentAnswers(
        file=path.name,
        rater=code,
        consent=clean(held["consent"], 40),
        saved=clean(str(held.get("saved") or ""), 40),
        answers=_checked(path, key, code, held["answers"]),
        remarks=_texts(held.get("remarks")),
        seconds=_numbers(held.get("seconds")),
    )
    if not sent.answers:
        raise InputError(
            f"{path}: holds no answer of rater {code}: ask the rater whether this is the right file"
        )
    return sent


def _value(path: Path) -> Any:
    if path.is_dir():
        raise InputError(f"{path}: is a folder: name the files in it")
    if path.is_file() and path.stat().st_size > LARGEST_FILE:
        raise InputError(f"{path}: is far larger than any file of answers: {_DOWNLOAD}")
    text = read_file(path).text
    try:
        return parse_json(text)
    except ValueError as error:
        torn = (
            "is cut off" if text.lstrip().startswith("{") and not text.rstrip().endswith("}") else str(error)
        )
        raise InputError(f"{path}: {torn}: {_DOWNLOAD}") from None


def _checked(path: Path, key: StudyKey, code: str, answers: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    tasks = {task.id: task for task in key.raters[code]}
    found: dict[str, dict[str, str]] = {}
    for name, own in answers.items():
        if name not in tasks:
            raise InputError(
                f"{path}: answers {one_line(name, 40)!r}, which rater {code} was not given: {_DOWNLOAD}"
            )
        asked = questions_of(key, tasks[name])
        if not isinstance(own, dict):
            raise InputError(f"{path}: {name}: is no set of answers: {_DOWNLOAD}")
        for question, value in own.items():
            if question not in asked:
                raise InputError(f"{path}: {name}: has no question {one_line(question, 60)!r}: {_DOWNLOAD}")
            if not isinstance(value, str) or value not in asked[question]:
                raise InputError(
                    f"{path}: {name}, {question}: {one_line(value, 40)!r} is none of its answers "
                    f"({', '.join(sorted(asked[question]))}): {_DOWNLOAD}"
                )
        if own:
            found[name] = {question: own[question] for question in asked if question in own}
    return found


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    found = {key: one_line(text, LONGEST_REMARK) for key, text in value.items() if isinstance(text, str)}
    return {key: text for key, text in found.items() if text}


def _numbers(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        return {}
    return {
        key: float(number)
        for key, number in value.items()
        if isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number < 1e7
    }
