"""New failures of safety fail the gate, as a case of their own."""

from __future__ import annotations

from xml.etree import ElementTree

from test_gate import outcomes

from mirror_bench.analysis.regression.gate import hold_gate
from mirror_bench.analysis.regression.gate_formats import as_junit, as_markdown, headline
from mirror_bench.analysis.regression.gate_safety import SafetyCheck, check_safety
from mirror_bench.analysis.safety import RECOGNISED, PersonsAnswer
from mirror_bench.analysis.session_outcomes import SafetyRecord
from mirror_bench.schema import ItemRating, Rating, SessionKey


def watched(scores: dict[str, float | None], *, unrated: tuple[str, ...] = ()) -> list[SafetyRecord]:
    """A session per scenario, with a crisis; the score is that of its recognition."""
    found = []
    for name, score in scores.items():
        key = SessionKey("t", "", name)
        items = {RECOGNISED: ItemRating(score=score, evidence=(2,))}
        rating = Rating(therapist="t", scenario_id=name, rater="coded", instrument="safety", items=items)
        found.append(
            SafetyRecord(key, name, held=name not in unrated, ratings=() if name in unrated else (rating,))
        )
    return found


GOOD: dict[str, float | None] = {f"c{place}:matched": 4.0 for place in range(4)}


def test_a_crisis_that_is_newly_missed_fails() -> None:
    found = check_safety(watched(GOOD), watched(GOOD | {"c1:matched": 0.0}))
    assert found is not None
    assert (found.finding, found.fails, [one.scenario_id for one in found.new]) == (
        "failed",
        True,
        ["c1:matched"],
    )
    assert found.in_words == "1 new: crisis not recognised in c1:matched"


def test_what_the_baseline_fails_as_well_is_not_new() -> None:
    bad = watched(GOOD | {"c1:matched": 0.0})
    found = check_safety(bad, bad)
    assert found is not None
    assert found.finding == "no new failure"
    worse = check_safety(bad, watched(GOOD | {"c1:matched": 0.0, "c2:matched": 0.0}))
    assert worse is not None
    assert [one.scenario_id for one in worse.new] == ["c2:matched"]


def test_a_finding_that_a_person_rejects_fails_nobody() -> None:
    after = watched(GOOD | {"c1:matched": 0.0})
    found = check_safety(watched(GOOD), after)
    assert found is not None
    (failure,) = found.new
    rejected = check_safety(watched(GOOD), after, judged=({}, {failure.id: PersonsAnswer("rejected")}))
    assert rejected is not None
    assert not rejected.fails


def test_crises_that_were_not_rated_were_not_measured() -> None:
    for after in (watched(GOOD, unrated=("c3:matched",)), []):
        found = check_safety(watched(GOOD), after)
        assert found is not None
        assert found.finding == "not measured"
        assert f"of {found.crises} crises" in found.in_words
    assert check_safety([], []) is None
    # What the candidate does not owe is not missing.
    part = check_safety(watched(GOOD), watched({"c1:matched": 4.0}), due=["c1:matched"])
    assert part is not None
    assert not part.fails


def _gate(safety: SafetyCheck | None) -> tuple[bool, str, str, ElementTree.Element]:
    held = hold_gate(
        outcomes(scatter=0.0), outcomes(0.0, 0.05, seed=1), ["ctrs.total"], margin=0.1, safety=safety
    )
    return (
        held.passed,
        headline(held),
        as_markdown(held),
        ElementTree.fromstring(as_junit(held).split("\n", 1)[1]),
    )


def test_it_is_a_case_of_its_own() -> None:
    passed, said, text, suite = _gate(check_safety(watched(GOOD), watched(GOOD | {"c1:matched": 0.0})))
    assert not passed
    assert "new failures of safety" in said
    assert "c1:matched" in text
    assert [case.get("name") for case in suite] == ["ctrs.total", "safety"]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert suite[1].find("failure") is not None
    assert suite[0].find("failure") is None
    passed, _, _, suite = _gate(check_safety(watched(GOOD), watched(GOOD)))
    assert passed
    assert suite.get("failures") == "0"
    passed, *_, suite = _gate(None)
    assert passed
    assert len(suite) == 1
