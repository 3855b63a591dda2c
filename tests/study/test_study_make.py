"""Making a study: blinded, balanced, the same again from the same runs; a wrong wish is one line."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from short_runs import undrawn

from mirror_bench.cli import cli
from mirror_bench.errors import InputError
from mirror_bench.pages.session_viewer import PNG
from mirror_bench.schema import FaceCondition, Speaker
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.study.choosing import ClientFaces, ShownSession, contestants
from mirror_bench.study.making import StudyPlan, make_study
from mirror_bench.study.records import KEY, read_key


def _hidden(runs: list[Path]) -> set[str]:
    """All that would tell a rater which session it is, or what the client was told to show."""
    found = {str(run) for run in runs}
    for run in runs:
        for session in read_sessions(run):
            found |= {
                session.scenario_id,
                session.pair,
                session.therapist,
                session.profile_id,
                session.client,
            }
            found |= {text for turn in session.turns for text in (turn.direction, turn.face)}
    return found - {""}


def _unblinded(form: Path, runs: list[Path]) -> set[str]:
    text = re.sub(r"data:image/png;base64,[\w+/=]+", "", form.read_text(encoding="utf-8"))
    body = text.partition("</style>")[2].partition("<script>")[0]
    told = re.findall(r'alt="([^"]*)"', body)
    assert told
    assert all(
        re.fullmatch(r"The client&#39;s face at turn \d+|The client's face at turn \d+", one) for one in told
    )
    return {one for one in _hidden(runs) if re.search(rf"\b{re.escape(one)}\b", body)}


@pytest.mark.parametrize("form", ["rating", "pairwise"])
def test_a_form_tells_nothing_of_model_condition_or_client(
    held_runs: list[Path], tmp_path: Path, form: Any
) -> None:
    made = make_study(StudyPlan(tuple(held_runs), 3, form, each=2), tmp_path / "study")
    for path in made.forms:
        assert _unblinded(path, held_runs) == set()
        # One file, nothing beside it.
        assert re.findall(r'(?:src|href)="(?!data:|#)', path.read_text(encoding="utf-8")) == []
    assert made.warnings == ()
    again = make_study(StudyPlan(tuple(held_runs), 3, form, each=2), tmp_path / "study")
    assert again.key == made.key == read_key(tmp_path / "study")
    other = make_study(StudyPlan(tuple(held_runs), 3, form, each=2, seed=1), tmp_path / "other")
    assert other.key.study != made.key.study


def test_blocks_sides_and_checks_of_a_made_study(held_runs: list[Path], tmp_path: Path) -> None:
    made = make_study(StudyPlan(tuple(held_runs), 4, "pairwise", each=3), tmp_path / "study")
    met = Counter(task.id for tasks in made.key.raters.values() for task in tasks)
    assert set(met.values()) == {3}
    assert {len(tasks) for tasks in made.key.raters.values()} <= {4, 5}
    for tasks in made.key.raters.values():
        first = [made.key.sessions[task.sessions[0]].run for task in tasks]
        assert abs(first.count(0) - first.count(1)) <= 1
        assert sum(task.check is not None for task in tasks) == 2
    for name in met:
        met_by = [task for own in made.key.raters.values() for task in own if task.id == name]
        first = [made.key.sessions[task.sessions[0]].run for task in met_by]
        assert abs(first.count(0) - first.count(1)) == 1
        people = {made.key.sessions[one].profile_id for task in met_by for one in task.sessions}
        assert len(people) == 1, "both sides are of one client"


def test_the_clients_own_face_is_shown_whatever_the_therapist_saw(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = ["run", "--therapist", "scripted/attuned", "--limit", "1", "--seeds", "0", "--no-safety"]
    command += [
        "--quiet",
        "--max-client-turns",
        "3",
        "--face-conditions",
        "matched,none,shuffled",
        "--out",
        str(run),
    ]
    with undrawn():
        assert CliRunner().invoke(cli, command).exit_code == 0
    found = contestants([run], [FaceCondition.MATCHED, FaceCondition.NONE, FaceCondition.SHUFFLED], 1)
    faces = ClientFaces(found)
    for index, one in enumerate(found):
        (session,) = one.sessions.values()
        shown = faces.of(ShownSession(index, session))
        assert [face is not None for face in shown] == [
            turn.speaker is Speaker.CLIENT for turn in session.turns
        ]
        assert all(face.startswith(PNG) for face in shown if face)
        if one.condition is FaceCondition.MATCHED:  # what was kept is shown as it was
            digests = [hashlib.sha256(face).hexdigest() if face else "" for face in shown]
            seen = [turn.face for turn in session.turns]
            assert any(seen)
            assert all(face in ("", digest) for face, digest in zip(seen, digests, strict=True))
    openings = {
        faces.of(ShownSession(index, next(iter(one.sessions.values()))))[0] for index, one in enumerate(found)
    }
    assert len(openings) == 1, "one client, who begins with one face"
    made = make_study(
        StudyPlan((run,), 2, "pairwise", conditions=(FaceCondition.MATCHED, FaceCondition.NONE)),
        tmp_path / "s",
    )
    assert {one.condition for one in made.key.sessions.values()} == {"matched", "none"}
    assert _unblinded(made.forms[0], [run]) == set()


def test_own_instrument_and_own_consent(held_runs: list[Path], tmp_path: Path) -> None:
    form = tmp_path / "wit.yaml"
    form.write_text(
        "title: Wit\nscale: {min: 1, max: 3}\n"
        "items: [{id: dry, title: Dry, text: How dry?, applies: crisis}]\n"
    )
    consent = tmp_path / "consent.txt"
    consent.write_text("Ethics board 7 agreed.\n\nYou get <b>ten</b> pounds.\n")
    plan = StudyPlan(tuple(held_runs), 2, "rating", units=2, instruments=(str(form), "ctrs"), consent=consent)
    made = make_study(plan, tmp_path / "study")
    html = made.forms[0].read_text(encoding="utf-8")
    assert "How dry?" in html
    assert "Does not apply: nobody discloses a danger" in html
    assert "You get &lt;b&gt;ten&lt;/b&gt; pounds." in html
    assert made.key.consent == ("Ethics board 7 agreed.", "You get <b>ten</b> pounds.")
    assert (tmp_path / "study" / "instruments" / "wit.yaml").read_text() == form.read_text()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--raters", "0"], "--raters 0: give 1 to 200"),
        (["--raters", "2", "--each", "3"], "--each 3: a session can be rated by 1 to 2 raters"),
        (["--raters", "2", "--count", "99"], "--count 99: these runs have 12 sessions"),
        (["--raters", "9", "--each", "1", "--count", "3"], "leave some of 9 raters with nothing"),
        (["--raters", "2", "--instrument", "phq"], "phq"),
        (["--raters", "2", "--instrument", "risk_checklist"], "is a flow, which a form cannot ask"),
        (["--raters", "2", "--instrument", "ctrs", "--instrument", "ctrs"], "ctrs: is named twice"),
        (
            ["--raters", "2", "--form", "pairwise", "--instrument", "ctrs"],
            "a pairwise form asks which is better",
        ),
        (["--raters", "2", "--condition", "none"], "has no sessions with none faces"),
        (["--raters", "2", "--consent", "nowhere.txt"], "nowhere.txt: cannot be read"),
    ],
)
def test_a_wish_that_cannot_be_met_is_one_line(
    held_runs: list[Path], tmp_path: Path, options: list[str], told: str
) -> None:
    arguments = ["study", "make", *map(str, held_runs), "--out", str(tmp_path / "study"), *options]
    done = CliRunner().invoke(cli, arguments)
    assert isinstance(done.exception, InputError)
    assert told in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not (tmp_path / "study" / KEY).exists()


def test_other_folders_and_other_runs_are_refused(held_runs: list[Path], tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other files: name a new or empty folder"):
        make_study(StudyPlan(tuple(held_runs), 2, "rating", units=2), full)
    make_study(StudyPlan(tuple(held_runs), 2, "rating", units=2), tmp_path / "study")
    with pytest.raises(InputError, match="holds another study"):
        make_study(StudyPlan(tuple(held_runs), 2, "rating", units=4), tmp_path / "study")
    with pytest.raises(InputError, match="a pair needs two sides"):
        make_study(StudyPlan((held_runs[0],), 2, "pairwise"), tmp_path / "one")
    with pytest.raises(InputError, match="is named twice"):
        make_study(StudyPlan((held_runs[0], held_runs[0]), 2, "rating"), tmp_path / "one")
    with pytest.raises(InputError, match="is no run folder"):
        make_study(StudyPlan((full,), 2, "rating"), tmp_path / "one")


def test_what_make_says(held_runs: list[Path], tmp_path: Path) -> None:
    arguments = ["study", "make", *map(str, held_runs), "--raters", "1", "--out", str(tmp_path / "study")]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert "12 sessions, each for 1 of 1 raters, 12 a form" in done.output
    assert "careful: nothing is rated by two people" in done.output
    as_json = CliRunner().invoke(cli, [*arguments, "--json"])
    assert json.loads(as_json.output)["raters"] == {"r1": 12}
