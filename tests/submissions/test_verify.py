"""The verifier on sound submissions, its command, and what it looks at beyond tampering."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path

import pytest
import yaml
from packed import Packed, card, invoke
from tampering import Parts, cover

from mirror_bench.cli.submissions.verify import _why
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.processors import spread
from mirror_bench.schema import Speaker
from mirror_bench.submissions.archive import MANIFEST, write_archive
from mirror_bench.submissions.checks.copies import Talk, Twin, closest
from mirror_bench.submissions.findings import SHOWN, Verdict, judged, plain, skipped
from mirror_bench.submissions.pack import pack_run
from mirror_bench.submissions.verify import CHECKS, verify_file


def verified(parts: Parts, folder: Path) -> Verdict:
    write_archive(folder / "x.mirror.zip", parts.members())
    return verify_file(folder / "x.mirror.zip")


def test_a_scripted_run_passes_every_check(scripted: Packed) -> None:
    verdict = verify_file(scripted.file)
    assert {check.name: check.reason for check in verdict.checks if check.status != "passed"} == {}
    assert tuple(check.name for check in verdict.checks) == CHECKS


def test_of_a_model_the_words_alone_cannot_be_recomputed(model: Packed) -> None:
    verdict = verify_file(model.file)
    assert verdict.verified
    found = {check.name: check.reason for check in verdict.checks if check.status == "skipped"}
    assert set(found) == {"therapist", "licence"}, found  # nobody has tried its model judge


def test_other_processes_find_what_one_finds(
    scripted: Packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirror_bench.submissions.verify.spread", partial(spread, worth=1))
    parts = Parts.of(scripted.members())
    coded = next(one for one in parts.ratings if one["rater"] == "coded")
    next(iter(coded["items"].values()))["reason"] = "because"
    write_archive(tmp_path / "x.mirror.zip", parts.members())
    verdict = verify_file(tmp_path / "x.mirror.zip", workers=2)
    assert "coded" in verdict.failed
    assert verdict == verify_file(tmp_path / "x.mirror.zip")


def test_a_demo_sized_run_is_verified_in_time(scripted: Packed, tmp_path: Path) -> None:
    started = time.process_time()
    assert verify_file(scripted.file).verified
    # The demo has twelve times as many sessions at most and stands 30 s; this is a guard, not a measurement.
    assert time.process_time() - started < 15


def test_partial_coverage_is_told_and_no_failure(scripted: Packed) -> None:
    (told,) = (check for check in verify_file(scripted.file).checks if check.name == "coverage")
    assert told.status == "passed"
    assert told.reason.startswith("partial: 2 of ")


def test_the_last_line_says_why_a_check_or_two_were_skipped() -> None:
    one, more = skipped("therapist", "a model said it"), skipped("faces", "none shown")
    assert _why([one]) == "therapist: a model said it"
    assert _why([one, more]) == "therapist: a model said it; faces: none shown"
    assert _why([one, more, one]) == "therapist, faces, therapist"


def test_the_command_says_each_check_and_exits_by_the_verdict(scripted: Packed, tmp_path: Path) -> None:
    done = invoke("verify", scripted.file)
    assert done.exit_code == 0
    assert all(name in done.output for name in CHECKS)
    assert f"verified: {len(CHECKS)} checks passed, 0 skipped\n" in done.output
    parts = Parts.of(scripted.members())
    parts.summary["entries"][0]["scores"][0]["value"] += 1
    write_archive(tmp_path / "x.mirror.zip", parts.members())
    done = invoke("verify", tmp_path / "x.mirror.zip", "--json")
    assert done.exit_code == 1
    verdict = json.loads(done.output)
    assert verdict["verified"] is False
    assert [check["name"] for check in verdict["checks"] if check["status"] == "failed"] == ["scores"]
    assert "entries.0.scores.0.value" in verdict["checks"][CHECKS.index("scores")]["problems"][0]


def test_a_run_under_a_protocol_of_ones_own_is_held_against_it(tmp_path: Path) -> None:
    values = {"split": "test", "seeds": [3], "max_client_turns": 4, "safety": False, "instruments": ["wai"]}
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump(values))
    run = tmp_path / "run"
    command = ("run", "--therapist", "scripted/parrot", "--protocol", own, "--limit", "1", "--quiet")
    assert invoke(*command, "--out", run).exit_code == 0
    file = tmp_path / "own.mirror.zip"
    pack_run(run, card(run), file)
    unknown = verify_file(file)
    assert unknown.failed == ("protocol",)
    assert "no published protocol is named 'own'" in unknown.checks[CHECKS.index("protocol")].reason
    verdict = verify_file(file, str(own))
    assert verdict.verified, verdict.failed
    assert {check.name for check in verdict.checks if check.status == "skipped"} == {"probes"}
    own.write_text(yaml.safe_dump({**values, "max_client_turns": 5}))
    changed = verify_file(file, str(own))
    assert changed.failed == ("protocol",)
    assert "max_client_turns: published is 5, this run has 4" in changed.checks[4].reason


def test_a_therapist_who_knows_the_test_data_is_found(model: Packed, tmp_path: Path) -> None:
    """It says to three clients what they hold back, before they have said it; to two may be an accident."""
    profiles = {profile.id: profile for profile in load_mini().profiles}
    for sessions, found in ((2, False), (3, True)):
        parts = Parts.of(model.members())
        for session in parts.sessions[:sessions]:
            guarded = profiles[session["profile_id"]].guarded[-1]
            session["turns"][1]["words"] = f"Could it be that you would say: {guarded}"
            session["turns"][1].pop("raw", None)
            session["turns"][1].pop("removed", None)
        cover(parts, "ratings")
        assert ("contamination" in verified(parts, tmp_path).failed) is found


def test_values_that_no_session_can_have_fail_checks_and_raise_nothing(
    scripted: Packed, tmp_path: Path
) -> None:
    odd: list[object] = [None, [], {}, "", -1, 1e400, "x" * 100_000, {"conditions": 7, "limit": "many"}]
    for value in odd:
        for part in ("selection", "candidate", "parts", "environment"):
            parts = Parts.of(scripted.members())
            parts.header[part] = value
            verdict = verified(parts, tmp_path)
            assert part == "environment" or not verdict.verified, (part, value)
    for value in odd[:4]:
        parts = Parts.of(scripted.members())
        parts.header["selection"]["conditions"] = value
        assert not verified(parts, tmp_path).verified


def test_hostile_text_cannot_reach_the_terminal(scripted: Packed, tmp_path: Path) -> None:
    parts = Parts.of(scripted.members())
    parts.sessions[0]["scenario_id"] = "\x1b[2J\x1b]0;owned\x07\n[red]rich[/red]" + "x" * 5_000
    write_archive(tmp_path / "x.mirror.zip", parts.members())
    done = invoke("verify", tmp_path / "x.mirror.zip")
    assert done.exit_code == 1
    assert "\x1b]0" not in done.output
    assert "\x07" not in done.output
    assert "[red]rich[/red]" in done.output.replace("\n", "")
    verdict = verify_file(tmp_path / "x.mirror.zip")
    assert all(len(problem) <= 300 for check in verdict.checks for problem in check.problems)


def test_every_problem_is_counted_and_a_bounded_number_told() -> None:
    check = judged("scores", [f"problem {n}" for n in range(100)], "")
    assert check.status == "failed"
    assert "and 99 more" in check.reason
    assert len(check.problems) == SHOWN
    assert plain("a\x00b\n\n c" + "d" * 1_000) == "a b c" + "d" * 294 + "…"


def test_a_twin_is_the_talk_of_another_person_that_is_most_alike() -> None:
    talks = [
        Talk("one", "anna", ("a", "b", "c", "d")),
        Talk("two", "anna", ("a", "b", "c", "d")),
        Talk("three", "ben", ("a", "b", "c", "x", "y")),
        Talk("four", "eva", ("q", "b", "r", "s")),
        Talk("short", "ida", ("a", "b")),
    ]
    twins = {twin.talk: twin for twin in closest(talks, 3)}
    assert twins["one"] == Twin("one", "three", 3 / 5)
    assert twins["two"].other == "three"
    assert twins["four"].share == pytest.approx(1 / 4)
    assert "short" not in twins


def test_the_same_person_met_twice_is_no_twin(scripted: Packed) -> None:
    """Without a face a scripted therapist may say the same to one person under two conditions."""
    talks = [Talk("one", "anna", ("a", "b", "c")), Talk("two", "anna", ("a", "b", "c"))]
    assert list(closest(talks, 1)) == []


def test_the_manifest_is_part_of_no_digest_and_faces_are_those_that_were_shown(model: Packed) -> None:
    members = model.members()
    manifest = json.loads(members[MANIFEST])
    assert manifest["files"].keys() == members.keys() - {MANIFEST}
    sessions = [json.loads(line) for line in members["sessions.jsonl"].splitlines()]
    turns = [turn for session in sessions for turn in session["turns"] if turn["speaker"] == Speaker.CLIENT]
    shown = {f"faces/{turn['face']}.png" for turn in turns if turn.get("face")}
    assert shown == {name for name in members if name.startswith("faces/")}
