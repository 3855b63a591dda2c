"""The public face: lazily imported, typed, one line on bad input, and at home in a running event loop."""

from __future__ import annotations

import ast
import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mirror_bench
from mirror_bench.api.records import Ratings, Sessions
from mirror_bench.errors import InputError
from mirror_bench.schema import Ending

SMALL: dict[str, Any] = {"limit": 1, "seeds": 0, "safety": False, "max_client_turns": 3, "report": False}


class Counting:
    """Says how often it has answered in its session, and counts how many of it were made."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.turns = 0

    def reply(self, words: str, image: bytes | None) -> str:
        self.turns += 1
        return f"This is my answer number {self.turns} to you."


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> mirror_bench.Run:
    out = tmp_path_factory.mktemp("api") / "run"
    given = SMALL | {"limit": 2}
    return mirror_bench.evaluate(Counting, label="counting", out=out, **given)


def test_importing_the_package_imports_next_to_nothing() -> None:
    code = "import sys, mirror_bench; print(*[name for name in sys.modules if 'mirror_bench' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["mirror_bench"]


def test_what_is_promised_is_there_and_documented_and_seen_by_type_checkers() -> None:
    source = Path(mirror_bench.__file__).read_text(encoding="utf-8")
    typed = {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mirror_bench")
        for alias in node.names
    }
    promised = set(mirror_bench.__all__) - {"__version__"}
    assert typed == promised == set(mirror_bench._PLACES)
    assert promised <= set(dir(mirror_bench))
    for name in promised:
        assert (getattr(mirror_bench, name).__doc__ or "").strip(), name
    with pytest.raises(AttributeError, match="no attribute 'evaluat'"):
        mirror_bench.evaluat  # noqa: B018


def test_a_class_is_made_anew_for_each_session(run: mirror_bench.Run) -> None:
    held = run.sessions
    assert len(held) == 2
    assert run.failed == 0
    for session in held:
        spoken = [turn.words for turn in session.turns if turn.speaker == "therapist"]
        assert spoken == [f"This is my answer number {number} to you." for number in (1, 2)]
    assert run.candidate.therapist == "counting"
    assert "Run(" in repr(run)
    assert "counting" in repr(run)


def test_the_same_call_goes_on_and_other_code_is_refused(run: mirror_bench.Run) -> None:
    given = SMALL | {"limit": 2}
    again = mirror_bench.evaluate(Counting, label="counting", out=run.folder, **given)
    assert list(again.sessions) == list(run.sessions)
    with pytest.raises(InputError, match=r"candidate\.model"):
        mirror_bench.evaluate(lambda words, image: "Go on.", label="counting", out=run.folder, **given)


def test_records_are_frozen_and_turn_into_datasets(run: mirror_bench.Run) -> None:
    sessions, ratings, scores = run.sessions, run.ratings, run.scores
    table = sessions.to_dataset()
    assert table.num_rows == 2
    assert table[0]["turns"][0]["words"] == sessions[0].turns[0].words
    items = ratings.to_dataset()
    assert items.num_rows == sum(len(rating.items) for rating in ratings)
    assert {row["instrument"] for row in items} == {"ctrs", "wai"}
    assert scores.to_dataset().num_rows == len(scores) == len(scores.to_dicts())
    total = scores.score("ctrs")
    assert total == scores.score("ctrs.total", therapist="counting")
    assert (total.n, total.coverage) == (2, 1.0)
    with pytest.raises(ValueError, match="frozen"):
        sessions[0].turns = ()  # type: ignore[misc]
    assert sessions[:1] == tuple(sessions)[:1]


@pytest.mark.parametrize("kind", [Sessions, Ratings])
def test_no_records_make_a_table_with_the_same_columns(
    kind: type[Sessions] | type[Ratings], run: mirror_bench.Run
) -> None:
    full = run.sessions if kind is Sessions else run.ratings
    assert kind().to_dataset().features == full.to_dataset().features


def test_data_make_a_dataset() -> None:
    people = mirror_bench.load_data("mini")
    table = people.to_dataset()
    assert table.num_rows == len(people.profiles)
    assert isinstance(table[0]["screenplays"], list)


async def test_it_works_inside_a_running_event_loop(tmp_path: Path) -> None:
    held_in = set()

    class Waiting:
        async def reply(self, words: str, image: bytes | None) -> str:
            await asyncio.sleep(0)
            held_in.add(threading.get_ident())
            return "What would you like me to understand?"

    run = mirror_bench.evaluate(Waiting, out=tmp_path / "run", **SMALL)
    assert [session.ended for session in run.sessions] == [Ending.TURN_LIMIT]
    assert held_in
    assert threading.get_ident() not in held_in
    assert mirror_bench.rate(run, again=True).told.startswith("2 ratings added")


def test_errors_inside_a_running_loop_are_the_same(tmp_path: Path) -> None:
    async def call() -> None:
        with pytest.raises(InputError, match="no data source"):
            mirror_bench.evaluate("scripted/parrot", data="nope", out=tmp_path / "run", **SMALL)

    asyncio.run(call())


def _factory() -> Counting:
    return Counting()


async def _answers(words: str, image: bytes | None) -> str:
    return "Tell me more about that."


class _Blind:
    sees = False

    def reply(self, words: str, image: bytes | None) -> str:
        assert image is None
        return "Tell me more about that."


@pytest.mark.parametrize(
    "therapist",
    [_factory, _answers, _Blind(), _Blind, lambda words, image: "Go on, please.", "scripted/reflective"],
    ids=["factory", "async function", "object", "class", "lambda", "name"],
)
def test_every_shape_of_therapist_holds_sessions(tmp_path: Path, therapist: Any) -> None:
    run = mirror_bench.evaluate(therapist, out=tmp_path / "run", **SMALL)
    (session,) = run.sessions
    assert session.ended is Ending.TURN_LIMIT
    assert all(turn.words for turn in session.turns)


class _NoReply:
    pass


class _Needing:
    def __init__(self, prompt: str) -> None:
        self.prompt = prompt

    def reply(self, words: str, image: bytes | None) -> str:
        return self.prompt


def _bad() -> Iterator[tuple[Any, dict[str, Any], str]]:
    good = "scripted/parrot"
    yield _NoReply, {}, r"has no method reply"
    yield _Needing, {}, r"cannot be made without arguments"
    yield 7, {}, r"is a int"
    yield lambda words: words, {}, r"does not take \(words, image\)"
    yield Counting, {"method": "p"}, r"takes no method="
    yield "scripted/nope", {}, r"nope"
    yield "gpt-4o", {}, r"provider/name"
    yield good, {"limit": 0}, r"limit=0: must be 1 or more"
    yield good, {"limit": "4"}, r"limit='4': give a whole number"
    yield good, {"concurrency": 0}, r"concurrency=0: must be from 1 to 4096"
    yield good, {"max_client_turns": 201}, r"max_client_turns=201: must be from 2 to 200"
    yield good, {"seeds": ["a"]}, r"seeds='a': give a whole number"
    yield good, {"face_conditions": "matchd"}, r"face_conditions=: no condition 'matchd'"
    yield good, {"client": "nobody"}, r"client= 'nobody': known are recorded, .* or a model as provider/name"
    yield good, {"judges": ["me"]}, r"judges= 'me': known are coded, or a model as provider/name"
    yield good, {"judges": [1]}, r"judges=\[1\]: give a name or a list of names"
    yield good, {"panel": True}, r"panel= needs at least two different models"
    yield good, {"instruments": "nope"}, r"instruments/nope\.yaml"
    yield good, {"protocol": "nope"}, r"protocols/nope\.yaml"
    yield good, {"split": "nope"}, r"no profile of the split 'nope'"


@pytest.mark.parametrize(("therapist", "changed", "named"), list(_bad()))
def test_bad_input_is_one_line_that_names_it(
    tmp_path: Path, therapist: Any, changed: dict[str, Any], named: str
) -> None:
    with pytest.raises(InputError, match=named) as raised:
        mirror_bench.evaluate(therapist, out=tmp_path / "run", **SMALL | changed)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "run").exists()


def test_bad_runs_and_questions_about_them_are_named(tmp_path: Path, run: mirror_bench.Run) -> None:
    with pytest.raises(InputError, match="is no run folder"):
        mirror_bench.load_run(tmp_path)
    with pytest.raises(InputError, match="no run is given"):
        mirror_bench.summarize([])
    with pytest.raises(InputError, match="nothing to compare with"):
        mirror_bench.compare([run])
    with pytest.raises(InputError, match="compared already"):
        mirror_bench.compare([run, run])
    with pytest.raises(InputError, match="give out= FOLDER"):
        mirror_bench.compare([run, run], judge="scripted/echo")
    with pytest.raises(InputError, match=r"metric='ctr': was not measured: known are ctrs\.total"):
        run.scores.score("ctr")
    with pytest.raises(InputError, match="no candidate fits"):
        run.scores.score("ctrs", therapist="nobody")
    with pytest.raises(InputError, match="retest= is for model judges"):
        mirror_bench.rate(run, retest=True)


def test_two_runs_are_compared(tmp_path: Path, run: mirror_bench.Run) -> None:
    other = mirror_bench.evaluate("scripted/reflective", out=tmp_path / "other", **SMALL | {"limit": 2})
    comparison = mirror_bench.compare([run, str(other.folder)])
    (match,) = comparison
    assert (match.first, match.second, match.unpaired) == ("counting", "scripted/reflective", 0)
    (row,) = comparison.to_dataset()
    assert row["wins"] + row["ties"] + row["losses"] == 2
    assert len(comparison.preferences) == 2
    both = mirror_bench.summarize([run, other])
    assert {entry.therapist for entry in both.summary.entries} == {"counting", "scripted/reflective"}
    assert mirror_bench.load_run(other.folder).fingerprint == run.fingerprint
