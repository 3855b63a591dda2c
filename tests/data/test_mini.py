from __future__ import annotations

import json
from pathlib import Path

import pytest
from mirror_files import RAW, write

from mirror_bench.data.sources.mini import load_mini
from mirror_bench.errors import InputError
from mirror_bench.schema import Resistance


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "screenplays").mkdir()
    profile = {"id": "a-1", "name": "Ana Ruiz", "resistance": "cognitive", "split": "dev"}
    write(tmp_path / "profiles.jsonl", json.dumps(profile) + "\n")
    write(tmp_path / "screenplays" / "a-1.txt", RAW)
    index = "a-1: {profile: a-1, resistance: cognitive, technique: continuum, ended: complete}\n"
    write(tmp_path / "screenplays" / "index.yaml", index)
    return tmp_path


def test_the_packaged_set_is_whole() -> None:
    data = load_mini()
    assert data.problems == ()
    assert {profile.split for profile in data.profiles} == {"train", "dev", "test"}
    assert {profile.resistance for profile in data.profiles} == {*Resistance}
    assert all(profile.voice for profile in data.profiles)
    assert all(play.moments for play in data.screenplays)
    splits = {profile.id: profile.split for profile in data.profiles}
    assert all(play.split == splits[play.profile_id] for play in data.screenplays)


def test_reads_a_folder_of_the_same_form(folder: Path) -> None:
    data = load_mini(str(folder))
    assert data.problems == ()
    (play,) = data.screenplays
    assert (play.profile_id, play.technique, play.ended, play.split) == (
        "a-1",
        "continuum",
        "complete",
        "dev",
    )
    assert [line.speaker.value for line in play.lines] == ["therapist", "client"] * 2


def test_a_broken_line_is_a_problem_and_the_rest_is_kept(folder: Path) -> None:
    with (folder / "profiles.jsonl").open("a") as file:
        file.write(
            '{"id": "b"\n{"id": "c", "name": "C", "agee": 3}\n'
            '{"id": "a-1", "name": "Again"}\n{"id": "../d", "name": "D"}\n'
        )
    data = load_mini(str(folder))
    assert [profile.name for profile in data.profiles] == ["Ana Ruiz"]
    assert [(problem.source, problem.line) for problem in data.problems] == [
        ("profiles.jsonl", n) for n in (2, 3, 4, 5)
    ]
    assert "agee" in data.problems[1].message


@pytest.mark.parametrize(
    "index",
    [
        "a-1: {profile: nobody}",
        "a-1: {profle: a-1}",
        "absent: {profile: a-1}",
        "../x: {profile: a-1}",
        "- a",
        "a: [",
        "a-1: !!bool x",
    ],
)
def test_a_broken_index_is_a_problem(folder: Path, index: str) -> None:
    write(folder / "screenplays" / "index.yaml", index)
    data = load_mini(str(folder))
    assert data.screenplays == ()
    assert len(data.problems) == 1


def test_a_folder_without_profiles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"profiles\.jsonl"):
        load_mini(str(tmp_path))
    write(tmp_path / "profiles.jsonl", "{}\n")
    with pytest.raises(InputError, match="no usable profile"):
        load_mini(str(tmp_path))
