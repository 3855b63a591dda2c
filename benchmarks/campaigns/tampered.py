"""One value of a submission changed at random, its manifest made to fit: `verify` must find it.

The submission is a scripted therapist's, of which everything can be made anew. What is free to declare, or
was only noted, stands in `_FREE`.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

from benchmarks.campaigns.base import Outcome
from benchmarks.campaigns.small_run import packed_run
from mirror_bench.errors import InputError
from mirror_bench.submissions.archive import MANIFEST, write_archive
from mirror_bench.submissions.pack import files_of
from mirror_bench.submissions.verify import verify_file

_FREE = re.compile(r"run\.json: (environment\..*|protocol\.title)")
"""Where nothing can be told from what was handed in, and nothing follows from it."""
_ODD: tuple[Any, ...] = (None, "", 0, -1, 1, 2.5, True, [], {}, "x", 10**6)


class Tampered:
    """Case `number` changes one value of one record."""

    name = "tampered"

    def case(self, seed: int, number: int, place: Path) -> Outcome:
        """See `Campaign`."""
        chance = random.Random(f"{seed} {number}")
        members = dict(packed_run())
        name = chance.choice(sorted(members.keys() - {MANIFEST}))
        lines = members[name].splitlines() if name.endswith("l") else [members[name]]
        line = chance.randrange(len(lines))
        while True:
            record = json.loads(lines[line])
            where = _change(record, chance)
            if record != json.loads(lines[line]) and not _FREE.fullmatch(f"{name}: {where}"):
                break
        lines[line] = json.dumps(record, ensure_ascii=False).encode()
        members[name] = b"".join(each + b"\n" for each in lines)
        manifest = json.loads(members[MANIFEST])
        manifest["files"] = {key: file.model_dump() for key, file in files_of(members).items()}
        members[MANIFEST] = json.dumps(manifest).encode()
        path = place / "tampered.mirror.zip"
        write_archive(path, members)
        try:
            verdict = verify_file(path)
        except InputError:
            return Outcome(name, "cannot be read")
        if verdict.failed:
            return Outcome(name, "found")
        return Outcome(name, "not found", f"line {line + 1}: {where} was changed, and no check says so")


def _change(record: Any, chance: random.Random) -> str:
    """Changes one value somewhere below a record; returns where it stands."""
    path: list[str] = []
    while True:
        key = chance.choice(sorted(record) if isinstance(record, dict) else range(len(record)))
        path.append(str(key))
        below = record[key]
        if isinstance(below, dict | list) and below and chance.random() < 0.9:
            record = below
            continue
        record[key] = _other(below, chance)
        return ".".join(path)


def _other(value: Any, chance: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.choice((-1, 1, 2))
    if isinstance(value, float):
        return round(value + chance.choice((-0.1, 0.01, 1.0)), 4)
    if isinstance(value, str) and value and chance.random() < 0.7:
        place = chance.randrange(len(value))
        return value[:place] + chance.choice("abc xyz019.") + value[place + 1 :]
    return chance.choice(_ODD)
