"""What the forms say, and when answers stay out: `tasks/study/form.yaml`, or with the user's consent text."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from mirror_bench.content import content_path, read_yaml
from mirror_bench.data.untrusted_input import read_file
from mirror_bench.errors import InputError
from mirror_bench.schema import Record

_Share = Annotated[float, Field(ge=0, le=1)]
_Lines = Annotated[tuple[str, ...], Field(min_length=1)]


class FormTexts(Record):
    """The title, question and answers of one kind of form.

    Attributes:
        task: What a session or pair is called.
        question: What is asked of a pair; empty in the other form.
        answers: The answers to it.
    """

    title: str
    task: str
    opening: str
    question: str = ""
    answers: Mapping[str, str] = {}


class Consent(Record):
    """The paragraphs that raters agree to before they begin.

    Attributes:
        simulated: What is true where all clients are simulated.
        recorded: What is true where sessions were held elsewhere.
    """

    title: str
    text: _Lines
    simulated: str
    recorded: str
    box: str


class Attention(Record):
    """How often attention is checked in a form, and by which questions.

    Attributes:
        every: One check in so many tasks.
        fewest: Checks at the least, where there are as many tasks.
        texts: Questions with `{answer}`.
    """

    every: Annotated[int, Field(ge=1)]
    fewest: Annotated[int, Field(ge=0)]
    texts: _Lines


class Exclusion(Record):
    """The marks of careless answering from which a rater's answers stay out.

    Attributes:
        attention: Fewest attention checks answered rightly, as a share.
        straight: Share of straight-lined sessions from which answers stay out.
        one_side: Share of answers for one side from which comparisons stay out.
        fewest: Sessions or pairs below which neither is judged.
    """

    attention: _Share
    straight: _Share
    one_side: _Share
    fewest: int


class StudyTexts(Record):
    """The content of `tasks/study/form.yaml`: the texts and rules of study forms."""

    rating: FormTexts
    pairwise: FormTexts
    how: _Lines
    consent: Consent
    attention: Attention
    exclusion: Exclusion


@functools.cache
def study_texts() -> StudyTexts:
    """Returns the packaged texts and rules of study forms.

    Raises:
        InputError: If the file is malformed, naming the key.
    """
    path = content_path("study", "form.yaml")
    try:
        return StudyTexts.model_validate(read_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def consent_text(path: Path | None, *, recorded: bool) -> tuple[str, ...]:
    """Returns the paragraphs that raters agree to.

    Args:
        path: A text file of the user's; the packaged text where None.
        recorded: Whether some of the sessions were held elsewhere, perhaps with real people.

    Raises:
        InputError: If the file cannot be read or is empty.
    """
    if path is None:
        packaged = study_texts().consent
        first, *others = packaged.text
        return (f"{first} {packaged.recorded if recorded else packaged.simulated}", *others)
    paragraphs = read_file(path).text.split("\n\n")
    return tuple(" ".join(one.split()) for one in paragraphs if one.strip())
