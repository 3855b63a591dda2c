from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.data.checks.lexical_diversity import Wording, measure_wording

UTTERANCES = st.lists(
    st.lists(st.sampled_from(["oven", "dog", "Dog", "ring,", "--"]), max_size=40).map(" ".join)
)


def test_measures_of_two_utterances() -> None:
    found = measure_wording(["The dog, the oven.", "…", "The DOG!"])
    assert (found.utterances, found.words, found.vocabulary) == (2, 6, 3)
    assert found.distinct_1 == pytest.approx(3 / 6)
    # "oven the" would lie across two utterances.
    assert found.distinct_2 == pytest.approx(3 / 4)
    assert measure_wording(["", "?!"]) == Wording()


@given(UTTERANCES)
def test_ratios_are_shares(utterances: list[str]) -> None:
    found = measure_wording(utterances)
    assert 0 <= found.distinct_1 <= found.type_token <= 1 or found.words >= 100
    assert 0 <= found.distinct_2 <= 1
    assert found.vocabulary <= found.words
    assert found.distinct_1 * found.words == pytest.approx(found.vocabulary)
    assert measure_wording([text.upper() for text in utterances]) == found


def test_the_type_token_ratio_does_not_fall_with_the_size() -> None:
    page = [f"w{number}" for number in range(50)] * 2
    short, long = measure_wording([" ".join(page)]), measure_wording([" ".join(page)] * 30)
    assert short.type_token == long.type_token == pytest.approx(0.5)
    assert long.distinct_1 < 0.02
