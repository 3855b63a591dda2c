"""Faces: who sees gains and relies, who is swayed relies alone, and who shuts its eyes does neither."""

from __future__ import annotations

import pytest

from mirror_bench.coding.face_remarks import FaceRemark
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.schema import FaceCondition
from mirror_bench.validity.evidence import Evidence, Setting
from mirror_bench.validity.faces import OTHERS, FaceFindings, examine, hold_all, read_expressions


@pytest.fixture(scope="module")
def found() -> FaceFindings:
    people = load_mini().profiles
    return hold_all(people[:: max(1, len(people) // 16)], 1, 12)


def test_only_one_who_sees_gains(found: FaceFindings) -> None:
    gains = {
        (gain.therapist, gain.against, gain.difference.metric): gain.difference
        for gain in found.summary.gains
    }
    for condition in OTHERS:
        for metric in ("ctrs.total", "wai.total"):
            shut = gains["words-only", condition, metric]
            assert (shut.value, shut.low, shut.high) == (0.0, None, None)  # nothing scatters
            swayed = gains["swayed", condition, metric]
            assert swayed.value != 0
        course = found.courses["attuned", condition].interval
        assert course is not None
        assert course.high is not None
        assert course.high < 0
    assert (gains["attuned", FaceCondition.NONE, "ctrs.total"].low or 0) > 0


def test_reliance_tells_seeing_and_swayed_from_eyes_shut(found: FaceFindings) -> None:
    words = {
        one.therapist: one.value
        for one in found.summary.reliance
        if one.measure == "words" and one.shown is FaceCondition.SHUFFLED
    }
    assert words["words-only"].value == words["reflective"].value == 0.0
    assert (words["attuned"].low or 0) > 0
    assert (words["swayed"].value or 0) > (words["attuned"].high or 1)


def test_every_expression_with_a_word_is_named_rightly() -> None:
    read = read_expressions()
    assert set(read.values()) == {FaceRemark.RIGHT, FaceRemark.NOTHING}
    assert read["neutral"] is FaceRemark.NOTHING
    assert sum(seen is FaceRemark.RIGHT for seen in read.values()) >= 12


def test_the_examination_says_what_it_found(found: FaceFindings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mirror_bench.validity.faces.hold_all", lambda people, seeds: found)
    evidence: Evidence = examine(Setting(quick=True))
    assert {target.what.split(":")[0] for target in evidence.targets} >= {"attuned", "words-only", "swayed"}
    assert evidence.tables
    assert evidence.not_shown
    figure = evidence.plots[0].draw()
    assert len(figure.axes) == 2
