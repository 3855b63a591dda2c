from __future__ import annotations

from typing import Any

import pytest

from mirror_bench.coding.phrase_lexicon import compile_lexicon, lexicon
from mirror_bench.coding.session_moves import TECHNIQUES, moves
from mirror_bench.errors import InputError


def test_a_phrase_matches_at_word_boundaries_only() -> None:
    patterns = compile_lexicon({"patterns": {"a": ["no (way|how)"]}}, "x.yaml")
    assert patterns["a"].search("there is no way out")
    assert not patterns["a"].search("casino wayne")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "x.yaml: needs a mapping 'patterns'"),
        ({"patterns": {"a": "text"}}, "x.yaml: patterns.a must be a list of texts"),
        ({"patterns": {"a": [True]}}, "x.yaml: patterns.a must be a list of texts"),
        ({"patterns": {"a": ["fine", "(open"]}}, "x.yaml: patterns.a, entry 2, is not a regular expression"),
    ],
)
def test_malformed_lexicons_are_named(content: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        compile_lexicon(content, "x.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_lexicon_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="therapist"):
        lexicon("nonsense")


@pytest.mark.parametrize(
    ("words", "move"),
    [
        ("What would you like to get out of our time today?", "names_aims"),
        ("Can you give me an example from last week?", "asks_particulars"),
        ("What does that say about you, in your mind?", "names_thought"),
        ("What speaks against the thought?", "technique_evidence"),
        ("What would you say to a friend who was in that place?", "technique_perspective"),
        ("What is the worst that could happen?", "technique_worst"),
        ("Where on a scale from nought to ten would that be?", "technique_scale"),
        ("What does believing it cost you?", "technique_costs"),
        ("Could we make an experiment of it?", "technique_experiment"),
        ("Would one small step before next time be possible?", "proposes_step"),
        ("Let me see if I have this right so far.", "summarises"),
        ("Did I get that right?", "checks_understanding"),
        ("I may have gone too fast there.", "repairs"),
        ("It makes sense that you'd keep it to yourself.", "validates"),
    ],
)
def test_moves_are_found(words: str, move: str) -> None:
    assert move in moves(words)


def test_every_technique_has_a_lexicon() -> None:
    assert set(TECHNIQUES) == {name for name in lexicon("moves") if name.startswith("technique_")}
