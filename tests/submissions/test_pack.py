"""Packing: the same bytes, what is left out, and what is refused."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packed import META, Packed, card, hold_scripted, invoke

from mirror_bench.cli.submissions.pack import _size
from mirror_bench.errors import InputError
from mirror_bench.submissions.archive import MANIFEST
from mirror_bench.submissions.manifest import Manifest
from mirror_bench.submissions.pack import pack_run
from mirror_bench.submissions.verify import verify_file


def copied(packed: Packed, folder: Path) -> Path:
    return Path(shutil.copytree(packed.run, folder / "copy"))


def shuffled_lines(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(reversed(lines)))


def test_the_same_run_packs_to_the_same_bytes(scripted: Packed, tmp_path: Path) -> None:
    again = tmp_path / "again.mirror.zip"
    pack_run(scripted.run, card(scripted.run), again, with_faces=True)
    assert again.read_bytes() == scripted.file.read_bytes()


def test_the_order_in_which_sessions_ended_changes_nothing(scripted: Packed, tmp_path: Path) -> None:
    run = copied(scripted, tmp_path)
    for name in ("sessions.jsonl", "ratings.jsonl"):
        shuffled_lines(run / name)
    pack_run(run, card(run), tmp_path / "again.mirror.zip", with_faces=True)
    assert (tmp_path / "again.mirror.zip").read_bytes() == scripted.file.read_bytes()


def test_a_run_held_again_differs_in_its_environment_alone(scripted: Packed, tmp_path: Path) -> None:
    run = hold_scripted(tmp_path)
    pack_run(run, card(run), tmp_path / "again.mirror.zip", with_faces=True)
    again = Packed(run, tmp_path / "again.mirror.zip").members()
    assert {name for name, content in scripted.members().items() if again[name] != content} <= {
        MANIFEST,
        "run.json",
    }


def test_answers_of_models_stay_at_home_and_faces_are_optional(model: Packed, tmp_path: Path) -> None:
    out = tmp_path / "bare.mirror.zip"
    pack_run(model.run, card(model.run, templated=True), out)
    bare = set(Packed(model.run, out).members())
    assert bare == {MANIFEST, "run.json", "sessions.jsonl", "ratings.jsonl", "summary.json", "probes.jsonl"}
    assert all(name.startswith("faces/") for name in model.members().keys() - bare)
    assert len(model.members()) > len(bare)
    assert verify_file(out).verified


def test_the_manifest_says_how_much_was_done(model: Packed) -> None:
    manifest = Manifest.model_validate_json(model.members()[MANIFEST])
    assert manifest.coverage.profiles == 2 < manifest.coverage.profiles_published
    assert manifest.coverage.due >= 2 * 2 * 2
    assert manifest.coverage.due == len(model.members()["sessions.jsonl"].splitlines())
    assert not manifest.coverage.full
    assert (manifest.therapist, manifest.method, manifest.card.modality) == ("Cycle", "ec", "vision-language")


def test_an_unfinished_run_is_refused(scripted: Packed, tmp_path: Path) -> None:
    run = copied(scripted, tmp_path)
    lines = (run / "sessions.jsonl").read_text().splitlines(keepends=True)
    (run / "sessions.jsonl").write_text("".join(lines[1:]))
    with pytest.raises(InputError, match=r"1 of \d+ sessions were not held yet"):
        pack_run(run, card(run), tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_an_unrated_run_is_refused(scripted: Packed, tmp_path: Path) -> None:
    run = copied(scripted, tmp_path)
    (run / "ratings.jsonl").write_text("")
    with pytest.raises(
        InputError, match=r"\d+ ratings are still to be made: make them with mirror-bench rate"
    ):
        pack_run(run, card(run), tmp_path / "x.zip")


def test_a_run_on_other_data_and_a_lost_face_are_refused(scripted: Packed, tmp_path: Path) -> None:
    run = copied(scripted, tmp_path)
    lost = sorted((run / "faces").iterdir())[0]
    lost.unlink()
    with pytest.raises(InputError, match="without --with-faces"):
        pack_run(run, card(run), tmp_path / "x.zip", with_faces=True)
    header = json.loads((run / "run.json").read_text())
    header["parts"]["data"] = "0" * 64
    (run / "run.json").write_text(json.dumps(header))
    with pytest.raises(InputError, match="has changed since this run was held"):
        pack_run(run, card(run), tmp_path / "x.zip")


def test_no_run_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no run folder"):
        invoke("pack", tmp_path)


def test_missing_keys_are_named_at_once(scripted: Packed, tmp_path: Path) -> None:
    meta = tmp_path / "meta.yaml"
    meta.write_text(yaml.safe_dump({"name": "A model", "licence": "MIT"}))
    with pytest.raises(InputError, match=r"lacks authors, base_model, training_data: give .* --meta"):
        invoke("pack", scripted.run, "-o", tmp_path / "x.zip", "--meta", meta)
    assert not (tmp_path / "x.zip").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("authors", 5),
        ("authors", []),
        ("name", ""),
        ("name", "two\nlines"),
        ("links", ["javascript:alert(1)"]),
        ("links", ["https://example.org/<script>"]),
        ("modality", "smell"),
        ("parameters_billions", -1),
        ("colour", "green"),
    ],
)
def test_a_bad_value_is_named_with_its_file(
    scripted: Packed, tmp_path: Path, key: str, value: object
) -> None:
    meta = tmp_path / "meta.yaml"
    meta.write_text(yaml.safe_dump({**META, key: value}))
    with pytest.raises(InputError, match=rf"meta.yaml: {key}: \S"):
        invoke("pack", scripted.run, "--meta", meta, "-o", tmp_path / "x.zip")


def test_the_command_packs_and_prints_the_manifest(scripted: Packed, tmp_path: Path) -> None:
    meta = tmp_path / "meta.yaml"
    meta.write_text(yaml.safe_dump(META))
    done = invoke("pack", scripted.run, "--meta", meta, "-o", tmp_path / "x.zip", "--with-faces", "--json")
    assert done.exit_code == 0
    assert Manifest.model_validate(json.loads(done.output)).card == card(scripted.run)
    assert (tmp_path / "x.zip").read_bytes() == scripted.file.read_bytes()


def test_a_terminal_is_asked_for_what_is_missing(scripted: Packed, tmp_path: Path) -> None:
    """In a real pseudo-terminal: an empty list of authors is asked for again."""
    meta = tmp_path / "meta.yaml"
    meta.write_text(yaml.safe_dump({"name": "A model", "licence": "Apache-2.0", "base_model": "none"}))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from mirror_bench.cli import main; main()", "pack", str(scripted.run)]
    options = ["--meta", str(meta), "-o", str(tmp_path / "x.zip")]
    with subprocess.Popen([*command, *options], stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, b",\nA. Author, A group\nnone\n")
        shown = b""
        while chunk := _read(ours):
            shown += chunk
        assert process.wait(60) == 0, shown.decode()
    os.close(ours)
    assert shown.count(b"Authors, joined by commas") == 2
    manifest = Manifest.model_validate_json(Packed(scripted.run, tmp_path / "x.zip").members()[MANIFEST])
    assert manifest.card.authors == ("A. Author", "A group")
    assert manifest.card.training_data == ("none",)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # Linux reports the other side's end of a pseudo-terminal so
        return b""


def test_a_run_under_other_settings_than_published_is_refused(scripted: Packed, tmp_path: Path) -> None:
    run = copied(scripted, tmp_path)
    header = json.loads((run / "run.json").read_text())
    header["protocol"]["safety"] = False
    (run / "run.json").write_text(json.dumps(header))
    with pytest.raises(InputError, match=r"safety \(published True, here False\).*leave out --no-safety"):
        pack_run(run, card(scripted.run), tmp_path / "x.zip")


def test_lists_may_be_written_as_text(scripted: Packed, tmp_path: Path) -> None:
    meta = tmp_path / "meta.yaml"
    meta.write_text(yaml.safe_dump({**META, "training_data": "none", "authors": "A. Author, A group"}))
    done = invoke("pack", scripted.run, "--meta", meta, "-o", tmp_path / "x.zip", "--json")
    declared = json.loads(done.output)["card"]
    assert declared["training_data"] == ["none"]
    assert declared["authors"] == ["A. Author", "A group"]


@pytest.mark.parametrize(
    ("size", "said"), [(120, "1 kB"), (30_400, "30 kB"), (999_400, "999 kB"), (1_240_000, "1.2 MB")]
)
def test_the_size_of_a_small_file_is_no_zero(size: int, said: str) -> None:
    assert _size(size) == said
