from pathlib import Path

import pytest

from mirror_bench.errors import InputError
from mirror_bench.faces.base import Face
from mirror_bench.protocol import Protocol
from mirror_bench.schema import Ending, Expression, FaceCondition, Resistance, Session
from mirror_bench.sessions.store import (
    RunFolder,
    RunHeader,
    drop_failed,
    read_header,
    read_sessions,
    write_atomically,
)


def _header(**changes: object) -> RunHeader:
    values: dict[str, object] = {
        "protocol": Protocol(name="offline"),
        "fingerprint": "a" * 64,
        "parts": {"parameters.max_client_turns": 12, "prompts/x.jinja": "b" * 64},
        "candidate": {"therapist": "scripted/parrot", "method": ""},
        "selection": {"conditions": ["matched"], "limit": None},
    }
    return RunHeader.model_validate(values | changes)


def _session(number: int, ended: Ending = Ending.TURN_LIMIT) -> Session:
    return Session(
        scenario_id=f"s{number}",
        pair=f"s{number}",
        profile_id="p",
        resistance=Resistance.NONE,
        condition=FaceCondition.MATCHED,
        seed=0,
        therapist="scripted/parrot",
        client="stateful",
        ended=ended,
    )


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", _header()) as folder:
        folder.keep_session(_session(1))
    with RunFolder(tmp_path / "run", _header()) as folder:
        folder.keep_session(_session(2))
        assert [session.scenario_id for session in folder.sessions()] == ["s1", "s2"]
    assert read_header(tmp_path / "run").protocol.name == "offline"


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_torn_last_line_is_dropped(tmp_path: Path, cut: int) -> None:
    with RunFolder(tmp_path, _header()) as folder:
        folder.keep_session(_session(1))
        folder.keep_session(_session(2))
    log = tmp_path / "sessions.jsonl"
    log.write_bytes(log.read_bytes()[:-cut])
    assert [session.scenario_id for session in read_sessions(tmp_path)] == ["s1"]
    with RunFolder(tmp_path, _header()) as folder:
        folder.keep_session(_session(3))
    assert [session.scenario_id for session in read_sessions(tmp_path)] == ["s1", "s3"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            {
                "fingerprint": "c" * 64,
                "parts": {"parameters.max_client_turns": 9, "prompts/x.jinja": "b" * 64},
            },
            r"parameters\.max_client_turns \(12 -> 9\)",
        ),
        (
            {"parts": {"parameters.max_client_turns": 12, "prompts/x.jinja": "c" * 64}},
            r"x\.jinja \(changed\)",
        ),
        (
            {"candidate": {"therapist": "openai/x", "method": ""}},
            r"candidate\.therapist \(scripted/parrot -> openai/x\)",
        ),
        ({"selection": {"conditions": ["none"], "limit": None}}, r"selection\.conditions"),
    ],
)
def test_another_run_is_refused_by_name(tmp_path: Path, change: dict[str, object], named: str) -> None:
    with RunFolder(tmp_path, _header()):
        pass
    before = (tmp_path / "run.json").read_bytes()
    with pytest.raises(InputError, match=named):
        RunFolder(tmp_path, _header(**change))
    assert (tmp_path / "run.json").read_bytes() == before


def test_two_processes_cannot_share_a_folder(tmp_path: Path) -> None:
    with RunFolder(tmp_path, _header()), pytest.raises(InputError, match="in use"):
        RunFolder(tmp_path, _header())


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(InputError, match="holds other files"):
        RunFolder(tmp_path, _header())
    with pytest.raises(InputError, match="is a file"):
        RunFolder(tmp_path / "thesis.docx", _header())
    with pytest.raises(InputError, match="is no run folder"):
        read_header(tmp_path)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    with RunFolder(tmp_path, _header()) as folder:
        folder.keep_session(_session(1))
    log = tmp_path / "sessions.jsonl"
    log.write_bytes(log.read_bytes() + b'{"no": 1}\n')
    with pytest.raises(InputError, match=r"sessions\.jsonl:2:"):
        list(read_sessions(tmp_path))


def test_failed_sessions_can_be_dropped(tmp_path: Path) -> None:
    with RunFolder(tmp_path, _header()) as folder:
        folder.keep_session(_session(1))
        folder.keep_session(_session(2, Ending.FAILED))
    drop_failed(tmp_path)
    assert [session.scenario_id for session in read_sessions(tmp_path)] == ["s1"]


def test_faces_are_kept_once_by_digest(tmp_path: Path) -> None:
    face = Face(b"png", "e" * 64, Expression())
    with RunFolder(tmp_path, _header()) as folder:
        folder.keep_face(face)
        folder.keep_face(face)
    assert [path.name for path in (tmp_path / "faces").iterdir()] == ["e" * 64 + ".png"]


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b.json", b"1")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.json"]
