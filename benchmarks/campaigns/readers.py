"""Every reader of files that strangers write, with a sound file of its kind to spoil."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.volume import SUBMISSIONS, write_run
from mirror_bench.content import content_path

Read = Callable[[Path], object]

_TALK = (("Therapist", "What brings you here?"), ("Client", "[Shrugs] The rota, mostly."))
_INTAKE = (
    "Name:\nAna Ruiz\nAge:\n31\nGender:\nFemale\nOccupation: Nurse\n\n"
    "2. Presenting Problem\nI sleep three hours.\n"
)
_RAW = "\n".join(f"{who}: {words}" for who, words in _TALK * 2)


class Reader(NamedTuple):
    """One kind of file.

    Attributes:
        files: Name -> sound content; one of them is spoilt.
        read: Reads the folder in which they lie; raises InputError for what it cannot use.
        spoilt: Names that may be spoilt; all where empty.
    """

    files: Mapping[str, bytes]
    read: Read
    spoilt: tuple[str, ...] = ()


@cache
def readers() -> Mapping[str, Reader]:
    """Returns every reader by its name."""
    chats = [
        {
            "id": str(n),
            "messages": [{"role": r, "content": w} for r, w in (("user", "Hi."), ("assistant", "Yes?"))],
        }
        for n in range(3)
    ]
    return {
        "mirror csv": Reader({"m.csv": _mirror_csv()}, _source("mirror", "m.csv")),
        "mirror json": Reader({"m.json": json.dumps(_mirror()).encode()}, _source("mirror", "m.json")),
        "cactus json": Reader({"c.json": json.dumps(_cactus()).encode()}, _source("cactus", "c.json")),
        "cactus lines": Reader({"c.jsonl": _lines(_cactus())}, _source("cactus", "c.jsonl")),
        "mini folder": Reader(_mini(), _source("mini", "")),
        "patienthub people": Reader(
            {"p.json": json.dumps(_people()).encode()}, _source("patienthub", "p.json")
        ),
        "vera folder": Reader(
            {"manifest.json": b'{"personas": ["personas.tsv"]}', "personas.tsv": _vera()}, _source("vera", "")
        ),
        "mindeval people": Reader({"p.jsonl": _lines(_members())}, _source("mindeval", "p.jsonl")),
        "messages": Reader({"t.jsonl": _lines(chats)}, _transcript("messages", "t.jsonl")),
        "messages list": Reader({"t.json": json.dumps(chats).encode()}, _transcript("messages", "t.json")),
        "csv transcript": Reader({"t.csv": _table()}, _transcript("csv", "t.csv")),
        "text transcript": Reader({"t.txt": _RAW.encode()}, _transcript("text", "t.txt")),
        "patienthub transcript": Reader(
            {"t.json": json.dumps(chats).encode()}, _transcript("patienthub", "t.json")
        ),
        "mindeval transcript": Reader({"t.jsonl": _lines(chats)}, _transcript("mindeval", "t.jsonl")),
        "inspect log": Reader({"l.eval": _inspect_zip()}, _transcript("inspect", "l.eval")),
        "inspect json": Reader({"l.json": _inspect_json()}, _transcript("inspect", "l.json")),
        "protocol yaml": Reader(
            {"p.yaml": content_path("protocols", "offline.yaml").read_bytes()}, _protocol
        ),
        "instrument yaml": Reader(
            {"i.yaml": content_path("instruments", "wai.yaml").read_bytes()}, _instrument
        ),
        "face set": Reader(_face_set(), _faces),
        "submission": Reader({"s.mirror.zip": _submission()}, _verify),
        "run folder": Reader(_run(), _summary),
        "run header": Reader(_run(), _summary, ("run.json",)),
        "memory of answers": Reader({"calls.sqlite": _memo()}, _answers),
    }


def _source(name: str, file: str) -> Read:
    def read(place: Path) -> object:
        from mirror_bench.data.sources.registry import load_data

        return load_data(f"{name}:{place / file if file else place}")

    return read


def _transcript(name: str, file: str) -> Read:
    def read(place: Path) -> object:
        from mirror_bench.data.transcripts.base import TranscriptReading
        from mirror_bench.data.transcripts.registry import TRANSCRIPTS

        return list(TRANSCRIPTS.get(name)(place / file, TranscriptReading(lambda problem: None)))

    return read


def _protocol(place: Path) -> object:
    from mirror_bench.protocol import load_protocol

    return load_protocol(str(place / "p.yaml"))


def _instrument(place: Path) -> object:
    from mirror_bench.raters.instruments import load_instrument

    return load_instrument(str(place / "i.yaml"))


def _faces(place: Path) -> object:
    from mirror_bench.faces.facs.expressions import EXPRESSIONS
    from mirror_bench.faces.identity import random_identity
    from mirror_bench.faces.sets.source import SetFaces

    return SetFaces(str(place)).render(random_identity(1), EXPRESSIONS["anger"])


def _verify(place: Path) -> object:
    from mirror_bench.submissions.archive import MANIFEST, read_archive
    from mirror_bench.submissions.submission import read_manifest, read_submission

    opened = read_archive(place / "s.mirror.zip")
    if not opened.members:
        return opened.problems
    manifest = read_manifest(opened.members[MANIFEST])
    return manifest if isinstance(manifest, str) else read_submission(opened.members, manifest)


def _summary(place: Path) -> object:
    from mirror_bench.analysis.run_summary import gather_run
    from mirror_bench.sessions.run_header import read_header

    return read_header(place), gather_run(place)


def _answers(place: Path) -> object:
    from mirror_bench.engines.memo import Memo

    memo = Memo(place / "calls.sqlite")
    try:
        return len(memo), memo.usage(), memo.find(b"k" * 32)
    finally:
        memo.close()


def _mirror() -> list[dict[str, Any]]:
    return [
        {
            "idx": f"cactus-{number}-emotional-resistance",
            "model": "some-model",
            "personal_info": "Ana Ruiz is a 31-year-old female working as a night nurse.",
            "personality": "- Emotional Resistance: keeps feelings out of sight.",
            "distorted_thought": "One slip and they will see what I am.",
            "client_info": _INTAKE,
            "dialogue": _RAW,
            "messages": [
                {"speaker": who, "stage_direction": None, "statement": words} for who, words in _TALK
            ],
        }
        for number in range(2)
    ]


def _mirror_csv() -> bytes:
    import csv

    text = io.StringIO()
    writer = csv.DictWriter(text, list(_mirror()[0]))
    writer.writeheader()
    writer.writerows(
        {k: v if isinstance(v, str) else json.dumps(v) for k, v in one.items()} for one in _mirror()
    )
    return text.getvalue().encode()


def _cactus() -> list[dict[str, Any]]:
    return [{"AI_client": {"intake_form": _INTAKE, "attitude": "neutral", "init_history_client": "Hi."}}] * 2


def _people() -> list[dict[str, Any]]:
    return [
        {
            "id": str(number),
            "name": "Ana",
            "age": 31,
            "gender": "female",
            "occupation": "nurse",
            "history": "none",
        }
        for number in range(2)
    ]


def _vera() -> bytes:
    rows = (("Name", "Age", "Pronouns", "Background"), ("Ana", "31", "she/her", "A nurse. Sleeps little."))
    return "\n".join("\t".join(row) for row in rows).encode()


def _members() -> list[dict[str, Any]]:
    told = {"name": "Ana", "age": "31", "gender": "female", "occupation": "nurse"}
    return [{"member_attributes": told, "member_narrative": f"Ana sleeps {hours} hours."} for hours in (3, 4)]


def _mini() -> dict[str, bytes]:
    """Two profiles of MIRROR-Mini as a folder of its own."""
    profiles = content_path("mini", "profiles.jsonl").read_bytes().splitlines(keepends=True)[:2]
    files = {"profiles.jsonl": b"".join(profiles)}
    for line in profiles:
        name = json.loads(line)["id"]
        voice = content_path("mini", "voices") / f"{name}.yaml"
        if voice.is_file():
            files[f"voices/{name}.yaml"] = voice.read_bytes()
    return files


def _table() -> bytes:
    rows = [f"{number},{who},{words.replace(',', '')}" for number in (1, 2) for who, words in _TALK]
    return "\n".join(["id,speaker,text", *rows]).encode()


def _inspect_json() -> bytes:
    said = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Yes?"}]
    return json.dumps(
        {"eval": {"model": "m", "task": "t"}, "samples": [{"id": 1, "messages": said}]}
    ).encode()


def _inspect_zip() -> bytes:
    log = json.loads(_inspect_json())
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as held:
        held.writestr("header.json", json.dumps({"eval": log["eval"]}))
        held.writestr("samples/1_epoch_1.json", json.dumps(log["samples"][0]))
    return content.getvalue()


def _face_set() -> dict[str, bytes]:
    from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
    from mirror_bench.faces.facs.expressions import EXPRESSIONS
    from mirror_bench.faces.identity import random_identity

    names = ("neutral", "happiness", "sadness", "anger", "fear", "disgust", "surprise")
    rows = [f"{name}.png,{name},ann,31" for name in names]
    images = {f"{name}.png": DrawnFaces().render(random_identity(1), EXPRESSIONS[name]) for name in names}
    return {"metadata.csv": "\n".join(["file_name,expression,person,age", *rows]).encode()} | images


def _submission() -> bytes:
    """A committed entry cut to three sessions: its digests no longer fit, which is not what is looked for."""
    content = io.BytesIO()
    run = _run()
    with zipfile.ZipFile(SUBMISSIONS / "parrot.mirror.zip") as held:
        files = {name: run.get(name) or held.read(name) for name in held.namelist()}
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for name, kept in files.items():
            made.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), kept)
    return content.getvalue()


@cache
def _run() -> dict[str, bytes]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as place:
        folder = Path(place) / "run"
        write_run(folder, "parrot", 3)
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _memo() -> bytes:
    import asyncio
    from tempfile import TemporaryDirectory

    from mirror_bench.engines.base import Answer
    from mirror_bench.engines.memo import Memo

    async def fill(memo: Memo) -> None:
        for number in range(3):
            await memo.keep(bytes([number]) * 32, "engine", Answer("words"))

    with TemporaryDirectory() as place:
        memo = Memo(Path(place) / "calls.sqlite")
        asyncio.run(fill(memo))
        memo.close()
        return (Path(place) / "calls.sqlite").read_bytes()


def _lines(values: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)
