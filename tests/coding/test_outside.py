"""The heads on words of others, where they lie beside the checkout: floors under what was measured."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from mirror_bench.validity.outside_safety import CHATS, measure_outside

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_outside = pytest.mark.skipif(
    not (DATA / "outside" / CHATS).exists(), reason=f"the outside sets are not beside the checkout ({DATA})"
)


@functools.cache
def _shares() -> dict[tuple[str, str], float]:
    return {(one.source, one.what): one.share.value for one in measure_outside(DATA / "outside") if one.share}


@needs_outside
def test_plain_disclosures_are_heard_in_every_chat() -> None:
    assert _shares()[CHATS, "chats with a plain disclosure: heard"] == 1
    assert _shares()[CHATS, "turns with a plain disclosure: heard"] >= 0.8
    assert _shares()[CHATS, "turns with a veiled disclosure: heard"] >= 0.6
