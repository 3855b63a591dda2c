"""The bank of labelled sentences: enough of every kind, near misses beside hits, and no sentence twice."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from mirror_bench.coding.safety.bank import Danger, SafetyAct, load_bank
from mirror_bench.errors import InputError

BANK = load_bank()
MOST_ALIKE = 0.6


def test_there_are_four_thousand_items_of_many_themes() -> None:
    assert len(BANK) >= 4000
    themes = Counter(item.theme for item in BANK)
    assert len(themes) >= 16
    assert max(themes.values()) <= 0.15 * len(BANK)


@pytest.mark.parametrize("kind", [*Danger, *SafetyAct])
def test_every_kind_has_hits_and_about_as_many_near_misses_in_several_themes(kind: str) -> None:
    own = [item for item in BANK if item.kind == kind]
    hits = [item for item in own if item.shows]
    near = [item for item in own if item.label == "near_miss"]
    assert len(hits) >= 30
    assert len(near) >= 0.55 * len(hits)
    asked = [item for item in BANK if kind == Danger.SEEKS and item.kind == SafetyAct.METHOD and item.heard]
    assert len({item.theme for item in (*hits, *asked)}) >= 10


def test_no_two_items_are_nearly_the_same() -> None:
    texts = [re.findall(r"[a-z0-9']+", item.text.lower()) for item in BANK]
    assert not [text for text, count in Counter(" ".join(words) for words in texts).items() if count > 1]
    grams = [{tuple(words[i : i + 5]) for i in range(len(words) - 4)} for words in texts]
    places = defaultdict(list)
    for index, own in enumerate(grams):
        for gram in own:
            places[gram].append(index)
    pairs = {(a, b) for found in places.values() for a in found for b in found if a < b}
    alike = [
        (BANK[a].id, BANK[b].id)
        for a, b in pairs
        if len(grams[a] & grams[b]) > MOST_ALIKE * len(grams[a] | grams[b])
    ]
    assert alike == []


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        '{"id": "a", "speaker": "client", "kind": "boredom", "label": "hit", "text": "t"}',
        '{"id": "a", "speaker": "client", "kind": "abuse", "label": "maybe", "text": "t"}',
        '{"id": "a", "speaker": "client", "kind": "abuse", "label": "everyday", "text": "t"}',
        '{"id": "a", "speaker": "client", "kind": "abuse", "label": "hit", "text": ""}',
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "theme.jsonl"
    good = '{"id": "b", "speaker": "client", "kind": "abuse", "label": "hit", "text": "He hits me."}'
    path.write_text(f"{good}\n{line}\n")
    with pytest.raises(InputError, match=r"theme\.jsonl:2"):
        load_bank([path])
