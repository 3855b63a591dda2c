from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from mirror_files import ABOUT, SHARED, record, sample, write
from official_shape import Person, write_official
from talking_server import serving

from mirror_bench.cli import cli
from mirror_bench.data.annotation.annotate import Annotated, annotate, read_annotated, summarize
from mirror_bench.data.sources.mirror import load_mirror
from mirror_bench.errors import InputError
from mirror_bench.schema import Scenario

Completed = tuple[Annotated, Path, dict[str, Person]]


def of(tmp_path: Path, *records: dict[str, Any]) -> Annotated:
    return read_annotated(str(write(tmp_path / "mirror_data.json", list(records))))


def lines(path: Path) -> list[Any]:
    return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Completed:
    """The whole shape: as it was read, where it was completed, and the truth."""
    folder = tmp_path_factory.mktemp("official")
    people = write_official(folder)
    out = tmp_path_factory.mktemp("completed") / "mirror"
    return annotate(str(folder), out), out, people


def test_the_whole_shape_is_read_as_it_is_meant(official: Completed) -> None:
    _, out, people = official
    rows = {row["idx"]: row for row in lines(out / "mirror.jsonl")}
    assert rows.keys() == people.keys()
    for id, told in people.items():
        read = rows[id]
        assert (read["name"], read["age"], read["gender"]) == (told.name, told.age, told.gender), told.prose
        assert len(read["celeba_idx"]) == 6
    summary = json.loads((out / "about" / "summary.json").read_text())
    assert summary["splits"] == {"train": 3073, "test": 800}
    assert summary["screenplays"] == 3073
    assert summary["conflicts"] == {}
    assert summary["fields"]["name"] == {"rule": 3873, "model": 0, "unsure": 0, "missing": 0}
    assert summary["face_references"] == 3873


def test_every_field_has_the_words_that_say_it(official: Completed) -> None:
    for row in lines(official[1] / "mirror.jsonl")[::50]:
        for field in ("name", "age", "gender", "occupation", "family"):
            source = row["annotation"]["fields"][field]["source"]
            assert source["text"] == row[source["column"]][source["start"] : source["end"]]
            assert str(row[field]).lower() in source["text"].lower()


def test_what_is_written_reads_back_as_the_same_data(official: Completed) -> None:
    found, out, _ = official
    before, after = found.data, load_mirror(str(out))
    assert after.profiles == before.profiles
    assert [play.lines for play in after.screenplays] == [play.lines for play in before.screenplays]
    assert {play.technique for play in after.screenplays} == {"Reality Testing"}
    assert before.profiles[0].cbt_plan.startswith("1. Look")
    scenarios = lines(out / "about" / "scenarios.jsonl")
    assert [row["scenario_id"] for row in scenarios] == [
        Scenario(profile=profile, resistance=profile.resistance).id for profile in after.profiles
    ]


def test_no_image_and_no_path_to_one_is_kept(tmp_path: Path) -> None:
    row = record(img_path="/data/celeba/turn:3_006472.png", image={"bytes": "iVBOR", "path": "x.png"})
    out = tmp_path / "out"
    annotate(str(write(tmp_path / "a.json", [row])), out)
    text = (out / "mirror.jsonl").read_text()
    assert '"celeba_idx": "006472"' in text
    assert ".png" not in text
    assert "iVBOR" not in text


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"name": "Victoria Stone"}, "name", "Victoria Stone"),
        ({"age": 52}, "age", "52"),
        ({"dominant_gender": "Man"}, "gender", "male"),
        ({"personal_info": ABOUT + " Ana is 44 years old."}, "age", "44"),
        ({"resistance": "cognitive resistance"}, "resistance", "emotional"),
        ({"turn": 9}, "turn", "9"),
        ({"dialogue": "Therapist: Hi, Bob.\nClient: Hm.", "proc_dialogue": None, "turn": 1}, "name", "Bob"),
        ({"celeba_idx": 12, "img_path": "a/turn:1_006472.png"}, "face_reference", "006472"),
        ({"personal_info": ABOUT.replace("her mother", "his mother, he says")}, "gender", "male"),
    ],
)
def test_sources_that_disagree_are_listed(
    tmp_path: Path, changes: dict[str, Any], field: str, said: str
) -> None:
    (conflict,) = of(tmp_path, record(**changes)).conflicts
    assert (conflict.field, conflict.against) == (field, said)
    assert said in conflict.message or conflict.field == "face_reference"


def test_an_estimate_near_the_stated_age_and_a_first_name_are_no_conflict(tmp_path: Path) -> None:
    assert of(tmp_path, record(age=38.5, name="Ana", dominant_gender="Woman")).conflicts == []


def test_an_intake_in_train_and_test_is_listed(tmp_path: Path) -> None:
    write(tmp_path / "mirror_data.json", [record()])
    write(tmp_path / "mirror_test.json", [record(idx="cactus-12-cognitive-resistance", resistance="")])
    found = read_annotated(str(tmp_path))
    assert [one.field for one in found.conflicts if one.field == "split"] == ["split"]


@pytest.mark.parametrize(
    ("about", "field", "value", "sure"),
    [
        ("Ana Ruiz is a 31-year-old single mother of two.", "gender", "female", False),
        ("Ana Ruiz, in her late thirties, works as a nurse.", "age", "38", False),
        ("Eli is a beekeeper. He lives alone and keeps his bees.", "gender", "male", False),
        ("Eli lives with his 71-year-old mother.", "age", "", False),
        ("Eli lives with his 71-year-old mother. Eli is 40 years old.", "age", "40", True),
        ("Name: Eli Weiss\nAge: 40\nGender: Male", "age", "40", True),
    ],
)
def test_what_is_concluded_is_not_sure(
    tmp_path: Path, about: str, field: str, value: str, sure: bool
) -> None:
    row = record(personal_info=about, dialogue=None, proc_dialogue=None)
    reading = of(tmp_path, row).clients[0].reading(field)
    assert (reading.value, reading.sure) == (value, sure)


UNSURE = "Somebody writes: I have driven trams since I was 20, that is 31 years now. Signed, Imre Novak."


def test_a_model_settles_what_rules_are_unsure_of_and_its_answers_are_kept(tmp_path: Path) -> None:
    answer = {
        "name": {"value": "Imre Novak", "quote": "Signed,  Imre Novak"},
        "age": {"value": 51, "quote": "since I was twenty-one"},
        "gender": {"value": "male", "quote": "Imre"},
    }
    path = write(
        tmp_path / "a.json",
        [record(personal_info=UNSURE, dialogue=None, proc_dialogue=None), record(idx="b")],
    )
    with serving(lambda body, number: f"Sure:\n```json\n{json.dumps(answer)}\n```") as server:
        runs = [annotate(str(path), tmp_path / "out", model=server.model()) for _ in range(2)]
        assert server.asked == 1, "only the unsure one, and only once"
    client = runs[1].clients[0]
    assert (client.reading("name").value, client.reading("name").by) == ("Imre Novak", "model")
    source = client.reading("name").source
    assert source is not None
    assert UNSURE[source.start : source.end] == "Signed, Imre Novak"
    assert client.reading("gender").by == "model"
    assert client.reading("age").value == "", "its quote does not stand in the record"
    assert "quotes what the record does not hold" in client.reading("age").note
    assert load_mirror(str(tmp_path / "out")).profiles[0].name == "Imre Novak"


def test_a_model_settles_a_conflict(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [record(personal_info=ABOUT + " Ana is 44 years old.")])
    answer = {"age": {"value": "44", "quote": "Ana is 44 years old"}}
    with serving(lambda body, number: json.dumps(answer)) as server:
        found = annotate(str(path), tmp_path / "out", model=server.model())
    (conflict,) = found.conflicts
    assert (conflict.kept, conflict.against, conflict.settled) == ("44", "31", True)
    assert load_mirror(str(tmp_path / "out")).profiles[0].age == 44


@pytest.mark.parametrize(
    "said", ["no idea", "{}", '{"name": 3}', '{"age": {"value": "700", "quote": "Ana"}}']
)
def test_a_useless_answer_changes_nothing_and_is_told(tmp_path: Path, said: str) -> None:
    path = write(tmp_path / "a.json", [record(personal_info=UNSURE, dialogue=None, proc_dialogue=None)])
    with serving(lambda body, number: said) as server:
        command = ["data", "annotate", "--data", f"mirror:{path}", "--out", str(tmp_path / "out"), "--json"]
        done = CliRunner().invoke(cli, [*command, "--model", server.model()])
    told = json.loads(done.output)
    assert told["fields"]["age"]["missing"] == 1
    assert (done.exit_code, told["unanswered"]) == ((1, 1) if said == "no idea" else (0, 0))


def test_the_command_says_what_was_read_and_what_disagrees(tmp_path: Path) -> None:
    path = write(tmp_path / "mirror_data.json", [record(name="Victoria Stone"), record(idx="b")])
    command = ["data", "annotate", "--data", f"mirror:{path}", "--out", str(tmp_path / "out")]
    for _ in range(2):
        done = CliRunner().invoke(cli, command)
        assert done.exit_code == 0, done.output
    assert "1 conflicts" in done.output
    assert "Victoria Stone" in done.output
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "precious.txt").write_text("x")
    for wrong in (["--data", "mini"], ["--out", str(tmp_path / "other")]):
        with pytest.raises(InputError):
            CliRunner().invoke(cli, [*command, *wrong], catch_exceptions=False)


def test_training_samples_are_completed_too(tmp_path: Path) -> None:
    found = read_annotated(
        str(
            write(
                tmp_path / "a.json",
                [sample(), sample(question_id="cactus-12-emotional-resistance:4:response")],
            )
        )
    )
    assert summarize(found)["profiles"] == 1
    assert found.clients[0].reading("age").value == "31"


@pytest.mark.skipif(not (SHARED / "mirror_samples").exists(), reason="shared/data is not there")
def test_the_real_samples_are_completed(tmp_path: Path) -> None:
    found = annotate(str(SHARED / "mirror_samples"), tmp_path / "out")
    assert found.conflicts == []
    assert [client.reading("name").value for client in found.clients] == [
        "Tyler Reynolds",
        "Victoria",
        "David",
    ]
    assert found.clients[0].face_reference == "006472"
    assert load_mirror(str(tmp_path / "out")).profiles == found.data.profiles
