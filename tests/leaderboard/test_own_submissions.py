"""The project's own entries: listed soundly, and made by the commands that a stranger would use."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from leaderboard.cache import ENDING
from leaderboard.own_submissions import OwnEntries, make_entries, read_entries
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.protocol import load_protocol
from mirror_bench.sessions.standing import protocol_fingerprint
from mirror_bench.submissions.archive import read_archive
from mirror_bench.submissions.manifest import Manifest
from mirror_bench.submissions.verify import verify_file

SUBMISSIONS = Path(__file__).parents[2] / "leaderboard" / "submissions"


def test_every_listed_entry_has_a_complete_card() -> None:
    listed = read_entries()
    assert {listed.entries[name].method for name in listed.entries} >= {"direct", "ec", "p", "p+ec"}


def test_every_file_that_was_handed_in_by_the_project_is_listed_and_whole() -> None:
    listed = read_entries()
    for path in SUBMISSIONS.glob(f"*{ENDING}"):
        held = read_archive(path)
        assert not held.problems
        manifest = Manifest.model_validate_json(held.members["manifest.json"])
        assert manifest.coverage.full, path
        name = path.name.removesuffix(ENDING)
        if name in listed.entries:
            assert manifest.card.name == listed.card(name)["name"]


def test_every_file_that_was_handed_in_by_the_project_stands_under_todays_protocol() -> None:
    mark = protocol_fingerprint(load_protocol("offline"), load_data("mini")).value
    for path in SUBMISSIONS.glob(f"*{ENDING}"):
        manifest = Manifest.model_validate_json(read_archive(path).members["manifest.json"])
        assert manifest.fingerprint == mark, f"{path.name} is of another protocol: make entries"


def test_an_entry_is_held_packed_and_verified(tmp_path: Path) -> None:
    submissions = tmp_path / "submissions"
    submissions.mkdir()
    made = make_entries(read_entries(), ["parrot"], submissions, tmp_path, ["--limit", "2", "--quiet"])
    assert [path.name for path in made] == [f"parrot{ENDING}"]
    assert made == [*submissions.iterdir()]


def test_an_entry_that_is_shipped_still_passes_every_check() -> None:
    assert verify_file(SUBMISSIONS / f"directive{ENDING}").failed == ()


def test_a_run_ends_with_the_command_that_holds_it(tmp_path: Path) -> None:
    code = "import sys; from leaderboard.own_submissions import mirror; mirror(*sys.argv[1:])"
    told = ["run", "--therapist", "scripted/attuned", "--out", str(tmp_path / "run"), "--quiet"]
    holding = subprocess.Popen([sys.executable, "-c", code, *told], stderr=subprocess.PIPE, text=True)
    sessions = tmp_path / "run" / "sessions.jsonl"
    while not (sessions.is_file() and sessions.stat().st_size):
        assert holding.poll() is None
        time.sleep(0.05)
    holding.terminate()
    _, said = holding.communicate(timeout=60)  # the run holds this pipe, too: it has ended as well
    assert holding.returncode
    assert "every finished turn is kept" in said


def test_a_name_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no entry stranger: known are reference-direct"):
        make_entries(read_entries(), ["stranger"], tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("models: {}\nentries: {a: {model: b}}\n", "a: no model 'b'"),
        ("models: {b: {name: B}}\nentries: {a: {model: b}}\n", "a: the card lacks authors"),
        ("models: {}\nentries: {}\nmore: 1\n", "more"),
    ],
)
def test_a_list_that_is_wrong_names_the_entry(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "entries.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_entries(path)


def test_a_card_says_what_its_model_says_but_for_what_it_declares_itself() -> None:
    entries = OwnEntries.model_validate(
        {
            "models": {"m": {"name": "M", "licence": "MIT"}},
            "entries": {"e": {"model": "m", "declare": {"name": "E"}}},
        }
    )
    assert entries.card("e") == {"name": "E", "licence": "MIT"}
