"""Questions of the static tasks' train split for the reference: words, letters, yes and no, as tasks ask."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Mapping
from typing import Any

from baselines.corpus import TokenSequence
from baselines.feelings import load_feelings
from baselines.questions import PLACE, PLEASANT, UNPLEASANT, agreement_answer, prompt_text
from baselines.smol.dialogues import ExampleEncoder, ShownFace
from mirror_bench.data.sources.registry import load_data
from mirror_bench.faces.facs.expressions import EXPRESSIONS, scaled
from mirror_bench.faces.identity import random_identity
from mirror_bench.lm_eval.expression import labels
from mirror_bench.lm_eval.incongruence import moments, statements
from mirror_bench.lm_eval.questions import LETTERS, Faces, Making, Row, Shown
from mirror_bench.lm_eval.session_questions import resistance_rows, technique_rows
from mirror_bench.lm_eval.turn_questions import response_choice_rows
from mirror_bench.schema import Expression, FaceIdentity, derive_seed

LETTERED: Mapping[str, Callable[[Making], list[Row]]] = {
    "mirror_resistance": resistance_rows,
    "mirror_resistance_generate": resistance_rows,
    "mirror_technique": technique_rows,
    "mirror_response_choice": response_choice_rows,
}


class _NotedFaces(Faces):
    """Notes which face a row shows, in place of drawing it."""

    def __init__(self) -> None:
        super().__init__(blank=True)
        self.noted: dict[str, ShownFace] = {}

    def show(self, identity: FaceIdentity, expression: Expression) -> Shown:
        key = f"{len(self.noted)}"
        self.noted[key] = ShownFace(identity, expression)
        return Shown(b"", key)


@functools.cache
def _rows(task: str) -> tuple[tuple[Row, ShownFace | None], ...]:
    faces = _NotedFaces()
    rows = LETTERED[task](Making(load_data("mini"), "train", faces))
    return tuple((row, faces.noted.get(row.get("image_digest", ""))) for row in rows)


class Quiz:
    """Draws questions without end, the same for the same seed.

    Args:
        encoder: Makes the sequences.
        seed: Of the draws.
    """

    def __init__(self, encoder: ExampleEncoder, seed: int) -> None:
        self._encoder = encoder
        self._draw = random.Random(derive_seed("quiz", seed))
        self._feelings = load_feelings()
        making = Making(load_data("mini"), "train", _NotedFaces())
        self._plain, self._moments = statements(making), moments(making)

    def expression(self) -> TokenSequence:
        """Returns a face and its label."""
        name = self._draw.choice(sorted(labels()))
        shown = self._face(self._draw.choice(labels()[name].of))
        return self._ask("mirror_expression", {"options": list(labels())}, shown, name)

    def agreement(self) -> TokenSequence:
        """Returns words and a face, and whether they agree; the answer says first how each is."""
        fine, pleasant = self._draw.random() < 0.5, self._draw.random() < 0.5
        shown = self._face(self._draw.choice(PLEASANT if pleasant else UNPLEASANT))
        row = {"words": self._words(fine)}
        return self._ask("mirror_incongruence", row, shown, agreement_answer(pleasant, fine))

    def letter(self) -> TokenSequence:
        """Returns a lettered question, its options in a new order."""
        task = self._draw.choice(sorted(LETTERED))
        row, face = self._draw.choice(_rows(task))
        right = [row["options"][LETTERS.index(letter)] for letter in row["answers"]]
        options = self._draw.sample(row["options"], len(row["options"]))
        listing = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
        answer = LETTERS[options.index(self._draw.choice(right))]
        asked: dict[str, Any] = {**row, "listing": listing}
        if face is not None and PLACE in prompt_text(task, asked):
            shown = ShownFace(random_identity(self._draw.getrandbits(30)), face.expression)
            return self._ask(task, asked, shown, answer)
        return self._ask(task, asked, None, answer)

    def _ask(self, task: str, row: Mapping[str, Any], face: ShownFace | None, answer: str) -> TokenSequence:
        text = prompt_text(task, row)
        return self._encoder.question(text.partition(PLACE)[2] if face else text, face, answer)

    def _face(self, label: str) -> ShownFace:
        strength = round(self._draw.uniform(0.6, 1.0), 3)
        return ShownFace(random_identity(self._draw.getrandbits(30)), scaled(EXPRESSIONS[label], strength))

    def _words(self, fine: bool) -> str:
        share = self._draw.random()
        if share < 0.5:
            return self._feelings.say(fine, self._draw)
        four = self._draw.choice(self._plain if share < 0.75 or not self._moments else self._moments)
        return four.fine if fine else four.distressed
