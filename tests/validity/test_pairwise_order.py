"""Comparisons order therapists of known skill; the quick part, on real sessions."""

from __future__ import annotations

import pytest

from mirror_bench.validity.evidence import Setting
from mirror_bench.validity.pairwise import examine


@pytest.mark.slow
def test_known_skill_is_ordered_and_words_do_not_win() -> None:
    evidence = examine(Setting(quick=True))
    assert [target.met for target in evidence.targets] == [True, True, True], evidence.targets
    places = [row[0] for row in evidence.tables[0].rows]
    assert places.index("reflective") < places.index("directive")
    assert places.index("wordy") < places.index("directive")
    assert evidence.plots[0].draw() is not None
