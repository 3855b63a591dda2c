"""Sessions that stand after a change of the client: what it replays alike is kept, the rest is held anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from board_samples import small_entry

from leaderboard.cache import ENDING
from leaderboard.keeping import keep_what_stands
from mirror_bench.errors import InputError
from mirror_bench.protocol import load_protocol
from mirror_bench.schema import Session
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import read_header
from mirror_bench.sessions.standing import protocol_fingerprint
from mirror_bench.submissions.archive import read_archive, write_archive


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return small_entry(tmp_path_factory.mktemp("entry"))


def _by_an_older_client(entry: bytes, path: Path, changed: Mapping[str, str]) -> str:
    """Writes the entry with other parts, and its first session as an older client may have held it."""
    path.write_bytes(entry)
    members = dict(read_archive(path).members)
    header = json.loads(members["run.json"])
    header["parts"] |= changed
    header["fingerprint"] = "0" * 64
    first, *others = members["sessions.jsonl"].splitlines()
    session = Session.model_validate_json(first)
    turns = list(session.turns)
    turns[2] = turns[2].model_copy(update={"words": "I said something else then."})
    session = session.model_copy(update={"turns": tuple(turns)})
    members["run.json"] = json.dumps(header).encode()
    members["sessions.jsonl"] = b"\n".join([session.line().encode(), *others]) + b"\n"
    write_archive(path, members)
    return session.scenario_id


def test_what_the_client_replays_alike_stands_and_nothing_else(entry: bytes, tmp_path: Path) -> None:
    path, run = tmp_path / f"parrot{ENDING}", tmp_path / "parrot"
    other = _by_an_older_client(entry, path, {"code.client.stateful": "0", "behaviours/feelings.yaml": "0"})
    kept = keep_what_stands(path, run)
    assert kept.anew == 1
    assert kept.stand == len([*read_sessions(run)]) >= 2
    assert other not in {session.scenario_id for session in read_sessions(run)}
    assert read_header(run).fingerprint == protocol_fingerprint(load_protocol("offline")).value
    assert not (run / "ratings.jsonl").exists()


@pytest.mark.parametrize("part", ["data", "prompts/therapist_system.jinja"])
def test_where_more_than_the_client_has_changed_nothing_stands(
    entry: bytes, tmp_path: Path, part: str
) -> None:
    path = tmp_path / f"parrot{ENDING}"
    _by_an_older_client(entry, path, {part: "0"})
    with pytest.raises(InputError, match=rf"{part} changed, which moves every session: hold it anew"):
        keep_what_stands(path, tmp_path / "run")
    assert not (tmp_path / "run").exists()
