from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.faces.conditions import shown_expression
from mirror_bench.faces.facs.action_units import check_expression
from mirror_bench.faces.facs.expressions import EXPRESSIONS, scaled, similarity, valence
from mirror_bench.schema import Expression, FaceCondition

_NAMED = st.builds(scaled, st.sampled_from(list(EXPRESSIONS.values())), st.floats(0.5, 1))
_SEED = st.integers(0, 2**31 - 1)


@given(_NAMED, _SEED)
def test_matched_none_and_neutral(expression: Expression, seed: int) -> None:
    assert shown_expression(FaceCondition.MATCHED, expression, seed) == expression
    assert shown_expression(FaceCondition.NONE, expression, seed) is None
    assert shown_expression(FaceCondition.NEUTRAL, expression, seed) == EXPRESSIONS["neutral"]


@given(_NAMED, _SEED)
def test_shuffled_is_unlike_the_true_expression_and_repeats(expression: Expression, seed: int) -> None:
    shown = shown_expression(FaceCondition.SHUFFLED, expression, seed)
    assert shown is not None
    check_expression(shown)
    if expression.label != "neutral":
        assert similarity(shown, expression) < 0.35
    assert shown.label != expression.label
    assert shown == shown_expression(FaceCondition.SHUFFLED, expression, seed)


def test_shuffled_draws_evenly_whatever_the_true_expression() -> None:
    """The image must tell nothing of the client's state beyond what it is not."""
    first, second = (
        Counter(
            shown.label
            for seed in range(3000)
            if (shown := shown_expression(FaceCondition.SHUFFLED, EXPRESSIONS[name], seed))
        )
        for name in ("sadness", "happiness")
    )
    shared = set(first) & set(second)
    assert len(shared) >= 8
    for label in shared:
        assert first[label] / 3000 == pytest.approx(1 / len(first), rel=0.3)


@given(_NAMED, _SEED)
def test_incongruent_has_the_opposite_valence(expression: Expression, seed: int) -> None:
    shown = shown_expression(FaceCondition.INCONGRUENT, expression, seed)
    assert shown is not None
    if abs(valence(expression)) > 0.1:
        assert valence(shown) * valence(expression) < 0
    else:
        assert abs(valence(shown)) > 0.2
