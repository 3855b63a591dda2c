"""The examination of the coded rater's agreement: it runs, and it can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mirror_bench.validity.agreement import THERAPISTS, Findings, evidence_of, find
from mirror_bench.validity.evidence import Evidence


@pytest.fixture(scope="module")
def found() -> Findings:
    return find(12, turns=6)


@pytest.fixture(scope="module")
def evidence(found: Findings) -> Evidence:
    return evidence_of(found)


def test_the_coded_rater_repeats_itself(found: Findings, evidence: Evidence) -> None:
    assert len(found.outcomes) == 12 * len(THERAPISTS)
    assert found.same == found.ratings == 2 * len(found.outcomes)
    retest = [target for target in evidence.targets if target.what.startswith("retest")]
    assert len(retest) == 2
    assert all(target.met for target in retest)


def test_a_rater_that_changes_its_mind_misses_the_target(found: Findings) -> None:
    moved = {name: tuple(reversed(totals)) for name, totals in found.again.items()}
    evidence = evidence_of(replace(found, same=found.same - 1, again=moved))
    missed = {target.what for target in evidence.targets if not target.met}
    assert {"ratings repeated to the letter", "retest r of ctrs.total", "retest r of wai.total"} <= missed


def test_halo_and_length_are_reported_for_every_therapist(evidence: Evidence) -> None:
    halo, items, length, by_item = evidence.tables
    assert {row[1] for row in halo.rows} <= {"all together", *THERAPISTS}
    assert {row[1] for row in length.rows} == set(THERAPISTS)
    assert items.rows
    assert by_item.rows
    for table in evidence.tables:
        assert all(len(row) == len(table.heads) for row in table.rows)
    assert any("inter-item" in target.what for target in evidence.targets)
    assert any("length" in target.what for target in evidence.targets)
