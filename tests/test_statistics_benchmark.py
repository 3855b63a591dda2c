"""A fast part of the audit of statistics: every kind of method, few trials, and an audit that can fail."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pytest

from benchmarks.statistics import Found, all_studies, as_json, as_markdown, simulate
from benchmarks.studies import Study, holds
from mirror_bench.stats.intervals import Interval

FAST: Mapping[tuple[str, str, int], int] = {
    ("mean", "plain", 4): 150,
    ("mean", "hard ceiling", 16): 150,
    ("paired difference", "both at a ceiling", 48): 100,
    ("difference over other people", "plain against 4 times as many plain", 8): 150,
    ("share", "0.1, alike 0.5", 16): 150,
    ("win rate", "30 % ties", 8): 100,
    ("gate: worse", "two metrics, drop = margin", 8): 40,
    ("gate: no worse", "interval past the margin", 8): 40,
    ("gate: passed", "drop .5, worst quarter unrated", 8): 40,
    ("face verdict: helped", "any picture lifts by .5", 16): 40,
    ("face verdict: ignored", "the own face lifts by .4", 16): 40,
    ("history: first drop", "six equal runs", 8): 25,
    ("board: any two apart", "10 equal models", 8): 25,
    ("board: order of two models", "one .13 better", 16): 40,
    ("board: worse ranks above", ".3 worse, worst 15 % unrated", 16): 25,
    ("rank stability", "two equal models", 8): 60,
    ("strength (Bradley-Terry)", "two models, one wins 85 %", 16): 25,
    ("AUC", "55 against 11, spread 1 to 2, AUC 0.6", 66): 100,
    ("share of matched pairs won", "length moves all scores", 95): 60,
    ("ICC", "3 raters drawn from many", 48): 100,
    ("ICC over blocks", "two of these four raters", 8): 60,
    ("Krippendorff's alpha", "these three raters", 8): 60,
    ("kappa of classes", "ten lines each", 8): 60,
    ("correlation with length", "rho .5", 16): 100,
    ("difference at equal length", "saturating effect, lengths 2 apart", 48): 20,
}
"""Studies that are fast enough for every run of the tests, with their trials."""


def found_of(key: tuple[str, str, int]) -> Found:
    study = next(one for one in all_studies() if (one.method, one.design, one.profiles) == key)
    return simulate(study, FAST[key])


@pytest.mark.parametrize("key", FAST, ids=lambda key: f"{key[0]}, {key[1]}, {key[2]}")
def test_what_is_promised_is_found(key: tuple[str, str, int]) -> None:
    assert found_of(key).verdict in {"holds", "wide", "declines"}, as_markdown([found_of(key)])


def test_a_method_that_does_not_hold_is_told() -> None:
    def narrow(rng: np.random.Generator) -> float | None:
        mean = float(rng.normal(size=16).mean())
        return holds(Interval(mean, mean - 1 / 4, mean + 1 / 4, 16, 16), 0.0)  # one standard error

    study = Study("narrow", "plain", 16, "coverage", 0.95, narrow)
    assert simulate(study, 100).verdict == "FAILS"
    assert simulate(study._replace(known="on purpose"), 100).verdict == "known"
    never = study._replace(trial=lambda rng: None)
    assert simulate(never, 10).verdict == "declines"


def test_equal_seeds_give_equal_figures_and_tables_are_readable() -> None:
    key = ("mean", "plain", 4)
    first = found_of(key)
    assert first[1:] == found_of(key)[1:]
    assert as_markdown([first]).count("\n") == 3
    (row,) = json.loads(json.dumps(as_json([first])))
    assert (row["method"], row["nominal"], row["trials"]) == ("mean", 0.95, 150)
    keys = [(one.method, one.design, one.profiles) for one in all_studies()]
    assert len(keys) == len(set(keys))
