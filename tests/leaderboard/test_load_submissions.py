"""Reading submissions: folders and packed files, and what is refused."""

import json
import shutil
import zipfile
from contextlib import ExitStack
from pathlib import Path

import board_samples as boards
import pytest
import report_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.load_submissions import LoadedSubmission, read_submissions, slug_of
from mirror_bench.errors import InputError
from mirror_bench.submissions.archive import write_archive


def _read(place: Path, verify: bool = False) -> list[LoadedSubmission]:
    with ExitStack() as open_while:
        return read_submissions(place, open_while, verify)


def _packed(folder: Path, target: Path) -> Path:
    names = ("run.json", "sessions.jsonl", "ratings.jsonl", "manifest.json")
    members = {name: (folder / name).read_bytes() for name in names}
    write_archive(target, members | {"summary.json": b"{}"})
    return target


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return boards.write_samples(tmp_path / "submissions")


def test_folders_are_read(place: Path) -> None:
    able, poor, reflective = _read(place)
    assert [able.slug, poor.slug, reflective.slug] == ["able-p-ec", "poor-direct", "reflective"]
    assert able.card.parameters_billions == 7.0
    assert able.manifest is not None
    assert reflective.manifest is None
    assert reflective.card.licence == "not declared"
    assert reflective.card.templated
    assert len(able.outcomes.outcomes) == len(able.sessions) == 16
    assert poor.summary.entries[0].coverage.failed == 1
    assert able.verdict is None


def test_a_packed_file_reads_as_its_folder(place: Path) -> None:
    folder = place / "able"
    plain = _read(place)[0]
    _packed(folder, place / "able.mirror.zip")
    shutil.rmtree(folder)
    packed = next(one for one in _read(place) if one.source.suffix == ".zip")
    assert packed.summary == plain.summary
    assert packed.card == plain.card
    assert not packed.folder.exists()


def test_a_summary_that_was_handed_in_is_not_read(place: Path) -> None:
    before = _read(place)[0].summary
    (place / "able" / "summary.json").write_text('{"entries": "whatever I like"}')
    assert _read(place)[0].summary == before


def test_a_forged_packed_file_fails_its_checks(place: Path) -> None:
    _packed(place / "able", place / "able.mirror.zip")
    shutil.rmtree(place / "able")
    verdict = next(one for one in _read(place, verify=True) if one.source.suffix == ".zip").verdict
    assert verdict is not None
    assert not verdict.verified


def test_a_strangers_protocol_is_refused(place: Path) -> None:
    header = json.loads((place / "able" / "run.json").read_text())
    header["protocol"]["data"] = "mini:/etc"
    (place / "able" / "run.json").write_text(json.dumps(header))
    _packed(place / "able", place / "able.mirror.zip")
    shutil.rmtree(place / "able")
    with pytest.raises(InputError, match=r"able\.mirror\.zip: its protocol 'offline' is none of the publ"):
        _read(place)


def test_the_same_candidate_twice_is_refused(place: Path) -> None:
    shutil.copytree(place / "able", place / "again")
    with pytest.raises(InputError, match="again: is the candidate of able again"):
        _read(place)


def test_names_that_lead_out_are_refused(place: Path) -> None:
    with zipfile.ZipFile(place / "evil.mirror.zip", "w") as packed:
        packed.writestr("../../evil.txt", "x")
    with pytest.raises(InputError, match=r"evil\.mirror\.zip: .*make it anew with mirror-bench pack"):
        _read(place)
    assert not (place.parent / "evil.txt").exists()


@pytest.mark.parametrize("content", ["{}", "not json", '{"version": 1, "card": {"name": "\\u0000"}}'])
def test_a_damaged_manifest_is_refused(place: Path, content: str) -> None:
    (place / "able" / "manifest.json").write_text(content)
    with pytest.raises(InputError, match=r"able: manifest\.json, "):
        _read(place)


def test_a_run_without_sessions_is_refused(place: Path) -> None:
    (place / "poor" / "sessions.jsonl").write_text("")
    (place / "poor" / "ratings.jsonl").write_text("")
    with pytest.raises(InputError, match="poor: holds no session"):
        _read(place)


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        _read(tmp_path / "missing")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="holds no submission"):
        _read(tmp_path)


@given(st.lists(st.text(max_size=100), max_size=12))
def test_slugs_are_plain_and_distinct(names: list[str]) -> None:
    taken: set[str] = set()
    slugs = [slug_of(name, taken) for name in names]
    assert len(set(slugs)) == len(names)
    for slug in slugs:
        assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert 0 < len(slug) <= 64
        assert slug[0] != "-"


def test_sessions_held_for_safety_alone_are_kept_beside(tmp_path: Path) -> None:
    held, rated = samples.run_of(samples.scenarios(8), "vllm/some/Able-7B", "p+ec", 0.8)
    held[1] = held[1].model_copy(update={"only_safety": True})
    boards.write_run(tmp_path / "one", held, rated)
    (one,) = _read(tmp_path)
    assert len(one.outcomes.outcomes) == 7
    assert len(one.sessions) == 8
    assert one.beside[0].pair == held[1].pair
