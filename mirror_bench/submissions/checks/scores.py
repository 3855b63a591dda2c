"""Checks that the scores and the coverage are what the records come to, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mirror_bench.schema import Record
from mirror_bench.submissions.findings import Check, judged
from mirror_bench.submissions.recompute import coverage_of, summary_of
from mirror_bench.submissions.submission import Held


def check_scores(held: Held) -> Check:
    """Every figure of `summary.json` is computed anew."""
    submission = held.submission
    anew = summary_of(submission.header, submission.sessions, submission.ratings, submission.probes, held.due)
    figures, mine = _flat(_plain(anew)), _flat(_plain(submission.summary))
    missing = object()
    problems = [
        f"{key}: {mine.get(key, 'absent')} and anew {figures.get(key, 'absent')}"
        for key in dict.fromkeys((*figures, *mine))
        if _text(mine.get(key, missing)) != _text(figures.get(key, missing))
    ]
    count = sum(isinstance(value, int | float) for value in figures.values())
    return judged("scores", problems, f"{count} figures computed anew, all alike to the last digit")


def check_coverage(held: Held) -> Check:
    """What the manifest says was done is what was done; less than everything is no failure, and is told."""
    submission = held.submission
    anew = coverage_of(submission.header, held.data, submission.sessions, submission.ratings, held.due)
    said = submission.manifest.coverage
    mine, theirs = _plain(said), _plain(anew)
    problems = [
        f"{key}: the manifest says {mine[key]}, it is {theirs[key]}"
        for key in mine
        if mine[key] != theirs[key]
    ]
    text = (
        f"{'full' if anew.full else 'partial'}: {anew.profiles} of {anew.profiles_published} profiles, "
        f"{anew.due - anew.failed} of {anew.due} sessions, {anew.items_missing} item ratings without a score "
        "(items that do not apply have none)"
    )
    return judged("coverage", problems, text)


def _plain(record: Record) -> dict[str, Any]:
    value: dict[str, Any] = record.model_dump(mode="json")
    return value


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    return dict(_leaves(value, prefix))


def _leaves(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list) and value:
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in parts:
            yield from _leaves(part, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value


def _text(value: Any) -> str:
    """The value as it is written: 1 is not 1.0, and a NaN equals itself."""
    try:
        return json.dumps(value)
    except TypeError:
        return "absent"
