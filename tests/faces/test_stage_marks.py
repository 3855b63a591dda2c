from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.faces.directions.marks import part_directions


@pytest.mark.parametrize(
    ("text", "words", "directions"),
    [
        ("[Sighs] I don't see it. [Looks away]", "I don't see it.", ("Sighs", "Looks away")),
        (
            "*looks down, jaw tight* (voice shaking) I am fine.",
            "I am fine.",
            ("looks down, jaw tight", "voice shaking"),
        ),
        ("**looks down** Fine.", "Fine.", ("looks down",)),
        ("_shrugs_ Whatever.", "Whatever.", ("shrugs",)),
        ("*bites lip* _voice low_ No.", "No.", ("bites lip", "voice low")),
        ("【looks down】 Fine.", "Fine.", ("looks down",)),
        ("<looks away> Fine.", "Fine.", ("looks away",)),
        ("<i>looks down</i> Fine.", "Fine.", ("looks down",)),
        ("<action>sips tea</action><speech>Fine.</speech>", "Fine.", ("sips tea",)),
        ("{looks down} Fine.", "Fine.", ("looks down",)),
        ("（looks down）Fine.", "Fine.", ("looks down",)),
        ("— looks away — Fine.", "Fine.", ("looks away",)),
        ("-- looks away -- Fine.", "Fine.", ("looks away",)),
        ("— Looks down, jaw tight\nFine.", "Fine.", ("Looks down, jaw tight",)),
        ("Action: arms crossed\nSpeech: Fine.", "Fine.", ("arms crossed",)),
        ("*looks down\nFine.", "Fine.", ("looks down",)),
        ("(She looks away.) Fine.", "Fine.", ("She looks away.",)),
        ("*My hands are shaking.* Fine.", "Fine.", ("My hands are shaking.",)),
        ("*tugs at a sleeve* Fine.", "Fine.", ("tugs at a sleeve",)),
        ("*says nothing*", "", ("says nothing",)),
        ("(long pause) Fine.", "Fine.", ("long pause",)),
        ("Fine. (small laugh)", "Fine.", ("small laugh",)),
        # Stress and asides are speech.
        ("It is *really* hard.", "It is really hard.", ()),
        ("*No*, I won't.", "No, I won't.", ()),
        ("*I'm fine, really.*", "I'm fine, really.", ()),
        ("I'm fine (I guess).", "I'm fine (I guess).", ()),
        ("(again) and (my brother) too", "(again) and (my brother) too", ()),
        ("I was — I don't know — tired.", "I was — I don't know — tired.", ()),
        ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name", ()),
        ("I <3 it", "I <3 it", ()),
    ],
)
def test_directions_are_parted_from_words(text: str, words: str, directions: tuple[str, ...]) -> None:
    parted = part_directions(text)
    assert " ".join(parted.words.split()) == words
    assert parted.directions == directions


@given(st.text(alphabet="[]()*_<>{}—-~:\n aIlooks down", max_size=200))
def test_any_turn_is_parted(text: str) -> None:
    parted = part_directions(text)
    assert not any(mark in one for one in parted.directions for mark in "[]{}<>*")
