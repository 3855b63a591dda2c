"""What a therapist's sentence is as a whole: many signs, each with a weight fitted to coded sessions.

Phrases alone decide too fast: a statement that no phrase knows is not therefore advice. Each sign (a phrase
of `therapist.yaml`, a form of `forms.yaml`, what the sentence shares with the words before it, its length,
and what the rules alone would say) speaks for or against each class; the strongest class wins.
`python -m mirror_bench.validity.left_out_sets` fits the weights anew.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mirror_bench.coding.phrase_lexicon import lexicon
from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.parts import StandsOn
from mirror_bench.text import count_words

VERSION = "1"
"""Raised with every change of the signs of a sentence's form; part of the fingerprint."""

CLASSES = ("reflection", "question", "therapist_input", "other")
Floats = npt.NDArray[np.float64]


def stands_on() -> StandsOn:
    """Returns what decides what a sentence is as a whole."""
    files = ("behaviours/forms.yaml", "behaviours/form_weights.yaml")
    return StandsOn(files, {"coding.sentence_forms": VERSION})


_AT_START = frozenset(
    {"strong_stem", "weak_stem", "telling", "imperative", "open_form", "closed_form", "small_talk", "directs"}
)
_UNREAD = frozenset({"filler", "inner_question"})
_TOGETHER = (
    ("says_you", "feeling"),
    ("says_you", "allows"),
    ("says_you", "past"),
    ("says_you", "contrast"),
    ("says_you", "praises"),
    ("says_i", "supports"),
    ("says_they", "allows"),
    ("condition", "says_you"),
    ("directs", "says_you"),
)
"""Signs that say something else together than each alone: "you can" advises, "I'm sorry" supports."""
_AHEAD = 0.5
"""Log odds by which another class must be ahead of what the rules say."""
_OVERLAPS = (0.2, 0.34, 0.5, 0.8)
_LENGTHS = (4, 7, 12, 20, 32)


class FormSigns(NamedTuple):
    """The words of a sentence and what they share with the client's, from which its form is told.

    Attributes:
        text: The sentence, in lower case.
        bare: The same without fillers at its start.
        overlap: The share of its content that stands in the client's words before it.
        follows: Whether there were any.
        ruled: What the rules alone would say.
    """

    text: str
    bare: str
    overlap: float
    follows: bool
    ruled: str


class FormWeights:
    """Weights of the signs, one row a class; hashed by identity, so that codings may be remembered.

    Args:
        values: Class x sign.
    """

    def __init__(self, values: Floats) -> None:
        self.values = values

    def best(self, signs: Floats, ruled: str) -> str:
        """Returns the class that the signs speak for; what the rules say, unless another is clearly ahead."""
        scores = self.values @ signs
        best = int(np.argmax(scores))
        return CLASSES[best] if scores[best] - scores[CLASSES.index(ruled)] > _AHEAD else ruled


@functools.cache
def sign_names() -> tuple[str, ...]:
    """Returns the names of all signs, in the order of the weights."""
    phrases = [name for name in lexicon("therapist") if name not in _UNREAD]
    return (
        "always",
        *(f"phrase {name}" for name in phrases),
        *(f"form {name}" for name in lexicon("forms")),
        *(f"rules say {name}" for name in CLASSES),
        *(f"shares {share}" for share in _OVERLAPS),
        *(f"words {length}" for length in _LENGTHS),
        "follows",
        "asks",
        "exclaims",
        "about you alone",
        "about others alone",
        "own past",
        *(" and ".join(pair) for pair in _TOGETHER),
    )


def signs_of(signs: FormSigns) -> Floats:
    """Returns the signs of a sentence, 0 or 1 each, in the order of `sign_names`."""
    row = [1.0]
    said: dict[str, bool] = {}
    for where in ("therapist", "forms"):
        for name, pattern in lexicon(where).items():
            if name in _UNREAD:
                continue
            if name in _AT_START:
                said[name] = pattern.match(signs.bare) is not None
            else:
                said[name] = pattern.search(signs.text) is not None
            row.append(float(said[name]))
    count = count_words(signs.text)
    row += [float(signs.ruled == name) for name in CLASSES]
    row += [float(signs.overlap >= share) for share in _OVERLAPS]
    row += [float(count >= length) for length in _LENGTHS]
    row += [
        float(signs.follows),
        float(signs.text.endswith("?")),
        float("!" in signs.text),
        float(said["says_you"] and not said["says_i"]),
        float(said["says_they"] and not said["says_you"] and not said["says_i"]),
        float(said["says_i"] and said["past"]),
        *(float(said[form] and said[other]) for form, other in _TOGETHER),
    ]
    return np.array(row)


@functools.cache
def shipped_weights() -> FormWeights:
    """Returns the weights of `tasks/behaviours/form_weights.yaml`.

    Raises:
        InputError: If the file is malformed or of other signs.
    """
    return read_weights(content_path("behaviours", "form_weights.yaml"))


def read_weights(path: Path) -> FormWeights:
    """Reads weights: class -> sign -> weight; a sign that is not named weighs nothing.

    Raises:
        InputError: If a class is missing, or a class, sign or weight is none.
    """
    content = read_yaml(path).get("weights")
    if not isinstance(content, dict) or set(content) != set(CLASSES):
        raise InputError(f"{path}: needs a mapping 'weights' of {', '.join(CLASSES)}")
    places = {name: place for place, name in enumerate(sign_names())}
    values = np.zeros((len(CLASSES), len(places)))
    for row, name in enumerate(CLASSES):
        for sign, weight in (content[name] or {}).items():
            if sign not in places or not isinstance(weight, int | float):
                raise InputError(
                    f"{path}: weights.{name}: {sign!r} is no sign, or its weight no number: fit them anew "
                    "with python -m mirror_bench.validity.left_out_sets"
                )
            values[row, places[sign]] = weight
    return FormWeights(values)


def weights_text(weights: FormWeights) -> str:
    """Returns weights as the YAML that `read_weights` reads."""
    lines = []
    for name, row in zip(CLASSES, weights.values, strict=True):
        lines.append(f"  {name}:")
        lines += [
            f"    {sign}: {weight:.2f}"
            for sign, weight in zip(sign_names(), row, strict=True)
            if abs(weight) >= 0.005
        ]
    return "\n".join(lines)


def fit_weights(
    signs: Floats, classes: Sequence[str], weigh: Sequence[float], strength: float = 6.0
) -> FormWeights:
    """Fits weights by multinomial logistic regression with a penalty on their squares.

    Args:
        signs: One row a unit.
        classes: The class of each.
        weigh: How much each counts; the sum is brought to the number of units.
        strength: Of the penalty, in units.
    """
    from scipy.optimize import minimize

    share = np.asarray(weigh, dtype=float)
    share = share / share.sum()
    truth = np.array([[truth_of == name for name in CLASSES] for truth_of in classes], dtype=float)
    penalty = strength / len(truth)

    def loss(flat: Floats) -> tuple[float, Floats]:
        values = flat.reshape(len(CLASSES), -1)
        scores = signs @ values.T
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        chances /= chances.sum(axis=1, keepdims=True)
        missed = -np.log(np.maximum((chances * truth).sum(axis=1), 1e-12))
        slope = ((chances - truth) * share[:, None]).T @ signs + penalty * values
        return float((missed * share).sum() + penalty / 2 * (values**2).sum()), slope.ravel()

    start = np.zeros(len(CLASSES) * signs.shape[1])
    fitted = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return FormWeights(fitted.x.reshape(len(CLASSES), -1))


def balance(sets: Sequence[str], classes: Sequence[str], power: float = 1.0) -> list[float]:
    """Returns what each unit counts, so that every set counts alike, and every class within it.

    Args:
        sets: The set of each unit.
        classes: Its class.
        power: 1 for classes that count alike, 0 for classes that count by their number.
    """
    both, alone = Counter(zip(sets, classes, strict=True)), Counter(sets)
    return [
        (alone[source] / both[source, kind]) ** power / alone[source]
        for source, kind in zip(sets, classes, strict=True)
    ]
