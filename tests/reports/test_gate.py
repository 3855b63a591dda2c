"""What the gate finds in outcomes, and how it is written for machines."""

from __future__ import annotations

import random
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from mirror_bench.errors import InputError
from mirror_bench.reports.gate import Gate, hold_gate
from mirror_bench.reports.gate_formats import as_junit, as_markdown, explain, headline
from mirror_bench.reports.outcomes import EntryKey, Outcome
from mirror_bench.schema import Ending, FaceCondition, Resistance, SessionKey
from mirror_bench.stats.noninferiority import Finding


def outcomes(shift: float = 0.0, scatter: float = 0.3, n: int = 96, seed: int = 0) -> list[Outcome]:
    draw, base = random.Random(seed), random.Random(99)
    return [
        Outcome(
            key=EntryKey("t", "", FaceCondition.MATCHED),
            session_key=SessionKey("t", "", f"s{place}"),
            pair=f"s{place}",
            profile_id=f"p{place % 32}",
            resistance=Resistance.NONE,
            client="c",
            ended=Ending.TURN_LIMIT,
            scores={"ctrs.total": base.uniform(2, 4) + shift + draw.gauss(0, scatter), "wai.total": 4.0},
        )
        for place in range(n)
    ]


def gate(shift: float, scatter: float = 0.3, *, strict: bool = False) -> Gate:
    return hold_gate(
        outcomes(scatter=0.0),
        outcomes(shift, scatter, seed=1),
        ["ctrs.total", "wai.total"],
        margin=0.1,
        strict=strict,
        names=("base", "<b>|cand\u202eidate\x00"),
    )


def test_a_drop_fails_and_nothing_passes() -> None:
    worse, same = gate(-0.5), gate(0.0, 0.05)
    assert not worse.passed
    assert [check.finding for check in worse.checks] == [Finding.WORSE, Finding.NO_WORSE]
    assert same.passed
    assert not same.undecided
    assert "ctrs.total dropped by more than 0.1" in headline(worse)


def test_too_small_a_sample_says_how_many_would_do() -> None:
    found = gate(-0.05, 1.5)
    (check, _) = found.checks
    assert check.finding is Finding.UNDECIDED
    assert found.passed
    assert check.scenarios_needed is not None
    assert check.profiles_needed is not None
    assert check.scenarios_needed > check.profiles_needed > 32
    assert "would do" in explain(check)
    assert not gate(-0.05, 1.5, strict=True).passed


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
