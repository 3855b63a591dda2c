from __future__ import annotations

import pytest
from bare_session import bare_session
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.analysis.client_variety import bank_variety, measure_variety
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.schema import Session, Speaker, Turn
from mirror_bench.sessions.offline_sessions import rehearse_many
from mirror_bench.therapists.policies.comparison import Attuned, Directive, Reflective


def session(*said: str) -> Session:
    return bare_session(*(Turn(speaker=Speaker.CLIENT, words=words) for words in said))


def test_counts_what_recurs_within_a_session_only() -> None:
    again = session("one two three four five six", "", "well one two three four five")
    measured = measure_variety([again, session("one two three four five six")])
    assert (measured.sessions, measured.utterances, measured.words) == (2, 3, 18)
    assert measured.repeating_sessions == 0
    assert measured.recurring_5grams == pytest.approx(1 / 6)
    assert measured.distinct_1 == pytest.approx(7 / 18)
    assert measured.distinct_2 == pytest.approx(6 / 15)
    assert measured.distinct_utterances == pytest.approx(2 / 3)


def test_an_utterance_is_repeated_whatever_its_case_and_marks() -> None:
    assert measure_variety([session("Oh, well.", "oh WELL")]).repeating_sessions == 1


@given(st.lists(st.lists(st.text(alphabet="ab ", max_size=20), max_size=6), max_size=5))
def test_shares_are_shares(said: list[list[str]]) -> None:
    measured = measure_variety(session(*texts) for texts in said)
    shares = (measured.recurring_5grams, measured.distinct_1, measured.distinct_2)
    assert all(0 <= share <= 1 for share in shares)
    assert measured.repeating_sessions <= measured.sessions == len(said)


def test_the_packaged_clients_hardly_repeat_themselves() -> None:
    measured = measure_variety(rehearse_many(load_mini().profiles, (Attuned, Reflective, Directive), 192))
    assert measured.repeating_sessions == 0
    assert measured.recurring_5grams <= 0.01
    assert measured.distinct_2 >= 0.35  # of a fifth of the sessions; all of them: `mirror-bench data stats`


def test_the_bank_is_varied() -> None:
    found = bank_variety(load_mini().profiles)
    assert found["lines"] > 10_000
    assert found["distinct_2"] >= 0.35
    assert bank_variety(())["lines"] < found["lines"]
