"""What comes back: raters of their own; every bad file is one line with the remedy, and harms no other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from study_samples import THERAPISTS, honest, sent, write_sent

from mirror_bench.cli import cli
from mirror_bench.errors import InputError
from mirror_bench.schema import Rating
from mirror_bench.sessions.run_folder import read_ratings
from mirror_bench.study.comparisons import read_comparisons
from mirror_bench.study.importing import ImportedStudy, import_answers
from mirror_bench.study.making import StudyPlan, make_study
from mirror_bench.study.records import BETTER, CHECK, KEY, UNKNOWN, StudyKey, StudyTask, read_key

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def key(study: Path) -> StudyKey:
    return read_key(study)


def _runs(study: Path) -> list[Path]:
    return [study.parent / "runs" / name for name in THERAPISTS]


def _of_people(study: Path) -> list[Rating]:
    return [one for run in _runs(study) for one in read_ratings(run) if one.rater.startswith("human:")]


def _take_in(study: Path, *values: Any, **options: Any) -> ImportedStudy:
    files = [write_sent(study.parent / f"sent{number}.json", value) for number, value in enumerate(values)]
    return import_answers(study, files, **options)


def test_ratings_enter_the_runs_as_those_of_raters_of_their_own(study: Path, key: StudyKey) -> None:
    before = [run.joinpath("ratings.jsonl").read_bytes() for run in _runs(study)]
    found = _take_in(study, sent(key, "r1", remarks={key.raters["r1"][0].id: "odd <i>end</i>"}))
    assert [(one.sent.rater, one.added, one.known) for one in found.raters] == [("r1", 24, 0)]
    assert found.absent == ("r2",)
    for run, old in zip(_runs(study), before, strict=True):
        assert run.joinpath("ratings.jsonl").read_bytes().startswith(old), "what was there stays"
    mine = _of_people(study)
    assert {one.rater for one in mine} == {f"human:{key.study}-r1"}
    assert {one.instrument for one in mine} == {"ctrs", "wai", "observed_attunement"}
    assert sum("odd <i>end</i>" in one.items[next(iter(one.items))].reason for one in mine) == 3
    again = _take_in(study, sent(key, "r1", remarks={key.raters["r1"][0].id: "odd <i>end</i>"}))
    assert [(one.added, one.known) for one in again.raters] == [(0, 24)]
    assert len(_of_people(study)) == 24


def test_more_answers_are_added_and_other_ones_refused(study: Path, key: StudyKey) -> None:
    whole = sent(key, "r1")
    first = key.raters["r1"][0].id
    part = {**whole, "answers": {name: own for name, own in whole["answers"].items() if name == first}}
    begun = _take_in(study, part)
    assert begun.raters[0].quality.whole == 1
    assert _take_in(study, whole).raters[0].added == 21
    # An older file takes nothing away.
    assert _take_in(study, part).raters[0].added == 0
    other = json.loads(json.dumps(whole))
    question = "ctrs.understanding"
    old = other["answers"][first][question]
    other["answers"][first][question] = "0" if old != "0" else "6"
    refused = _take_in(study, other)
    assert refused.raters == ()
    assert "1 answers of rater r1 differ" in refused.refused[0]
    assert "--replace" in refused.refused[0]
    assert len(_of_people(study)) == 24
    replaced = _take_in(study, other, replace=True)
    assert replaced.raters[0].added == 1
    rated = [one for one in _of_people(study) if one.instrument == "ctrs"]
    last = [one for one in rated if one.scenario_id == key.sessions[first].scenario_id]
    last = [one for one in last if one.therapist == key.sessions[first].therapist]
    assert [one.items["understanding"].score for one in last] == [
        float(old),
        float(other["answers"][first][question]),
    ]


def test_what_a_rater_cannot_tell_or_leaves_out_is_missing_and_never_zero(study: Path, key: StudyKey) -> None:
    value = sent(key, "r1")
    first = key.raters["r1"][0].id
    value["answers"][first]["ctrs.focus"] = UNKNOWN
    del value["answers"][first]["ctrs.strategy"]
    found = _take_in(study, value)
    assert found.raters[0].quality.whole == 7
    hidden = key.sessions[first]
    (rating,) = [
        one
        for one in _of_people(study)
        if (one.therapist, one.scenario_id, one.instrument) == (hidden.therapist, hidden.scenario_id, "ctrs")
    ]
    assert rating.items["focus"].score is None
    assert rating.items["focus"].reason == "the rater could not tell"
    assert rating.items["strategy"].score is None
    assert rating.items["strategy"].reason == "the rater left it out"


def _truncated(text: str) -> str:
    return text[: len(text) // 2]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda value: _truncated(json.dumps(value)), "is cut off"),
        (lambda value: "not json at all", "is not JSON"),
        (lambda value: "", "is empty"),
        (lambda value: "[1, 2]", "is no file of answers"),
        (lambda value: {"scores": [1]}, "is no file of answers"),
        (lambda value: {**value, "study": "0123456789"}, "belongs to another study (0123456789)"),
        (lambda value: {**value, "study": ["x" * 5000]}, "belongs to another study"),
        (lambda value: {**value, "version": 7}, "is of version 7"),
        (lambda value: {**value, "rater": "r9"}, "names the rater 'r9': this study has r1 to r2"),
        (lambda value: {**value, "rater": {"r1": 1}}, "names the rater"),
        (lambda value: {**value, "form": "pairwise"}, "is of a pairwise form"),
        (lambda value: {**value, "consent": ""}, "holds no consent of rater r1"),
        (lambda value: {**value, "answers": {}}, "holds no answer of rater r1"),
        (lambda value: {**value, "answers": {"s99": {}}}, "answers 's99', which rater r1 was not given"),
        (lambda value: {**value, "answers": {"s01": [1]}}, "s01: is no set of answers"),
        (lambda value: {**value, "answers": {"s01": {"ctrs.wit": "1"}}}, "s01: has no question 'ctrs.wit'"),
        (
            lambda value: {**value, "answers": {"s01": {"ctrs.focus": "7"}}},
            "s01, ctrs.focus: '7' is none of its",
        ),
        (
            lambda value: {**value, "answers": {"s01": {"ctrs.focus": 3}}},
            "s01, ctrs.focus: '3' is none of its",
        ),
        (lambda value: {**value, "answers": {"s01": {"ctrs.focus": "na"}}}, "'na' is none of its answers"),
        (lambda value: "[" * 100_000, "is not JSON"),
        (lambda value: "PK\x03\x04" + "x" * 100, "is a zip archive"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_keeps_no_other_out(
    study: Path, key: StudyKey, change: Change, told: str
) -> None:
    bad = change(sent(key, "r1"))
    path = study.parent / "bad.json"
    path.write_text(bad if isinstance(bad, str) else json.dumps(bad))
    good = write_sent(study.parent / "good.json", sent(key, "r2"))
    done = CliRunner().invoke(
        cli, ["study", "import", str(study), str(path), str(good)], standalone_mode=False
    )
    assert done.return_value == 2, done.output
    (line,) = [one for one in done.output.splitlines() if one.startswith("not taken in: ")]
    assert str(path) in line
    assert told in line
    assert len(line) < 500
    assert {one.rater for one in _of_people(study)} == {key.rater_name("r2")}


@pytest.mark.parametrize("kind", ["missing", "folder", "binary"])
def test_what_is_no_file_of_text_is_named(study: Path, key: StudyKey, kind: str) -> None:
    path = study.parent / "thing.json"
    if kind == "folder":
        path.mkdir()
    elif kind == "binary":
        path.write_bytes(b"\x00\x01" * 50)
    found = import_answers(study, [path])
    assert found.raters == ()
    assert str(path) in found.refused[0]


def _changed(key: StudyKey, code: str, wrong: Callable[[StudyTask, str], str | None]) -> dict[str, Any]:
    def answer(study: StudyKey, rater: str, task: StudyTask, question: str) -> str:
        return wrong(task, question) or honest(study, rater, task, question)

    return sent(key, code, answer)


def test_who_does_not_read_or_gives_straight_lines_stays_out_until_included(
    study: Path, key: StudyKey
) -> None:
    def inattentive(task: StudyTask, question: str) -> str | None:
        if question != CHECK or task.check is None:
            return None
        return next(str(point) for point in range(1, 4) if str(point) != task.check.answer)

    found = _take_in(study, _changed(key, "r1", inattentive))
    assert found.raters[0].left_out == ("missed 2 of 2 attention checks",)
    assert _of_people(study) == []

    def straight(task: StudyTask, question: str) -> str | None:
        return None if question == CHECK else "3"

    file = write_sent(study.parent / "straight.json", _changed(key, "r2", straight))
    done = CliRunner().invoke(cli, ["study", "import", str(study), str(file)], standalone_mode=False)
    assert done.return_value == 1
    assert (
        "r2 (straight.json): stays out: gave one and the same answer throughout in 8 of 8 sessions"
        in done.output
    )
    assert "--include r2" in done.output
    assert _of_people(study) == []
    assert import_answers(study, [file], include=["r2"]).raters[0].added == 24
    with pytest.raises(InputError, match="--include r7: this study has r1, r2"):
        import_answers(study, [file], include=["r7"])


def test_an_incomplete_file_counts_as_far_as_it_goes(study: Path, key: StudyKey) -> None:
    whole = sent(key, "r1")
    kept = [task.id for task in key.raters["r1"]][:3]
    part = {**whole, "answers": {name: whole["answers"][name] for name in kept}}
    file = write_sent(study.parent / "part.json", part)
    done = CliRunner().invoke(cli, ["study", "import", str(study), str(file)], standalone_mode=False)
    assert done.return_value == 1
    assert "9 taken in; 3 of 8 answered in full, 0 in part, 5 not at all" in done.output
    assert "import the newer file" in done.output


def test_two_files_of_one_rater(study: Path, key: StudyKey) -> None:
    whole = sent(key, "r1")
    part = {**whole, "answers": dict(list(whole["answers"].items())[:2])}
    found = _take_in(study, part, whole, whole)
    assert [one.added for one in found.raters] == [24]
    assert len(found.notes) == 2
    assert "not counted twice" in found.notes[0]
    other = json.loads(json.dumps(sent(key, "r2")))
    task = key.raters["r2"][0].id
    unlike = json.loads(json.dumps(other))
    unlike["answers"][task]["wai.trust"] = "1" if other["answers"][task]["wai.trust"] != "1" else "5"
    refused = _take_in(study, other, unlike)
    assert refused.raters == ()
    assert "both are of rater r2 and differ in 1 answers" in refused.refused[0]
    assert {one.rater for one in _of_people(study)} == {key.rater_name("r1")}


def test_a_run_that_changed_or_moved_and_a_damaged_key_are_named(study: Path, key: StudyKey) -> None:
    file = write_sent(study.parent / "good.json", sent(key, "r1"))
    sessions = _runs(study)[0] / "sessions.jsonl"
    held = sessions.read_text()
    sessions.write_text(held.replace("?", "!"))
    with pytest.raises(InputError, match="was held again since the study was made"):
        import_answers(study, [file])
    sessions.write_text(held.splitlines(keepends=True)[0])
    with pytest.raises(InputError, match="is gone: restore the run"):
        import_answers(study, [file])
    sessions.write_text(held)
    moved = Path(shutil.move(_runs(study)[0], study.parent / "elsewhere"))
    with pytest.raises(InputError, match="is not there: put it back, or name its place under runs"):
        import_answers(study, [file])
    text = (study / KEY).read_text()
    (study / KEY).write_text(text.replace(key.runs[0], "../elsewhere"))
    assert import_answers(study, [file]).raters[0].added == 24
    assert any(one.rater == key.rater_name("r1") for one in read_ratings(moved))
    (study / KEY).write_text(text.replace('"answer": "', '"answer": "1'))
    with pytest.raises(InputError, match="was changed since the study was made"):
        read_key(study)
    (study / KEY).write_text(text[:200])
    with pytest.raises(InputError, match="restore the file from a copy"):
        read_key(study)
    (study / KEY).unlink()
    with pytest.raises(InputError, match="is no study: it has no key"):
        read_key(study)


def test_comparisons_enter_the_studys_folder_whichever_side_was_shown_first(
    study_runs: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "pairs"
    made = make_study(StudyPlan(tuple(study_runs), 3, "pairwise"), out)
    found = _take_in(out, *(sent(made.key, code) for code in made.key.raters))
    assert [one.added for one in found.raters] == [6, 6, 6]
    kept = read_comparisons(out)
    assert len(kept) == 18
    # Whoever answers honestly prefers the reflective therapist, on whichever side it stood.
    assert {(one.first, one.second) for one in kept} == {("scripted/reflective", "scripted/parrot")}
    assert {one.better for one in kept} <= {"first", "tie"}
    shown = [made.key.sessions[task.sessions[0]].run for tasks in made.key.raters.values() for task in tasks]
    assert shown.count(0) == shown.count(1) == 9
    one_sided = _changed(made.key, "r1", lambda task, question: "a" if question == BETTER else None)
    again = _take_in(out, one_sided, include=["r1"])
    assert "differ from those taken in before" in again.refused[0]
    assert _take_in(out, one_sided).raters[0].left_out == ("chose one and the same side in 100 % of 6 pairs",)
    assert read_comparisons(out) == kept
