"""Whether a rater's answers can be believed: whether they are whole, read and varied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from mirror_bench.study.answers import SentAnswers, questions_of
from mirror_bench.study.records import BETTER, CHECK, StudyKey
from mirror_bench.study.texts import study_texts

_FEWEST_ITEMS = 5
"""Answers of one instrument that can be told to be one straight line."""


class AnswerQuality(NamedTuple):
    """Whether one rater answered with care: completeness, attention checks, straight-lining.

    Attributes:
        tasks: Sessions or pairs that the rater was given.
        whole: Of these, answered in full.
        begun: Answered at all.
        checks: Attention checks that were answered, of `checks_due` in tasks that were begun.
        right: Of these, rightly.
        straight: Sessions in which every instrument got one and the same answer throughout.
        one_side: Largest share of answers for one side; of pairs alone.
    """

    tasks: int
    whole: int
    begun: int
    checks_due: int
    checks: int
    right: int
    straight: int
    one_side: float | None

    def excluded(self) -> list[str]:
        """Returns why answers stay out, by the rules of `tasks/study/form.yaml`; none where they count."""
        limits = study_texts().exclusion
        reasons = []
        if self.checks_due and self.right < limits.attention * self.checks_due:
            missed = self.checks_due - self.right
            reasons.append(f"missed {missed} of {self.checks_due} attention checks")
        if self.begun >= limits.fewest:
            if self.straight >= limits.straight * self.begun:
                reasons.append(
                    f"gave one and the same answer throughout in {self.straight} of {self.begun} sessions"
                )
            if self.one_side is not None and self.one_side >= limits.one_side:
                reasons.append(
                    f"chose one and the same side in {100 * self.one_side:.0f} % of {self.begun} pairs"
                )
        return reasons

    def noted(self) -> list[str]:
        """Returns what is worth saying of answers that count."""
        notes = []
        if self.whole < self.tasks:
            empty = self.tasks - self.begun
            notes.append(
                f"{self.whole} of {self.tasks} answered in full, {self.begun - self.whole} in part, {empty} "
                "not at all"
            )
        if self.checks_due and self.right < self.checks_due:
            notes.append(f"missed {self.checks_due - self.right} of {self.checks_due} attention checks")
        if self.straight:
            notes.append(f"one and the same answer throughout in {self.straight} sessions")
        return notes


def assess(key: StudyKey, sent: SentAnswers) -> AnswerQuality:
    """Returns how carefully one rater answered."""
    tasks = key.raters[sent.rater]
    begun = [task for task in tasks if sent.answers.get(task.id)]
    whole = [task for task in begun if questions_of(key, task).keys() == sent.answers[task.id].keys()]
    checked = [task for task in begun if task.check is not None]
    answered = [(task.check.answer, sent.answers[task.id].get(CHECK)) for task in checked if task.check]
    straight = [task for task in begun if key.form == "rating" and _straight(key, sent, task.id)]
    return AnswerQuality(
        tasks=len(tasks),
        whole=len(whole),
        begun=len(begun),
        checks_due=len(checked),
        checks=sum(given is not None for _, given in answered),
        right=sum(given == wanted for wanted, given in answered),
        straight=len(straight),
        one_side=_one_side(key, sent),
    )


def _straight(key: StudyKey, sent: SentAnswers, task: str) -> bool:
    lines = list(_lines(key, sent, task))
    return bool(lines) and all(len(set(line)) == 1 for line in lines)


def _lines(key: StudyKey, sent: SentAnswers, task: str) -> Iterator[list[str]]:
    """Yields the answers to each instrument that asks enough to be told from one straight line."""
    for form in key.instruments:
        own = (sent.answers[task].get(f"{form.name}.{item.id}") for item in form.items)
        line = [value for value in own if value is not None]
        if len(line) >= _FEWEST_ITEMS:
            yield line


def _one_side(key: StudyKey, sent: SentAnswers) -> float | None:
    if key.form != "pairwise":
        return None
    chosen = [own[BETTER] for own in sent.answers.values() if BETTER in own]
    return Counter(chosen).most_common(1)[0][1] / len(chosen) if chosen else None
