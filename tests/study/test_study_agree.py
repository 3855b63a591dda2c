"""Agreement of a study: the figures of `stats`, over what people and judges said of the same sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from study_samples import sent, write_sent

from mirror_bench.cli import cli
from mirror_bench.errors import InputError
from mirror_bench.sessions.run_folder import read_ratings
from mirror_bench.stats.agreement import cohen_kappa, icc, incomplete_icc, krippendorff_alpha
from mirror_bench.study.agreeing import CODED_ATTUNEMENT, agree_on_ratings
from mirror_bench.study.importing import import_answers
from mirror_bench.study.making import StudyPlan, make_study
from mirror_bench.study.ordering import order_of_study
from mirror_bench.study.records import StudyKey, read_key


def _all_sent(study: Path) -> StudyKey:
    key = read_key(study)
    files = [write_sent(study.parent / f"{code}.json", sent(key, code)) for code in key.raters]
    assert import_answers(study, files).refused == ()
    return key


def _scores(study: Path, key: StudyKey, item: str) -> dict[str, dict[str, float]]:
    """Session -> rater -> answer to an item of CTRS, as the runs hold it."""
    found: dict[str, dict[str, float]] = {}
    ids = {(one.run, one.scenario_id): name for name, one in key.sessions.items()}
    for index in range(len(key.runs)):
        for rating in read_ratings(key.run_folder(study, index)):
            place = (index, rating.scenario_id)
            if (
                rating.instrument == "ctrs"
                and place in ids
                and (score := rating.items[item].score) is not None
            ):
                found.setdefault(ids[place], {})[rating.rater] = score
    return found


def test_people_and_judges_on_one_item(study: Path) -> None:
    key = _all_sent(study)
    found = agree_on_ratings(study, key)
    assert found.raters == tuple(key.rater_name(code) for code in key.raters)
    assert found.rated == found.sessions == 8
    held = _scores(study, key, "understanding")
    names = sorted(held)
    people = [[held[name][rater] for rater in found.raters] for name in names]
    clients = [key.sessions[name].profile_id for name in names]
    (mine,) = [one for one in found.people if one.metric == "ctrs.understanding"]
    expected = icc(people, clients)
    assert expected is not None
    assert mine.icc.value == pytest.approx(expected.value, abs=1e-4)
    alpha = krippendorff_alpha(people, clients)
    assert alpha is not None
    assert mine.alpha.value == pytest.approx(alpha.value, abs=1e-4)
    (judge,) = [one for one in found.judges if (one.judge, one.metric) == ("coded", "ctrs.understanding")]
    coded = [held[name]["coded"] for name in names]
    mean = [float(np.mean(row)) for row in people]
    with_mean = icc(list(zip(mean, coded, strict=True)), clients)
    assert with_mean is not None
    assert judge.icc.value == pytest.approx(with_mean.value, abs=1e-4)
    kappa = cohen_kappa(
        [one for one in coded for _ in range(2)],
        [value for row in people for value in row],
        [one for one in clients for _ in range(2)],
        weights="quadratic",
    )
    assert kappa is not None
    assert judge.kappa.value == pytest.approx(kappa.value, abs=1e-4)
    assert judge.difference.value == pytest.approx(float(np.mean(np.array(coded) - np.array(mean))), abs=1e-4)
    attuned = [one for one in found.judges if one.judge == CODED_ATTUNEMENT]
    assert {one.metric for one in attuned} <= {"observed_attunement.total"}
    assert all(one.icc.value is None for one in attuned), "on another scale only the order can agree"


def test_a_perfect_copy_of_a_judge_agrees_fully(study: Path) -> None:
    key = read_key(study)
    held = {item.id: _scores(study, key, item.id) for item in key.instrument("ctrs").items}

    def copied(key: StudyKey, code: str, task: Any, question: str) -> str:
        form, _, item = question.partition(".")
        if form != "ctrs":
            return task.check.answer if task.check and question == "check" else str(3)
        return str(round(held[item][task.id]["coded"]))

    files = [write_sent(study.parent / f"{code}.json", sent(key, code, copied)) for code in key.raters]
    import_answers(study, files, include=list(key.raters))
    found = agree_on_ratings(study, key)
    (people,) = [one for one in found.people if one.metric == "ctrs.total"]
    assert people.icc.value == people.alpha.value == people.kappa.value == 1
    (judge,) = [one for one in found.judges if (one.judge, one.metric) == ("coded", "ctrs.total")]
    assert judge.icc.value is not None
    assert judge.icc.value > 0.9
    assert judge.tau.value is not None
    assert judge.tau.value > 0.8


def test_the_command_prints_and_keeps_it_and_says_what_is_missing(study: Path) -> None:
    with pytest.raises(InputError, match="is in the runs yet"):
        agree_on_ratings(study, read_key(study))
    _all_sent(study)
    done = CliRunner().invoke(cli, ["study", "agree", str(study)], terminal_width=120)
    assert done.exit_code == 0, done.output
    assert "2 people on 8 of 8 sessions" in done.output
    assert "ctrs.total" in done.output
    assert "ctrs.understanding" not in done.output
    kept = json.loads((study / "agreement.json").read_text())
    assert any(one["metric"] == "ctrs.understanding" for one in kept["people"])
    with pytest.raises(InputError, match="--against: this study has ratings"):
        CliRunner().invoke(cli, ["study", "agree", str(study), "--against", "x"], catch_exceptions=False)


def test_the_order_by_people_and_by_judges(study_runs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    make_study(StudyPlan(tuple(study_runs), 3, "pairwise"), out)
    with pytest.raises(InputError, match="no comparison has been taken in yet"):
        order_of_study(out, read_key(out))
    key = _all_sent(out)
    runs = list(map(str, study_runs))
    done = CliRunner().invoke(cli, ["compare", *runs, "--out", str(tmp_path / "c"), "--quiet"])
    assert done.exit_code == 0, done.output
    found = order_of_study(out, key, [tmp_path / "c"])
    assert [one.name for one in found.people.standings] == ["scripted/reflective", "scripted/parrot"]
    assert (found.compared, found.pairs) == (6, 6)
    (match,) = found.people.matches
    assert match.wins + match.ties == 18
    assert {one.judge for one in found.judges} == {"coded", "coded (compared)"}
    for judge in found.judges:
        assert judge.pairs == 6
        assert judge.tau == 1
        assert judge.agreed.value is not None
        assert judge.agreed.value > 0.5
    done = CliRunner().invoke(cli, ["study", "agree", str(out), "--against", str(tmp_path / "c")])
    assert done.exit_code == 0, done.output
    assert "scripted/reflective over scripted/parrot" in done.output
    assert (
        "coded (compared): scripted/reflective > scripted/parrot; tau with the people's order 1.00"
        in " ".join(done.output.split())
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match=r"holds no comparisons\.jsonl"):
        order_of_study(out, key, [empty])


def test_incomplete_blocks_lose_no_rating(study_runs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "blocks"
    make_study(StudyPlan(tuple(study_runs), 4, "rating", each=2, instruments=("ctrs",)), out)
    key = _all_sent(out)
    found = agree_on_ratings(out, key)
    held = _scores(out, key, "focus")
    table = [[held[name].get(rater, np.nan) for rater in found.raters] for name in sorted(held)]
    assert sum(np.isfinite(row).sum() for row in table) == 24
    expected = incomplete_icc(table, [key.sessions[name].profile_id for name in sorted(held)])
    assert expected is not None
    (mine,) = [one for one in found.people if one.metric == "ctrs.focus"]
    assert mine.sessions == 12
    assert mine.icc.value == pytest.approx(expected.value, abs=1e-4)
