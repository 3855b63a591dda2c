"""Builds the documents of static tasks from MIRROR-Mini, or another data source, at load time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mirror_bench.data.base import DataSet
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.lm_eval.expression import expression_rows
from mirror_bench.lm_eval.incongruence import incongruence_rows
from mirror_bench.lm_eval.questions import Faces, Making, Row
from mirror_bench.lm_eval.session_questions import resistance_rows, technique_rows
from mirror_bench.lm_eval.turn_questions import next_turn_rows, response_choice_rows

if TYPE_CHECKING:
    import datasets

QUESTIONS: Mapping[str, Callable[[Making], list[Row]]] = {
    "expression": expression_rows,
    "incongruence": incongruence_rows,
    "resistance": resistance_rows,
    "technique": technique_rows,
    "next_turn": next_turn_rows,
    "response_choice": response_choice_rows,
}
"""Name -> what makes its rows."""
FACES = ("drawn", "blank")
WITHHELD = ("", "face", "words")


@functools.lru_cache(maxsize=2)
def _data(source: str) -> DataSet:
    return load_data(source)


def question_rows(
    questions: str,
    split: str = "test",
    *,
    data: str = "mini",
    faces: str = "drawn",
    withheld: str = "",
    face_set: str = "",
) -> list[Row]:
    """Returns the rows of one task.

    Args:
        questions: A name in `QUESTIONS`.
        split: Split of the data that is asked about.
        data: A data source, as for `mirror-bench run --data`.
        faces: "drawn", or "blank" for a grey image in place of every face (the blind twin).
        withheld: "face" or "words" for the controls of `mirror_incongruence`.
        face_set: A folder with a prepared set of faces; only "expression" reads it (`lm_eval/face_sets.py`).

    Raises:
        InputError: If an argument is none of these, or the data give no question.
    """
    for name, value, known in (
        ("questions", questions, tuple(QUESTIONS)),
        ("faces", faces, FACES),
        ("withheld", withheld, WITHHELD),
    ):
        if value not in known:
            raise InputError(f"{name}: {value!r} is not known: choose of {', '.join(map(repr, known))}")
    making = Making(_data(data), split, Faces(blank=faces == "blank"), withheld, face_set)
    return QUESTIONS[questions](making)


def load(questions: str = "", fewshot: str = "", **options: Any) -> dict[str, datasets.Dataset]:
    """Returns a task's documents as lm-eval's `custom_dataset` wants them: split -> dataset.

    Args:
        questions: A name in `QUESTIONS`.
        fewshot: A split to take examples from; none where empty.
        options: `data`, `faces`, `face_set`, `split` and `withheld` as in `question_rows`; lm-eval passes a
            task's whole metadata, whose other entries change nothing.

    Raises:
        InputError: As `question_rows`.
    """
    chosen = {
        name: str(options[name]) for name in ("data", "faces", "face_set", "withheld") if name in options
    }
    loaded = {"test": _dataset(question_rows(questions, str(options.get("split", "test")), **chosen))}
    if fewshot:
        loaded[fewshot] = _dataset(question_rows(questions, fewshot, **chosen))
    return loaded


def _dataset(rows: list[Row]) -> datasets.Dataset:
    import datasets

    made = datasets.Dataset.from_list(rows)
    return made.cast_column("image", datasets.Image()) if "image" in made.column_names else made
