"""AnnoMI for the tests of raters, read from where it lies beside the checkout."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import pytest
from bare_session import bare_session

from mirror_bench.schema import Ending, FaceCondition, Session, Turn
from mirror_bench.stats.auc import auc
from mirror_bench.validity.annomi import ExpertTranscript, read_annomi

__all__ = ["PATH", "annomi", "auc", "needs_annomi", "session", "transcripts"]

PATH = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "annomi_dev.csv"

needs_annomi = pytest.mark.skipif(not PATH.exists(), reason=f"AnnoMI is not beside the checkout ({PATH})")


@functools.cache
def annomi() -> tuple[ExpertTranscript, ...]:
    return read_annomi(PATH)


def transcripts() -> list[tuple[Session, bool]]:
    return [(transcript.session(), transcript.high) for transcript in annomi()]


def session(turns: Sequence[Turn], name: str = "s", ended: Ending = Ending.TURN_LIMIT) -> Session:
    return bare_session(*turns, name=name, profile_id=name, condition=FaceCondition.NONE, ended=ended)
