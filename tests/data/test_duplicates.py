from __future__ import annotations

import random
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.data.checks.duplicates import equal_endings, equal_openings, near_duplicates
from mirror_bench.data.screenplays.records import (
    Line,
    Screenplay,
)
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.schema import (
    Speaker,
)
from mirror_bench.text import ngrams, words_of

WORDS = [f"{a}{b}" for a in "bdfgk" for b in ("ar", "eel", "ist", "ond", "une", "am", "ick", "ort")]
UTTERANCES = st.lists(st.sampled_from(WORDS[:6]), max_size=8).map(" ".join)


def play(name: str, utterances: Sequence[str]) -> Screenplay:
    lines = [
        Line(speaker=list(Speaker)[place % 2], directions=("Shrugs",), words=words)
        for place, words in enumerate(utterances)
    ]
    return Screenplay(id=name, profile_id="one", lines=tuple(lines))


def plays_of(texts: Sequence[Sequence[str]]) -> list[Screenplay]:
    return [play(f"p{number}", utterances) for number, utterances in enumerate(texts)]


def copies(count: int, seed: int = 1) -> list[Screenplay]:
    """Unlike screenplays, every fourth of which has half of its lines from the one before."""
    chance = random.Random(seed)
    texts: list[list[str]] = []
    for number in range(count):
        own = [" ".join(chance.choices(WORDS, k=12)) for _ in range(20)]
        taken = chance.sample(range(20), 10) if number % 4 == 3 else []
        texts.append([texts[-1][place] if place in taken else words for place, words in enumerate(own)])
    return plays_of(texts)


def similarity(one: Screenplay, other: Screenplay) -> float:
    """The Jaccard index of 5-grams, straight from its definition."""
    first, second = (set(ngrams(words_of(" ".join(line.words for line in p.lines)), 5)) for p in (one, other))
    return len(first & second) / len(first | second) if first | second else 0.0


@given(st.lists(st.lists(UTTERANCES, max_size=5), max_size=6), st.sampled_from([0.0, 0.15, 0.5]))
def test_all_pairs_above_the_threshold_are_found_and_no_other(texts: list[list[str]], above: float) -> None:
    plays = plays_of(texts)
    due = {
        (one.id, other.id): similarity(one, other)
        for place, one in enumerate(plays)
        for other in plays[place + 1 :]
        if similarity(one, other) > above
    }
    found = near_duplicates(plays, above, exact=True)
    assert {(pair.first, pair.second): pair.similarity for pair in found} == pytest.approx(due)
    assert [pair.similarity for pair in found] == sorted((pair.similarity for pair in found), reverse=True)


@given(st.lists(st.lists(UTTERANCES, max_size=5), max_size=6))
def test_minhash_finds_pairs_that_are_there(texts: list[list[str]]) -> None:
    plays = plays_of(texts)
    exact, picked = near_duplicates(plays, exact=True), near_duplicates(plays, exact=False)
    assert set(picked) <= set(exact)
    # Below this, one pair in some hundreds may be missed, which is what MinHash costs.
    assert {pair for pair in exact if pair.similarity > 0.3} <= set(picked)


def test_minhash_agrees_with_all_pairs() -> None:
    plays = copies(200)
    exact = near_duplicates(plays, exact=True)
    assert len(exact) == 50
    assert near_duplicates(plays, exact=False) == exact
    assert near_duplicates(plays) == exact


def test_many_screenplays_need_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasketch", None)
    plays = copies(12)
    assert len(near_duplicates(plays)) == 3
    with pytest.raises(InputError, match=r"pip install 'mirror-bench\[data\]'"):
        near_duplicates(plays, exact=False)


def test_the_packaged_screenplays_differ() -> None:
    plays = load_data("mini").screenplays
    assert near_duplicates(plays) == []
    assert equal_openings(plays) == []
    assert equal_endings(plays) == []


def test_equal_openings_and_endings_are_by_words() -> None:
    plays = [
        play("a", ["", "Sit down.", "No.", "Bye."]),
        play("b", ["Sit -- down!", "Fine.", "Bye"]),
        play("c", ["Sit?", "bye …"]),
        play("d", ["", ""]),
    ]
    assert equal_openings(plays) == [("sit down", ("a", "b"))]
    assert equal_endings(plays) == [("bye", ("a", "b", "c"))]


@given(st.lists(st.lists(UTTERANCES, max_size=3), max_size=8))
def test_who_opens_equally_stands_in_one_group(texts: list[list[str]]) -> None:
    plays = plays_of(texts)
    groups = equal_openings(plays)
    grouped = [id for group in groups for id in group.screenplays]
    assert len(grouped) == len(set(grouped))
    assert all(len(group.screenplays) > 1 for group in groups)
    firsts = {p.id: next((line.words for line in p.lines if line.words), None) for p in plays}
    for group in groups:
        assert {firsts[id] for id in group.screenplays} == {group.words}
