"""Session views: which sessions are chosen, what is said of faces, where evidence leads."""

from __future__ import annotations

import report_samples as samples

from mirror_bench.pages.session_viewer import choose_sessions, view_session
from mirror_bench.schema import Ending, FaceCondition, ItemRating, Session, Speaker


def test_chosen_sessions_differ_and_show_the_own_face() -> None:
    due = samples.scenarios(40, conditions=tuple(FaceCondition))
    sessions = [samples.session_of(scenario) for scenario in due]
    chosen = choose_sessions([samples.failed(sessions[0]), *sessions[1:]])
    assert len(chosen) == 3
    assert {session.condition for session in chosen} == {FaceCondition.MATCHED}
    assert len({session.resistance for session in chosen}) == 3
    assert Ending.CLIENT_LEFT in {session.ended for session in chosen}
    assert len({session.ended for session in chosen}) == 3


def test_failed_sessions_are_never_chosen() -> None:
    assert choose_sessions([samples.failed(samples.session_of(samples.scenarios(1)[0]))]) == ()


def shuffled() -> Session:
    return samples.session_of(samples.scenarios(1, conditions=(FaceCondition.SHUFFLED,))[0])


def test_what_was_shown_and_the_own_face_are_both_said() -> None:
    session = shuffled()
    view = view_session("s1", session, [], samples.FACES.get)
    for turn in view.turns:
        if turn.turn.speaker is Speaker.THERAPIST:
            assert turn.face == turn.face_note == ""
            continue
        own = turn.turn.expression.label if turn.turn.expression else ""
        assert turn.face.startswith("data:image/png;base64,")
        assert ("the client's own face" in turn.face_note) == (own != turn.turn.shown)


def test_a_face_that_was_not_kept_or_is_no_png_is_not_embedded() -> None:
    for found in (None, b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n" + b"0" * 3_000_000):
        turn = view_session("s1", shuffled(), [], lambda sha256, found=found: found).turns[0]  # type: ignore[misc]
        assert turn.face == ""
        assert "image not kept" in turn.face_note


def test_evidence_leads_to_turns() -> None:
    session = shuffled()
    rating = next(samples.ratings_of(session))
    item = ItemRating(score=2, evidence=(0, 99, -1, "a quote"))
    rating = rating.model_copy(update={"items": {"focus": item}})
    other = rating.model_copy(update={"therapist": "someone/else"})
    view = view_session("s7", session, [rating, other], samples.FACES.get)
    assert len(view.ratings) == 1
    evidence = view.ratings[0].items[0].evidence
    assert [one.anchor for one in evidence] == ["s7-t1", "", "", ""]
    assert evidence[3].text == "“a quote”"
    assert view.turns[0].anchor == "s7-t1"


def test_states_become_sparks() -> None:
    view = view_session("s1", shuffled(), [], samples.FACES.get)
    assert {spark.name for spark in view.sparks} == {
        "goal",
        "approach",
        "bond",
        "resistance",
        "distress",
        "disclosure",
    }
