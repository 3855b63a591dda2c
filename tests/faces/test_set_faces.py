"""A prepared set of faces stands in for the drawn ones of a session."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from mirror_bench.cli import main
from mirror_bench.cli.content.faces import faces as faces_command
from mirror_bench.errors import InputError
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.facs.expressions import EXPRESSIONS, scaled
from mirror_bench.faces.factory import open_faces
from mirror_bench.faces.presenter import ShownFaces
from mirror_bench.faces.sets.source import BASIC, SetFaces, read_age, read_set
from mirror_bench.protocol import FaceSettings, load_protocol
from mirror_bench.schema import Expression, FaceCondition, FaceIdentity, Profile, Resistance, Scenario
from mirror_bench.sessions.standing import protocol_fingerprint

_PEOPLE = {
    "ann": FaceIdentity(age=24, sex="female", skin=0.2, hair="long"),
    "bea": FaceIdentity(age=67, sex="female", skin=0.9, hair="short", hair_color="gray"),
    "cem": FaceIdentity(age=38, sex="male", skin=0.5, hair="short", beard="full"),
}
_COLUMNS = ("file_name", "expression", "units", "person", "age", "sex", "skin", "licence")


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metadata.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _write(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "metadata.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, _COLUMNS, restval="")
        table.writeheader()
        table.writerows(rows)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn faces written as a set: three people in folders of their own."""
    folder = tmp_path_factory.mktemp("set")
    rows = []
    for person, identity in _PEOPLE.items():
        (folder / person).mkdir()
        for name in BASIC:
            (folder / person / f"{name}.png").write_bytes(DrawnFaces().render(identity, EXPRESSIONS[name]))
            rows.append({
                "file_name": f"{person}/{name}.png", "expression": name.title(), "age": str(identity.age),
                "sex": identity.sex, "skin": str(identity.skin), "licence": "CC BY 4.0",
            })  # fmt: skip
    _write(folder, rows)
    return folder


@pytest.fixture
def own(written: Path, tmp_path: Path) -> Path:
    """A copy of the set to change."""
    return Path(shutil.copytree(written, tmp_path / "own"))


def _scenario(condition: FaceCondition) -> Scenario:
    profile = Profile(id="x1", name="X", gender="female", age=25)
    return Scenario(profile=profile, condition=condition, resistance=Resistance.NONE)


@pytest.mark.parametrize("name", BASIC)
def test_the_nearest_image_of_the_nearest_person_is_shown_as_it_is(written: Path, name: str) -> None:
    source = SetFaces(str(written))
    for person, identity in _PEOPLE.items():
        other = identity.model_copy(update={"age": identity.age + 3, "glasses": "round"})
        shown = source.render(other, scaled(EXPRESSIONS[name], 0.9))
        assert shown == (written / person / f"{name}.png").read_bytes()


def test_a_faint_expression_is_nearest_to_a_face_at_rest(written: Path) -> None:
    faint = SetFaces(str(written)).render(_PEOPLE["ann"], scaled(EXPRESSIONS["anger"], 0.2))
    assert faint == (written / "ann" / "neutral.png").read_bytes()


def test_where_nothing_is_known_of_people_the_seed_spreads_profiles_over_them(own: Path) -> None:
    _write(own, [{key: row[key] for key in ("file_name", "expression")} for row in _rows(own)])
    source = SetFaces(str(own))
    names = [source.stand_in(FaceIdentity(age=20 + number)).name for number in range(40)]
    assert set(names) == set(_PEOPLE)
    assert names == [SetFaces(str(own)).stand_in(FaceIdentity(age=20 + number)).name for number in range(40)]


def test_the_five_conditions_hold_for_a_set(written: Path) -> None:
    show = ShownFaces(open_faces("set", str(written)))
    files = {
        hashlib.sha256((written / "ann" / f"{name}.png").read_bytes()).hexdigest(): name for name in BASIC
    }
    seen = {}
    for condition in FaceCondition:
        face = show.show(_scenario(condition), 1, EXPRESSIONS["happiness"])
        seen[condition] = face and files[face.sha256]
    assert seen[FaceCondition.MATCHED] == "happiness"
    assert seen[FaceCondition.NEUTRAL] == "neutral"
    assert seen[FaceCondition.NONE] is None
    assert seen[FaceCondition.INCONGRUENT] not in {"happiness", None}
    assert seen[FaceCondition.SHUFFLED] not in {"happiness", None}


def test_the_fingerprint_moves_with_the_set_and_not_with_where_it_lies(written: Path, own: Path) -> None:
    protocol = load_protocol("offline")

    def value(folder: Path) -> str:
        faces = FaceSettings(kind="set", argument=str(folder))
        return protocol_fingerprint(protocol.model_copy(update={"faces": faces})).value

    assert value(written) == value(own)
    assert value(written) != protocol_fingerprint(protocol).value
    (own / "notes.txt").write_text("a file that the metadata do not name")
    third = own.parent / "third"
    shutil.copytree(own, third)
    swapped = (third / "ann" / "anger.png", third / "ann" / "fear.png")
    contents = [path.read_bytes() for path in swapped]
    for path, content in zip(swapped, reversed(contents), strict=True):
        path.write_bytes(content)
    assert value(third) != value(own) == value(written)


def _run(monkeypatch: pytest.MonkeyPatch, out: Path, faces: str) -> int | str | None:
    arguments = ["--therapist", "scripted/attuned", "--faces", faces, "--limit", "1", "--no-safety"]
    monkeypatch.setattr(sys, "argv", ["mirror-bench", "run", "--out", str(out), "--quiet", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def test_a_run_shows_the_set_and_its_report_names_digest_and_licence(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _run(monkeypatch, tmp_path / "run", f"set:{written}") == 0
    kept = {path.stem for path in (tmp_path / "run" / "faces").iterdir()}
    assert kept
    assert kept <= {hashlib.sha256(path.read_bytes()).hexdigest() for path in written.rglob("*.png")}
    report = (tmp_path / "run" / "report.html").read_text()
    assert f"set/3 {read_set(written).digest[:12]} (CC BY 4.0)" in report
    assert str(written) not in report


def test_a_run_with_a_set_that_lacks_an_expression_is_refused(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(own, [row for row in _rows(own) if row["file_name"] != "cem/sadness.png"])
    assert _run(monkeypatch, tmp_path / "run", f"set:{own}") == 2
    assert "person 'cem' lacks sadness" in capsys.readouterr().err


def test_units_say_what_an_image_shows(own: Path) -> None:
    rows = _rows(own)
    for row in rows:
        if row["file_name"] == "ann/anger.png":
            row |= {"expression": "", "units": "4:1.0 7:0.7; 23=0.8, L5:0.5"}
    _write(own, rows)
    ann = read_set(own).people[0]
    shown = next(image for image in ann.images if image.entry.file == "ann/anger.png").expression
    assert shown.units == {"4": 1.0, "7": 0.7, "23": 0.8, "L5": 0.5}
    assert shown.label == "anger"
    assert ann.lacks() == []


def test_a_file_of_another_kind_is_shown_whole_as_a_336_pixel_rgb_png(own: Path) -> None:
    Image.new("L", (600, 300), 200).save(own / "ann" / "neutral.png")
    png = SetFaces(str(own)).render(_PEOPLE["ann"], Expression())
    image = Image.open(io.BytesIO(png))
    assert (image.format, image.size, image.mode) == ("PNG", (336, 336), "RGB")
    assert image.getpixel((168, 168)) == (200, 200, 200)
    assert image.getpixel((168, 5)) == (128, 128, 128)


def test_a_person_without_a_basic_expression_is_named(own: Path) -> None:
    _write(own, [row for row in _rows(own) if row["file_name"] not in {"bea/fear.png", "bea/disgust.png"}])
    with pytest.raises(InputError, match=r"metadata\.csv: person 'bea' lacks fear, disgust"):
        SetFaces(str(own))
    done = CliRunner().invoke(faces_command, ["check", str(own)])
    assert done.exit_code == 1
    assert "person 'bea' lacks fear, disgust" in done.output


def test_check_says_what_a_sound_set_covers(written: Path) -> None:
    done = CliRunner().invoke(faces_command, ["check", str(written)])
    assert done.exit_code == 0, done.output
    assert "21 images of 3 people; CC BY 4.0" in done.output
    assert "anger          3 people, 3 images" in done.output
    assert "pain           0 people, 0 images" in done.output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"expression": "gleeful"}, r"metadata\.csv:2: expression 'gleeful' is none of neutral, "),
        ({"units": "99:0.5"}, r"metadata\.csv:2: no action unit '99'"),
        ({"units": "4 hard"}, r"metadata\.csv:2: units '4 hard': write them as"),
        ({"units": "4:7"}, r"metadata\.csv:2: the intensity of action unit 4 is 7"),
        ({"file_name": "../secret.png"}, r"metadata\.csv:2: '\.\./secret\.png' lies outside the folder"),
        ({"file_name": "ann/none.png"}, r"metadata\.csv:2: cannot read the image 'ann/none\.png'"),
        ({"file_name": "metadata.csv"}, r"metadata\.csv:2: cannot read the image"),
        ({"age": "99"}, r"person 'ann' has several values under 'age': 24, 99"),
        ({"person": "eve", "age": "1990-05-02"}, r"metadata\.csv:2: person 'eve': age '1990-05-02' is not"),
        (
            {"person": "eve", "sex": "femle"},
            r"person 'eve': sex 'femle' is not understood: write female, male",
        ),
        ({"person": "eve", "skin": "4"}, r"person 'eve': skin '4' is not understood: write light, medium"),
    ],
)
def test_an_unsound_set_is_refused_by_line(own: Path, change: dict[str, str], message: str) -> None:
    rows = _rows(own)
    rows[0] |= change
    _write(own, rows)
    with pytest.raises(InputError, match=message):
        SetFaces(str(own))


def test_a_flat_set_must_name_its_people(own: Path) -> None:
    shutil.copy(own / "ann" / "anger.png", own / "anger.png")
    _write(own, [*_rows(own), {"file_name": "anger.png", "expression": "anger"}])
    with pytest.raises(InputError, match=r"metadata\.csv:23: names no person"):
        SetFaces(str(own))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("set", "name the folder of the set, as in set:FOLDER"),
        ("set:/nowhere/at/all", "cannot read /nowhere/at/all/metadata.csv"),
        ("drawn:here", "takes nothing behind a colon"),
        ("sett:here", "did you mean 'set'"),
    ],
)
def test_a_source_that_cannot_be_opened_is_refused(name: str, message: str) -> None:
    kind, _, folder = name.partition(":")
    with pytest.raises(InputError, match=message):
        open_faces(kind, folder)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("34", 34),
        ("34.0", 34),
        ("34.5", 34.5),
        ("35 to 59", 47),
        ("under 35", 25),
        ("60+", 70),
        ("1990", None),
    ],
)
def test_an_age_is_years_or_a_range(text: str, years: float | None) -> None:
    assert read_age(text) == years


def test_what_says_nothing_of_a_person_is_no_fault(own: Path) -> None:
    path = own / "metadata.csv"
    path.write_text(path.read_text().replace(",24,female,", ",nan,Unknown,"))
    (ann,) = (person for person in read_set(own).people if person.name == "ann")
    assert (ann.age, ann.sex) == (None, None)
