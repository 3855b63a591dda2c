"""Whoever tampers with a submission is found out, by the check that is there for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import tampered_papers  # noqa: F401 - each of the three adds its ways to TAMPERINGS
import tampered_scores  # noqa: F401
import tampered_sessions  # noqa: F401
from _pytest.mark import ParameterSet
from packed import Packed
from tampering import TAMPERINGS, Parts, Tampering, cover

from mirror_bench.submissions.archive import write_archive
from mirror_bench.submissions.findings import Verdict
from mirror_bench.submissions.verify import CHECKS, verify_file

TIMES = 124
"""How often something is tampered with: in every way once, then in some again, on the other kind of run."""


def cases() -> list[tuple[Tampering, str]]:
    """Every way with the kind of run that is tampered with, in an order drawn by a seed."""
    draw = Random(5)
    kinds = ("scripted", "model")
    first = [(way, way.kind or draw.choice(kinds)) for way in draw.sample(TAMPERINGS, len(TAMPERINGS))]
    again = [(way, "model" if kind == "scripted" else "scripted") for way, kind in first if not way.kind]
    return [*first, *again][:TIMES]


def sampled(found: list[tuple[Tampering, str]]) -> list[ParameterSet]:
    """The first case of every check for each test run, all others for the campaign."""
    seen: Counter[str] = Counter()
    made = []
    for number, (way, kind) in enumerate(found):
        seen[way.check] += 1
        marks = [] if seen[way.check] == 1 else [pytest.mark.campaign]
        made.append(pytest.param(number, way, kind, marks=marks, id=f"{way.check}: {way.name} ({kind})"))
    return made


def tampered(packed: Packed, way: Tampering, seed: int, file: Path) -> Verdict:
    members = packed.members()
    parts = Parts.of(members)
    way.change(parts, Random(seed))
    cover(parts, way.covers)
    changed = parts.members()
    assert changed != members, f"{way.name} changed nothing"
    write_archive(file, changed)
    return verify_file(file)


def test_taken_apart_and_put_together_again_a_submission_is_as_before(
    scripted: Packed, model: Packed, tmp_path: Path
) -> None:
    """Else what is found below would be the taking apart or the covering of tracks."""
    for packed in (scripted, model):
        parts = Parts.of(packed.members())
        cover(parts, "ratings")
        write_archive(tmp_path / "same.mirror.zip", parts.members())
        assert (tmp_path / "same.mirror.zip").read_bytes() == packed.file.read_bytes()


@pytest.mark.parametrize(("number", "way", "kind"), sampled(cases()))
def test_a_tampering_is_found(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    figure: Callable[[str, object], None],
    number: int,
    way: Tampering,
    kind: str,
) -> None:
    packed: Packed = request.getfixturevalue(kind)
    verdict = tampered(packed, way, number, tmp_path / "tampered.mirror.zip")
    assert [check.name for check in verdict.checks] == list(CHECKS)
    why = [check.reason for check in verdict.checks if check.status == "failed"]
    assert way.check in verdict.failed, f"{way.name}: found by {verdict.failed or 'nothing'}: {why}"
    figure("found by", ", ".join(verdict.failed))


def test_every_way_is_tried_and_known_to_a_check() -> None:
    assert {way.check for way in TAMPERINGS} <= set(CHECKS)
    assert len(TAMPERINGS) >= 60
    assert {way.name for way, _ in cases()} == {way.name for way in TAMPERINGS}
    assert len(cases()) == TIMES
