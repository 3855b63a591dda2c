"""A replay out of video: a film of drawn faces whose expression at each turn is known."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chat_server import Server, completion
from click.testing import CliRunner, Result
from PIL import Image, ImageFilter

from mirror_bench.cli import cli
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.faces.sets.frames import FrameFaces
from mirror_bench.making.video.frames import FrameLimits, examine
from mirror_bench.making.video.transcripts import read_clock
from mirror_bench.schema import FaceCondition, FaceIdentity, Profile, Resistance, Scenario

av = pytest.importorskip("av")
pytest_plugins = ("chat_fixtures",)

WHO = FaceIdentity(age=40, sex="female", hair="short", skin=0.3)
SHOWN = ("happiness", "sadness", "surprise")
RATE, SECONDS = 5, 4
SCRIPT = (
    ("therapist", 0, "Good morning."),
    ("client", 0, "I thought about it."),
    ("client", 2, "[laughs] All week, really."),
    ("therapist", 4, "All week."),
    ("client", 8, "Then my mother rang."),
    ("therapist", 12, "And that changed it."),
    ("client", 16, "You could say so."),
)
"""Speaker, second and words; the client speaks for four seconds each, as the faces of `_film` change."""


def _face(expression: str, size: int = 480) -> Image.Image:
    png = DrawnFaces().render(WHO, EXPRESSIONS[expression])
    return Image.open(io.BytesIO(png)).convert("RGB").resize((size, size))


def _film(path: Path, pictures: Sequence[Image.Image]) -> Path:
    """Writes each picture for four seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *pictures[0].size, "yuv420p"
        stream.bit_rate = 4_000_000
        for picture in pictures:
            for _ in range(RATE * SECONDS):
                container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())
    return path


def _card() -> Image.Image:
    return Image.new("RGB", (480, 480), (90, 110, 90))


def _scenes() -> list[Image.Image]:
    """Client, therapist (no face), client, therapist, client: as SCRIPT has it."""
    return [_face(SHOWN[0]), _card(), _face(SHOWN[1]), _card(), _face(SHOWN[2])]


def _transcripts(path: Path, *ids: str) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["transcript_id", "utterance_id", "interlocutor", "timestamp", "utterance_text"])
        for id in ids:
            for number, (speaker, second, words) in enumerate(SCRIPT):
                for _ in range(2):  # two annotators, as in AnnoMI
                    writer.writerow([id, number, speaker, f"00:00:{second:02d}", words])
    return path


RIGHTS = "transcript_id,licence,consent\n7,CC BY 4.0,actor; signed 3 May\n"


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    _film(folder / "7.mp4", _scenes())
    (folder / "rights.csv").write_text(RIGHTS)
    return folder


def _annomi(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["data", "annomi", "--quiet", *map(str, arguments)])


@pytest.fixture(scope="module")
def real(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    script = _transcripts(folder / "AnnoMI-full.csv", "7", "8")
    done = _annomi("--videos", films, "--transcripts", script, "-o", folder / "out")
    assert done.exit_code == 0, done.output
    assert "3 of 3 client turns of 1 videos have a face" in done.output
    assert "no video: 8" in done.output
    return folder / "out"


def _rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "metadata.csv").read_text())))


def _nearest(png: bytes) -> str:
    """Which of the expressions an image shows, by pixels, cropped as a frame is."""

    def small(content: bytes) -> Any:
        image = Image.open(io.BytesIO(content)).convert("L").resize((64, 64))
        return np.asarray(image, float)

    crops = {name: examine(np.asarray(_face(name)), FrameLimits()).png for name in SHOWN}
    return min(crops, key=lambda name: float(np.abs(small(crops[name]) - small(png)).mean()))


def test_each_client_turn_gets_the_face_that_was_shown_then(real: Path) -> None:
    rows = _rows(real)
    assert [(row["profile"], row["turn"]) for row in rows] == [("7", "0"), ("7", "1"), ("7", "2")]
    assert [float(row["seconds"]) for row in rows] == [2.0, 10.0, 18.8], "the film ends at second 20"
    for row, name in zip(rows, SHOWN, strict=True):
        png = (real / row["file_name"]).read_bytes()
        assert Image.open(io.BytesIO(png)).size == (336, 336)
        assert _nearest(png) == name
        assert (row["licence"], row["consent"], row["video"]) == ("CC BY 4.0", "actor; signed 3 May", "7.mp4")


def test_the_transcript_becomes_a_screenplay_that_begins_with_the_client(real: Path) -> None:
    data = load_data(f"mini:{real / 'data'}")
    (play,) = data.screenplays
    assert [(line.speaker.value, line.words) for line in play.lines[:2]] == [
        ("client", "I thought about it. All week, really."),
        ("therapist", "All week."),
    ]
    assert play.lines[0].directions == ("laughs",)
    assert len(play.lines) == 5


def test_therapists_answer_each_point_under_the_true_history_with_the_real_face(
    real: Path, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.rule = lambda body: (200, completion("My own words."), {})
    given = [
        "run",
        "--protocol",
        "replay-real",
        "--data",
        f"mini:{real / 'data'}",
        "--faces",
        f"frames:{real}",
    ]
    given += [
        "--therapist",
        f"openai/m?base_url={server.url}&sees=true",
        "--method",
        "direct",
        "-o",
        str(tmp_path / "run"),
    ]
    done = CliRunner().invoke(cli, given)
    assert done.exit_code == 0, done.output
    assert len(server.bodies) == 3
    last = json.dumps(server.bodies[-1]["messages"])
    assert "All week." in last
    assert "And that changed it." in last
    assert "My own words." not in last
    assert last.count("image_url") >= 1
    (session,) = map(json.loads, (tmp_path / "run" / "sessions.jsonl").read_text().splitlines())
    client = [turn for turn in session["turns"] if turn["speaker"] == "client"]
    faces = [turn.get("face", "") for turn in client]
    assert faces[3:] == [""]
    for face, row in zip(faces, _rows(real), strict=False):
        assert (tmp_path / "run" / "faces" / f"{face}.png").read_bytes() == (
            real / row["file_name"]
        ).read_bytes()
    replies = [turn["words"] for turn in session["turns"] if turn["speaker"] == "therapist"]
    assert replies == ["My own words."] * 3
    ratings = [json.loads(row) for row in (tmp_path / "run" / "ratings.jsonl").read_text().splitlines()]
    assert [rating["instrument"] for rating in ratings] == ["replies"]
    assert all(item["score"] is not None for item in ratings[0]["items"].values())


def test_a_face_that_was_not_recorded_is_refused(real: Path) -> None:
    faces = FrameFaces(str(real))

    def scenario(condition: FaceCondition, id: str = "7") -> Scenario:
        return Scenario(
            profile=Profile(id=id, name="Client"), resistance=Resistance.NONE, condition=condition
        )

    own, other = (faces.frame(scenario(one), 1) for one in (FaceCondition.MATCHED, FaceCondition.SHUFFLED))
    assert own != other
    assert other in [(real / row["file_name"]).read_bytes() for row in _rows(real)]
    assert faces.frame(scenario(FaceCondition.NONE), 1) is None
    assert faces.frame(scenario(FaceCondition.MATCHED), 9) is None
    for wrong in (scenario(FaceCondition.NEUTRAL), scenario(FaceCondition.MATCHED, "9")):
        with pytest.raises(InputError):
            faces.frame(wrong, 0)


def test_what_states_no_rights_is_not_taken(films: Path, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "7.mp4").write_bytes((films / "7.mp4").read_bytes())
    script = _transcripts(tmp_path / "t.csv", "7")
    none = _annomi("--videos", videos, "--transcripts", script, "-o", tmp_path / "a")
    assert "rights.csv is missing" in str(none.exception)
    part = "transcript_id,licence,consent,start,end\n7,CC0,actor,00:00:00,00:00:05\n"
    (videos / "rights.csv").write_text(part)
    done = _annomi("--videos", videos, "--transcripts", script, "-o", tmp_path / "b")
    assert done.exit_code == 0, done.output
    assert "1 of 3 client turns" in done.output
    fallen = [json.loads(row) for row in (tmp_path / "b" / "rejections.jsonl").read_text().splitlines()]
    assert {one["reason"] for one in fallen} == {"rights: no licence and consent are stated for this moment"}
    assert {one["turn"] for one in fallen} == {1, 2}
    (videos / "rights.csv").write_text("transcript_id,licence,consent\n7,CC0,\n")
    unsaid = _annomi("--videos", videos, "--transcripts", script, "-o", tmp_path / "c")
    assert "rights.csv:2: states no consent" in str(unsaid.exception)


def test_frames_without_a_good_face_fall_by_reason() -> None:
    face = np.asarray(_face("neutral"))
    assert examine(face, FrameLimits()).png
    assert examine(np.asarray(_card()), FrameLimits()).reason == "face: none was found"
    two = np.concatenate([face, np.asarray(_face("anger"))], axis=1)
    assert examine(two, FrameLimits()).reason.startswith(
        "several: 2 faces; say which is the client's by --side"
    )
    assert (
        examine(two, FrameLimits("left")).png
        == examine(two, FrameLimits("left")).png
        != examine(two, FrameLimits("right")).png
    )
    assert examine(face, FrameLimits(width=400)).reason.startswith("small: ")
    blurred = np.asarray(_face("neutral").filter(ImageFilter.GaussianBlur(9)))
    assert examine(blurred, FrameLimits()).reason.startswith("blurred: ")
    dark = (face * 0.12).astype(np.uint8)
    assert examine(dark, FrameLimits()).reason.startswith(("light: ", "face: "))


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:01:02", 62.0), ("1:02", 62.0), ("01:00:00.5", 3600.5), ("12.5", 12.5)]
)
def test_times_are_read(text: str, seconds: float) -> None:
    assert read_clock(text, "x") == seconds


def test_what_cannot_be_read_is_named(films: Path, tmp_path: Path) -> None:
    script = _transcripts(tmp_path / "t.csv", "7")
    bare = tmp_path / "bare.csv"
    bare.write_text("transcript_id,interlocutor,utterance_text\n7,client,Hi\n")
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("transcript_id,interlocutor,timestamp,utterance_text\n7,client,noon,Hi\n")
    spoilt = tmp_path / "spoilt"
    spoilt.mkdir()
    (spoilt / "7.mp4").write_bytes(b"no film")
    (spoilt / "rights.csv").write_text(RIGHTS)
    empty = tmp_path / "empty"
    empty.mkdir()
    for videos, transcripts, said in (
        (films, bare, "has no column 'timestamp'"),
        (films, wrong, "wrong.csv:2: timestamp 'noon' is no time"),
        (spoilt, script, "7.mp4: cannot be read as a video"),
        (empty, script, "holds no video"),
    ):
        done = _annomi("--videos", videos, "--transcripts", transcripts, "-o", tmp_path / f"out{len(said)}")
        assert isinstance(done.exception, InputError)
        assert said in str(done.exception)
