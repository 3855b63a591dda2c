from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirror_bench.data.base import DataSet
from mirror_bench.data.export.exporter import EXPORT_FORMS, export_data
from mirror_bench.data.export.training_examples import FORMS, examples
from mirror_bench.data.screenplays.records import (
    Line,
    Screenplay,
)
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.schema import (
    Profile,
    Resistance,
    Speaker,
)

C, T = Speaker.CLIENT, Speaker.THERAPIST


@pytest.fixture
def small() -> DataSet:
    """Two profiles, one of them with a screenplay that has every kind of turn."""
    ana = Profile(
        id="ana-emotional-resistance",
        name="Ana",
        age=31,
        gender="female",
        occupation="nurse",
        reason_for_seeking="I do not sleep.",
        cbt_plan="1. Look.\n\n2. Count.",
        resistance=Resistance.EMOTIONAL,
        split="train",
    )
    lines = (
        Line(speaker=T, words="Hello, Ana."),
        Line(speaker=C, directions=("Looks down", "slumps"), words="It's nothing."),
        Line(speaker=T, words="Nothing can weigh a lot."),
        Line(speaker=C, directions=("Silence",)),
        Line(speaker=T, directions=("Waits",)),
        Line(speaker=C, words="All right."),
        Line(speaker=T, words="Take your time."),
        Line(speaker=T, words="Or not."),
    )
    play = Screenplay(
        id="play",
        profile_id=ana.id,
        resistance=ana.resistance,
        lines=lines,
        technique="continuum",
        split="train",
    )
    return DataSet("small", (ana, Profile(id="bo", name="Bo", split="test")), (play,))


def test_there_is_one_example_per_therapist_turn_that_answers(small: DataSet) -> None:
    made = list(examples(small, FORMS["llava-base"]))
    assert [(example.id, example.answer) for example in made] == [
        ("play:2:response", "Nothing can weigh a lot."),
        ("play:6:response", "Take your time."),
    ]
    assert [example.image for example in made] == ["play-1.png", "play-5.png"]
    assert [example.direction for example in made] == ["Looks down, slumps", ""]


def test_the_prompt_holds_words_and_never_a_stage_direction(small: DataSet) -> None:
    base, planned = (
        list(examples(small, FORMS[form]))[1].prompt for form in ("llava-base", "llava-planning")
    )
    assert base.startswith("<image>\n")
    assert (
        "Therapist: Hello, Ana.\nClient: It's nothing.\nTherapist: Nothing can weigh a lot.\nClient: …"
        in base
    )
    assert "Take your time" not in base
    for text in (base, planned):
        assert "Looks down" not in text
        assert "31-year-old female working as nurse" in text
        assert "I do not sleep." in text
    assert "continuum" not in base
    assert "continuum" in planned
    assert "1. Look.\n2. Count." in planned


def test_captions_add_an_example_that_reads_the_state_off_the_image(small: DataSet) -> None:
    made = {example.id: example for example in examples(small, FORMS["llava-ec-planning"])}
    assert list(made) == ["play:2:state", "play:2:response", "play:6:response"]
    assert made["play:2:state"].answer == "Looks down, slumps"
    assert "Looks down, slumps" in made["play:2:response"].prompt
    assert "It's nothing." not in made["play:2:state"].prompt


def test_the_conversation_is_bounded(small: DataSet) -> None:
    lines = tuple(Line(speaker=(C, T)[n % 2], words=f"Word {n}.") for n in range(60))
    play = small.screenplays[0].model_copy(update={"lines": lines})
    last = list(examples(DataSet("long", small.profiles, (play,)), FORMS["llava-base"]))[-1]
    assert [n for n in range(60) if f"Word {n}." in last.prompt] == list(range(43, 59))


@pytest.mark.parametrize("form", FORMS)
def test_a_training_set_comes_with_its_images(small: DataSet, tmp_path: Path, form: str) -> None:
    from PIL import Image

    written = export_data(small, form, tmp_path / "deep" / "set.json")
    records = json.loads(written.path.read_text(encoding="utf-8"))
    assert written.records == len(records) == (3 if form == "llava-ec-planning" else 2)
    assert sorted(path.name for path in written.path.parent.iterdir()) == ["set.json", "set_images"]
    paths = {written.path.parent / record["image"] for record in records}
    assert paths == set((tmp_path / "deep" / "set_images").iterdir())
    assert written.images == len(paths) == 2
    for path in paths:
        with Image.open(path) as image:
            assert (image.format, image.size) == ("PNG", (336, 336))
    assert len({path.read_bytes() for path in paths}) == 2, "two expressions, two images"
    for record in records:
        assert [message["from"] for message in record["conversations"]] == ["human", "gpt"]
        assert record["conversations"][0]["value"].count("<image>") == 1


def test_a_training_set_reads_back_as_the_same_sessions(small: DataSet, tmp_path: Path) -> None:
    export_data(small, "llava-ec-planning", tmp_path / "set.json", images=False)
    again = load_data(f"mirror:{tmp_path / 'set.json'}")
    play = again.screenplays[-1]
    assert play.technique == "continuum"
    assert [line.words for line in play.lines[:3]] == [
        "Hello, Ana.",
        "It's nothing.",
        "Nothing can weigh a lot.",
    ]
    profile = again.profiles[0]
    assert (profile.name, profile.age, profile.gender, profile.occupation) == ("Ana", 31, "female", "nurse")
    assert profile.cbt_plan == "1. Look.\n2. Count."


def test_without_images_no_example_points_at_one(small: DataSet, tmp_path: Path) -> None:
    written = export_data(small, "llava-ec-planning", tmp_path / "set.json", images=False)
    text = written.path.read_text(encoding="utf-8")
    assert '"image"' not in text
    assert "<image>" not in text
    assert (written.records, written.images) == (2, 0)
    assert list(tmp_path.iterdir()) == [written.path]


def test_tables_hold_everything(tmp_path: Path) -> None:
    data = load_data("mini")
    rows = {}
    for form, builder in (("parquet", "parquet"), ("jsonl", "json")):
        import datasets

        written = export_data(data, form, tmp_path / f"mini.{form}")
        assert written.records == len(data.profiles)
        rows[form] = datasets.load_dataset(
            builder, data_files=str(written.path), split="train", cache_dir=str(tmp_path / form)
        ).to_list()
    for found in rows.values():
        profiles: list[Profile] = []
        plays: list[Screenplay] = []
        for row in found:
            plays.extend(Screenplay.model_validate(play) for play in row.pop("screenplays"))
            profiles.append(Profile.model_validate(row))
        assert tuple(profiles) == data.profiles
        assert sorted(plays, key=lambda play: play.id) == sorted(data.screenplays, key=lambda play: play.id)


def test_empty_columns_keep_their_types(small: DataSet, tmp_path: Path) -> None:
    import pyarrow.parquet

    export_data(DataSet("bo", small.profiles[1:]), "parquet", tmp_path / "bo.parquet")
    schema = pyarrow.parquet.read_schema(tmp_path / "bo.parquet")
    assert str(schema.field("guarded").type).startswith("list<")
    assert str(schema.field("age").type) == "int64"
    assert "null" not in str(schema.field("screenplays").type)


def test_a_split_is_a_part(small: DataSet, tmp_path: Path) -> None:
    assert export_data(small, "jsonl", tmp_path / "a.jsonl", split="test").records == 1
    with pytest.raises(InputError, match="known are test, train"):
        export_data(small, "jsonl", tmp_path / "b.jsonl", split="exam")
    with pytest.raises(InputError, match="nothing to train on"):
        export_data(small, "llava-base", tmp_path / "c.json", split="test")
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize("form", EXPORT_FORMS)
def test_nothing_is_replaced_without_force(small: DataSet, tmp_path: Path, form: str) -> None:
    path = tmp_path / "out"
    path.write_text("precious")
    with pytest.raises(InputError, match="--force"):
        export_data(small, form, path)
    assert path.read_text() == "precious"
    export_data(small, form, path, force=True)
    export_data(small, form, path, force=True)
    assert path.read_bytes() != b"precious"
    assert {entry.name for entry in tmp_path.iterdir()} <= {"out", "out_images"}


def test_an_image_folder_is_not_replaced_without_force(small: DataSet, tmp_path: Path) -> None:
    (tmp_path / "set_images").mkdir()
    with pytest.raises(InputError, match="set_images"):
        export_data(small, "llava-base", tmp_path / "set.json")
    assert [path.name for path in tmp_path.iterdir()] == ["set_images"]


def test_a_failure_leaves_nothing_behind(
    small: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mirror_bench.faces.drawing.drawn_faces import DrawnFaces

    def render(*_: object) -> bytes:
        raise RuntimeError("the pencil broke")

    monkeypatch.setattr(DrawnFaces, "render", render)
    with pytest.raises(RuntimeError):
        export_data(small, "llava-base", tmp_path / "set.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [".", "file/below.json"])
def test_a_place_that_cannot_be_written_is_one_clear_line(small: DataSet, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="--out"):
        export_data(small, "jsonl", tmp_path / place)
