"""A prepared set of faces stands in for the drawn ones of `mirror_expression`."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

pytest.importorskip("datasets")

from PIL import Image

from mirror_bench.errors import InputError
from mirror_bench.lm_eval.documents import load, question_rows
from mirror_bench.lm_eval.questions import blank

TABLE = (
    "file_name,expression,person,age\n"
    "a.png,Happiness,ann,under 35\n"
    "b.jpg,anxious,ann,under 35\n"
    "more/c.png,neutral,,\n"
)


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    (tmp_path / "more").mkdir()
    for number, name in enumerate(("a.png", "b.jpg", "more/c.png")):
        Image.new("RGB", (48, 64), (40 * number, 90, 120)).save(tmp_path / name)
    (tmp_path / "metadata.csv").write_text(TABLE)
    return tmp_path


def test_each_image_is_asked_about_once_under_the_label_it_counts_as(prepared: Path) -> None:
    rows = {row["id"]: row for row in question_rows("expression", face_set=str(prepared))}
    assert {name: row["answers"] for name, row in rows.items()} == {
        "a.png": ["happy"],
        "b.jpg": ["afraid"],
        "more/c.png": ["neutral"],
    }
    assert [rows[name]["cluster"] for name in ("a.png", "b.jpg", "more/c.png")] == [
        "ann",
        "ann",
        "more/c.png",
    ]
    assert rows["a.png"]["age"] == "under 35"
    assert rows["more/c.png"]["age"] == rows["a.png"]["sex"] == "unknown"
    content = (prepared / "b.jpg").read_bytes()
    assert rows["b.jpg"]["image_digest"] == hashlib.sha256(content).hexdigest()


def test_lm_eval_gets_the_images_and_the_blind_twin_none(prepared: Path) -> None:
    loaded = load(questions="expression", face_set=str(prepared))["test"]
    assert {image.size for image in loaded["image"]} == {(48, 64)}
    blind = question_rows("expression", faces="blank", face_set=str(prepared))
    assert {row["image_digest"] for row in blind} == {blank().digest}


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("file_name\na.png\n", "metadata.csv: has no column 'expression'"),
        ("file_name,expression\na.png,smug\n", "metadata.csv:2: expression 'smug' is none of"),
        ("file_name,expression\na.png,sad\na.png,sad\n", "metadata.csv:3: file_name 'a.png' stands twice"),
        ("file_name,expression\n,sad\n", "metadata.csv:2: file_name '' is empty"),
        ("file_name,expression\n../x.png,sad\n", "metadata.csv:2: '../x.png' lies outside the folder"),
        ("file_name,expression\nz.png,sad\n", "metadata.csv:2: cannot read the image 'z.png'"),
        ("file_name,expression\nmetadata.csv,sad\n", "metadata.csv:2: cannot read the image 'metadata.csv'"),
        ("file_name,expression\n", "metadata.csv: names no image"),
    ],
)
def test_a_set_that_is_wrong_is_refused_by_file_and_line(prepared: Path, table: str, named: str) -> None:
    (prepared / "metadata.csv").write_text(table)
    with pytest.raises(InputError, match=named.replace("(", r"\(")) as error:
        question_rows("expression", face_set=str(prepared))
    assert "\n" not in str(error.value)


def test_a_folder_without_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="face_set: cannot read"):
        question_rows("expression", face_set=str(tmp_path))


def test_images_that_cannot_be_shown_are_named_before_any_question(prepared: Path) -> None:
    whole = (prepared / "b.jpg").read_bytes()
    (prepared / "b.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"metadata.csv:3: cannot read the image 'b.jpg'"):
        question_rows("expression", face_set=str(prepared))
    Image.new("F", (48, 64), 0.5).save(prepared / "b.tif")
    (prepared / "metadata.csv").write_text("file_name,expression\nb.tif,sad\n")
    with pytest.raises(InputError, match=r"'b.tif'.*8 bits a channel"):
        question_rows("expression", face_set=str(prepared))


def test_images_of_every_kind_are_shown_as_rgb(prepared: Path) -> None:
    Image.new("CMYK", (48, 64), (0, 200, 200, 20)).save(prepared / "b.jpg")
    Image.new("RGBA", (48, 64), (9, 9, 9, 0)).save(prepared / "a.png")
    rows = {row["id"]: row for row in question_rows("expression", face_set=str(prepared))}
    shown = {name: Image.open(io.BytesIO(row["image"]["bytes"])) for name, row in rows.items()}
    assert {image.mode for image in shown.values()} == {"RGB"}
    assert shown["a.png"].getpixel((5, 5)) == (255, 255, 255)
    content = rows["b.jpg"]["image"]["bytes"]
    assert rows["b.jpg"]["image_digest"] == hashlib.sha256(content).hexdigest()
