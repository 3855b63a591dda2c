"""The client audit reads sessions as it says, and the packaged clients pass it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from bare_session import bare_session

from mirror_bench.schema import Resistance, Session, Speaker, Turn
from mirror_bench.therapists import SCRIPTED
from mirror_bench.validity.clients import (
    AuditedSessions,
    ResistanceCourse,
    audit_clients,
    course_of,
    evidence_of,
    targets_of,
)
from mirror_bench.validity.display import evidence_json, write_evidence_plots


def session(client: Sequence[tuple[str, float, tuple[str, ...]]]) -> Session:
    turns = [
        Turn(speaker=Speaker.CLIENT, words=words, state={"resistance": resistance}, marks=marks)
        for words, resistance, marks in client
    ]
    return bare_session(*turns, resistance=Resistance.EMOTIONAL)


def course(name: str = "p", change_talk: int | None = None, early: int | None = None) -> ResistanceCourse:
    return ResistanceCourse(name, change_talk, early, early, None, "turn_limit", (0.7, 0.7, 0.7))


def test_a_session_is_read_by_turn() -> None:
    read = course_of(
        session(
            [
                ("The bus was late again.", 0.70, ()),
                ("Of course, I'll do it tomorrow.", 0.68, ("masked",)),
                ("I want to stop drinking.", 0.60, ()),
                ("The bus was early.", 0.40, ()),
            ]
        )
    )
    assert read.change_talk == 2
    assert read.polite_yes == 2
    assert read.yields_in_words == 3
    assert read.yields_in_state == 4
    assert read.resistance == (0.70, 0.68, 0.60, 0.40)


def test_sustain_talk_beside_it_is_no_yielding() -> None:
    read = course_of(session([("I want to stop drinking. It's no use, nothing will ever change.", 0.7, ())]))
    assert read.yields_in_words is None


def test_quartiles_and_never() -> None:
    arm = AuditedSessions("t", tuple(course(change_talk=turn) for turn in (2, 4, None, None)))
    assert arm.never == 0.5
    assert arm.quartiles == ("3.5", "8.5", "never")


def test_a_client_that_yields_at_once_fails_the_audit() -> None:
    arms = {
        "warm": AuditedSessions("warm", tuple(course(str(i), early=2 if i < 5 else None) for i in range(20)))
    }
    assert [target.met for target in targets_of(arms)][-2:] == [False, False]
    assert not evidence_of(arms).met


def test_a_client_that_melts_for_warmth_fails_the_audit() -> None:
    melting = tuple(course(str(i))._replace(resistance=(0.7, 0.5, 0.3)) for i in range(20))
    (target, *_) = targets_of({"warm": AuditedSessions("warm", melting)})
    assert target.what == "resistance under warm"
    assert not target.met


def test_random_and_warm_are_therapists_like_others() -> None:
    assert {"random", "warm"} <= set(SCRIPTED.names())


@pytest.mark.slow
def test_the_packaged_clients_pass(tmp_path: Path) -> None:
    evidence = evidence_of(audit_clients(120))
    by_state = [target for target in evidence.targets if "by words" not in target.what]
    assert len(by_state) == 4
    assert all(target.met for target in by_state), by_state
    assert {path.suffix for path in write_evidence_plots(evidence, tmp_path)} == {".svg", ".png"}
    assert evidence_json(evidence)["targets"][0]["what"] == "resistance under directive"
