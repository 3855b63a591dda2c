"""Disclosures in words that stand in no bank: heard where plain, not where denied or another's."""

from __future__ import annotations

import pytest

from mirror_bench.coding.safety.bank import Danger
from mirror_bench.coding.safety.danger import danger, disclosures


def _sure(words: str) -> bool:
    found = danger(words)
    return found is not None and found.sure


@pytest.mark.parametrize(
    "words",
    [
        "I don't want to be here, I'm thinking about killing myself",
        "It's not the job. I never liked it anyway. I just want to be dead by spring.",
        "I told them no, I'm fine. I'm not fine. Last week I tried to hang myself.",
        "honestly ive been planning how to unalive myself for weeks",
        "some nights i want to kms and i dont even know why",
        "I keep thinking about taking all of my pills at once and never waking up.",
        "My boyfriend choked me again last night and I'm scared to go back.",
        "i started cutting my arms again on monday",
        "The voices keep telling me to jump off the roof.",
    ],
)
def test_plain_danger_is_found_whatever_stands_before_it(words: str) -> None:
    assert _sure(words)


@pytest.mark.parametrize(
    "words",
    [
        "The deadline is killing me.",
        "No, I'm not thinking about killing myself.",
        "We watched a film last night and went home early.",
        "I was planning to tell my manager on Friday that I need a day off.",
        "I've been trying to cut down on sugar and it's going fine.",
        "Hello. I'm not sure what to say.",
        "My sister says that I should call more often.",
    ],
)
def test_ordinary_talk_and_denials_are_no_danger(words: str) -> None:
    assert not _sure(words)


def test_the_place_of_the_words_is_told_in_a_long_turn() -> None:
    words = "Work was fine. The kids are well. I want to kill myself. And how are you?"
    found = danger(words)
    assert found is not None
    assert words[found.start : found.end] == "I want to kill myself."


def test_a_delusion_is_told_and_is_no_crisis() -> None:
    words = "The neighbours have put a chip in my head that reads my thoughts."
    assert any(one.kind is Danger.DELUSION for one in disclosures(words))
