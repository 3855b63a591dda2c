from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from mirror_files import ABOUT, PROCESSED, RAW, SHARED, as_csv, record, sample, write

from mirror_bench.data.base import DataSet
from mirror_bench.data.sources.mirror import load_mirror
from mirror_bench.errors import InputError
from mirror_bench.schema import Resistance

needs_samples = pytest.mark.skipif(
    not (SHARED / "mirror_samples").exists(), reason="shared/data does not lie beside the checkout"
)
WORDS = [
    "Hello, Ana. What brings you here?",
    "The rota, mostly. It's nothing.",
    "Nothing can weigh a lot.",
    "If you say so.",
]


def load(path: Path, value: Any) -> DataSet:
    return load_mirror(str(write(path, value)))


def test_reads_the_official_csv(tmp_path: Path) -> None:
    data = load(tmp_path / "mirror_data.csv", as_csv(record()))
    assert data.problems == ()
    (profile,), (play,) = data.profiles, data.screenplays
    assert profile.id == play.id == play.profile_id == "cactus-12-emotional-resistance"
    assert (profile.name, profile.age, profile.about) == ("Ana Ruiz", 31, ABOUT)
    assert profile.resistance is play.resistance is Resistance.EMOTIONAL
    assert profile.thinking_traps == ("mind reading", "labeling")
    assert profile.split == play.split == "train"
    assert [line.words for line in play.lines] == WORDS
    assert play.lines[1].directions == ("Shrugs", "Looks away")
    assert play.lines[2].directions == ()


@pytest.mark.parametrize("form", ["csv", "list", "columns", "lines", "data"])
def test_every_form_of_the_records_gives_the_same(tmp_path: Path, form: str) -> None:
    records = [
        record(),
        record(idx="cactus-13-no-resistance", resistance="no resistance", proc_dialogue=None),
    ]
    value: Any = {
        "csv": as_csv(*records),
        "list": records,
        "columns": {key: {str(n): row[key] for n, row in enumerate(records)} for key in records[0]},
        "lines": "\n".join(map(json.dumps, records)),
        "data": {"data": records},
    }[form]
    data = load(tmp_path / ("train.csv" if form == "csv" else "train.json"), value)
    assert data.problems == ()
    assert data.digest == load(tmp_path / "train.json", records).digest
    assert [len(play.lines) for play in data.screenplays] == [4, 4]


def test_without_proc_dialogue_the_raw_one_is_read(tmp_path: Path) -> None:
    for value in ("", "nan", "[]", None):
        data = load(tmp_path / "a.json", [record(proc_dialogue=value)])
        assert [line.words for line in data.screenplays[0].lines] == WORDS
        assert data.problems == ()


def test_an_unreadable_proc_dialogue_is_a_problem_and_the_raw_one_is_read(tmp_path: Path) -> None:
    for value in ("[{'speaker': open('x')}]", "[" * 5000, "[{'speaker'", "{'a': 1}"):
        data = load(tmp_path / "a.json", [record(proc_dialogue=value)])
        assert [line.words for line in data.screenplays[0].lines] == WORDS
        assert [problem.line for problem in data.problems] == [1]


def test_lines_that_the_official_processing_dropped_are_reported(tmp_path: Path) -> None:
    data = load(tmp_path / "a.json", [record(proc_dialogue=repr(PROCESSED[:3]))])
    assert len(data.screenplays[0].lines) == 3
    assert "lacks 1" in data.problems[0].message


def test_what_a_client_says_is_never_taken_for_a_missing_cell(tmp_path: Path) -> None:
    said = [{"speaker": "Client", "stage_direction": "Shrugs", "statement": "None"}]
    data = load(tmp_path / "a.json", [record(proc_dialogue=said, dialogue=None)])
    assert data.screenplays[0].lines[0].words == "None"


def test_a_test_file_has_profiles_and_no_dialogue(tmp_path: Path) -> None:
    row = record(name="Ana Ruiz", img_path="x.png", dominant_gender="Woman", age=24, idx="")
    del row["dialogue"], row["proc_dialogue"]
    data = load(tmp_path / "mirror_test.csv", as_csv(row))
    (profile,) = data.profiles
    assert data.screenplays == ()
    assert data.problems == ()
    assert profile.split == "test"
    assert profile.age == 31, "the sentence counts, not the estimate from a photograph"
    assert profile.id.startswith("mirror-")


def test_estimates_fill_what_the_sentence_leaves_open(tmp_path: Path) -> None:
    row = record(personal_info="A person.", name="Bo Lind", dominant_gender="Man", age=24.0)
    (profile,) = load(tmp_path / "a.json", [row]).profiles
    assert (profile.name, profile.gender, profile.age) == ("Bo Lind", "male", 24)


def test_the_resistance_type_comes_from_wherever_it_stands(tmp_path: Path) -> None:
    rows = [
        record(idx="a", resistance="", personality="Cognitive Resistance: denies."),
        record(idx="b-behavioral-resistance", resistance=None),
        record(idx="c", resistance=None, personality="Calm."),
    ]
    data = load(tmp_path / "a.json", rows)
    assert [profile.resistance.value for profile in data.profiles] == ["cognitive", "behavioral", "none"]
    assert [problem.line for problem in data.problems] == [3]


def test_equal_records_count_once_and_others_of_the_same_id_stay_apart(tmp_path: Path) -> None:
    other = record(
        personal_info=ABOUT.replace("31", "47"), proc_dialogue=None, dialogue="Therapist: Hello?\nClient: No."
    )
    data = load(tmp_path / "a.json", [record(), record(), other])
    assert [profile.id for profile in data.profiles] == [
        "cactus-12-emotional-resistance",
        "cactus-12-emotional-resistance.2",
    ]
    assert [play.profile_id for play in data.screenplays] == [profile.id for profile in data.profiles]
    assert [problem.line for problem in data.problems] == [3]


def test_a_broken_row_is_a_problem_and_the_rest_is_kept(tmp_path: Path) -> None:
    text = as_csv(record(), record(idx="cactus-13-no-resistance")).rstrip() + "\nonly,three,cells\n"
    data = load(tmp_path / "a.csv", text)
    assert len(data.profiles) == 3
    assert any("has 3 cells" in problem.message for problem in data.problems)
    with (tmp_path / "a.csv").open(newline="") as file:
        last = sum(1 for _ in file)
    assert {problem.line for problem in data.problems if "cells" in problem.message} == {last}


def test_a_cell_beyond_all_bounds_is_cut_and_reported(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    records = [record(), record(idx="b-no-resistance", cbt_plan="x" * (limit + 1)), record(idx="c")]
    for name, value in (("a.csv", as_csv(*records)), ("a.json", records)):
        data = load(tmp_path / name, value)
        assert len(data.profiles) == 3
        (problem,) = data.problems
        assert "'cbt_plan' was cut" in problem.message
    assert csv.field_size_limit() == limit


def test_reads_training_samples_of_all_kinds_as_one(tmp_path: Path) -> None:
    samples = [sample(), sample("emotion_recognition"), sample()]
    data = load(tmp_path / "mirror_ec_planning.json", samples)
    assert data.problems == ()
    (profile,), (play,) = data.profiles, data.screenplays
    assert (profile.name, profile.reason_for_seeking) == ("Ana Ruiz", "I sleep three hours a day.")
    assert profile.cbt_plan == "1. Look.\n2. Count."
    assert play.technique == "Reality Testing"
    assert [line.words for line in play.lines] == [
        "Hello, Ana.",
        "The rota, mostly.",
        "Nothing can weigh a lot.",
    ]
    assert play.lines[1].directions == ("Looks tired",)


def test_a_sample_without_words_is_a_problem(tmp_path: Path) -> None:
    data = load(tmp_path / "a.json", [sample(), sample(conversations=[]), sample(question_id="")])
    assert len(data.profiles) == 1
    assert [problem.line for problem in data.problems] == [2, 3]


def test_reads_a_screenplay_and_the_name_in_the_greeting(tmp_path: Path) -> None:
    data = load(tmp_path / "first-cognitive-resistance.txt", RAW)
    (profile,), (play,) = data.profiles, data.screenplays
    assert (profile.name, profile.resistance) == ("Ana", Resistance.COGNITIVE)
    assert [line.words for line in play.lines] == WORDS


def test_reads_a_folder_and_says_which_file_was_no_use(tmp_path: Path) -> None:
    write(tmp_path / "mirror_data.csv", as_csv(record()))
    write(tmp_path / "mirror_data.json", [record()])
    write(tmp_path / "play.txt", RAW)
    write(tmp_path / "broken.json", "{")
    write(tmp_path / "picture.png", b"\x89PNG")
    data = load_mirror(str(tmp_path))
    assert [profile.id for profile in data.profiles] == ["cactus-12-emotional-resistance", "play"]
    assert [problem.source for problem in data.problems] == ["broken.json"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a.csv", "x,y\n1,2\n"),
        ("a.csv", "idx,personal_info\n"),
        ("a.csv", b"\x00\x01\x02"),
        ("a.json", "[]"),
        ("a.json", "{"),
        ("a.json", "3"),
        ("a.json", [{"intake_form": "x"}]),
        ("a.csv", '"two\nlines",b\n1,2\n'),
        ("a.json", [sample("emotion_recognition")]),
        ("a.txt", "nobody speaks"),
        ("a.txt", ""),
    ],
)
def test_a_file_without_anything_usable_is_refused(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path / name, value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cactus_in_place_of_mirror_gets_a_hint(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cactus:PATH"):
        load(tmp_path / "a.json", [{"intake_form": "x"}])


@pytest.mark.parametrize("argument", ["", "no/such/file.csv", "no/such/folder", "bad\0name", "x" * 9000])
def test_a_place_that_does_not_exist_is_refused(argument: str) -> None:
    with pytest.raises(InputError):
        load_mirror(argument)


def test_the_hub_gives_both_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    asked = []

    def load_dataset(name: str, *, data_files: str, split: str) -> list[dict[str, Any]]:
        asked.append((name, data_files, split))
        if "test" not in data_files:
            return [record()]
        row = record(idx="cactus-99-no-resistance", resistance="no resistance")
        return [{key: value for key, value in row.items() if "dialogue" not in key}]

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    data = load_mirror("hub")
    assert [profile.split for profile in data.profiles] == ["train", "test"]
    assert len(data.screenplays) == 1
    assert {name for name, _, _ in asked} == {"multimodal-reframing/mirror"}


def test_an_unreachable_hub_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def load_dataset(*_: Any, **__: Any) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(InputError, match=r"no route\): go online, or download the files and use mirror:PATH"):
        load_mirror("hub")


@needs_samples
@pytest.mark.parametrize("form", ["base", "planning", "ec_planning"])
def test_the_shared_training_samples_load(form: str) -> None:
    data = load_mirror(str(SHARED / "mirror_samples" / f"mirror_{form}-sample.json"))
    assert data.problems == ()
    (profile,), (play,) = data.profiles, data.screenplays
    assert (profile.name, profile.age, profile.gender) == ("Tyler Reynolds", 16, "male")
    assert (profile.occupation, profile.education) == ("Pottery Maker", "High School Diploma")
    assert (profile.marital_status, profile.family) == ("single", "No immediate family, lives alone.")
    assert profile.resistance is Resistance.EMOTIONAL
    assert profile.reason_for_seeking
    assert [line.speaker.value for line in play.lines] == ["therapist", "client"] * 3 + ["therapist"]
    assert bool(profile.cbt_plan) is (play.technique == "Reality Testing") is (form != "base")
    assert play.lines[5].directions == (("Looks skeptical",) if form == "ec_planning" else ())


@needs_samples
@pytest.mark.parametrize(("number", "turns", "name"), [(1, 29, "Victoria"), (2, 22, "David")])
def test_the_shared_screenplays_load(number: int, turns: int, name: str) -> None:
    data = load_mirror(str(SHARED / "mirror_samples" / f"screenplay_{number}.txt"))
    assert data.problems == ()
    (play,) = data.screenplays
    assert data.profiles[0].name == name
    assert len(play.lines) == turns
    assert all(line.words and len(line.directions) <= 1 for line in play.lines)


@needs_samples
def test_the_shared_folder_loads_as_one() -> None:
    data = load_mirror(str(SHARED / "mirror_samples"))
    assert data.problems == ()
    assert (len(data.profiles), len(data.screenplays)) == (3, 3)
