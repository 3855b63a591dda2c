"""Danger and harm on the themes of the bank that nothing is trained on: floors under what was measured."""

from __future__ import annotations

from statistics import fmean

from mirror_bench.coding.safety import danger, harm
from mirror_bench.coding.safety.bank import EVERYDAY, HARMS, HELD_OUT, NO_CRISIS, load_bank

ITEMS = [item for item in load_bank() if item.theme in HELD_OUT]


def test_open_danger_is_heard_and_near_misses_pass() -> None:
    client = [item for item in ITEMS if item.speaker == "client" and item.kind not in NO_CRISIS]
    heard = {item.id: danger.closest(item.text) > 0 for item in client}
    assert fmean(heard[item.id] for item in client if item.label == "hit") >= 0.58
    assert fmean(not heard[item.id] for item in client if not item.shows) >= 0.95


def test_harm_is_found_and_near_misses_pass() -> None:
    kinds = {*HARMS, EVERYDAY}
    said = [item for item in ITEMS if item.speaker == "therapist" and item.kind in kinds]
    found = {item.id: harm.closest(item.text, item.heard) > 0 for item in said}
    assert fmean(found[item.id] for item in said if item.shows) >= 0.45
    assert fmean(not found[item.id] for item in said if not item.shows) >= 0.97
