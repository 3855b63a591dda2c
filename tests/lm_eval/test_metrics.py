"""Metrics against worked examples and against other implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.lm_eval.metrics import (
    auroc,
    auroc_stderr,
    gap,
    jackknife_stderr,
    macro_f1,
    mean,
    mean_stderr,
)


def test_mean_leaves_out_what_is_missing() -> None:
    assert mean([1.0, None, 0.0]) == 0.5
    assert math.isnan(mean([None]))


def test_macro_f1_by_hand() -> None:
    pairs = [("a", "a"), ("a", "b"), ("b", "b"), ("b", "")]
    assert macro_f1(pairs) == pytest.approx((2 / 3 + 2 / 4) / 2)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40))
def test_macro_f1_is_scikit_learns_over_the_true_labels(pairs: list[tuple[str, str]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    true, answers = zip(*pairs, strict=True)
    expected = metrics.f1_score(true, answers, labels=sorted(set(true)), average="macro", zero_division=0)
    assert macro_f1(pairs) == pytest.approx(expected)


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3).map(float)), min_size=2, max_size=40))
def test_auroc_is_scikit_learns(pairs: list[tuple[bool, float]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    true, scores = zip(*pairs, strict=True)
    if len(set(true)) < 2:
        assert math.isnan(auroc(pairs))
    else:
        assert auroc(pairs) == pytest.approx(metrics.roc_auc_score(true, scores))


def test_gap_is_between_the_best_and_the_worst_group() -> None:
    assert gap([(1, "a"), (0, "a"), (1, "b"), (1, "b"), (0, "c")]) == 1.0


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=60))
def test_alone_in_their_clusters_values_have_the_usual_standard_error(values: list[float]) -> None:
    items = [(value, place) for place, value in enumerate(values)]
    assert mean_stderr(items) == pytest.approx(np.std(values, ddof=1) / math.sqrt(len(values)), abs=1e-9)


def test_copies_in_one_cluster_tell_no_more_than_one() -> None:
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    once = mean_stderr([(value, place) for place, value in enumerate(values)])
    fourfold = mean_stderr([(value, place) for place, value in enumerate(values) for _ in range(4)])
    assert fourfold == pytest.approx(once)


def test_the_error_is_as_large_as_the_spread_over_repeated_samples() -> None:
    rng = np.random.default_rng(0)
    estimates, errors = [], []
    for _ in range(300):
        effects = rng.normal(0, 1, 30)
        items = [(effect + rng.normal(0, 0.5), k) for k, effect in enumerate(effects) for _ in range(4)]
        estimates.append(mean([value for value, _ in items]))
        errors.append(mean_stderr(items))
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.15)


def test_one_cluster_has_no_error() -> None:
    assert math.isnan(jackknife_stderr(mean, [(1.0, "a"), (0.0, "a")]))
    assert (
        auroc_stderr([((True, 1.0), "a"), ((False, 0.0), "b"), ((True, 0.5), "c"), ((False, 0.7), "d")]) > 0
    )
