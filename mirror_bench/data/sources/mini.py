"""MIRROR-Mini, the packaged set, and any folder of the same form."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mirror_bench.content import content_path, read_yaml
from mirror_bench.data.base import DataSet, Problem
from mirror_bench.data.checks.canary import without_notice
from mirror_bench.data.screenplays.parser import parse_screenplay
from mirror_bench.data.screenplays.records import (
    AVOIDS,
    WANTS,
    Line,
    Moment,
)
from mirror_bench.data.sources.personal_info import read_resistance
from mirror_bench.data.sources.record_collector import Gathering
from mirror_bench.data.sources.voices import read_voice
from mirror_bench.data.untrusted_input import MAX_RECORDS, cell, identifier, parse_json, read_file
from mirror_bench.errors import InputError
from mirror_bench.schema import (
    Profile,
    Speaker,
)

_INDEX_FIELDS = {"profile", "resistance", "technique", "ended", "moments"}


def load_mini(argument: str = "") -> DataSet:
    """Loads MIRROR-Mini.

    Args:
        argument: A folder of the same form in place of the packaged one: `profiles.jsonl` (one
            `schema.Profile` a line, which may have a `canary` besides), `voices/<profile id>.yaml` where
            a profile has one, and optionally `screenplays/index.yaml` (screenplay id -> profile, resistance,
            technique, ended, moments) with `screenplays/<id>.txt`.

    Raises:
        InputError: If there is no such folder, or no usable profile in it.
    """
    if argument:
        return _load(Path(argument), f"mini:{argument}")
    folder = content_path("mini")
    return _load_packaged(folder, tuple((file, file.stat().st_mtime_ns) for file in _files(folder)))


@functools.lru_cache(maxsize=2)
def _load_packaged(folder: Path, state: tuple[tuple[Path, int], ...]) -> DataSet:
    """Reads the packaged set once in a process, and again where one of its files (`state`) has changed."""
    return _load(folder, "mini")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _load(folder: Path, name: str) -> DataSet:
    gathering = Gathering()
    profiles = _read_profiles(folder / "profiles.jsonl", gathering)
    if not profiles:
        raise InputError(f"{folder / 'profiles.jsonl'}: holds no usable profile{_first(gathering)}")
    index = folder / "screenplays" / "index.yaml"
    if index.exists():
        _read_screenplays(index, profiles, gathering)
    return gathering.finish(name)


def _read_profiles(path: Path, gathering: Gathering) -> dict[str, Profile]:
    content = read_file(path)
    gathering.problems(content.problems)
    profiles: dict[str, Profile] = {}
    for number, row in enumerate(content.text.split("\n")[:MAX_RECORDS], start=1):
        if not row.strip():
            continue
        try:
            record = parse_json(row)
            if isinstance(record, dict):
                record.pop("canary", None)
            profile = Profile.model_validate(record)
        except ValidationError as error:
            gathering.problem(path.name, number, f"is not a profile: {validation_message(error)}")
            continue
        except (ValueError, RecursionError) as error:
            gathering.problem(path.name, number, str(error) or "nests too deeply")
            continue
        if not profile.id or profile.id != identifier(profile.id):
            gathering.problem(path.name, number, f"the id {profile.id[:60]!r} must be of A-Z a-z 0-9 . _ -")
        elif profile.id in profiles:
            gathering.problem(
                path.name, number, f"the id {profile.id!r} stands twice: the first one was kept"
            )
        else:
            profiles[profile.id] = profile = _voiced(profile, path.parent / "voices", gathering)
            gathering.profile(profile, path.name, number)
    return profiles


def _voiced(profile: Profile, folder: Path, gathering: Gathering) -> Profile:
    """Returns the profile with its own lines, where the folder has some."""
    path = folder / f"{profile.id}.yaml"
    if not path.exists():
        return profile
    try:
        return profile.model_copy(update={"voice": read_voice(path)})
    except InputError as error:
        gathering.problem(path.name, 1, str(error))
        return profile


def _read_screenplays(index: Path, profiles: dict[str, Profile], gathering: Gathering) -> None:
    read_file(index)  # bounds the size before it is parsed
    try:
        entries = read_yaml(index)
    except Exception as error:  # PyYAML's constructors let through whatever a value breaks in them
        reason = (str(error).splitlines() or [type(error).__name__])[0][:300]
        gathering.problem(index.name, 1, f"no screenplay was read: {reason}")
        return
    for number, (key, entry) in enumerate(entries.items(), start=1):
        problem = _check_entry(key, entry, profiles)
        if problem:
            gathering.problem(index.name, number, problem)
            continue
        try:
            content = read_file(index.parent / f"{key}.txt")
        except InputError as error:
            gathering.problem(index.name, number, str(error))
            continue
        profile = profiles[cell(entry["profile"])]
        resistance = read_resistance(cell(entry.get("resistance"))) or profile.resistance
        parsed = parse_screenplay(
            without_notice(content.text),
            id=str(key),
            profile_id=profile.id,
            resistance=resistance,
            client_names=(profile.name,),
            source=f"{key}.txt",
        )
        gathering.problems(content.problems + parsed.problems)
        try:
            moments = _moments(entry.get("moments"), parsed.screenplay.lines)
        except ValueError as error:
            gathering.problem(index.name, number, f"{key}: moments: {error}")
            moments = ()
        update = {
            "technique": cell(entry.get("technique")),
            "ended": cell(entry.get("ended")),
            "split": profile.split,
            "moments": moments,
        }
        gathering.screenplay(parsed.screenplay.model_copy(update=update), index.name, number)


def _check_entry(key: object, entry: Any, profiles: dict[str, Profile]) -> str:
    """Returns what is wrong with one entry of the index, or ""."""
    if not isinstance(key, str) or key != identifier(key):
        return f"the screenplay id {cell(key)[:60]!r} must be of A-Z a-z 0-9 . _ -"
    if not isinstance(entry, dict) or not entry.keys() <= _INDEX_FIELDS:
        return f"{key}: must be a mapping of {', '.join(sorted(_INDEX_FIELDS))}"
    if cell(entry.get("profile")) not in profiles:
        return f"{key}: there is no profile {cell(entry.get('profile'))[:60]!r}"
    return ""


def _moments(value: Any, lines: Sequence[Line]) -> tuple[Moment, ...]:
    """Returns the annotated lines of a screenplay; a ValueError says what is wrong with them."""
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise ValueError("must be a mapping of line numbers to what the next turn wants and avoids")
    moments = []
    for number, fields in value.items():
        try:
            moment = Moment.model_validate({**fields, "number": number})
        except (TypeError, ValidationError) as error:
            reason = validation_message(error) if isinstance(error, ValidationError) else "must be a mapping"
            raise ValueError(f"{cell(number)[:20]}: {reason}") from None
        if moment.number > len(lines) or lines[moment.number - 1].speaker is not Speaker.CLIENT:
            raise ValueError(f"{moment.number}: is not the number of a client's line")
        if unknown := [*(set(moment.wants) - set(WANTS)), *(set(moment.avoids) - set(AVOIDS))]:
            known = f"{', '.join(WANTS)} (wants), {', '.join(AVOIDS)} (avoids)"
            raise ValueError(f"{moment.number}: {unknown[0][:40]!r} is none of {known}")
        moments.append(moment)
    return tuple(sorted(moments, key=lambda moment: moment.number))


def validation_message(error: ValidationError) -> str:
    """Returns the first complaint of pydantic's in one line."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place[:80] or 'the record'}: {first['msg']}".replace("\n", " ")


def _first(gathering: Gathering) -> str:
    problems: tuple[Problem, ...] = gathering.finish("").problems
    return f" (line {problems[0].line}: {problems[0].message})" if problems else ""
