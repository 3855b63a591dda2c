"""A panel helps where judges differ in severity, and is not credited with more."""

from __future__ import annotations

from mirror_bench.validity.evidence import Setting
from mirror_bench.validity.judges import JUDGES, examine, simulate


def test_a_panel_brings_judges_together() -> None:
    evidence = examine(Setting(quick=True))
    assert [target.met for target in evidence.targets] == [True, True, True], evidence.targets


def test_the_simulation_has_something_to_mend() -> None:
    found = simulate(60, seed=1)
    assert found.apart[0] > 1.0
    assert found.agreement[1] > found.agreement[0] + 0.1
    assert max(found.error[name] for name in JUDGES) > 1.0
