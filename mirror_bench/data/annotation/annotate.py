"""Completes the official files: one row per client, with sources, conflicts, scenario ids and splits."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.data.annotation.asking import ask_unsure
from mirror_bench.data.annotation.records import AnnotatedClient, Conflict
from mirror_bench.data.annotation.rules import read_client
from mirror_bench.data.base import DataSet
from mirror_bench.data.checks.splits import render_splits, splits_of
from mirror_bench.data.screenplays.records import Screenplay
from mirror_bench.data.sources.llava_samples import is_sample, sample_fields
from mirror_bench.data.sources.mirror import OfficialRow, load_mirror
from mirror_bench.data.untrusted_input import cell
from mirror_bench.errors import InputError
from mirror_bench.files import make_folder, write_atomically
from mirror_bench.schema import Profile, Scenario, Speaker

ROWS, ABOUT = "mirror.jsonl", "about"
"""The completed rows, which `mirror:FOLDER` reads, and the folder of what is said about them."""
MEMORY = "calls.sqlite"
_CACTUS = re.compile(r"cactus-(\d+)\b")


class Annotated(NamedTuple):
    """MIRROR's official files with every client's fields filled in, as far as the text tells them.

    Attributes:
        data: What the loader makes of them.
        clients: One per profile, in its order.
        records: The official columns of each.
    """

    data: DataSet
    clients: tuple[AnnotatedClient, ...]
    records: tuple[Mapping[str, Any], ...]

    @property
    def conflicts(self) -> list[Conflict]:
        """All conflicts, those between the splits last."""
        return [conflict for client in self.clients for conflict in client.conflicts] + _across_splits(self)


def read_annotated(argument: str) -> Annotated:
    """Returns the official files as rules read them; `argument` and errors as for `load_mirror`."""
    rows: defaultdict[str, list[OfficialRow]] = defaultdict(list)
    data = load_mirror(argument, lambda row: rows[row.profile_id].append(row))
    plays = _longest(data)
    clients, records = [], []
    for profile in data.profiles:
        first = rows[profile.id][0]
        record = _columns(rows[profile.id])
        clients.append(read_client(record, profile, plays.get(profile.id), first.source, first.number))
        records.append(record)
    return Annotated(data, tuple(clients), tuple(records))


def annotate(
    argument: str,
    out: Path,
    *,
    model: str = "",
    concurrency: int = 16,
    tick: Callable[[int], None] = lambda due: None,
) -> Annotated:
    """Completes the official files and writes them to a folder; the same command again goes on.

    Args:
        argument: As for `load_mirror`.
        out: The folder: `mirror.jsonl`, and `about/` with conflicts, scenarios, splits and a summary.
        model: Asked where rules are unsure; none where empty.
        concurrency: Questions to the model at a time.
        tick: Called after each question with how many there are.

    Raises:
        InputError: If nothing usable is there, the folder holds something else, or the model cannot be used.
    """
    about = out / ABOUT
    if out.exists() and not (about.is_dir() or (out.is_dir() and not any(out.iterdir()))):
        raise InputError(f"--out {out}: exists and was not written by data annotate: name a new folder")
    annotated = read_annotated(argument)
    make_folder(about)
    if model:
        asking = ask_unsure(
            annotated.clients, annotated.records, model, about / MEMORY, concurrency=concurrency, tick=tick
        )
        settled = asyncio.run(asking)
        annotated = annotated._replace(clients=tuple(settled))
    _write(annotated, out)
    return annotated


def summarize(annotated: Annotated) -> dict[str, Any]:
    """Returns what was read of how many clients: by rule, by model, unsure, missing; conflicts and splits."""
    counts: dict[str, Counter[str]] = {}
    for client in annotated.clients:
        for reading in client.fields:
            kind = reading.by if reading.value and reading.sure else "unsure" if reading.value else "missing"
            counts.setdefault(reading.field, Counter(rule=0, model=0, unsure=0, missing=0))[kind] += 1
    conflicts = annotated.conflicts
    return {
        "source": annotated.data.name,
        "profiles": len(annotated.data.profiles),
        "screenplays": len(annotated.data.screenplays),
        "fields": {field: dict(counted) for field, counted in counts.items()},
        "face_references": sum(bool(client.face_reference) for client in annotated.clients),
        "conflicts": dict(Counter(conflict.field for conflict in conflicts)),
        "settled": sum(conflict.settled for conflict in conflicts),
        "unanswered": sum(bool(client.unanswered) for client in annotated.clients),
        "splits": {name: split.profiles for name, split in splits_of(annotated.data).items()},
        "digest": annotated.data.digest,
        "problems": [problem._asdict() for problem in annotated.data.problems],
    }


def _write(annotated: Annotated, out: Path) -> None:
    plays = _longest(annotated.data)
    rows, scenarios = [], []
    for profile, client, record in zip(
        annotated.data.profiles, annotated.clients, annotated.records, strict=True
    ):
        row = _row(profile, client, record, plays.get(profile.id))
        rows.append(row)
        kept = ("scenario_id", "idx", "resistance", "split", "celeba_idx")
        scenarios.append({key: row[key] for key in kept})
    about = out / ABOUT
    write_atomically(about / "scenarios.jsonl", _lines(scenarios))
    write_atomically(
        about / "conflicts.jsonl", _lines([conflict.model_dump() for conflict in annotated.conflicts])
    )
    write_atomically(about / "splits.yaml", render_splits(splits_of(annotated.data)).encode())
    summary = json.dumps(summarize(annotated), ensure_ascii=False, indent=1)
    write_atomically(about / "summary.json", f"{summary}\n".encode())
    write_atomically(out / ROWS, _lines(rows))  # last: where it stands, all is there


def _lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _row(
    profile: Profile, client: AnnotatedClient, record: Mapping[str, Any], play: Screenplay | None
) -> dict[str, Any]:
    """Returns the official columns of one client, complete; no image and no path to one is among them."""
    age = client.reading("age").value
    row: dict[str, Any] = {
        "idx": profile.id,
        "model": cell(record.get("model")),
        "personal_info": profile.about,
        "personality": profile.personality,
        "distorted_thought": profile.distorted_thought,
        "thinking_trap": list(profile.thinking_traps),
        "reason_for_seeking_counseling": profile.reason_for_seeking,
        "cbt_technique": play.technique if play else "",
        "cbt_plan": profile.cbt_plan,
        "name": client.reading("name").value,
        "age": int(age) if age else None,
        "gender": client.reading("gender").value,
        **{field: client.reading(field).value for field in ("occupation", "education")},
        **{field: client.reading(field).value for field in ("marital_status", "family")},
        "resistance": f"{'no' if profile.resistance == 'none' else profile.resistance.value} resistance",
        "split": profile.split,
        "scenario_id": Scenario(profile=profile, resistance=profile.resistance).id,
        "celeba_idx": client.face_reference,
    }
    if play is not None:
        row["dialogue"] = cell(record.get("dialogue"))
        row["proc_dialogue"] = [
            {
                "speaker": line.speaker.capitalize(),
                "stage_direction": list(line.directions),
                "statement": line.words,
            }
            for line in play.lines
        ]
        row["turn"] = sum(line.speaker is Speaker.CLIENT for line in play.lines)
    row["annotation"] = {
        "file": client.file,
        "place": client.place,
        "fields": {
            reading.field: reading.model_dump(mode="json", exclude={"field", "value"})
            for reading in client.fields
        },
    }
    return row


def _columns(rows: Sequence[OfficialRow]) -> dict[str, Any]:
    """Returns the columns of the rows of one client, of several values the first."""
    record: dict[str, Any] = {}
    for row in rows:
        columns = sample_fields(row.record) if is_sample(row.record) else row.record
        for key, value in columns.items():
            if record.get(str(key).strip().lower()) in (None, ""):
                record[str(key).strip().lower()] = value
    return record


def _longest(data: DataSet) -> dict[str, Screenplay]:
    """Returns each client's screenplay; of the pieces that training samples hold, the longest."""
    longest: dict[str, Screenplay] = {}
    for play in data.screenplays:
        known = longest.get(play.profile_id)
        if known is None or len(play.lines) > len(known.lines):
            longest[play.profile_id] = play
    return longest


def _across_splits(annotated: Annotated) -> list[Conflict]:
    """Returns a conflict for every test client whose Cactus intake is a train client's, too."""
    trained = {
        match[1]: profile.id
        for profile in annotated.data.profiles
        if profile.split == "train" and (match := _CACTUS.search(profile.id))
    }
    conflicts = []
    for profile, client in zip(annotated.data.profiles, annotated.clients, strict=True):
        match = _CACTUS.search(profile.id)
        if profile.split == "test" and match and match[1] in trained:
            other = trained[match[1]]
            conflicts.append(
                Conflict(
                    profile_id=profile.id,
                    file=client.file,
                    place=client.place,
                    field="split",
                    kept="test",
                    against="train",
                    message=f"the Cactus intake {match[1]} stands in test, and in train as {other}",
                )
            )
    return conflicts
