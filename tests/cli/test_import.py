"""`mirror-bench import`: runs of conversations held elsewhere, through every command that reads a run."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from peer_samples import chat, lines, personas
from PIL import Image

from mirror_bench.cli import cli
from mirror_bench.errors import InputError
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import read_header

pytestmark = pytest.mark.usefixtures("without_figures")
TALK = (
    "I can't sleep, and I don't see what talking would change.",
    "It sounds as if the nights are long. What is it like when you lie awake?",
    "I go over everything I did wrong.",
    "You go over it again and again, and it does not let you rest. What would you like to be different?",
    "I suppose I'd like one night of peace.",
    "One night of peace. What has helped even a little before?",
)


def _call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)


def _refused(*arguments: object) -> str:
    with pytest.raises(InputError) as caught:
        _call(*arguments)
    return str(caught.value)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rated run of four imported conversations with two clients."""
    folder = tmp_path_factory.mktemp("imported")
    chats = [
        chat(*TALK, id="a", profile="ana"),
        chat(*TALK[:4], id="b", profile="ana"),
        chat(*TALK[2:], id="c", profile="ben"),
        chat(
            "My name is Cleo Marsh, mail cleo@x.org.", *TALK[1:4], id="d", profile={"name": "Cleo", "age": 30}
        ),
    ]
    path = lines(folder / "chats.jsonl", *chats)
    done = _call("import", "messages", path, "--out", folder / "run", "--name", "shop bot")
    assert done.exit_code == 0, done.output
    assert "4 sessions of 3 clients, 18 turns" in done.output
    assert "1 mail, 1 name" in done.output
    assert _call("rate", folder / "run", "--quiet").exit_code == 0
    return folder / "run"


def test_an_imported_run_is_a_run_like_any_other(imported: Path, tmp_path: Path) -> None:
    header = read_header(imported)
    assert header.imported is not None
    assert (header.imported.format, header.imported.sessions, header.imported.details) == (
        "messages",
        4,
        {"mail": 1, "name": 1},
    )
    assert [one.pair for one in read_sessions(imported)] == [
        "ana:none:0",
        "ana:none:1",
        "ben:none:0",
        "Cleo:none:0",
    ]
    done = _call("report", imported)
    assert "CTRS total" in done.output
    assert "client: recorded; rated by: coded" in done.output
    assert "not fit" not in done.output
    page = (imported / "report.html").read_text()
    assert "held elsewhere with other people" in page
    assert _call("gate", "--baseline", imported, "--candidate", imported).exit_code == 0
    assert (tmp_path / "x").exists() is False


def test_it_is_compared_with_a_run_held_here_over_different_people(
    imported: Path, short_runs: dict[str, Path]
) -> None:
    held = short_runs["reflective"]
    found = json.loads(_call("compare", imported, held, "--json").output)
    (match,) = found["matches"]
    assert match["wins"] == match["losses"] == 0
    assert {one["metric"] for one in match["apart"]} == {"ctrs.total", "wai.total"}
    assert all(one["low"] < one["value"] < one["high"] for one in match["apart"])
    assert "share no scenario" in _call("compare", imported, held).output
    assert _call("report", imported, held, "--out", imported.parent / "both").exit_code == 0
    assert "share no scenario" in _refused("gate", "--baseline", held, "--candidate", imported)


def test_runs_that_are_rated_otherwise_are_not_compared(
    imported: Path, short_runs: dict[str, Path], tmp_path: Path
) -> None:
    path = lines(tmp_path / "c.jsonl", chat(*TALK, id="a"))
    _call("import", "messages", path, "--out", tmp_path / "run", "--name", "x", "--instrument", "wai")
    assert "rated otherwise" in _refused("compare", tmp_path / "run", short_runs["reflective"])


def test_its_clients_can_be_met_again_by_another_therapist(imported: Path, tmp_path: Path) -> None:
    done = _call(
        *("run", "--data", f"imported:{imported}", "--client", "replay", "--therapist", "scripted/parrot"),
        *("--seeds", "0", "--no-safety", "--quiet", "--out", tmp_path / "again"),
    )
    assert done.exit_code == 0, done.output
    assert {one.pair for one in read_sessions(tmp_path / "again")} == {
        "ana:none:0",
        "ben:none:0",
        "Cleo:none:0",
    }


def test_it_is_packed_verified_and_told_apart(imported: Path, tmp_path: Path) -> None:
    meta = tmp_path / "meta.yaml"
    meta.write_text("name: Bot\nauthors: [A]\nlicence: MIT\nbase_model: none\ntraining_data: [none]\n")
    packed = tmp_path / "bot.mirror.zip"
    done = _call("pack", imported, "--meta", meta, "-o", packed)
    assert "nothing of them can be replayed" in done.output
    found = json.loads(_call("verify", packed, "--json").output)
    status = {check["name"]: check["status"] for check in found["checks"]}
    assert {name for name, one in status.items() if one == "failed"} == set()
    assert {status[name] for name in ("coded", "scores", "data", "ratings")} == {"passed"}
    assert {status[name] for name in ("client", "therapist", "endings")} == {"skipped"}


def test_a_tampered_import_is_found(imported: Path, tmp_path: Path) -> None:
    import zipfile

    meta = tmp_path / "meta.yaml"
    meta.write_text("name: Bot\nauthors: [A]\nlicence: MIT\nbase_model: none\ntraining_data: [none]\n")
    _call("pack", imported, "--meta", meta, "-o", tmp_path / "a.mirror.zip")
    from mirror_bench.submissions.archive import MANIFEST, write_archive
    from mirror_bench.submissions.manifest import Manifest
    from mirror_bench.submissions.pack import files_of
    from mirror_bench.submissions.verify import verify_file

    with zipfile.ZipFile(tmp_path / "a.mirror.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["sessions.jsonl"] = members["sessions.jsonl"].replace(
        b"one night of peace", b"two nights of calm"
    )
    manifest = Manifest.model_validate_json(members.pop(MANIFEST))
    manifest = manifest.model_copy(update={"files": files_of(members)})
    write_archive(tmp_path / "b.mirror.zip", {MANIFEST: manifest.text().encode(), **members})
    assert "data" in verify_file(tmp_path / "b.mirror.zip").failed


def test_speakers_nobody_knows_are_all_named_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines(
        path, {"messages": [{"role": r, "content": "x"} for r in ("Mutter", "Frau Doktor", "Mutter", "user")]}
    )
    told = _refused("import", "messages", path, "--out", tmp_path / "run")
    assert "'Mutter' (2 turns, first t.jsonl:1), 'Frau Doktor' (1 turns" in told
    assert "--client Mutter" in told
    assert sorted(one.name for one in tmp_path.iterdir()) == ["t.jsonl"]
    done = _call(
        *("import", "messages", path, "--out", tmp_path / "run", "--name", "x"),
        *("--client", "mutter", "--therapist", "frau doktor", "--ignore", "user"),
    )
    assert done.exit_code == 0
    (session,) = read_sessions(tmp_path / "run")
    assert [turn.speaker.value for turn in session.turns] == ["client", "therapist", "client"]


def test_what_cannot_be_read_is_listed_and_told_by_the_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines(path, chat("a", "", id="quiet"), chat("only one"), {"messages": 3})
    path.write_text(path.read_text() + "{broken\n")
    done = _call("import", "messages", path, "--out", tmp_path / "run", "--name", "x")
    assert done.exit_code == 1
    listed = (tmp_path / "run" / "problems.txt").read_text().splitlines()
    assert [line.partition(": ")[0] for line in listed] == [
        "t.jsonl:1",
        "t.jsonl:2",
        "t.jsonl:3",
        "t.jsonl:4",
    ]
    assert "empty: kept as silence" in listed[0]
    assert "3 conversations or rows left out" in done.output
    path.write_text("{broken\n")
    assert "holds no conversation" in _refused("import", "messages", path, "--out", tmp_path / "none")
    assert not (tmp_path / "none").exists()


BAD = {
    "no format": (("nothing", "{file}"), "no transcript format is named 'nothing'"),
    "no file": (("messages", "{tmp}/gone"), "no such file"),
    "a folder": (("messages", "{tmp}"), "is a folder"),
    "there already": (("messages", "{file}", "--out", "{tmp}"), "is there already"),
    "a column": (("csv", "{file}", "--column", "x=y"), "--column"),
    "a pattern": (("messages", "{file}", "--client-from", "("), "no regular expression"),
    "an instrument": (("messages", "{file}", "--instrument", "nope"), "nope"),
    "two therapists": (("messages", "{file}"), "several therapists: m1 (1), m2 (1)"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    file = lines(tmp_path / "t.jsonl", chat("a", "b", model="m1"), chat("a", "b", model="m2"))
    arguments, expected = BAD[name]
    given = [one.format(file=file, tmp=tmp_path) for one in arguments]
    out = [] if "--out" in given else ["--out", str(tmp_path / "run")]
    assert expected in _refused("import", *given, *out)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["t.jsonl"]


def test_redacted_words_names_and_people(tmp_path: Path) -> None:
    person = {"name": "Cleo Marsh", "background": "Cleo Marsh lives at 12 Elm Street."}
    path = lines(
        tmp_path / "t.jsonl",
        chat("I'm Cleo. Call 020 7946 0958.", "Thanks, Cleo.", id="cleo-1", profile=person),
    )
    _call("import", "messages", path, "--out", tmp_path / "run", "--name", "x", "--redact")
    everything = b"".join(one.read_bytes() for one in (tmp_path / "run").rglob("*") if one.is_file())
    for secret in (b"Cleo", b"Marsh", b"7946", b"Elm"):
        assert secret not in everything
    (session,) = read_sessions(tmp_path / "run")
    assert session.turns[1].words == "Thanks, [name 1]."


def test_people_are_looked_up_and_found_in_ids(tmp_path: Path) -> None:
    people = personas(tmp_path / "people")
    chats = [chat("a", "b", id=f"x_{name}") for name in ("Ilse_run1", "Ilse_run2", "Uwe_run1")]
    path = lines(tmp_path / "t.jsonl", *chats)
    done = _call(
        *("import", "messages", path, "--out", tmp_path / "run", "--name", "x"),
        *("--people", f"vera:{people}", "--client-from", "_([A-Z][a-z]+)_"),
    )
    pairs = [one.pair for one in read_sessions(tmp_path / "run")]
    assert [pair.rpartition(":")[2] for pair in pairs] == ["0", "1", "0"]
    assert all(pair.startswith("vera-ilse-") for pair in pairs[:2])
    assert done.exit_code == 0
    (problem,) = (tmp_path / "run" / "problems.txt").read_text().splitlines()
    assert "x_Uwe_run1: the people that were given hold nobody of that name" in problem


def test_faces_and_stage_directions_are_kept(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("L", (8, 8), 90).save(stream, "PNG")
    image = {
        "type": "image_url",
        "image_url": {"url": f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"},
    }
    content = [image, {"type": "text", "text": "[Looks away, jaw tight] I'm fine."}]
    path = lines(
        tmp_path / "t.jsonl",
        {
            "messages": [
                {"role": "user", "content": content},
                {"role": "assistant", "content": "[Warmly] I see."},
            ]
        },
    )
    _call("import", "messages", path, "--out", tmp_path / "run", "--name", "x", "--stage-directions")
    (session,) = read_sessions(tmp_path / "run")
    client, therapist = session.turns
    assert (client.words, client.direction) == ("I'm fine.", "Looks away, jaw tight")
    assert (tmp_path / "run" / "faces" / f"{client.face}.png").is_file()
    assert session.condition == "matched"
    assert therapist.words == "I see."
    assert therapist.direction == ""


def test_a_killed_import_leaves_no_run_and_can_be_repeated(tmp_path: Path) -> None:
    path = lines(tmp_path / "t.jsonl", *(chat(*TALK, id=str(n)) for n in range(3_000)))
    command = [
        sys.executable,
        "-m",
        "mirror_bench.cli",
        "import",
        "messages",
        str(path),
        "--out",
        str(tmp_path / "run"),
    ]
    code = "from mirror_bench.cli import main; main()"
    started = subprocess.Popen([sys.executable, "-c", code, *command[3:]], env=os.environ.copy())
    part = tmp_path / ".run.importing" / "sessions.jsonl"
    until = time.monotonic() + 30
    while time.monotonic() < until and not (part.is_file() and part.stat().st_size):
        time.sleep(0.02)
    started.send_signal(signal.SIGKILL)
    started.wait()
    assert not (tmp_path / "run").exists()
    lines(path, chat(*TALK, id="1"))
    assert _call("import", "messages", path, "--out", tmp_path / "run").exit_code == 0
    assert not part.exists()
