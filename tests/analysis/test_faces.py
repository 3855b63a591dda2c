"""Visual reliance: the same turn with another face, noise taken off, and what a wrong face costs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import report_samples as samples
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from short_runs import undrawn

from mirror_bench.analysis.summary import read_summary, summarize
from mirror_bench.analysis.visual_reliance import Reliance, measure_reliance
from mirror_bench.cli import cli
from mirror_bench.engines.base import Answer, ImagePart, Request
from mirror_bench.figures.visual_gain import gain_and_reliance
from mirror_bench.protocol import load_protocol
from mirror_bench.schema import FaceCondition
from mirror_bench.sessions.candidate import read_candidate
from mirror_bench.sessions.counterfactual_turns import Probe
from mirror_bench.sessions.evaluation import Evaluation, evaluate
from mirror_bench.sessions.run_folder import read_probes, read_sessions

MATCHED, NONE, SHUFFLED = FaceCondition.MATCHED, FaceCondition.NONE, FaceCondition.SHUFFLED
TWO = "Do you want to say more about that?", "What makes it hard to say?"


def _run(out: Path, therapist: str, *more: str) -> list[Reliance]:
    arguments = ["run", "--therapist", therapist, "--face-conditions", "all", "--seeds", "0", "--limit", "6"]
    done = CliRunner().invoke(cli, [*arguments, "-o", str(out), "--json", *more])
    assert done.exit_code == 0, done.output
    summary = read_summary(out / "summary.json")
    printed = json.loads(done.stdout)["reliance"]
    assert [Reliance.model_validate(one) for one in printed] == list(summary.reliance)
    assert len(json.loads(done.stdout)["face_verdicts"]) == 1
    return list(summary.reliance)


def _of(found: list[Reliance], measure: str, shown: FaceCondition, metric: str = "") -> Reliance:
    return next(
        one
        for one in found
        if (one.measure, one.shown) == (measure, shown) and metric in {"", one.value.metric}
    )


@pytest.fixture(scope="module")
def attuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Reliance]]:
    out = tmp_path_factory.mktemp("attuned") / "run"
    return out, _run(out, "scripted/attuned")


def test_one_who_looks_changes_with_the_face_and_one_who_does_not_stays(
    attuned: tuple[Path, list[Reliance]], tmp_path: Path
) -> None:
    out, seeing = attuned
    with undrawn():
        blind = _run(tmp_path / "w", "scripted/words-only")
    for found in (seeing, blind):
        for measure in ("words", "remarks"):
            noise = _of(found, measure, MATCHED)
            assert (noise.value.value, noise.against) == (0.0, None)
            assert noise.value.n > 6
    for shown in FaceCondition:
        assert _of(blind, "words", shown).value.value == 0.0
        if shown is not MATCHED:
            assert (_of(seeing, "words", shown).value.value or 0) > 0
            assert _of(seeing, "words", shown).against is MATCHED
    assert _of(seeing, "read", MATCHED).value.value == 1.0
    assert not [one for one in blind if one.measure == "read"]
    assert {one.value.value for one in blind if one.measure == "cost"} == {0.0}
    assert {one.value.metric for one in seeing if one.measure == "cost"} == {
        "ctrs.total",
        "wai.total",
        "dropout",
        "resistance_change",
    }
    (face,) = read_summary(out / "summary.json").face_verdicts
    assert face.verdict == "too few sessions"  # of six profiles, whatever they show
    assert face.changed is not None
    assert (face.changed.value or 0) > 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert face.in_words in page
    assert 'id="reliance-caption"' in page
    assert 'id="cost-caption"' in page
    assert (out / "plots" / "visual_reliance.svg").exists()


def test_a_run_goes_on_with_the_probes_it_has(attuned: tuple[Path, list[Reliance]], tmp_path: Path) -> None:
    held, first = attuned
    shutil.copytree(held, tmp_path / "run")
    path = tmp_path / "run" / "probes.jsonl"
    whole = path.read_bytes()
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:17]))
    with undrawn():
        assert _run(tmp_path / "run", "scripted/attuned") == first
    assert path.read_bytes() == whole


def test_no_probes_where_none_are_wanted(tmp_path: Path) -> None:
    with undrawn():
        found = _run(tmp_path, "scripted/attuned", "--probe-turns", "0")
    assert {one.measure for one in found} == {"cost"}
    assert not (tmp_path / "probes.jsonl").exists()


class Shaky:
    """A model that sees: its words follow the last face; a noisy one never says the same again."""

    name, sees = "shaky", True

    def __init__(self, noisy: bool) -> None:
        self.noisy = noisy
        self.requests: list[Request] = []

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        seen = [part.sha256 for part in request.messages[-1].parts if isinstance(part, ImagePart)]
        words = TWO[int(seen[-1], 16) % 2] if seen else "Go on."
        return Answer(f"{words} {len(self.requests)}" if self.noisy else words, tokens=4)


async def _evaluated(out: Path, engine: Shaky) -> list[Probe]:
    protocol = load_protocol("offline").model_copy(update={"seeds": (0,), "max_client_turns": 5})
    candidate = read_candidate("openai/shaky", "direct", 0, "shaky")
    conditions = (MATCHED, NONE, SHUFFLED)
    evaluation = Evaluation(protocol, candidate, out, conditions, limit=6, quiet=True, probe_turns=2)
    await evaluate(evaluation, engine)
    return list(read_probes(out))


async def test_a_model_is_asked_with_the_history_as_held(tmp_path: Path) -> None:
    engine = Shaky(noisy=False)
    probes = await _evaluated(tmp_path, engine)
    assert not any(probe.lost for probe in probes)
    assert not any(probe.changed for probe in probes if probe.shown is MATCHED)
    assert all(probe.changed for probe in probes if probe.shown is NONE)
    held = {session.scenario_id: session for session in read_sessions(tmp_path)}
    for probe in probes:
        assert held[probe.scenario_id].turns[probe.turn + 1].words == probe.held
        assert held[probe.scenario_id].condition is MATCHED
    again = [request for request in engine.requests if request.attempt]
    assert len(again) == sum(probe.shown is MATCHED for probe in probes)


async def test_noise_is_taken_off(tmp_path: Path) -> None:
    probes = await _evaluated(tmp_path, Shaky(noisy=True))
    assert not any(probe.lost for probe in probes)
    found = list(measure_reliance((), (), probes))
    assert _of(found, "words", MATCHED).value.value == 1.0
    assert _of(found, "words", SHUFFLED).value.value == 0.0


PROBES = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from((MATCHED, NONE, SHUFFLED)), st.booleans(), st.booleans()),
    max_size=60,
    unique_by=lambda drawn: drawn[:2],
)


@given(PROBES)
def test_shares_are_of_turns_asked_both_ways(
    drawn: list[tuple[int, FaceCondition, bool, bool]],
) -> None:
    probes = [
        Probe(
            scenario_id=f"s{turn}",
            pair=f"s{turn}",
            profile_id=f"p{turn % 4}",
            therapist="t",
            turn=0,
            shown=shown,
            held="a",
            words="b" if changed else " a ",
            lost=lost,
        )
        for turn, shown, changed, lost in drawn
    ]
    kept = {(turn, shown): changed for turn, shown, changed, lost in drawn if not lost}
    for one in measure_reliance((), (), probes):
        if one.measure != "words":
            continue
        both = [turn for turn in range(10) if {(turn, one.shown), (turn, MATCHED)} <= set(kept)]
        noise = 0 if one.shown is MATCHED else sum(kept[turn, MATCHED] for turn in both)
        if both:
            expected = (sum(kept[turn, one.shown] for turn in both) - noise) / len(both)
            assert one.value.value == pytest.approx(expected, abs=1e-6)
        else:
            assert one.value.value is None
        assert one.lost + len(both) == sum(shown is one.shown for _, shown, _, _ in drawn)


def test_a_cost_is_above_zero_where_a_wrong_face_harms() -> None:
    due = samples.scenarios(8, conditions=(MATCHED, NONE, SHUFFLED))
    summary = summarize(*samples.run_of(due), due)
    by = {entry.condition: entry for entry in summary.entries}
    costs = [one for one in summary.reliance if one.measure == "cost"]
    assert {(one.shown, one.against) for one in costs} == {(SHUFFLED, NONE)}
    for one in costs:
        silent, wrong = (by[c].score(one.value.metric) for c in (NONE, SHUFFLED))
        assert silent is not None
        assert wrong is not None
        sign = 1 if one.value.metric.endswith(".total") else -1
        if not one.lost:
            difference = sign * ((silent.value or 0) - (wrong.value or 0))
            assert one.value.value == pytest.approx(difference, abs=1e-5)
    assert gain_and_reliance(summary) is None  # nothing was probed


def test_no_share_leaves_its_scale() -> None:
    probes = [
        Probe(
            scenario_id=f"p{number}:none:0:matched",
            pair=f"p{number}:none:0",
            profile_id=f"p{number}",
            therapist="t",
            turn=0,
            shown=shown,
            held="a",
            words="b" if shown is FaceCondition.SHUFFLED and number else "a",
        )
        for number in range(3)
        for shown in (FaceCondition.MATCHED, FaceCondition.SHUFFLED)
    ]
    for one in measure_reliance((), (), probes):
        ends = [end for end in (one.value.low, one.value.value, one.value.high) if end is not None]
        assert ends
        assert all(-1 <= end <= 1 for end in ends), one
