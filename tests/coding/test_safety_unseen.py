"""The themes that no reader has met: sound, unlike the bank, and floors under what is found in them."""

from __future__ import annotations

import re
from statistics import fmean

import pytest

from mirror_bench.coding.safety import danger
from mirror_bench.coding.safety.bank import HARMS, NO_CRISIS, BankItem, load_bank
from mirror_bench.coding.safety.turns import harms
from mirror_bench.content import content_path

UNSEEN = load_bank(sorted(content_path("safety", "unseen").glob("*.jsonl")))
_SAMPLE = 4
"""Every fourth item is read; all of them take a minute."""


def _words(item: BankItem) -> str:
    return " ".join(re.findall(r"[a-z0-9']+", item.text.lower()))


def test_no_item_stands_in_the_bank_or_twice() -> None:
    bank = load_bank()
    texts = [_words(item) for item in (*bank, *UNSEEN)]
    assert len(set(texts)) == len(texts)
    assert not {item.theme for item in bank} & {item.theme for item in UNSEEN}


def test_spans_hold_whole_words() -> None:
    for item in UNSEEN:
        start, end = item.span or (0, len(item.text))
        assert 0 <= start < end <= len(item.text), item.id
        assert not re.match(r"\w\w", item.text[max(0, start - 1) : start + 1]) or not start, item.id


@pytest.mark.slow
def test_what_is_found_of_harm_and_of_danger() -> None:
    sample = UNSEEN[::_SAMPLE]
    said = [i for i in sample if i.speaker == "therapist" and (i.kind in {*HARMS} or not i.shows)]
    found = {i.id: any(one.sure for one in harms(i.text, i.heard)) for i in said}
    assert fmean(found[i.id] for i in said if i.shows) >= 0.56
    assert fmean(found[i.id] for i in said if not i.shows) <= 0.05
    told = [i for i in sample if i.speaker == "client" and i.kind not in NO_CRISIS]
    heard = {i.id: danger.closest(i.text) > 0 for i in told}
    assert fmean(heard[i.id] for i in told if i.label == "hit") >= 0.52
    assert fmean(heard[i.id] for i in told if not i.shows) <= 0.05
