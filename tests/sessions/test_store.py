import resource
import signal
from pathlib import Path

import pytest
from bare_session import bare_session

from mirror_bench.errors import InputError
from mirror_bench.faces.base import Face
from mirror_bench.files import write_atomically
from mirror_bench.protocol import ClientSettings, Protocol
from mirror_bench.schema import Ending, Expression, Session
from mirror_bench.sessions.run_folder import RunFolder, read_sessions
from mirror_bench.sessions.run_header import RunCandidate, RunHeader, read_header


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
    return bare_session(name=f"s{number}", ended=ended)


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", _header()) as folder:
        folder.keep_session(_session(1))
    with RunFolder(tmp_path / "run", _header()) as folder:
        folder.keep_session(_session(2))
        assert [session.scenario_id for session in folder.sessions()] == ["s1", "s2"]
    assert read_header(tmp_path / "run").protocol.name == "offline"


def test_sessions_of_some_scenarios_are_read_alone(tmp_path: Path) -> None:
    names = ("s1", "s11", "sé")
    with RunFolder(tmp_path, _header()) as folder:
        for name in names:
            folder.keep_session(bare_session(name=name, ended=Ending.TURN_LIMIT))
    for name in names:
        assert [session.scenario_id for session in read_sessions(tmp_path, {name})] == [name]
    assert len(list(read_sessions(tmp_path, {"s1", "sé"}))) == 2
    assert list(read_sessions(tmp_path, set())) == []
    log = tmp_path / "sessions.jsonl"
    log.write_text(log.read_text().replace("é", "\\u00e9"))  # as other programs write it
    assert [session.scenario_id for session in read_sessions(tmp_path, {"sé"})] == ["sé"]


@pytest.mark.parametrize("cut", [2, 5, 40])
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
        (
            {"selection": {"conditions": ["none"], "limit": None}},
            r"this one: --face-conditions was matched, now none\. ",
        ),
        (
            {"selection": {"conditions": ["matched"], "limit": 2, "sessions": 7, "only_safety": 5}},
            r"this one: --limit was all, now 2\. ",
        ),
        ({"selection": {"conditions": ["matched"], "sessions": 7}}, r"selection\.sessions \(.* -> 7\)"),
    ],
)
def test_another_run_is_refused_by_name(tmp_path: Path, change: dict[str, object], named: str) -> None:
    with RunFolder(tmp_path, _header()) as folder:
        folder.keep_session(_session(1))
    before = (tmp_path / "run.json").read_bytes()
    with pytest.raises(InputError, match=named):
        RunFolder(tmp_path, _header(**change))
    assert (tmp_path / "run.json").read_bytes() == before


def test_a_folder_without_a_session_takes_another_run(tmp_path: Path) -> None:
    with RunFolder(tmp_path, _header()):
        pass
    other = {"therapist": "openai/x", "method": "text"}
    with RunFolder(tmp_path, _header(candidate=other)) as folder:
        folder.keep_session(_session(1))
    assert read_header(tmp_path).candidate == RunCandidate.model_validate(other)


def test_a_server_that_moved_is_taken_over_and_nothing_else(tmp_path: Path) -> None:
    with RunFolder(tmp_path, _header(environment={"started": "then"})) as folder:
        folder.keep_session(_session(1))
    moved = Protocol(name="offline", client=ClientSettings(kind="llm", model="openai/m?base_url=http://b/v1"))
    with RunFolder(tmp_path, _header(protocol=moved, environment={"started": "now"})):
        pass
    assert read_header(tmp_path).protocol.client.model == "openai/m?base_url=http://b/v1"
    assert read_header(tmp_path).environment.started == "then"


def test_what_an_editor_does_to_a_folder_loses_no_record(tmp_path: Path) -> None:
    with RunFolder(tmp_path, _header()) as folder:
        folder.keep_session(_session(1))
        folder.keep_session(_session(2))
    log = tmp_path / "sessions.jsonl"
    lines = log.read_bytes().splitlines()
    log.write_bytes(b"\xef\xbb\xbf" + lines[0] + b"\r\n\r\n  \n" + lines[1])
    header = tmp_path / "run.json"
    header.write_bytes(b"\xef\xbb\xbf" + header.read_bytes())
    assert [session.scenario_id for session in read_sessions(tmp_path)] == ["s1", "s2"]
    with RunFolder(tmp_path, _header()) as folder:
        folder.keep_session(_session(3))
    assert [session.scenario_id for session in read_sessions(tmp_path)] == ["s1", "s2", "s3"]


def test_a_full_disk_leaves_whole_records(tmp_path: Path) -> None:
    with RunFolder(tmp_path, _header()) as folder:
        folder.keep_session(_session(1))
        room = (tmp_path / "sessions.jsonl").stat().st_size + 20
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
        try:
            with pytest.raises(InputError, match=r"sessions\.jsonl: .*run the same command again"):
                folder.keep_session(_session(2))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, ignored)
        folder.keep_session(_session(3))
    assert [session.scenario_id for session in read_sessions(tmp_path)] == ["s1", "s3"]


@pytest.mark.parametrize("name", ["lost+found", "System Volume Information", ".Trash-1000"])
def test_what_a_fresh_volume_holds_is_nobodys(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with RunFolder(tmp_path, _header()) as folder:
        folder.keep_session(_session(1))


def test_a_link_to_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "gone" / "away")
    with pytest.raises(InputError, match=r"out is a link to .*away, which does not exist"):
        RunFolder(tmp_path / "out", _header())
    with pytest.raises(InputError, match="is a link to"):
        RunFolder(tmp_path / "out" / "run", _header())


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
        folder.drop_failed()
        folder.keep_session(_session(3))
    assert [session.scenario_id for session in read_sessions(tmp_path)] == ["s1", "s3"]


def test_faces_are_kept_once_by_digest(tmp_path: Path) -> None:
    face = Face(b"png", "e" * 64, Expression())
    with RunFolder(tmp_path, _header()) as folder:
        folder.keep_face(face)
        folder.keep_face(face)
    assert [path.name for path in (tmp_path / "faces").iterdir()] == ["e" * 64 + ".png"]


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b.json", b"1")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.json"]
