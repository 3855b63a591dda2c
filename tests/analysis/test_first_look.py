"""What a reader sees first: rows in order, one sentence, and sessions that are shown for a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import report_samples as samples

from mirror_bench.analysis.attunement import MomentCounts
from mirror_bench.analysis.metrics import score_rating
from mirror_bench.analysis.overview.face_verdict import FaceVerdict, Verdict
from mirror_bench.analysis.overview.first_look import candidate_rows, in_one_sentence
from mirror_bench.analysis.overview.telling_sessions import telling_sessions
from mirror_bench.analysis.safety import Safety, SafetyFailure
from mirror_bench.analysis.session_outcomes import SessionOutcome, gather
from mirror_bench.analysis.summary import Summary, compare_runs, summarize
from mirror_bench.schema import FaceCondition, SessionKey

SEEN = (FaceCondition.MATCHED, FaceCondition.NONE)


def run_of(name: str, skill: float, short: bool = False) -> tuple[Summary, list[SessionOutcome]]:
    due = samples.scenarios(12, conditions=SEEN)
    sessions, ratings = samples.run_of(due, name, "", skill)
    if short:
        sessions[:4] = [samples.failed(one) for one in sessions[:4]]
        ratings = [one for one in ratings if one.session_key not in {two.key for two in sessions[:4]}]
    gathered = gather(sessions, ratings, score_rating)
    return summarize(sessions, ratings, due), list(gathered.outcomes)


def together(*runs: tuple[Summary, list[SessionOutcome]]) -> tuple[Summary, list[SessionOutcome]]:
    outcomes = [one for _, held in runs for one in held]
    return compare_runs([summary for summary, _ in runs], outcomes), outcomes


def failing(summary: Summary, *names: str) -> Summary:
    found = [Safety(therapist=name, verdict="failed", missed=1, crises=2) for name in names]
    others = [row.key[0] for row in candidate_rows(summary) if row.key[0] not in names]
    found += [Safety(therapist=name, verdict="none found", crises=2) for name in others]
    return summary.model_copy(update={"safety": tuple(found)})


def labels(summary: Summary) -> Sequence[str]:
    return [row.label for row in candidate_rows(summary)]


def test_rows_stand_in_order_whatever_the_order_of_runs() -> None:
    runs = [run_of("scripted/poor", 0.2), run_of("scripted/able", 0.8), run_of("scripted/middle", 0.5)]
    found, turned = together(*runs)[0], together(*runs[::-1])[0]
    assert labels(found) == labels(turned) == ["able", "middle", "poor"]
    assert in_one_sentence(found) == in_one_sentence(turned)
    assert in_one_sentence(found).startswith("able leads on CTRS total (")
    assert "; middle and poor are behind" in in_one_sentence(found)
    row = candidate_rows(found)[0]
    assert row.entry.condition is FaceCondition.MATCHED
    assert row.places["wai.total"].rank == 1
    assert row.face is not None


def test_one_sentence_says_who_fails() -> None:
    found = together(run_of("scripted/poor", 0.2), run_of("scripted/able", 0.8))[0]
    assert "safety" not in in_one_sentence(found)
    assert in_one_sentence(failing(found, "scripted/able")).endswith(
        "poor is behind; faces help able and poor; able fails in safety."
    )
    assert "all 2 fail in safety" in in_one_sentence(failing(found, "scripted/able", "scripted/poor"))
    assert "nobody fails in safety" in in_one_sentence(failing(found))


def test_one_sentence_says_whom_faces_help() -> None:
    found = together(
        run_of("scripted/able", 0.8), run_of("scripted/middle", 0.5), run_of("scripted/poor", 0.2)
    )[0]
    told: dict[str, Verdict] = {
        "scripted/able": "helped",
        "scripted/middle": "swayed",
        "scripted/poor": "ignores faces",
    }
    seen = tuple(FaceVerdict(therapist=name, verdict=verdict) for name, verdict in told.items())
    said = in_one_sentence(found.model_copy(update={"face_verdicts": seen}))
    assert said.endswith("; faces help able; middle is swayed by faces; poor ignores faces.")
    assert "face" not in in_one_sentence(found.model_copy(update={"face_verdicts": ()}))


def test_who_was_rated_too_seldom_has_no_place() -> None:
    found = together(run_of("scripted/short", 0.95, short=True), run_of("scripted/able", 0.6))[0]
    assert labels(found) == ["able", "short"]
    assert candidate_rows(found)[1].places == {}
    assert "too few rated sessions for a place: short" in in_one_sentence(found)


def test_one_candidate_alone_and_none_at_all_are_said() -> None:
    assert "alone in this report" in in_one_sentence(run_of("scripted/able", 0.8)[0])
    assert in_one_sentence(summarize([], [], 0)).startswith("No session has been rated")
    without_sessions = compare_runs([run_of("scripted/poor", 0.2)[0], run_of("scripted/able", 0.8)[0]])
    assert without_sessions.places == ()
    assert "too few" not in in_one_sentence(without_sessions)


def test_equal_candidates_cannot_be_told_apart() -> None:
    one, held = run_of("scripted/able", 0.6)
    twin = [
        replace(
            o,
            key=o.key._replace(therapist="scripted/twin"),
            session_key=SessionKey("scripted/twin", *o.session_key[1:]),
        )
        for o in held
    ]
    entries = tuple(e.model_copy(update={"therapist": "scripted/twin"}) for e in one.entries)
    other = one.model_copy(update={"entries": entries, "face_verdicts": ()})
    found = compare_runs([one, other], [*held, *twin])
    assert in_one_sentence(found) == "able and twin cannot be told apart on CTRS total; faces help able."
    assert [row.places["ctrs.total"].rank for row in candidate_rows(found)] == [1, 1]


def test_sessions_are_chosen_by_what_they_tell() -> None:
    summary, outcomes = run_of("scripted/able", 0.6)
    own = [one for one in outcomes if one.key.condition is FaceCondition.MATCHED]
    bad, split, low = own[0], own[1], own[2]
    marks = {"ctrs.total": 1.0}, {"ctrs.total": 6.0}
    changed = {
        split.session_key: replace(
            split, by_rater={("a", "ctrs"): marks[0], ("b", "ctrs"): marks[1], ("c", "wai"): {}}
        ),
        low.session_key: replace(
            low,
            measures={**low.measures, "attunement": -1.0},
            attuned=MomentCounts(moments=3, wrong=3, value=-1.0, examined=True),
        ),
    }
    outcomes = [changed.get(one.session_key, one) for one in outcomes]
    finding = SafetyFailure(
        scenario_id=bad.session_key.scenario_id,
        item="no_harm",
        title="No harm",
        rater="coded",
        score=0,
        turn=4,
        decides=True,
        words="words said",
    )
    doubt = finding.model_copy(update={"scenario_id": "other", "decides": False, "status": "to be read"})
    safety = Safety(therapist="scripted/able", verdict="failed", failures=(doubt, finding), harmed=1)
    summary = summary.model_copy(update={"safety": (safety,)})
    found = {one.why: one for one in telling_sessions(summary, outcomes)}
    assert found["worst safety finding"].key == bad.session_key
    assert found["worst safety finding"].turn == 4
    assert "words said" in found["worst safety finding"].told
    assert found["largest disagreement of raters"].key == split.session_key
    assert "b gives 6.0, a 1.0" in found["largest disagreement of raters"].told
    assert found["worst attunement"].key == low.session_key
    assert "3 read wrongly" in found["worst attunement"].told
    lifted = found["largest gain by the face"]
    assert len({one.key for one in found.values()}) == 4
    pair = {one.pair: one for one in outcomes if one.key.condition is FaceCondition.NONE}
    gains = {
        one.session_key: one.scores["ctrs.total"] - pair[one.pair].scores["ctrs.total"]
        for one in outcomes
        if one.key.condition is FaceCondition.MATCHED and one.session_key not in {bad.session_key}
    }
    assert gains[lifted.key] == max(gains.values()) or lifted.key in {split.session_key, low.session_key}
    assert telling_sessions(summary, outcomes[::-1]) == telling_sessions(summary, outcomes)


def test_a_session_in_which_more_is_found_is_worse() -> None:
    summary, outcomes = run_of("scripted/able", 0.6)
    one = SafetyFailure(
        scenario_id="a", item="no_harm", title="No harm", rater="coded", score=0, turn=2, decides=True
    )
    two = [one.model_copy(update={"scenario_id": "b", "turn": turn}) for turn in (4, 6)]
    safety = Safety(therapist="scripted/able", verdict="failed", failures=(one, *two))
    found = telling_sessions(summary.model_copy(update={"safety": (safety,)}), outcomes)
    assert (found[0].key.scenario_id, found[0].turn) == ("b", 4)


def test_what_a_person_rejected_is_no_reason() -> None:
    summary, outcomes = run_of("scripted/able", 0.6)
    finding = SafetyFailure(
        scenario_id="x", item="no_harm", title="No harm", rater="coded", score=0, status="rejected"
    )
    safety = Safety(therapist="scripted/able", verdict="none found", failures=(finding,))
    found = telling_sessions(summary.model_copy(update={"safety": (safety,)}), outcomes)
    assert "worst safety finding" not in {one.why for one in found}


def test_raters_who_agree_are_no_reason() -> None:
    summary, outcomes = run_of("scripted/able", 0.6)
    same = [replace(one, by_rater={("a", "ctrs"): one.scores, ("b", "ctrs"): one.scores}) for one in outcomes]
    assert "largest disagreement of raters" not in {one.why for one in telling_sessions(summary, same)}
