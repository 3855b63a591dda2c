"""The three training sets in the authors' structure, held against their published samples where these lie."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from mirror_files import SHARED, record, write

from mirror_bench.cli import cli
from mirror_bench.data.base import DataSet
from mirror_bench.data.export.exporter import export_data
from mirror_bench.data.screenplays.records import Line
from mirror_bench.data.sources.mirror import load_mirror
from mirror_bench.errors import InputError
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.schema import Expression, FaceIdentity, Speaker

FORMS = ("base", "planning", "ec_planning")
PNG = DrawnFaces().render(FaceIdentity(), Expression())
PLAN = "CBT technique:\nReality Testing\n\nCounseling planning:\n1. Look at the slips.\n2. Count them."


def written(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def structure(record: dict[str, Any]) -> list[Any]:
    """A sample without its sentences: keys, ids, the image's place, and each line of the texts by kind."""
    kinds: list[Any] = [list(record), record["question_id"], record["image"].split("/")[-2:]]
    for message in record["conversations"]:
        kinds.append(message["from"])
        kinds += [_kind(line) for line in message["value"].split("\n")]
    return kinds


def _kind(line: str) -> str:
    for known in (r"<image>", r"- [A-Z][A-Za-z ]+:", r"(?:Therapist|Client):", r"\d\. "):
        if found := re.match(known, line):
            return found[0] if known != r"\d\. " else "1. "
    return "a sentence" if line else ""


@pytest.mark.skipif(not (SHARED / "mirror_samples").exists(), reason="shared/data is not there")
@pytest.mark.parametrize("form", FORMS)
def test_the_export_equals_the_authors_sample_field_by_field(form: str, tmp_path: Path) -> None:
    path = SHARED / "mirror_samples" / f"mirror_{form}-sample.json"
    theirs = written(path)
    root = tmp_path / "utterfeat_336x336"
    image = root / "/".join(theirs[-1]["image"].split("/")[-2:])
    image.parent.mkdir(parents=True)
    image.write_bytes(PNG)
    # The sample is the middle of a screenplay: two lines of ours stand before, and its image is ours.
    data = load_mirror(str(path))
    (play,) = data.screenplays
    before = (Line(speaker=Speaker.THERAPIST, words="Hello."), Line(speaker=Speaker.CLIENT, words="Hm."))
    whole = play.model_copy(update={"id": play.profile_id, "lines": (*before, *play.lines)})
    export_data(DataSet("one", data.profiles, (whole,)), form, tmp_path / "set.json", image_root=root)
    ours = written(tmp_path / "set.json")
    assert [structure(one) for one in ours] == [structure(one) for one in theirs]
    fields = re.compile(r"^(?:- [A-Z][A-Za-z ]+:.*|Therapist:.*|Client:.*|\d\. .*)$", re.MULTILINE)
    for mine, other in zip(ours, theirs, strict=True):
        asked, answered = ([message["value"] for message in one["conversations"]] for one in (mine, other))
        assert fields.findall(asked[0]) == fields.findall(answered[0]), "what is told of client and talk"
        assert asked[1] == answered[1]
        assert mine["image"] == str(image)


@pytest.fixture
def official(tmp_path: Path) -> Path:
    return write(
        tmp_path / "mirror_data.json", [record(cbt_plan=PLAN), record(idx="cactus-13-no-resistance")]
    )


@pytest.mark.parametrize("form", FORMS)
def test_drawn_faces_stand_in_the_same_places(form: str, official: Path, tmp_path: Path) -> None:
    done = export_data(load_mirror(str(official)), form, tmp_path / "set.json")
    ours = [one for one in written(done.path) if one["question_id"].startswith("cactus-12")]
    states = [one for one in ours if one["question_id"].endswith(":emotion_recognition")]
    assert [one["question_id"] for one in ours if one not in states] == [
        "cactus-12-emotional-resistance:2:response"
    ]
    assert len(states) == (form == "ec_planning")
    for one in ours:
        assert one["image"] == "set_images/cactus-12-emotional-resistance/turn:1_drawn.png"
        assert (tmp_path / one["image"]).read_bytes().startswith(b"\x89PNG")
    prompt = ours[-1]["conversations"][0]["value"]
    assert ("- CBT technique:" in prompt) is (form != "base")
    assert ("- Client Emotional State: Shrugs, Looks away" in prompt) is (form == "ec_planning")
    assert "\n\n\n" not in prompt
    again = load_mirror(str(done.path))
    assert again.profiles[0].reason_for_seeking == "I sleep three hours a day."


def test_turns_without_image_or_plan_are_counted(official: Path, tmp_path: Path) -> None:
    root = tmp_path / "faces"
    (root / "cactus-12-emotional-resistance").mkdir(parents=True)
    (root / "cactus-12-emotional-resistance" / "turn-1_000007.jpg").write_bytes(PNG)
    command = ["data", "export", "--data", f"mirror:{official}", "--image-root", str(root)]
    done = CliRunner().invoke(cli, [*command, "--form", "planning", "--out", str(tmp_path / "set.json")])
    assert done.exit_code == 0, done.output
    assert "1 records and 1 images" in done.output
    assert "1 turns were left out" in done.output
    (one,) = written(tmp_path / "set.json")
    assert one["image"].endswith("turn-1_000007.jpg")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--image-root", "nowhere"], "is no folder"),
        (["--image-root", "."], r"holds no image .*turn:1_<identity>"),
        (["--image-root", ".", "--no-images"], "leave it out"),
    ],
)
def test_images_that_cannot_be_used_are_one_clear_line(
    options: list[str], message: str, official: Path, tmp_path: Path
) -> None:
    command = ["data", "export", "--data", f"mirror:{official}", "--form", "base"]
    with pytest.raises(InputError, match=message):
        CliRunner().invoke(
            cli, [*command, *options, "--out", str(tmp_path / "set.json")], catch_exceptions=False
        )
    assert not (tmp_path / "set.json").exists()


def test_a_form_with_plans_wants_plans(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [record(cbt_plan="")])
    with pytest.raises(InputError, match="no screenplay has a technique and a plan"):
        export_data(load_mirror(str(path)), "planning", tmp_path / "set.json")
