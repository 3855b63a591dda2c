"""Every file, version and checkpoint that can move a score moves the fingerprint of the protocols with it.

`MOVES` and `MOVES_NOTHING` hold every file of `tasks/`: a new file fails the first test until it is placed.
"""

from __future__ import annotations

import fnmatch
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from content_copy import content_copy
from fingerprint_tables import (
    ALL,
    CANDIDATES,
    CLASSES,
    CODE,
    DATA,
    JUDGE,
    MOVES,
    MOVES_NOTHING,
    PANEL,
    protocols,
)

from mirror_bench.content import tasks_root
from mirror_bench.data.base import DataSet
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.protocol import Fingerprint, Protocol, RaterSettings, fingerprint, load_protocol
from mirror_bench.sessions.candidate import read_candidate
from mirror_bench.sessions.standing import declared, protocol_fingerprint
from mirror_bench.therapists import SCRIPTED
from mirror_bench.therapists.cheats import stands_on as cheat_stands_on


def _files(root: Path) -> list[str]:
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


def _matching(name: str, patterns: Any) -> list[str]:
    return [pattern for pattern in patterns if fnmatch.fnmatchcase(name, pattern)]


def test_every_file_of_the_content_is_placed() -> None:
    files = _files(tasks_root())
    unplaced = [name for name in files if not _matching(name, [*MOVES, *DATA, *MOVES_NOTHING])]
    assert not unplaced, f"can these move a score? say so in MOVES, or why not in MOVES_NOTHING: {unplaced}"
    idle = [pattern for pattern in [*MOVES, *DATA, *MOVES_NOTHING] if not fnmatch.filter(files, pattern)]
    assert not idle, f"no file fits these patterns any more: {idle}"


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with content_copy(tmp_path_factory.mktemp("content")) as copy:
        yield copy


@cache
def _mini() -> DataSet:
    return load_mini()


@pytest.fixture(autouse=True)
def _data_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A panel's anchors are of the packaged data: read once, since every test asks for them."""
    composing = importlib.import_module("mirror_bench.protocol.fingerprint")
    load_data = composing.load_data
    monkeypatch.setattr(
        composing, "load_data", lambda source: _mini() if source == "mini" else load_data(source)
    )


def _prints() -> dict[str, str]:
    """The fingerprints of all protocols, and what identifies each candidate."""
    allowed = load_protocol("offline").therapist
    found = {name: fingerprint(one, _mini().digest, declared(one)).value for name, one in protocols().items()}
    for name in CANDIDATES:
        found[name] = read_candidate(name).recorded(allowed).code
    return found


@pytest.fixture(scope="module")
def before() -> Mapping[str, str]:
    return _prints()


def _changed_by_a_letter(path: Path) -> bytes:
    if path.suffix != ".yaml":
        return path.read_bytes().replace(b"e", b"i", 1)
    content = yaml.safe_load(path.read_text())
    assert _change_last_text(content), f"{path} holds no text"
    return yaml.safe_dump(content, allow_unicode=True).encode()


def _change_last_text(value: Any) -> bool:
    """Changes one letter of the last text in nested lists and mappings."""
    places: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    for place in reversed(places):
        if isinstance(value[place], str) and value[place]:
            value[place] = value[place][:-1] + ("x" if value[place][-1] != "x" else "y")
            return True
        if isinstance(value[place], dict | list) and _change_last_text(value[place]):
            return True
    return False


@pytest.mark.parametrize(
    "name", [one for one in _files(tasks_root()) if _matching(one, MOVES)], ids=lambda name: str(name)
)
def test_one_letter_moves_the_protocols_and_candidates_that_use_it(
    tasks: Path, before: Mapping[str, str], name: str
) -> None:
    (pattern,) = _matching(name, MOVES)
    path = tasks / name
    as_it_is = path.read_bytes()
    try:
        path.write_bytes(_changed_by_a_letter(path))
        after = _prints()
    finally:
        path.write_bytes(as_it_is)
    moved = {one for one in before if before[one] != after[one]}
    wanted, candidates = MOVES[pattern]
    assert moved == {*wanted, *candidates}


@pytest.mark.parametrize(
    "name",
    [one for one in _files(tasks_root()) if _matching(one, MOVES_NOTHING) and not _matching(one, MOVES)],
)
def test_what_is_said_to_move_nothing_is_declared_by_no_part(name: str) -> None:
    assert all(name not in fingerprint(one, "", declared(one)).parts for one in protocols().values())


@pytest.mark.parametrize("pattern", DATA)
def test_one_letter_of_the_data_moves_their_digest(tasks: Path, pattern: str) -> None:
    path = sorted(tasks.glob(pattern))[0]
    as_it_is = path.read_bytes()
    before = load_mini().digest
    changes = {
        "profiles.jsonl": (b'"presenting_problem": "', b'"presenting_problem": "X'),
        "index.yaml": (b"title: ", b"title: X"),
    }
    old, new = changes.get(path.name, (b" the ", b" tha "))
    if path.name == "index.yaml" and old not in as_it_is:
        old, new = b"masked", b"maskad"
    assert old in as_it_is, f"{path} holds no {old!r}"
    try:
        path.write_bytes(as_it_is.replace(old, new, 1))
        after = load_mini().digest
    finally:
        path.write_bytes(as_it_is)
    assert before != after


def test_every_version_is_placed() -> None:
    package = Path(importlib.import_module("mirror_bench").__file__ or "").parent
    with_version = {
        "mirror_bench." + ".".join(path.relative_to(package).with_suffix("").parts)
        for path in package.rglob("*.py")
        if "\nVERSION = " in path.read_text(encoding="utf-8")
    }
    assert with_version - {"mirror_bench.clients.stateful.dynamics"} == set(CODE)


@pytest.mark.parametrize("place", [*CODE, *CLASSES])
def test_a_version_moves_the_protocols_that_use_the_code(
    place: str, before: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, kind = place.partition(":")
    loaded = importlib.import_module(module)
    monkeypatch.setattr(getattr(loaded, kind) if kind else loaded, "version" if kind else "VERSION", "next")
    after = _prints()
    assert {one for one in before if before[one] != after[one]} & ALL == {**CODE, **CLASSES}[place]


def _checkpoint(folder: Path, first: bytes = b"\0") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(first + bytes(999))
    return folder


def _with(role: str, model: str) -> Protocol:
    offline = load_protocol("offline")
    if role == "client":
        client = offline.client.model_copy(update={"kind": "llm", "model": model})
        return offline.model_copy(update={"client": client})
    rater = RaterSettings(kind="llm", model=model)
    if role == "panel":
        rater = PANEL.model_copy(update={"models": (*PANEL.models, model)})
    return offline.model_copy(update={"raters": (RaterSettings(), rater)})


def _print(protocol: Protocol) -> Fingerprint:
    return protocol_fingerprint(protocol, _mini())


@pytest.mark.parametrize("role", ["client", "judge", "panel"])
@pytest.mark.parametrize("provider", ["vllm", "transformers"])
def test_a_checkpoint_counts_by_its_content_wherever_it_lies(
    tmp_path: Path, role: str, provider: str
) -> None:
    folder = _checkpoint(tmp_path / "here" / "model")
    adapter = _checkpoint(tmp_path / "adapter", b"a")
    before = _print(_with(role, f"{provider}/{folder}?lora={adapter}"))
    moved = folder.rename(tmp_path / "renamed")
    elsewhere = adapter.rename(tmp_path / "here" / "tuned")
    batched = "max_images=4" if provider == "transformers" else "kv_gib=2"
    after = _print(_with(role, f"{provider}/{moved}?lora={elsewhere}&{batched}"))
    assert after.differences(before.parts) == []
    assert after.value == before.value
    place = "models.client" if role == "client" else "models.raters.1"
    for changed in (moved, elsewhere):
        weights = changed / "model.safetensors"
        weights.write_bytes(b"b" + weights.read_bytes()[1:])
        other = _print(_with(role, f"{provider}/{moved}?lora={elsewhere}"))
        assert [name.split(" ")[0] for name in other.differences(after.parts)] == [place]
        after = other


def test_options_that_decide_no_answer_stay_out() -> None:
    plain = _print(_with("judge", "openai/some-model"))
    idle = (
        "base_url=http://127.0.0.1:9/v1&timeout=3&concurrency=2&max_requests=9&api_key_env=MINE&max_retries=1"
    )
    assert _print(_with("judge", f"openai/some-model?{idle}")).value == plain.value
    assert _print(_with("judge", "openai/some-model?json=off")).value != plain.value
    assert _print(_with("judge", "openai/other-model")).value != plain.value


def test_a_file_of_answers_counts_by_its_content(tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("Yes.\n")
    two.write_text("Yes.\n")
    before = _print(_with("client", f"scripted/cycle?path={one}"))
    assert _print(_with("client", f"scripted/cycle?path={two}&delay=1")).value == before.value
    two.write_text("No.\n")
    assert _print(_with("client", f"scripted/cycle?path={two}")).value != before.value


def test_data_counts_by_their_content_wherever_they_lie(tmp_path: Path) -> None:
    with content_copy(tmp_path) as copy:
        here = load_protocol("offline").model_copy(update={"data": f"mini:{copy / 'mini'}"})
        assert protocol_fingerprint(here).value == protocol_fingerprint(load_protocol("offline")).value


def test_a_packaged_method_is_the_protocols_and_not_the_candidates() -> None:
    allowed = load_protocol("offline").therapist
    for method in ("direct", "ec", "p", "p+ec", "text"):
        assert not read_candidate("scripted/echo", method).recorded(allowed).method_code


def _own_content(candidate: str) -> tuple[str, ...]:
    """The content that a scripted therapist says that it stands on."""
    provider, _, name = candidate.partition("/")
    if provider == "cheat":
        return cheat_stands_on(name).content
    return SCRIPTED.get(name).stands_on().content if name in SCRIPTED else ()


# Holds sessions and rates them in a process of its own, and prints which files of the content it read.
READING = """
import asyncio, json, sys
from pathlib import Path
root, out, candidate, method = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
read = set()
def note(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes, Path)):
        read.add(str(arguments[0] if not isinstance(arguments[0], bytes) else arguments[0].decode()))
sys.addaudithook(note)
from mirror_bench.protocol import Protocol
from mirror_bench.schema import FaceCondition
from mirror_bench.sessions.candidate import read_candidate
from mirror_bench.sessions.evaluation import Evaluation, evaluate
protocol = Protocol.model_validate_json(sys.argv[5])
chosen = read_candidate(candidate, method)
conditions = (FaceCondition.MATCHED, FaceCondition.SHUFFLED)
asyncio.run(evaluate(Evaluation(protocol, chosen, out, conditions, limit=1, quiet=True)))
inside = [Path(path).relative_to(root).as_posix() for path in read if path.startswith(str(root) + "/")]
print(json.dumps(sorted(inside)))
"""


@pytest.mark.parametrize(
    ("name", "candidate", "method"),
    [
        ("offline", "scripted/echo?sees=true", "p+ec"),
        ("paper", "scripted/attuned", ""),
        ("replay", "cheat/rubric", ""),
        ("flat", "scripted/echo?sees=true", "ec"),
        ("judged", "scripted/random", ""),
        ("panel", "scripted/echo", "text"),
    ],
)
def test_a_run_reads_no_content_that_its_fingerprint_does_not_cover(
    tmp_path: Path, name: str, candidate: str, method: str
) -> None:
    protocol = protocols()[name]
    if name == "paper":
        client = protocol.client.model_copy(update={"model": "scripted/echo"})
        rater = protocol.raters[0].model_copy(update={"model": JUDGE})
        protocol = protocol.model_copy(update={"client": client, "raters": (rater,)})
    if protocol.client.kind == "replay":  # the profiles that are added for their crises have no screenplay
        protocol = protocol.model_copy(update={"safety": False})
    given = [str(tasks_root()), str(tmp_path / "run"), candidate, method, protocol.model_dump_json()]
    done = subprocess.run(
        [sys.executable, "-c", READING, *given], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    read = set(json.loads(done.stdout.splitlines()[-1]))
    assert {"faces/expressions.yaml", "instruments/wai.yaml"} <= read
    covered = {*_print(protocol).parts, *_own_content(candidate)}
    assert {file for file in read - covered if not _matching(file, DATA)} == set()
