"""Ratings that an outage lost, that a changed instrument made stale, or that are asked for again."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from commands import ROOT, hold, summary

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sessions"))
from talking_server import serving, verdict

from mirror_bench.analysis.summary import Summary
from mirror_bench.cli import cli
from mirror_bench.errors import InputError
from mirror_bench.raters.safety_features import SAFETY_FEATURES
from mirror_bench.raters.session_features import FEATURES
from mirror_bench.sessions.choosing import chosen_protocol
from mirror_bench.sessions.run_folder import read_ratings

HOPE = """
title: Hope
instructions: Rate what the therapist does for the client's hope.
scale: {min: 0, max: 4}
items:
  - id: choice
    title: Choice
    text: Does the therapist leave the choice to the client?
    coded: {start: 0.2, pro: {autonomy: 0.5, reflects: 0.3}}
"""


def rate(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(cli, ["rate", *map(str, arguments), "--quiet"], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


@pytest.mark.parametrize("how", ["run", "retry", "rate"])
def test_ratings_lost_to_an_outage_are_made_when_the_judge_is_back(tmp_path: Path, how: str) -> None:
    out = tmp_path / "run"
    with serving(lambda body, number: verdict(4)) as server:
        judge = (server.model("j", max_retries=0),)
        server.down = True
        hold(out, judge=judge, instrument=("ctrs",))
        (lost,) = summary(out).raters
        assert (lost.rater, lost.due, lost.scored, lost.missing, lost.lost) == ("llm:openai/j", 2, 0, 2, 2)
        assert (
            "ctrs 0 of 2 sessions scored (2 × no usable answer: the judge could not answer" in lost.in_words
        )
        server.down = False
        if how == "rate":
            assert "2 ratings added" in rate(out, "--judge", judge[0], "--instrument", "ctrs")
        else:
            hold(out, judge=judge, instrument=("ctrs",), retry_failed=how == "retry")
        asked = server.asked
        assert "0 ratings added" in rate(out)
        assert server.asked == asked
    (made,) = summary(out).raters
    assert (made.scored, made.missing, made.lost) == (2, 0, 0)


def test_an_outage_takes_no_rating_that_was_made(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with serving(lambda body, number: verdict(4)) as server:
        hold(out, judge=(server.model("j", max_retries=0),), instrument=("ctrs",))
        server.down = True
        assert "2 ratings added, 0 scored" in rate(out, "--again")
    assert summary(out).raters[0].scored == 2


def test_unusable_answers_are_asked_anew_only_when_asked_to(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with serving(lambda body, number: "I'd rather not say.") as server:
        judged: dict[str, Any] = {"judge": (server.model("j"),), "instrument": ("ctrs",)}
        hold(out, **judged)
        asked = server.asked
        hold(out, **judged)
        assert server.asked == asked
        server.says = lambda body, number: verdict(2)
        hold(out, **judged, retry_failed=True)
        assert server.asked > asked
    assert summary(out).raters[0].scored == 2


def test_other_settings_of_a_judge_are_other_ratings(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with serving(lambda body, number: verdict(number % 5)) as server:
        hold(out, judge=(server.model("j"),), instrument=("ctrs",))
        judge = ("--judge", server.model("j"), "--instrument", "ctrs")
        assert "2 ratings added" in rate(out, *judge, "--samples", "2")
        assert "0 ratings added" in rate(out, *judge, "--samples", "2")
        before = server.asked
        assert "2 ratings added" in rate(out, *judge, "--again")
        assert server.asked > before


def test_an_instrument_of_ones_own_is_rated_again_when_it_changes(tmp_path: Path) -> None:
    out, form = tmp_path / "run", tmp_path / "hope.yaml"
    form.write_text(HOPE)
    hold(out, add_instrument=(str(form),))
    first = summary(out)
    totals = {metric.name for metric in first.metrics if metric.kind == "total"}
    assert totals == {"ctrs.total", "wai.total", "hope.total"}
    assert "0 ratings added" in rate(out, "--instrument", f"+{form}")
    form.write_text(HOPE.replace("start: 0.2", "start: 0.6"))
    with pytest.raises(InputError, match=r"instruments/hope.yaml \(changed\)"):
        hold(out, add_instrument=(str(form),))
    assert "2 ratings added" in rate(out, "--instrument", form, "--judge", "coded")
    second = summary(out)
    assert second.stale_ratings == 2
    assert score(second, "hope.total") > score(first, "hope.total")
    assert score(second, "ctrs.total") == score(first, "ctrs.total")
    assert second.fingerprint != first.fingerprint, "rated otherwise, it is compared with no other"
    assert sum(one.instrument == "hope" for one in read_ratings(out)) == 4, "the old ones are kept"
    hold(out, add_instrument=(str(form),))
    form.unlink()
    assert summary(out) == second, "the run folder keeps the instrument"


def test_the_version_of_an_instrument_alone_makes_it_due(tmp_path: Path) -> None:
    out, form = tmp_path / "run", tmp_path / "hope.yaml"
    form.write_text(HOPE)
    hold(out, instrument=(str(form),))
    form.write_text(f"version: 2\n{HOPE}")
    assert "2 ratings added" in rate(out, "--instrument", form)


def test_ratings_without_a_score_say_why(tmp_path: Path) -> None:
    out, form = tmp_path / "run", tmp_path / "mood.yaml"
    form.write_text(HOPE.replace("    coded: {start: 0.2, pro: {autonomy: 0.5, reflects: 0.3}}\n", ""))
    hold(out)
    told = rate(out, "--instrument", form, code=1)
    assert "2 ratings added, 0 scored: 2 × the coded rater has no rule" in told
    assert "nothing was scored: no rating has a score" in told
    assert "0 ratings added" in rate(out, "--instrument", form, code=1)


def test_a_judge_that_is_out_of_reach_is_no_success(tmp_path: Path) -> None:
    out = tmp_path / "run"
    hold(out)
    with serving(lambda body, number: verdict(4)) as server:
        judge = ("--judge", server.model("j", max_retries=0), "--instrument", "ctrs")
        server.down = True
        assert "2 ratings were lost" in rate(out, *judge, code=1)
        server.down = False
        rate(out, *judge)
    for name in ("sessions.jsonl", "ratings.jsonl"):
        (out / name).write_text("")
    assert "the run holds no session to rate" in rate(out, *judge, code=1)


def test_ratings_on_an_instrument_of_ones_own_are_not_handed_in_and_are_exported(tmp_path: Path) -> None:
    out, form, meta = tmp_path / "run", tmp_path / "hope.yaml", tmp_path / "meta.yaml"
    form.write_text(HOPE)
    meta.write_text("name: Bot\nauthors: [A]\nlicence: MIT\nbase_model: none\ntraining_data: [none]\n")
    run = ["run", "--therapist", "scripted/parrot", "--limit", "1", "--quiet", "--out", str(out)]
    assert CliRunner().invoke(cli, run, catch_exceptions=False).exit_code == 0
    rate(out, "--instrument", form)
    packed = str(tmp_path / "a.mirror.zip")
    done = CliRunner().invoke(cli, ["pack", str(out), "--meta", str(meta), "-o", packed])
    assert done.exit_code == 0, done.exception
    assert "ratings on instruments of your own are left out, nobody else has them: hope" in done.stderr
    with zipfile.ZipFile(packed) as archive:
        assert '"hope"' not in archive.read("ratings.jsonl").decode()
    exported = CliRunner().invoke(cli, ["export-inspect", str(out), "--out", str(tmp_path / "logs")])
    assert exported.exit_code == 0, exported.exception


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("ctrs.yaml", HOPE, "the name of a packaged instrument"),
        ("hope.yaml", HOPE.replace("autonomy", "autonmy"), "did you mean 'autonomy'"),
        (
            "hope.yaml",
            HOPE.replace("title: Hope", "title: Hope\ntitle: More"),
            r"hope.yaml:3: the key 'title'",
        ),
        ("Hope 2.yaml", HOPE, "rename the file"),
    ],
)
def test_a_wrong_instrument_stops_before_any_session(
    tmp_path: Path, name: str, content: str, named: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=named):
        hold(tmp_path / "run", instrument=(str(tmp_path / name),))
    assert not (tmp_path / "run").exists()


def test_instruments_replace_the_protocols_or_come_beside_them(tmp_path: Path) -> None:
    form = tmp_path / "hope.yaml"
    form.write_text(HOPE)
    ways: tuple[dict[str, Any], ...] = ({"instrument": (f"+{form}",)}, {"add_instrument": (str(form),)})
    for given in ways:
        assert chosen_protocol("offline", **given, safety=False).all_instruments == ("ctrs", "wai", "hope")
    assert chosen_protocol("offline", instrument=(str(form),), safety=False).all_instruments == ("hope",)


def test_the_documented_instrument_is_checked_and_listed(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "instruments.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example
    form = tmp_path / "hope.yaml"
    form.write_text(example[1])
    assert len(example[1].strip().splitlines()) <= 10
    run = CliRunner()
    checked = run.invoke(cli, ["instrument", "check", str(form)], catch_exceptions=False)
    assert "the coded rater has rules for 1 of them" in checked.output
    listed = run.invoke(cli, ["instrument", "features"], catch_exceptions=False)
    assert all(
        re.search(rf"^{name}\s+\S", listed.output, re.MULTILINE) for name in (*FEATURES, *SAFETY_FEATURES)
    )
    hold(tmp_path / "run", add_instrument=(str(form),))
    assert score(summary(tmp_path / "run"), "hope.total") is not None


def score(found: Summary, metric: str) -> float:
    held = found.entries[0].score(metric)
    assert held is not None
    assert held.value is not None
    return held.value
