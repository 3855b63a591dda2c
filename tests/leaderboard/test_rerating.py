"""Submissions rated anew: sessions stand, ratings follow the present raters, nothing else is let through."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from board_samples import small_entry
from click.testing import CliRunner
from peer_samples import chat, lines

from leaderboard.cache import ENDING
from leaderboard.rerating import rate_anew
from mirror_bench.cli import cli
from mirror_bench.errors import InputError
from mirror_bench.schema import digest
from mirror_bench.submissions.archive import read_archive, write_archive

RATER, CLIENT = "code.raters.safety_features", "code.client.stateful"


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return small_entry(tmp_path_factory.mktemp("entry"))


def _older(entry: bytes, path: Path, changed: Mapping[str, str]) -> Path:
    """Writes the entry as it would be had those parts been otherwise when it was made."""
    path.write_bytes(entry)
    members = dict(read_archive(path).members)
    header = json.loads(members["run.json"])
    assert not changed.keys() - header["parts"].keys()
    header["parts"] |= changed
    header["fingerprint"] = digest(header["parts"])
    ratings = [json.loads(line) for line in members["ratings.jsonl"].splitlines()]
    for rating in ratings:
        rating["rater_edition"] = "0" * 12
        for item in rating["items"].values():
            item["score"] = None if item["score"] is None else 0
    members["run.json"] = json.dumps(header).encode()
    members["ratings.jsonl"] = "".join(f"{json.dumps(rating)}\n" for rating in ratings).encode()
    write_archive(path, members)
    return path


def test_ratings_of_an_older_rater_are_made_anew_on_the_same_sessions(entry: bytes, tmp_path: Path) -> None:
    path = _older(entry, tmp_path / f"parrot{ENDING}", {RATER: "0"})
    before = read_archive(path).members
    assert rate_anew(path, tmp_path) == path
    after = read_archive(path).members
    assert after["sessions.jsonl"] == before["sessions.jsonl"]
    assert path.read_bytes() == entry
    assert rate_anew(path, tmp_path) is None


def test_conversations_that_were_imported_are_rated_anew_as_well(tmp_path: Path) -> None:
    talk = ("I can't sleep.", "The nights are long.", "I go over everything.", "What would you like instead?")
    chats = lines(tmp_path / "chats.jsonl", *(chat(*talk, id=name, profile=name) for name in ("ana", "ben")))
    meta = tmp_path / "meta.yaml"
    meta.write_text("name: Bot\nauthors: [A]\nlicence: MIT\nbase_model: none\ntraining_data: [none]\n")
    path, run = tmp_path / f"bot{ENDING}", tmp_path / "run"
    for command in (
        ["import", "messages", chats, "--out", run],
        ["rate", run],
        ["pack", run, "--meta", meta, "-o", path],
    ):
        assert CliRunner().invoke(cli, list(map(str, command)), catch_exceptions=False).exit_code == 0
    assert rate_anew(path, tmp_path / "work") is None
    made = path.read_bytes()
    _older(made, path, {RATER: "0"})
    before = read_archive(path).members
    assert rate_anew(path, tmp_path / "work") == path
    after = read_archive(path).members
    assert after["sessions.jsonl"] == before["sessions.jsonl"]
    assert after["ratings.jsonl"] == read_archive_bytes(made, tmp_path)["ratings.jsonl"]


def read_archive_bytes(made: bytes, place: Path) -> Mapping[str, bytes]:
    """The members of a submission that is held in memory."""
    path = place / f"kept{ENDING}"
    path.write_bytes(made)
    return read_archive(path).members


def test_a_folder_that_is_no_run_is_not_replaced(entry: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"parrot{ENDING}"
    path.write_bytes(entry)
    (tmp_path / "work" / "parrot").mkdir(parents=True)
    (tmp_path / "work" / "parrot" / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="is no run folder"):
        rate_anew(path, tmp_path / "work")
    assert (tmp_path / "work" / "parrot" / "thesis.tex").read_text() == "mine"


def test_what_moves_sessions_must_be_held_anew(entry: bytes, tmp_path: Path) -> None:
    path = _older(entry, tmp_path / f"parrot{ENDING}", {RATER: "0", CLIENT: "0"})
    kept = path.read_bytes()
    with pytest.raises(InputError, match=rf"{CLIENT} changed since its sessions were held.*hold it anew"):
        rate_anew(path, tmp_path)
    assert path.read_bytes() == kept
