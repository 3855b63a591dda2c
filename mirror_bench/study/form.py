"""A rater's form: one HTML file of sessions and questions that works offline."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from mirror_bench.pages.report import asset, page_environment, policy_hash
from mirror_bench.pages.session_viewer import TurnView, view_turns
from mirror_bench.raters.instruments import Instrument, Item
from mirror_bench.raters.preferences import criteria
from mirror_bench.schema import Session, Turn
from mirror_bench.study.records import BETTER, CHECK, SPARED, UNKNOWN, AttentionCheck, StudyKey, StudyTask
from mirror_bench.study.texts import FormTexts, study_texts

TEMPLATES = Path(__file__).parent / "templates"
_SIDES = ("A", "B")


class FormSession(NamedTuple):
    """A session as a form shows it: words and the client's faces, and nothing by which it could be known."""

    turns: tuple[TurnView, ...]

    @property
    def sees(self) -> bool:
        """Whether it shows any face."""
        return any(turn.face for turn in self.turns)


class Choice(NamedTuple):
    """An answer that can be chosen in a form.

    Attributes:
        value: What is kept.
        label: What is read first.
        meaning: What it means, where that stands beside it.
    """

    value: str
    label: str
    meaning: str = ""


class FormQuestion(NamedTuple):
    """A question of a form with the answers to choose from.

    Attributes:
        key: Under which its answer is kept.
        stacked: Whether answers stand one below the other, as their meanings are long.
    """

    key: str
    title: str
    text: str
    choices: tuple[Choice, ...]
    stacked: bool


class QuestionGroup(NamedTuple):
    """The questions of one instrument in a form, under one legend.

    Attributes:
        legend: What answers mean, where that is the same for all questions.
    """

    title: str
    instructions: str
    legend: tuple[Choice, ...]
    questions: tuple[FormQuestion, ...]


class FormTask(NamedTuple):
    """One page of a form: a session, or two side by side, and the questions about it."""

    id: str
    title: str
    sides: tuple[tuple[str, FormSession], ...]
    groups: tuple[QuestionGroup, ...]


def show_session(session: Session, faces: Sequence[bytes | None]) -> FormSession:
    """Returns a session as the turns that a form shows, with faces.

    Args:
        session: As it was held.
        faces: The client's face at each turn, as PNG.
    """
    images = {hashlib.sha256(png).hexdigest(): png for png in faces if png is not None}
    digests = (hashlib.sha256(png).hexdigest() if png else "" for png in faces)
    # Only what a person beside the two would hear and see: no stage direction, state, mark or caption.
    turns = tuple(
        Turn(speaker=turn.speaker, words=turn.words, face=digest)
        for turn, digest in zip(session.turns, digests, strict=True)
    )
    return FormSession(view_turns("", session.model_copy(update={"turns": turns}), images.get))


def render_form(key: StudyKey, code: str, sessions: Mapping[str, FormSession]) -> str:
    """Returns the HTML of one rater's form; equal arguments give equal bytes.

    Args:
        key: The study.
        code: Whose form it is.
        sessions: Blinded id -> session.
    """
    texts = study_texts()
    css = Markup(f"{asset('report.css')}\n{(TEMPLATES / 'form.css').read_text(encoding='utf-8')}")
    script = Markup((TEMPLATES / "form.js").read_text(encoding="utf-8"))
    words: FormTexts = texts.rating if key.form == "rating" else texts.pairwise
    tasks = [
        _task(key, task, f"{words.task} {number} of {len(key.raters[code])}", words, sessions)
        for number, task in enumerate(key.raters[code], 1)
    ]
    return (
        page_environment("mirror_bench.study")
        .get_template("form.html.jinja")
        .render(
            css=css,
            script=script,
            css_hash=policy_hash(css),
            script_hash=policy_hash(script),
            key=key,
            code=code,
            words=words,
            texts=texts,
            tasks=tasks,
        )
    )


def _task(
    key: StudyKey, task: StudyTask, title: str, words: FormTexts, sessions: Mapping[str, FormSession]
) -> FormTask:
    if key.form == "rating":
        groups = tuple(_group(form, task.check) for form in key.instruments)
        return FormTask(task.id, title, (("", sessions[task.sessions[0]]),), groups)
    sides = tuple((side, sessions[name]) for side, name in zip(_SIDES, task.sessions, strict=True))
    choices = tuple(Choice(value, label) for value, label in words.answers.items())
    questions = [FormQuestion(BETTER, words.question, "", choices, True)]
    if task.check is not None:
        questions.append(FormQuestion(CHECK, task.check.text, "", choices, True))
    return FormTask(
        task.id, title, sides, (QuestionGroup("Your answer", "\n".join(criteria()), (), tuple(questions)),)
    )


def _group(form: Instrument, check: AttentionCheck | None) -> QuestionGroup:
    questions = []
    for item in form.items:
        if check is not None and (check.instrument, check.before) == (form.name, item.id):
            points = tuple(Choice(str(one), str(one)) for one in _points(form))
            questions.append(FormQuestion(CHECK, check.text, "", points, False))
        questions.append(_question(form, item))
    shared = tuple(Choice(str(one), str(one), told) for one, told in sorted(form.scale.anchors.items()))
    return QuestionGroup(form.title, form.instructions, shared, tuple(questions))


def _question(form: Instrument, item: Item) -> FormQuestion:
    anchors = form.anchors_of(item)
    stacked = bool(item.anchors)
    choices = [Choice(str(one), str(one), anchors.get(one, "") if stacked else "") for one in _points(form)]
    if item.applies != "always":
        choices.append(Choice(SPARED, "Does not apply: nobody discloses a danger"))
    choices.append(Choice(UNKNOWN, "I cannot tell"))
    return FormQuestion(f"{form.name}.{item.id}", item.title, item.text, tuple(choices), stacked)


def _points(form: Instrument) -> range:
    return range(form.scale.min, form.scale.max + 1)
