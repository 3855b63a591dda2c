from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mirror_files import PROCESSED, RAW, as_csv, intake, record, sample, write

from mirror_bench.data.base import DataSet
from mirror_bench.data.sources.registry import DATA_SOURCES, load_data
from mirror_bench.errors import InputError


def test_names_lead_to_loaders() -> None:
    assert {"mini", "mirror", "cactus"} <= set(DATA_SOURCES.names())
    assert load_data("mini").name == "mini"


@pytest.mark.parametrize(
    "source", ["", "minni", "data/mirror_test.csv", ":", "cactus", "mirror:", "mini:nowhere"]
)
def test_an_unknown_source_is_one_clear_line(source: str) -> None:
    with pytest.raises(InputError) as caught:
        load_data(source)
    assert "\n" not in str(caught.value)


def test_a_bare_path_gets_a_hint() -> None:
    with pytest.raises(InputError, match=r"mirror:data/mirror_test.csv"):
        load_data("data/mirror_test.csv")


def test_the_digest_follows_the_content_alone(tmp_path: Path) -> None:
    one = load_data(f"mirror:{write(tmp_path / 'a.json', [record()])}")
    same = load_data(f"mirror:{write(tmp_path / 'b.json', [record(model='another')])}")
    other = load_data(f"mirror:{write(tmp_path / 'c.json', [record(cbt_plan='another')])}")
    assert one.digest == same.digest != other.digest
    assert len(one.digest) == 64


_FILES = {
    "mirror:a.csv": as_csv(record(), record(idx="cactus-13-no-resistance", proc_dialogue="")),
    "mirror:a.json": json.dumps([record(), record(idx="b", proc_dialogue=PROCESSED)]),
    "mirror:lines.json": json.dumps(record()) + "\n" + json.dumps(record(idx="b")) + "\n",
    "mirror:samples.json": json.dumps([sample(), sample("emotion_recognition")]),
    "mirror:a.txt": RAW,
    "cactus:a.json": json.dumps([intake("positive"), intake("negative")]),
    "mini:profiles.jsonl": '{"id": "a-1", "name": "A", "face": {"age": 40}, "topics": ["a"]}\n',
    "mini:screenplays/index.yaml": "a-1: {profile: a-1, resistance: none, technique: x, ended: complete}\n",
    "mini:screenplays/a-1.txt": RAW,
}
_HOSTILE = [
    b"\x00",
    b"\xff",
    b'"',
    b"'",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b"\n",
    b"\r",
    b"\\ud800",
    b"NaN",
    b"1e999",
    b"9" * 5000,
]
_HOSTILE += [
    b"[" * 3000,
    b":",
    b"- ",
    b"!!bool ",
    b"&a *a",
    b"0x" + b"f" * 5000,
    b"null",
    b"-1",
    b"[" * 400 + b"]" * 400,
]
_EDIT = st.tuples(
    st.floats(0, 1),  # where
    st.integers(0, 40),  # how much is taken away
    st.sampled_from(_HOSTILE) | st.binary(max_size=8),
)


def mutated(valid: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for where, length, new in edits:
        place = int(where * len(valid))
        valid = valid[:place] + new + valid[place + length :]
    return valid


@pytest.mark.parametrize("case", _FILES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(_EDIT, min_size=1, max_size=6))
def test_no_bytes_break_a_loader(tmp_path: Path, case: str, edits: list[tuple[float, int, bytes]]) -> None:
    kind, _, name = case.partition(":")
    (tmp_path / "screenplays").mkdir(exist_ok=True)
    for other, text in _FILES.items():
        if kind == "mini" and other.startswith("mini:"):
            write(tmp_path / other.removeprefix("mini:"), text)
    write(tmp_path / name, mutated(_FILES[case].encode(), edits))
    data = load_or_refuse(f"{kind}:{tmp_path if kind == 'mini' else tmp_path / name}")
    if data:
        check(data)


def load_or_refuse(source: str) -> DataSet | None:
    """Returns the data set, or None where it was refused in the one way that is allowed."""
    try:
        return load_data(source)
    except InputError as error:
        refusal = str(error)
    assert "\n" not in refusal
    return None


def check(data: DataSet) -> None:
    """Holds a data set to what every user of it relies on."""
    assert len(data.digest) == 64
    ids = [profile.id for profile in data.profiles]
    assert ids
    assert len(set(ids)) == len(ids)
    assert {play.profile_id for play in data.screenplays} <= set(ids)
    assert len({play.id for play in data.screenplays}) == len(data.screenplays)
    for problem in data.problems:
        assert problem.line >= 1
        assert "\n" not in problem.message
        assert len(problem.message) < 1000
