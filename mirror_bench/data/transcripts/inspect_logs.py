"""Logs of inspect_ai: `.eval` files, which are zip archives of samples, and the older `.json` form."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mirror_bench.data.transcripts.base import Conversation, TranscriptReading
from mirror_bench.data.transcripts.messages import read_conversation
from mirror_bench.data.untrusted_input import parse_json, read_file
from mirror_bench.errors import InputError

_LARGEST_MEMBER = 256 * 2**20
_MOST_SAMPLES = 1_000_000
_ZSTANDARD = 93


def read_inspect(path: Path, reading: TranscriptReading) -> Iterator[Conversation]:
    """Yields the samples of a log; see `base.Reader`. The model under test is the therapist.

    Of an archive one sample is read at a time.
    """
    if path.is_dir():
        logs = sorted(file for file in path.rglob("*") if file.suffix in {".eval", ".json"})
        if not logs:
            raise InputError(f"{path}: holds no .eval file")
        for log in logs:
            yield from read_inspect(log, reading)
        return
    if not path.is_file():
        raise InputError(f"{path}: no such file; name a log of inspect_ai (.eval or .json)")
    if not zipfile.is_zipfile(path):
        yield from _json_log(path, reading)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _archive(archive, path, reading)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be read as a log of inspect_ai ({error}): write it anew") from None


def _archive(archive: zipfile.ZipFile, path: Path, reading: TranscriptReading) -> Iterator[Conversation]:
    infos = archive.infolist()
    if any(info.compress_type == _ZSTANDARD for info in infos):
        _learn_zstandard(path)
    header = next((info for info in infos if info.filename == "header.json"), None)
    model = _model(_member(archive, header, path, reading, 1)) if header else ""
    if header is None:
        reading.say(path.name, 1, "has no header.json: the run did not end; its samples are read")
    samples = [
        info for info in infos if info.filename.startswith("samples/") and info.filename.endswith(".json")
    ]
    if not samples:
        raise InputError(f"{path}: holds no samples: log them (inspect eval --log-samples)")
    for number, info in enumerate(samples[:_MOST_SAMPLES], start=1):
        sample = _member(archive, info, path, reading, number)
        if sample is not None and (held := _sample(sample, path.name, number, model, reading)) is not None:
            yield held


def _learn_zstandard(path: Path) -> None:
    try:
        import zipfile_zstd  # type: ignore[import-not-found, unused-ignore]  # noqa: F401
    except ImportError:
        raise InputError(
            f"{path}: is packed with zstandard: pip install zipfile-zstd, or write the log as .json "
            "(inspect log convert --to json)"
        ) from None


def _member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, reading: TranscriptReading, number: int
) -> dict[str, Any] | None:
    if info.file_size > _LARGEST_MEMBER:
        why = f"{info.filename[:80]} unpacks to more than {_LARGEST_MEMBER >> 20} MiB: left out"
        reading.say(path.name, number, why, lost=True)
        return None
    with archive.open(info) as member:
        content = member.read(_LARGEST_MEMBER + 1)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        reading.say(path.name, number, f"{info.filename[:80]} is not JSON ({error}): left out", lost=True)
        return None
    return value if isinstance(value, dict) else None


def _json_log(path: Path, reading: TranscriptReading) -> Iterator[Conversation]:
    try:
        log = parse_json(read_file(path, foreign=True).text)
    except InputError as error:
        raise InputError(f"{error}; expected is a log of inspect_ai (.eval or .json)") from None
    except ValueError as error:
        raise InputError(f"{path}: {error}: name a log of inspect_ai (.eval or .json)") from None
    samples = log.get("samples") if isinstance(log, dict) else None
    if not isinstance(samples, list) or not samples:
        raise InputError(f"{path}: holds no samples: name a log of inspect_ai (.eval or .json)")
    for number, sample in enumerate(samples, start=1):
        if (held := _sample(sample, path.name, number, _model(log), reading)) is not None:
            yield held


def _model(header: dict[str, Any] | None) -> str:
    told = (header or {}).get("eval")
    model = told.get("model") if isinstance(told, dict) else ""
    return model if isinstance(model, str) else ""


def _sample(
    sample: Any, source: str, number: int, model: str, reading: TranscriptReading
) -> Conversation | None:
    if not isinstance(sample, dict):
        reading.say(source, number, "is no sample: left out", lost=True)
        return None
    named = str(sample.get("id", number))
    epoch = sample.get("epoch", 1)
    metadata = sample.get("metadata")
    told: dict[str, Any] = {
        "messages": sample.get("messages"),
        "id": named if epoch in (1, None) else f"{named}-epoch-{epoch}",
        "metadata": metadata if isinstance(metadata, dict) else {},
    }
    person = next(
        (told["metadata"][key] for key in ("profile", "persona", "client") if told["metadata"].get(key)), None
    )
    held = read_conversation(told, source, number, reading)
    return None if held is None else held._replace(therapist=model, person=person or named)
