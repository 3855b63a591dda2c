"""The image counterfactuals: which expression the therapist is shown in place of the client's own."""

from __future__ import annotations

import functools
import random

from mirror_bench.faces.facs import expressions
from mirror_bench.faces.facs.expressions import EXPRESSIONS, scaled, similarity, valence
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Expression, FaceCondition, derive_seed

VERSION = "1"
"""Raised with every change of which expression a face condition shows; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides which expression a face condition shows."""
    return StandsOn.of("faces.conditions", VERSION) | expressions.stands_on()


_ALIKE = 0.35
_NO_VALENCE = 0.1


def expression_at_turn(
    condition: FaceCondition, expression: Expression, pair: str, turn: int
) -> Expression | None:
    """Returns what the face shows at one client turn of a session, or None where no face is shown.

    This is the one rule of which face is shown: sessions, counterfactual turns, verification and the
    leaderboard's viewer all ask it.

    Args:
        condition: Under which the face is shown.
        expression: What the client's own face shows.
        pair: The scenario without its condition, so that all conditions of one scenario draw alike.
        turn: Number of the client turn, from 0.
    """
    return shown_expression(condition, expression, derive_seed(pair, "face", turn))


def shown_expression(condition: FaceCondition, expression: Expression, seed: int) -> Expression | None:
    """Returns what the face shows under a condition, or None where no face is shown.

    `shuffled` draws by `seed` alone and only skips what resembles the true expression, so the face tells
    nothing of the client's state. `incongruent` draws from the expressions of opposite valence; where the
    true one is neither pleasant nor unpleasant, from all that are clearly one of them.

    Args:
        condition: What the scenario asks for.
        expression: What the client's own face shows.
        seed: Derived from the scenario's pair and the turn, so that candidates see the same face.
    """
    if condition is FaceCondition.NONE:
        return None
    if condition is FaceCondition.MATCHED:
        return expression
    if condition is FaceCondition.NEUTRAL:
        return EXPRESSIONS["neutral"]
    if condition is FaceCondition.SHUFFLED:
        return _shuffled(expression, seed)
    return _incongruent(expression, seed)


def _shuffled(expression: Expression, seed: int) -> Expression:
    draw = random.Random(seed)
    strength = round(draw.uniform(0.6, 1.0), 2)
    order = draw.sample(sorted(EXPRESSIONS), len(EXPRESSIONS))
    likeness = _likeness(expression.line())
    unlike = [name for name in order if likeness[name] < _ALIKE]
    # Nothing resembles everything, but an expression outside the named ones may come near them all.
    name = unlike[0] if unlike else min(order, key=likeness.__getitem__)
    return scaled(EXPRESSIONS[name], strength)


@functools.lru_cache(maxsize=512)
def _likeness(line: str) -> dict[str, float]:
    """Returns how alike an expression, as one line, is to each named one; the same come again and again."""
    expression = Expression.model_validate_json(line)
    return {name: similarity(named, expression) for name, named in EXPRESSIONS.items()}


def _incongruent(expression: Expression, seed: int) -> Expression:
    draw = random.Random(seed)
    true = valence(expression)
    values = {name: valence(other) for name, other in sorted(EXPRESSIONS.items())}
    if true > _NO_VALENCE:
        names = [name for name, value in values.items() if value < -_NO_VALENCE]
    elif true < -_NO_VALENCE:
        names = [name for name, value in values.items() if value > _NO_VALENCE]
    else:
        names = [name for name, value in values.items() if abs(value) > 0.3]
    return scaled(EXPRESSIONS[draw.choice(names)], round(draw.uniform(0.75, 1.0), 2))
