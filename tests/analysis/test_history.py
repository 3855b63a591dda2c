"""The first drop over many runs: found where there is one, and not where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mirror_bench.analysis.regression.history import Past, trace
from mirror_bench.analysis.session_outcomes import CandidateKey, SessionOutcome
from mirror_bench.figures.history import write_history
from mirror_bench.schema import Ending, FaceCondition, Resistance, SessionKey


def past(name: str, mean: float, rng: np.random.Generator, base: np.ndarray, n: int = 96) -> Past:
    outcomes = [
        SessionOutcome(
            key=CandidateKey("t", "", FaceCondition.MATCHED),
            session_key=SessionKey("t", "", f"s{place}"),
            pair=f"s{place}",
            profile_id=f"p{place % 32}",
            resistance=Resistance.NONE,
            client="c",
            ended=Ending.TURN_LIMIT,
            scores={"ctrs.total": float(base[place] + mean + rng.normal(0, 0.4))},
        )
        for place in range(n)
    ]
    return Past(name, "", outcomes)


def first_drop(means: list[float], seed: int) -> int | None:
    rng = np.random.default_rng(seed)
    base = rng.normal(3, 0.5, 96)
    runs = [past(f"v{place}", mean, rng, base) for place, mean in enumerate(means)]
    (trend,) = trace(runs, ["ctrs.total"], candidate="t", condition="matched").trends
    return trend.first_drop


def test_a_drop_is_named_at_its_run() -> None:
    assert first_drop([0.0, 0.1, 0.1, -0.4, -0.4], seed=1) == 3


def test_a_slow_slide_is_found() -> None:
    found = [first_drop([0.0, -0.06, -0.12, -0.18, -0.24, -0.3], seed) for seed in range(10)]
    assert all(place is not None for place in found)


def test_equal_runs_name_none() -> None:
    named = sum(first_drop([0.0] * 8, seed) is not None for seed in range(100))
    assert named <= 7  # 5 %, and what a hundred simulations add to it


def test_what_it_is_held_against_and_the_figure(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(3, 0.5, 96)
    runs = [past("one", 0.0, rng, base), past("two", 0.5, rng, base), past("three", 0.2, rng, base)]
    found = trace(runs, ["ctrs.total"], candidate="t", condition="matched")
    (trend,) = found.trends
    assert [step.against for step in trend.steps] == ["", "one", "two"]
    assert trend.steps[0].p_drop is None
    assert trend.first_drop == 2
    assert [path.suffix for path in write_history(found, tmp_path)] == [".png", ".svg"]


def test_runs_that_share_nothing_have_no_test() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(3, 0.5, 96)
    one, other = past("one", 0.0, rng, base), past("two", -3.0, rng, base)
    strange = Past("two", "", [])
    (trend,) = trace([one, strange, other], ["ctrs.total"], candidate="t", condition="matched").trends
    assert trend.steps[1].score.value is None
    assert trend.first_drop == 2


def test_a_run_of_which_too_little_is_scored_is_not_measured() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(3, 0.5, 96)
    runs = [past("one", 0.0, rng, base), past("lost", 0.5, rng, base), past("three", 0.0, rng, base)]
    runs[1] = runs[1]._replace(outcomes=runs[1].outcomes[:40], due=96)
    (trend,) = trace(runs, ["ctrs.total"], candidate="t", condition="matched").trends
    assert [step.measured for step in trend.steps] == [True, False, True]
    assert [step.run for step in trend.unmeasured] == ["lost"]
    assert trend.steps[1].p_drop is None
    assert trend.steps[2].against == "one"
    empty = runs[1]._replace(outcomes=())
    (trend,) = trace([runs[0], empty], ["ctrs.total"], candidate="t", condition="matched").trends
    assert not trend.steps[1].measured
