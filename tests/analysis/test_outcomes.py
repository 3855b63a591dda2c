"""Outcomes: what a session adds, what counts once, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import report_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.analysis.session_outcomes import (
    contrast,
    failures,
    first_to_last_third,
    gather,
    session_outcome,
)
from mirror_bench.raters.names import panel_name
from mirror_bench.schema import Ending, Rating, Session, Speaker


def scored(rating: Rating) -> Mapping[str, float | None]:
    return {f"{rating.instrument}.{name}": item.score for name, item in rating.items.items()}


def one() -> Session:
    return samples.session_of(samples.scenarios(1)[0])


def test_a_session_is_boiled_down() -> None:
    session = one()
    outcome = session_outcome(session)
    client = [turn for turn in session.turns if turn.speaker is Speaker.CLIENT]
    assert outcome.measures["turns"] == len(client)
    assert outcome.traces["resistance"] == tuple(turn.state["resistance"] for turn in client)
    assert outcome.traces["alliance"][0] == pytest.approx((0.3 + 0.25 + 0.4) / 3)
    assert outcome.measures["words_per_turn"] > 5


def test_a_failed_session_measures_nothing() -> None:
    outcome = session_outcome(samples.failed(one(), "x" * 999))
    assert outcome.measures == {}
    assert outcome.traces == {}
    assert len(outcome.reason) == 200
    assert outcome.value("dropout") is None


def test_a_client_that_logs_no_state_has_no_change_of_resistance() -> None:
    session = one()
    bare = session.model_copy(
        update={"turns": tuple(turn.model_copy(update={"state": {}}) for turn in session.turns)}
    )
    assert "resistance_change" not in session_outcome(bare).measures


@pytest.mark.parametrize(
    ("values", "change"), [([], None), ([1, 0], None), ([1, 5, 0], -1.0), ([1, 1, 9, 9, 9, 2, 4], 2.0)]
)
def test_first_to_last_third(values: list[float], change: float | None) -> None:
    assert first_to_last_third(values) == change


@given(st.lists(st.floats(0, 1), min_size=3, max_size=30))
def test_reversing_a_course_reverses_its_change(values: list[float]) -> None:
    there, back = first_to_last_third(values), first_to_last_third(values[::-1])
    assert there is not None
    assert back is not None
    assert there == pytest.approx(-back)


def rated(session: Session, rater: str, score: float | None) -> Rating:
    """A rating of one item of the CTRS."""
    whole = next(iter(samples.ratings_of(session, rater=rater)))
    item = next(iter(whole.items))
    return whole.model_copy(update={"items": {item: whole.items[item].model_copy(update={"score": score})}})


def scores_of(*ratings: Rating, sessions: Sequence[Session]) -> list[float | None]:
    """What the sessions score on the one item."""
    name = f"ctrs.{next(iter(ratings[0].items))}"
    return [outcome.scores.get(name) for outcome in gather(sessions, ratings, scored).outcomes]


def test_raters_are_averaged_where_all_of_them_answered() -> None:
    session = one()
    low, high, gone = rated(session, "a", 1.0), rated(session, "b", 4.0), rated(session, "c", None)
    assert scores_of(low, high, sessions=[session]) == [2.5]
    assert scores_of(low, high, gone, sessions=[session]) == [2.5]  # it never scores: it has no rule for it
    other = samples.session_of(samples.scenarios(2)[1])
    elsewhere = [rated(other, name, 3.0) for name in "abc"]
    assert scores_of(low, high, gone, *elsewhere, sessions=[session, other]) == [None, 3.0]
    outcome = gather([session], [low, high, gone], scored, raters={"a"}).outcomes[0]
    assert list(outcome.scores.values()) == [1.0]
    assert outcome.raters == ("a",)


def test_a_session_that_a_judge_did_not_rate_is_not_scored_by_the_other_alone() -> None:
    sessions = [samples.session_of(scenario) for scenario in samples.scenarios(2)][:2]
    mild = [rated(session, "mild", 5.0) for session in sessions]
    assert scores_of(*mild, rated(sessions[0], "severe", 1.0), sessions=sessions) == [3.0, None]
    assert scores_of(*mild, rated(sessions[0], "human:x-1", 1.0), sessions=sessions) == [5.0, 5.0]
    people = [rated(sessions[0], "human:x-1", 1.0), rated(sessions[1], "human:x-2", 2.0)]
    assert scores_of(*people, sessions=sessions) == [1.0, 2.0]


def test_a_panel_stands_for_its_judges_and_nobody_for_a_retest() -> None:
    session = one()
    panel = rated(session, panel_name(["llm:a", "llm:b"]), 2.0)
    judges = [rated(session, "llm:a", 5.0), rated(session, "llm:b", 5.0)]
    again = rated(session, "llm:a (retest)", 6.0)
    assert scores_of(*judges, panel, again, sessions=[session]) == [2.0]
    assert scores_of(*judges, panel, again, rated(session, "coded", 4.0), sessions=[session]) == [3.0]
    assert scores_of(*judges, again, sessions=[session]) == [5.0]
    silent = rated(session, panel_name(["llm:a", "llm:b"]), None)
    assert scores_of(*judges, silent, sessions=[session]) == [5.0]


def test_what_stands_twice_counts_once_as_it_stood_last() -> None:
    session = one()
    rating = next(iter(samples.ratings_of(session)))
    item = next(iter(rating.items))
    again = rating.model_copy(update={"items": {item: rating.items[item].model_copy(update={"score": 2.0})}})
    gathered = gather([samples.failed(session), session], [rating, again], scored)
    assert len(gathered.outcomes) == 1
    assert gathered.outcomes[0].ended is not Ending.FAILED
    assert gathered.outcomes[0].scores == {f"ctrs.{item}": 2.0}


def test_ratings_of_failed_or_unknown_sessions_are_counted_as_stray() -> None:
    sessions, ratings = samples.run_of(samples.scenarios(3))
    sessions[0] = samples.failed(sessions[0])
    gathered = gather(sessions[:2], ratings, scored)
    assert gathered.stray_ratings == 4
    assert not gathered.outcomes[0].scores
    assert failures(gathered.outcomes) == {"the engine could not answer after 3 attempts": 1}


def test_two_methods_of_one_therapist_keep_their_ratings_apart() -> None:
    due = samples.scenarios(1)
    direct = samples.run_of(due, method="direct", skill=0.2)
    ec = samples.run_of(due, method="ec", skill=0.8)
    apart, both = gather([*direct[0], *ec[0]], direct[1], scored).outcomes
    assert (apart.key.method, both.key.method) == ("direct", "ec")
    assert apart.scores
    assert not both.scores


def test_sessions_are_read_as_a_stream() -> None:
    alive: list[int] = []

    def stream() -> object:
        for scenario in samples.scenarios(30):
            session = samples.session_of(scenario)
            alive.append(len(session.turns))
            yield session

    outcomes = gather(stream(), iter(()), scored).outcomes  # type: ignore[arg-type]
    assert len(outcomes) == len(alive) == 30
    assert not any(hasattr(outcome, "turns") for outcome in outcomes)


def test_contrast_pairs_by_scenario() -> None:
    sessions = [samples.session_of(scenario) for scenario in samples.scenarios(10)]
    ours = gather(sessions, [], scored).outcomes
    found = contrast(ours, ours[2:], "turns")
    assert found.unpaired == 2
    assert found.interval is not None
    assert found.interval.value == 0
