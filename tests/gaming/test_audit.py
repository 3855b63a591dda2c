"""No cheat is rated near a therapist who listens: every cheat, real sessions, the real rater."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mirror_bench.cli.audit import audit
from mirror_bench.errors import InputError
from mirror_bench.raters.coded import contributions
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.raters.session_features import Feature
from mirror_bench.stats.intervals import Interval
from mirror_bench.therapists.cheats import cheat_names, load_cheat
from mirror_bench.validity.display import write_evidence_plots
from mirror_bench.validity.evidence import Setting
from mirror_bench.validity.gaming import (
    INSTRUMENTS,
    Audit,
    CheatStanding,
    RatedSessions,
    audit_cheats,
    examine,
    scenarios_of,
)
from mirror_bench.validity.gaming_tables import points_against

WANTED = (
    {"agreement", "captions", "cure_all", "empathy", "endless", "invented_client", "one_paragraph", "parrot"}
    | {"praise", "questions", "reflection_templates", "rubric", "silence"}
    | {f"inject_{kind}" for kind in ("end", "invisible", "json", "language", "lookalikes", "orders")}
)


@pytest.fixture(scope="module")
def found() -> Audit:
    return audit_cheats(scenarios_of(12, 1))


def test_every_cheat_is_tried(found: Audit) -> None:
    assert set(cheat_names()) >= WANTED
    assert list(found.cheats) == cheat_names()


@pytest.mark.parametrize("name", cheat_names())
@pytest.mark.parametrize("place", range(len(INSTRUMENTS)), ids=INSTRUMENTS)
def test_the_cheat_stays_below_the_listening_therapist(name: str, place: int, found: Audit) -> None:
    standing = found.standings[name][place]
    assert standing.cheat is not None
    assert standing.cheat.n == 12
    assert standing.stopped, standing


@pytest.mark.parametrize("name", cheat_names())
def test_what_was_expected_to_stop_it_does(name: str, found: Audit) -> None:
    measured = [feature for feature, _ in points_against(found.standings[name])]
    expected = load_cheat(name).stopped_by
    assert set(expected) <= set(measured)
    assert set(expected) & set(measured[:4])


def test_injections_reach_no_prompt(found: Audit) -> None:
    tallies = {name: arm.injected for name, arm in found.cheats.items() if arm.injected is not None}
    assert len(tallies) == 6
    assert all(one.prompts >= 18 and not one.changed and not one.broken for one in tallies.values())


def test_the_standard_itself_would_get_through() -> None:
    """The yardstick can fail: what listens as the standard does is not stopped."""
    standard = audit_cheats(scenarios_of(4, 1), ["parrot"]).standard
    interval = standard.interval("wai")
    same = CheatStanding("wai", interval, interval, Interval(0.0, -0.1, 0.1, 4, 4), {})
    assert not same.stopped
    assert Audit(standard, {"twin": standard}, {"twin": (same, same)}).through == ["twin"]


def test_a_cheat_without_a_score_or_an_interval_counts_as_through() -> None:
    good = Interval(4.0, 3.9, 4.1, 9, 9)
    bare = Interval(1.0, None, None, 1, 1)
    assert not CheatStanding("wai", None, good, None, {}).stopped
    assert not CheatStanding("wai", bare, good, bare, {}).stopped
    apart = Interval(1.0, 0.9, 1.1, 9, 9)
    assert CheatStanding("wai", apart, good, Interval(-3.0, -3.1, -2.9, 9, 9), {}).stopped
    assert RatedSessions("x", {"wai": {}}, {}, {}, 0.0).interval("wai") is None


def test_contributions_add_up_to_the_score_within_the_scale() -> None:
    wai = load_instrument("wai")
    names = {name for item in wai.items if item.coded for name in (*item.coded.pro, *item.coded.con)}
    points = contributions(wai, {name: Feature(0.1) for name in names})
    want = sum(
        4 * 0.1 * (sum(item.coded.pro.values()) - sum(item.coded.con.values())) / len(wai.items)
        for item in wai.items
        if item.coded
    )
    assert sum(points.values()) == pytest.approx(want)
    assert points["echoes"] < 0 < points["reflects"]


def test_the_examination_can_be_drawn(tmp_path: Path) -> None:
    evidence = examine(Setting(quick=True))
    assert evidence.met
    assert len(evidence.targets) == len(cheat_names()) + 1
    assert [path.name for path in write_evidence_plots(evidence, tmp_path, ("svg",))] == ["gaming.svg"]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(audit, list(arguments), catch_exceptions=False)
    return result.exit_code, result.stdout


def test_the_command_prints_json_and_says_yes(tmp_path: Path) -> None:
    code, out = run("--profiles", "6", "--seeds", "1", "--cheat", "parrot", "--json", "--out", str(tmp_path))
    value = json.loads(out)
    assert code == 0
    assert value["through"] == []
    assert list(value["cheats"]) == ["parrot"]
    assert value["cheats"]["parrot"]["wai"]["total"]["value"] < 2.6
    assert (tmp_path / "gaming.png").exists()


def test_the_command_says_no_where_a_cheat_gets_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mirror_bench.validity.gaming as gaming
    from mirror_bench.therapists import SCRIPTED

    monkeypatch.setattr(gaming, "cheating", lambda name: SCRIPTED.get("attuned"))
    code, out = run("--profiles", "6", "--seeds", "1", "--cheat", "parrot")
    assert code == 1
    assert "gets through: parrot" in out


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match=r"no gaming/nobody\.yaml"):
        run("--cheat", "nobody")
    with pytest.raises(InputError, match="--clients: takes --sessions and --seed, not --cheat"):
        run("--clients", "--cheat", "parrot")
    with pytest.raises(InputError, match="--sessions: goes with --clients"):
        run("--sessions", "3")
