from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.stats.agreement import cohen_kappa
from mirror_bench.stats.classes import class_agreement

NAMES = ("a", "b", "c")
labelled = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=40)


def by_hand(pairs: list[tuple[str, str]]) -> float:
    scores = []
    for name in {reference for reference, _ in pairs}:
        hits = sum(r == f == name for r, f in pairs)
        wrong = sum((r == name) != (f == name) for r, f in pairs)
        scores.append(2 * hits / (2 * hits + wrong))
    return sum(scores) / len(scores)


@given(labelled)
def test_macro_f1_and_kappa_are_as_by_hand(pairs: list[tuple[str, str]]) -> None:
    reference, found = [r for r, _ in pairs], [f for _, f in pairs]
    agreement = class_agreement(reference, found, NAMES, range(len(pairs)))
    assert agreement.macro_f1.value == pytest.approx(by_hand(pairs))
    assert sum(map(sum, agreement.confusion)) == len(pairs)
    expected = cohen_kappa([NAMES.index(r) for r in reference], [NAMES.index(f) for f in found])
    assert (agreement.kappa is None) == (expected is None)
    if agreement.kappa is not None and expected is not None:
        assert agreement.kappa.value == pytest.approx(getattr(expected, "value", expected), abs=1e-9)


def test_figures_per_class() -> None:
    agreement = class_agreement(list("aaab"), list("aabb"), NAMES, range(4))
    a, b, c = agreement.classes
    assert (a.precision, a.size) == (1.0, 3)
    assert a.recall == pytest.approx(2 / 3)
    assert (b.precision, b.recall) == (0.5, 1.0)
    assert (c.precision, c.recall, c.f1, c.size) == (None, None, 0.0, 0)
    assert agreement.confusion == ((2, 1, 0), (0, 1, 0), (0, 0, 0))


def test_clusters_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    right = np.repeat(rng.random(20) < 0.6, 25)
    reference = rng.choice(NAMES, 500).tolist()
    found = [r if ok else NAMES[(NAMES.index(r) + 1) % 3] for r, ok in zip(reference, right, strict=True)]
    alone = class_agreement(reference, found, NAMES, range(500)).macro_f1
    together = class_agreement(reference, found, NAMES, np.repeat(range(20), 25).tolist()).macro_f1
    assert alone.low is not None
    assert together.low is not None
    assert together.value == alone.value
    assert together.value - together.low > 2 * (alone.value - alone.low)
    assert not math.isnan(together.low)


def test_nothing_and_unknown_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        class_agreement([], [], NAMES, [])
    with pytest.raises(ValueError):
        class_agreement(["a"], ["z"], NAMES, [0])
