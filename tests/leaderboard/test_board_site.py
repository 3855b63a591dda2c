"""The whole site, as files, and its command."""

import json
import subprocess
import sys
import zipfile
from contextlib import ExitStack
from pathlib import Path

import board_samples as boards
import pytest
from click.testing import CliRunner

from benchmarks.volume import SUBMISSIONS, write_run
from leaderboard.__main__ import board
from leaderboard.boards import Board, make_boards
from leaderboard.cache import BoardCache
from leaderboard.load_submissions import read_submissions
from leaderboard.site import write_site
from mirror_bench.errors import InputError
from mirror_bench.protocol import load_protocol
from mirror_bench.submissions.archive import MANIFEST, read_archive, write_archive
from mirror_bench.submissions.findings import Verdict, judged


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    return boards.write_samples(tmp_path / "submissions")


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "leaderboard", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def handed_in(tmp_path: Path) -> Path:
    """A folder with one small file: a committed entry cut to three sessions."""
    write_run(tmp_path / "run", "parrot", 3)
    members = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    header = json.loads(members["run.json"])
    header["protocol"] = load_protocol("offline").model_dump(mode="json")
    with zipfile.ZipFile(SUBMISSIONS / "parrot.mirror.zip") as entry:
        members |= {name: entry.read(name) for name in (MANIFEST, "summary.json")}
    members["run.json"] = json.dumps(header).encode()
    place = tmp_path / "handed-in"
    place.mkdir()
    write_archive(place / "parrot.mirror.zip", members)
    return place


def _boards(place: Path, open_while: ExitStack) -> list[Board]:
    return make_boards(read_submissions(place, open_while, verify=False))


def _files(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_the_command_writes_a_site(submissions: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    done = _command("build", "--submissions", str(submissions), "--out", str(site), "--fresh", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["models"], said["sessions"], said["failed"]) == (3, 32, {})
    held = _files(site)
    for slug in ("able-p-ec", "poor-direct", "reflective"):
        assert {f"models/{slug}.{end}" for end in ("html", "json", "csv", "bib")} <= held.keys()
    assert len([name for name in held if name.startswith("data/sessions/able-p-ec/")]) == 16
    assert {
        "index.html",
        "compare.html",
        "session.html",
        "board.csv",
        "board.json",
        "board.bib",
    } <= held.keys()
    assert not list(tmp_path.glob(".site*"))


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    done = _command("build", "--submissions", str(tmp_path / "missing"))
    assert done.returncode == 2
    assert done.stderr.startswith("leaderboard: --submissions")
    assert done.stderr.count("\n") == 1
    assert _command("build", "--nonsense").returncode == 2


def test_equal_submissions_give_equal_bytes(submissions: Path, tmp_path: Path) -> None:
    with ExitStack() as open_while:
        found = _boards(submissions, open_while)
        write_site(tmp_path / "a", found)
        write_site(tmp_path / "b", found)
    assert _files(tmp_path / "a") == _files(tmp_path / "b")


def test_a_site_is_replaced_and_nothing_else_is(submissions: Path, tmp_path: Path) -> None:
    with ExitStack() as open_while:
        found = _boards(submissions, open_while)
        site = tmp_path / "site"
        write_site(site, found)
        (site / "models" / "gone.html").write_text("x")
        write_site(site, found)
        assert not (site / "models" / "gone.html").exists()
        with pytest.raises(InputError, match="holds other files than a site"):
            write_site(submissions, found)
        with pytest.raises(InputError, match="is a file"):
            write_site(site / "board.csv", found)


def test_a_failure_leaves_the_earlier_site(
    submissions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as open_while:
        found = _boards(submissions, open_while)
        write_site(tmp_path / "site", found)
        before = _files(tmp_path / "site")

        def fail(*_: object) -> str:
            raise OSError("disk full")

        monkeypatch.setattr("leaderboard.site.sessions_csv", fail)
        with pytest.raises(OSError, match="disk full"):
            write_site(tmp_path / "site", found)
        assert _files(tmp_path / "site") == before
        monkeypatch.undo()
        replace = Path.replace

        def refuse_draft(path: Path, target: Path) -> Path:
            return fail() if path.name.endswith(".part") else replace(path, target)  # type: ignore[return-value]

        monkeypatch.setattr(Path, "replace", refuse_draft)
        with pytest.raises(OSError, match="disk full"):
            write_site(tmp_path / "site", found)
    assert _files(tmp_path / "site") == before
    assert not list(tmp_path.glob(".site*"))


def test_two_protocols_are_two_boards(submissions: Path) -> None:
    header = json.loads((submissions / "poor" / "run.json").read_text())
    (submissions / "poor" / "run.json").write_text(json.dumps(header | {"fingerprint": "cd" * 32}))
    with ExitStack() as open_while:
        first, second = _boards(submissions, open_while)
    assert [model.name for model in second.models] == ["Poor"]
    assert "poor-direct" not in first.models[0].against


def test_the_command_that_reproduces_a_run_stands_on_its_page(submissions: Path, tmp_path: Path) -> None:
    with ExitStack() as open_while:
        write_site(tmp_path / "site", _boards(submissions, open_while))
    page = (tmp_path / "site" / "models" / "able-p-ec.html").read_text()
    said = "mirror-bench run --therapist vllm/some/Able-7B --method p+ec --protocol offline"
    assert f"{said} --face-conditions matched,none --out runs/able-p-ec" in page


def test_a_local_checkpoint_is_named_as_the_command_takes_it(submissions: Path, tmp_path: Path) -> None:
    path = submissions / "able" / "run.json"
    text = path.read_text()
    assert "vllm/some/Able-7B" in text
    path.write_text(text.replace("vllm/some/Able-7B", "vllm/./able@0123456789ab?max_model_len=2048"))
    with ExitStack() as open_while:
        write_site(tmp_path / "site", _boards(submissions, open_while))
    page = (tmp_path / "site" / "models" / "able-p-ec.html").read_text()
    assert "--therapist &#39;vllm/./able?max_model_len=2048&#39; --method p+ec" in page
    assert "content digest <code>0123456789ab</code>" in page


def test_a_second_build_verifies_and_writes_only_what_has_changed(
    handed_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, site, cache = handed_in, tmp_path / "site", tmp_path / "cache"
    asked: list[str] = []
    for name in ("measuring", "writing"):  # of which the next test tells; here nothing of them changes
        monkeypatch.setattr(BoardCache, name, name)
    monkeypatch.setattr("leaderboard.load_submissions.verify_file", lambda path, **_: _noted(path, asked))

    def build(*options: str) -> tuple[str, dict[str, bytes]]:
        asked.clear()
        command = ["build", "--submissions", str(place), "--out", str(site), "--cache", str(cache), *options]
        done = CliRunner().invoke(board, command)
        assert done.exit_code == 0, done.output
        return done.output, _files(site)

    _, first = build()
    assert asked == ["parrot.mirror.zip"]
    said, again = build()
    assert not asked
    assert "nothing has changed" in said
    assert again == first
    (site / "index.html").write_text("tampered")
    said, again = build()
    assert (asked, "nothing has changed" in said) == ([], False)
    assert again == first
    for kind in ("verdicts", "sessions", "sites"):  # what cannot be read is made anew
        for path in (cache / kind).iterdir():
            path.write_bytes(path.read_bytes()[:-40] + b"?")
    _, again = build()
    assert asked == ["parrot.mirror.zip"]
    assert again == first
    assert build("--fresh")[1] == first
    assert asked == ["parrot.mirror.zip"]
    build()
    file = place / "parrot.mirror.zip"
    members = read_archive(file).members
    fewer = b"".join(members["ratings.jsonl"].splitlines(True)[:-1])
    write_archive(file, {**members, "ratings.jsonl": fewer})
    said, changed = build()
    assert asked == ["parrot.mirror.zip"]
    assert changed != first
    kept = list((cache / "sessions").iterdir())
    assert len(kept) == 1, "what no build uses any more is removed"


def test_another_version_or_template_is_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = BoardCache(tmp_path), BoardCache(tmp_path)
    assert (one.measuring, one.writing) == (other.measuring, other.writing)
    monkeypatch.setattr("leaderboard.cache._version", lambda package: "0")
    assert BoardCache(tmp_path).measuring != one.measuring
    monkeypatch.setenv("MIRROR_BENCH_LICENCES", str(tmp_path / "licences"))
    without = BoardCache(tmp_path).measuring
    (tmp_path / "licences").mkdir()
    (tmp_path / "licences" / "a.json").write_text("{}")
    assert BoardCache(tmp_path).measuring != without
    (tmp_path / "templates").mkdir()
    monkeypatch.setattr("leaderboard.cache.HERE", tmp_path)
    before = BoardCache(tmp_path / "c").writing
    (tmp_path / "templates" / "index.html.jinja").write_text("new")
    assert BoardCache(tmp_path / "c").writing != before


def _noted(path: Path, asked: list[str]) -> Verdict:
    asked.append(path.name)
    return Verdict(file=path.name, sha256="00", checks=(judged("archive", [], "fine"),))
