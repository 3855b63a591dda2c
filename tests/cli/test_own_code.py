"""Therapists of a user's own, from a file in the current folder or from another package's entry point."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from commands import ROOT, SHORT, hold, mirror_bench

from mirror_bench.cli import cli
from mirror_bench.errors import InputError
from mirror_bench.protocol import load_protocol
from mirror_bench.schema import Ending, Session
from mirror_bench.sessions.candidate import read_candidate
from mirror_bench.sessions.evaluation import Evaluation, evaluate
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import read_header
from mirror_bench.therapists.own_code import load_own_code
from mirror_bench.therapists.source_digest import source_digest

FUNCTION = 'def reply(words, image):\n    return "What is that like for you?"\n'


def own(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Writes a module that no other test has, makes its folder the current one, and returns its name."""
    name = f"own_{abs(hash((folder, code)))}"
    (folder / f"{name}.py").write_text(code)
    monkeypatch.chdir(folder)
    return name


def sessions(folder: Path) -> list[Session]:
    return list(read_sessions(folder / "out"))


def test_the_example_of_the_documentation_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "agents.md").read_text()
    code = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 11
    (tmp_path / "my_therapist.py").write_text(code)
    command = ("run", "--therapist", "python/my_therapist:Listener", *SHORT, "--out", "out", "--quiet")
    done = mirror_bench(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    candidate = read_header(tmp_path / "out").candidate
    assert candidate.therapist == "python/my_therapist:Listener"
    assert re.fullmatch(r"[0-9a-f]{12}", candidate.code)
    for one in sessions(tmp_path):
        assert "(turn 1)" in one.turns[1].words
        assert "(turn 2)" in one.turns[3].words
        assert one.turns[0].face
    # Its code is another therapist's once it has changed.
    (tmp_path / "my_therapist.py").write_text(code.replace("You said", "I heard"))
    again = mirror_bench(*command, cwd=tmp_path)
    assert again.returncode == 2
    assert "candidate.code (changed)" in again.stderr
    assert "give another --out, or remove out" in again.stderr


@pytest.mark.parametrize(
    ("code", "attribute", "faces"),
    [
        (FUNCTION, "reply", True),
        (f"async {FUNCTION}", "reply", True),
        ("class A:\n    sees = False\n    async def reply(self, w, i):\n        return str(i)\n", "A", False),
        ("class A:\n    @staticmethod\n    def reply(w, i):\n        return str(i[1:4])\n", "A", True),
        ("class A:\n    def __call__(self, w, i):\n        return 'I see.'\na = A()\n", "a", True),
        ("class A:\n    def __call__(self, w, i):\n        return 'I see.'\n", "A", True),
        ("class B:\n    def answer(self, w, i):\n        return 'I see.'\nb = B()\n", "b.answer", True),
    ],
)
def test_every_documented_shape_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, attribute: str, faces: bool
) -> None:
    name = own(tmp_path, code, monkeypatch)
    hold(tmp_path / "out", f"python/{name}:{attribute}", limit=1)
    (held,) = sessions(tmp_path)
    assert held.ended is not Ending.FAILED
    assert bool(held.turns[0].face) is faces


@pytest.mark.parametrize(
    ("code", "attribute", "named"),
    [
        (FUNCTION, "answer", "has no 'answer': it has reply"),
        ("import not_installed_here\n", "reply", "No module named 'not_installed_here'"),
        ("raise RuntimeError('no licence')\n", "reply", r"RuntimeError: no licence \(own_\d+.py:1\)"),
        ("import sys\nsys.exit(3)\n", "reply", "SystemExit: 3"),
        ("def reply(words):\n    return words\n", "reply", r"does not take \(words, image\)"),
        ("class A:\n    def talk(self):\n        pass\n", "A", "has no method reply"),
        (
            "class A:\n    def __init__(self, x):\n        pass\n    def reply(self, w, i):\n        pass\n",
            "A",
            "without arguments",
        ),
        ("reply = 5\n", "reply", "is a int"),
        ("def reply(words, image):\n    return 5\n", "reply", "answered with int, not with str"),
        (f"def broken(:\n{FUNCTION}", "reply", "SyntaxError"),
    ],
)
def test_what_cannot_be_used_stops_the_run_and_says_what_was_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, attribute: str, named: str
) -> None:
    name = own(tmp_path, code, monkeypatch)
    with pytest.raises(InputError, match=named):
        hold(tmp_path / "out", f"python/{name}:{attribute}")
    assert not (tmp_path / "out").exists() or not sessions(tmp_path)


@pytest.mark.parametrize(
    ("therapist", "named"),
    [
        ("python/nowhere_at_all:reply", "there is no module nowhere_at_all"),
        ("python/own", "write python/module:attribute"),
        ("python/./agents/own.py:reply", "name the module, not its file: python/agents.own:reply"),
        ("python//home/own.py:reply", "name the module, not its file: python/own:reply"),
        ("scripted/nope", "known are attuned, directive, guesser, parrot, random, reflective"),
        ("scripted/atuned", "did you mean 'attuned'"),
    ],
)
def test_a_name_of_nothing_is_refused_by_what_there_is(tmp_path: Path, therapist: str, named: str) -> None:
    with pytest.raises(InputError, match=named):
        hold(tmp_path / "out", therapist)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "raising",
    [
        "raise ConnectionError('gone')",
        "sys.exit(3)",
        "1 / 0",
        "next(iter(()))",
        "raise __import__('asyncio').CancelledError",
    ],
)
def test_an_exception_fails_its_session_alone_and_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raising: str
) -> None:
    code = (
        "import pathlib\nimport sys\nmark = pathlib.Path(__file__).with_name('raised')\n"
        "def reply(words, image):\n"
        "    if not mark.exists():\n"
        "        mark.touch()\n"
        f"        {raising}\n"
        "    return 'What is that like?'\n"
    )
    therapist = f"python/{own(tmp_path, code, monkeypatch)}:reply"
    hold(tmp_path / "out", therapist)
    failed = [one for one in sessions(tmp_path) if one.ended is Ending.FAILED]
    assert len(failed) == 1
    assert ".py:7" in failed[0].reason
    assert len(sessions(tmp_path)) == 2
    hold(tmp_path / "out", therapist, retry_failed=True)
    assert all(one.ended is not Ending.FAILED for one in sessions(tmp_path))


def test_the_digest_of_code_follows_what_lies_beside_it(tmp_path: Path) -> None:
    source = tmp_path / "mine.py"
    source.write_text(f"import helper\nimport numpy\n{FUNCTION}")
    (tmp_path / "helper.py").write_text("from parts import inner\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "inner.py").write_text("x = 1\n")
    (tmp_path / "beside.py").write_text("y = 1\n")
    before = source_digest(source, tmp_path)
    (tmp_path / "beside.py").write_text("y = 2\n")
    assert source_digest(source, tmp_path) == before
    (tmp_path / "parts" / "inner.py").write_text("x = 2\n")
    assert source_digest(source, tmp_path) != before


def test_a_packaged_therapist_has_the_digest_of_its_phrases(tmp_path: Path) -> None:
    hold(tmp_path / "out", "scripted/parrot", limit=1)
    header = read_header(tmp_path / "out")
    kept = header.model_copy(update={"candidate": header.candidate.model_copy(update={"code": "0" * 12})})
    (tmp_path / "out" / "run.json").write_text(kept.model_dump_json())
    with pytest.raises(InputError, match=r"candidate.code \(changed\)"):
        hold(tmp_path / "out", "scripted/parrot", limit=1)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Installs a package with an entry point, as far as Python is concerned."""

    def install(body: str) -> None:
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "other_package.py").write_text(body)
        info = tmp_path / "site" / "other-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
        points = "[mirror_bench.scripted_therapists]\nmine = other_package:Mine\n"
        (info / "entry_points.txt").write_text(points)
        monkeypatch.syspath_prepend(str(tmp_path / "site"))

    yield install
    sys.modules.pop("other_package", None)


TURN = "from mirror_bench.therapists.base import TherapistTurn\n"


HEAD = "class Mine:\n    sees = False\n    plan = ('', '')\n    def __init__(self, s):\n        pass\n"


def test_an_entry_points_therapist_that_raises_fails_its_session(
    tmp_path: Path, package: Callable[[str], None]
) -> None:
    package(
        f"{TURN}raised = []\n{HEAD}"
        "    async def reply(self, heard, face):\n"
        "        if not raised:\n"
        "            raised.append(1)\n"
        "            raise KeyError('once')\n"
        "        return TherapistTurn('What is that like?')\n"
    )
    hold(tmp_path / "out", "scripted/mine")
    ended = [one.ended for one in sessions(tmp_path)]
    assert len(ended) == 2
    assert ended.count(Ending.FAILED) == 1
    failed = next(one for one in sessions(tmp_path) if one.ended is Ending.FAILED)
    assert "KeyError: 'once' (other_package.py:11)" in failed.reason
    assert re.fullmatch(r"[0-9a-f]{12}", read_header(tmp_path / "out").candidate.code)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("import not_installed_here\n", "No module named 'not_installed_here'.*correct that package"),
        ("class Other:\n    pass\n", "AttributeError.*correct that package"),
        ("class Mine:\n    pass\n", "cannot be made for a scenario.*expected is"),
        ("class Mine:\n    def __init__(self, s):\n        pass\n", "without sees, plan, reply: expected is"),
        (f"{HEAD}    def reply(self, h, f):\n        return 'x'\n", "reply is not async: expected is"),
        (f"{HEAD}    async def reply(self, h):\n        return 'x'\n", r"does not take \(heard, face\)"),
        (f"{HEAD}    async def reply(self, h, f):\n        return 'x'\n", "answered with str: expected is"),
    ],
)
def test_an_entry_point_of_another_shape_is_refused(
    tmp_path: Path, package: Callable[[str], None], body: str, named: str
) -> None:
    package(body)
    with pytest.raises(InputError, match=named):
        hold(tmp_path / "out", "scripted/mine")


def test_own_code_is_packed_and_verified_without_being_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = own(tmp_path, FUNCTION, monkeypatch)
    protocol = tmp_path / "small.yaml"
    protocol.write_text("seeds: [0]\nsplit: test\nmax_client_turns: 3\nsafety: false\n")
    evaluation = Evaluation(
        protocol=load_protocol(str(protocol)),
        candidate=read_candidate(f"python/{name}:reply"),
        out=tmp_path / "out",
        limit=1,
        quiet=True,
    )
    asyncio.run(evaluate(evaluation))
    meta = tmp_path / "meta.yaml"
    meta.write_text("{name: Mine, authors: A. Author, licence: MIT, base_model: none, training_data: none}")
    run = CliRunner()
    packed = run.invoke(cli, ["pack", "out", "--meta", str(meta), "--json"], catch_exceptions=False)
    card = json.loads(packed.output)["card"]
    assert (card["training_data"], card["modality"], card["templated"]) == (
        ["none"],
        "vision-language",
        False,
    )
    (tmp_path / f"{name}.py").write_text("raise SystemExit('loaded')")
    load_own_code.cache_clear()
    sys.modules.pop(name)
    verified = run.invoke(
        cli, ["verify", "out.mirror.zip", "--protocol", str(protocol)], catch_exceptions=False
    )
    assert verified.exit_code == 0, verified.output
