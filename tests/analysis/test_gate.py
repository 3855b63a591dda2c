"""What the gate finds in outcomes, and how it is written for machines."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from mirror_bench.analysis.regression.gate import Gate, hold_gate
from mirror_bench.analysis.regression.gate_formats import as_junit, as_markdown, explain, headline
from mirror_bench.analysis.session_outcomes import CandidateKey, SessionOutcome
from mirror_bench.errors import InputError
from mirror_bench.schema import Ending, FaceCondition, Resistance, SessionKey
from mirror_bench.stats.noninferiority import DropFinding


def outcomes(shift: float = 0.0, scatter: float = 0.3, n: int = 96, seed: int = 0) -> list[SessionOutcome]:
    draw, base = random.Random(seed), random.Random(99)
    return [
        SessionOutcome(
            key=CandidateKey("t", "", FaceCondition.MATCHED),
            session_key=SessionKey("t", "", f"s{place}"),
            pair=f"s{place}",
            profile_id=f"p{place % 32}",
            resistance=Resistance.NONE,
            client="c",
            ended=Ending.TURN_LIMIT,
            scores={
                "ctrs.total": base.uniform(2, 4) + shift + draw.gauss(0, scatter),
                "wai.total": 4.0 + draw.gauss(0, 0.05),
            },
        )
        for place in range(n)
    ]


def lose(held: list[SessionOutcome], pairs: set[str], metric: str = "") -> list[SessionOutcome]:
    """The outcomes with scores of those pairs lost: of one metric, or of all, as of a failed session."""
    return [
        replace(one, scores={name: v for name, v in one.scores.items() if metric and name != metric})
        if one.pair in pairs
        else one
        for one in held
    ]


def gate(shift: float, scatter: float = 0.3, **options: Any) -> Gate:
    return hold_gate(
        outcomes(scatter=0.0),
        outcomes(shift, scatter, seed=1),
        ["ctrs.total", "wai.total"],
        margin=0.1,
        **options,
        names=("base", "<b>|cand\u202eidate\x00"),
    )


def test_a_drop_fails_and_nothing_passes() -> None:
    worse, same = gate(-0.5), gate(0.0, 0.05)
    assert not worse.passed
    assert [check.finding for check in worse.checks] == [DropFinding.WORSE, DropFinding.NO_WORSE]
    assert same.passed
    assert not same.undecided
    assert "ctrs.total dropped by more than 0.1" in headline(worse)


def test_too_small_a_sample_says_how_many_would_do() -> None:
    found = gate(-0.05, 1.5)
    (check, _) = found.checks
    assert check.finding is DropFinding.UNDECIDED
    assert found.passed
    assert check.scenarios_needed is not None
    assert check.profiles_needed is not None
    assert check.scenarios_needed > check.profiles_needed > 32
    assert "would do" in explain(check)
    assert not gate(-0.05, 1.5, strict=True).passed


def test_an_unchanged_candidate_is_undecided_since_it_scores_alike_and_not_for_its_sample() -> None:
    ours = outcomes()
    found = hold_gate(ours, ours, ["ctrs.total"], margin=0.1)
    (check,) = found.checks
    assert (check.finding, found.passed) == (DropFinding.UNDECIDED, True)
    assert explain(check) == "no difference in any scenario: candidate and baseline score alike"
    assert headline(found) == "PASSED: candidate and baseline score alike in every scenario (ctrs.total)"
    strict = hold_gate(ours, ours, ["ctrs.total"], margin=0.1, strict=True)
    assert not strict.passed
    assert headline(strict).startswith("FAILED (strict): undecided, as candidate and baseline score alike")
    # The same step down everywhere is a difference, and cannot be told from chance for want of scatter.
    lower = [replace(one, scores={"ctrs.total": one.scores["ctrs.total"] - 0.05}) for one in ours]
    (check,) = hold_gate(ours, lower, ["ctrs.total"], margin=0.1).checks
    assert check.finding is DropFinding.UNDECIDED
    assert "the same everywhere" in explain(check)


def test_alike_in_one_metric_and_too_small_in_another_are_both_said() -> None:
    before, after = outcomes(scatter=0.0), outcomes(-0.05, 1.5, seed=1)
    after = [
        replace(new, scores=dict(new.scores) | {"wai.total": old.scores["wai.total"]})
        for old, new in zip(before, after, strict=True)
    ]
    said = headline(hold_gate(before, after, ["ctrs.total", "wai.total"], margin=0.1))
    assert said.startswith(
        "PASSED, with a reservation: no drop is proven, but the sample is too small to tell"
    )
    assert said.endswith("for ctrs.total; candidate and baseline score alike in every scenario (wai.total)")


def test_junit_is_read_by_a_parser_and_counts() -> None:
    suite = ElementTree.fromstring(as_junit(gate(-0.5)).split("\n", 1)[1])
    assert suite.attrib | {} == {
        "name": "mirror-bench gate",
        "tests": "2",
        "failures": "1",
        "errors": "0",
        "skipped": "0",
    }
    assert [case.find("failure") is not None for case in suite] == [True, False]
    skipped = ElementTree.fromstring(as_junit(gate(-0.05, 1.5)).split("\n", 1)[1])
    assert skipped.attrib["skipped"] == "1"
    strict = ElementTree.fromstring(as_junit(gate(-0.05, 1.5, strict=True)).split("\n", 1)[1])
    assert strict.attrib["failures"] == "1"


def test_markdown_escapes_what_models_are_called() -> None:
    text = as_markdown(gate(0.0))
    assert "<b>" not in text
    assert "\\<b\\>\\|cand" in text


def test_what_cannot_be_compared_is_refused() -> None:
    ours = outcomes()
    with pytest.raises(InputError, match="no total"):
        hold_gate(ours, ours, [], margin=0.1)
    others = [replace(one, pair=f"x{one.pair}") for one in ours]
    with pytest.raises(InputError, match="share 0 rated scenarios"):
        hold_gate(ours, others, ["ctrs.total"], margin=0.1)


def test_the_worst_quarter_unrated_does_not_hide_a_drop() -> None:
    before, after = outcomes(scatter=0.0), outcomes(-0.5, 0.6, seed=1)
    change = {
        a.pair: b.scores["ctrs.total"] - a.scores["ctrs.total"] for a, b in zip(before, after, strict=True)
    }
    worst = set(sorted(change, key=change.__getitem__)[:24])
    found = hold_gate(before, lose(after, worst), ["ctrs.total"], margin=0.1, lowest={"ctrs.total": 0.0})
    (check,) = found.checks
    assert not found.passed
    assert check.finding is DropFinding.NOT_MEASURED
    assert (check.loss.due, check.loss.paired, check.loss.candidate_alone) == (96, 72, 24)
    assert check.loss.worst.value is not None
    assert check.difference.value is not None
    assert check.loss.worst.value < check.difference.value - 0.3
    assert headline(found).startswith("FAILED: not measured: ctrs.total")
    for text in (as_markdown(found), as_junit(found)):
        assert "72 of 96 scenarios scored in both runs" in text
        assert "24 missing in the candidate" in text


def test_coverage_is_counted_per_metric() -> None:
    before, after = outcomes(scatter=0.0), outcomes(0.0, 0.05, seed=1)
    half = {one.pair for one in after[::2]}
    found = hold_gate(before, lose(after, half, "wai.total"), ["ctrs.total", "wai.total"], margin=0.1)
    assert [check.finding for check in found.checks] == [DropFinding.NO_WORSE, DropFinding.NOT_MEASURED]
    assert [check.loss.coverage for check in found.checks] == [1.0, 0.5]
    assert not found.passed


def test_what_is_missing_everywhere_is_not_measured() -> None:
    before, after = outcomes(), outcomes(seed=1)
    everything = {one.pair for one in before}
    for sides in ((before, lose(after, everything)), (before, after[:4])):
        (check,) = hold_gate(*sides, ["ctrs.total"], margin=0.1).checks
        assert check.finding is DropFinding.NOT_MEASURED
    ghost = hold_gate(before, after, ["ctrs.total", "hope.total"], margin=0.1)
    assert ghost.checks[1].finding is DropFinding.NOT_MEASURED
    assert ghost.checks[1].candidate is None
    as_markdown(ghost)


def test_a_few_losses_pass_and_are_named() -> None:
    before, after = outcomes(scatter=0.0), outcomes(0.0, 0.05, seed=1)
    lost = {one.pair for one in after[:2]}
    found = hold_gate(
        before, lose(after, lost), ["ctrs.total"], margin=0.3, lowest={"ctrs.total": 0.0}, min_coverage=0.9
    )
    assert found.passed
    assert "94 of 96" in as_markdown(found)
    # With a margin that the lost ones could fill, nothing is proven.
    narrow = hold_gate(before, lose(after, lost), ["ctrs.total"], margin=0.05, lowest={"ctrs.total": 0.0})
    assert narrow.checks[0].finding is DropFinding.UNDECIDED
    assert "could hide a drop" in explain(narrow.checks[0])


def test_significantly_more_losses_than_the_baseline_fail_where_they_could_be_a_drop() -> None:
    before, after = outcomes(scatter=0.0, n=400), outcomes(0.0, 0.05, n=400, seed=1)
    lost = {one.pair for one in after[:18]}
    options: dict[str, Any] = {"margin": 0.1, "lowest": {"ctrs.total": 0.0}}
    found = hold_gate(before, lose(after, lost), ["ctrs.total"], **options)
    assert found.checks[0].finding is DropFinding.NOT_MEASURED
    assert "with the lowest score in their place" in found.checks[0].note
    even = hold_gate(lose(before, lost), lose(after, lost), ["ctrs.total"], **options)
    assert even.checks[0].finding is DropFinding.NO_WORSE


def test_more_profiles_than_the_data_have_are_never_asked_for() -> None:
    (check, _) = gate(-0.05, 1.5, profiles=32).checks
    assert check.finding is DropFinding.UNDECIDED
    assert check.profiles_needed in (None, 32)
    assert check.margin_decidable is not None or check.seeds_needed is not None
    text = explain(check)
    assert "seeds each" in text or "smallest that can be decided" in text
    (near, _) = gate(0.0, 0.45, profiles=32).checks
    assert near.profiles_needed is None or near.profiles_needed <= 32


def test_a_collapse_that_nothing_met_is_said_not_to_be_excluded() -> None:
    found = gate(0.0, 0.05)
    assert "met none of the 32 profiles" in as_markdown(found)
    assert "9% of profiles" in as_markdown(found)
