"""Work spread over processes: results in order, none lost with a process."""

from __future__ import annotations

import os

import pytest

from mirror_bench.processors import spread


def test_results_stand_in_order_and_a_lost_process_costs_none() -> None:
    with spread(abs, [-3, -1, -2], workers=2, worth=1) as results:
        assert results() == [3, 1, 2]
    with spread(_mortal, [os.getpid()] * 3, workers=2, worth=1) as results:
        assert results() == [1, 1, 1]
    with pytest.raises(ZeroDivisionError), spread(_inverse, [1, 0], workers=2, worth=1) as results:
        results()


def _mortal(survivor: int) -> int:
    if os.getpid() != survivor:
        os._exit(1)
    return 1


def _inverse(number: int) -> float:
    return 1 / number
