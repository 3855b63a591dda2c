"""Whoever tampers with a submission is found out, by the check that is there for it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from packed import Packed
from tampering import TAMPERINGS, Parts, Tampering, cover

from mirror_bench.submissions.archive import write_archive
from mirror_bench.submissions.findings import Verdict
from mirror_bench.submissions.verify import CHECKS, verify_file

TIMES = 120
"""How often something is tampered with: in every way once, then in some again, on the other kind of run."""


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


@pytest.mark.slow
def test_every_tampering_is_found(scripted: Packed, model: Packed, tmp_path: Path) -> None:
    runs = {"scripted": scripted, "model": model}
    draw = Random(5)
    first = [(way, way.kind or draw.choice(list(runs))) for way in draw.sample(TAMPERINGS, len(TAMPERINGS))]
    order = first + [
        (way, "model" if kind == "scripted" else "scripted") for way, kind in first if not way.kind
    ]
    assert len(TAMPERINGS) < TIMES <= len(order)
    found: Counter[str] = Counter()
    missed = []
    table = {}
    for number, (way, kind) in enumerate(order[:TIMES]):
        verdict = tampered(runs[kind], way, number, tmp_path / "tampered.mirror.zip")
        assert [check.name for check in verdict.checks] == list(CHECKS)
        if way.check not in verdict.failed:
            missed.append(f"{way.name} ({kind}, {number}): found by {verdict.failed or 'nothing'}")
        found.update(verdict.failed)
        table[f"{way.name} ({kind})"] = ", ".join(verdict.failed)
    for name, checks in sorted(table.items()):
        print(f"{name}: {checks}")
    print("tamperings found, by check:", dict(found.most_common()))
    assert not missed, "\n".join(missed)


def test_every_way_is_known_to_a_check() -> None:
    assert {way.check for way in TAMPERINGS} <= set(CHECKS)
    assert len(TAMPERINGS) >= 60
