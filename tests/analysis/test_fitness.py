"""Clients and judges that are not fit are marked, and the packaged ones are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from commands import hold
from talking_server import serving, verdict

from mirror_bench.analysis.fitness import hear_client, is_out_of_role, judge_client
from mirror_bench.analysis.run_summary import summarize_run
from mirror_bench.analysis.summary import Summary
from mirror_bench.cli.outcome import show
from mirror_bench.data.sources.registry import load_data
from mirror_bench.pages.report import RunInfo, render_report
from mirror_bench.schema import Speaker
from mirror_bench.sessions.offline_sessions import rehearse_many
from mirror_bench.therapists.policies.comparison import Attuned, Directive

HEALTHY = (
    "[looks down] I don't know where to start, my brother stopped calling.",
    "[jaw tight] It was my birthday and he forgot it, which he never does.",
    "[shrugs] I told my wife that it doesn't matter to me at all.",
    "[small smile] Maybe I should write to him, but I never know what to say.",
    "[eyes wet] I miss him, that's the stupid part of all this.",
)


class Shown(NamedTuple):
    """What a run's reports hold."""

    summary: Summary
    terminal: str
    page: str


def report(out: Path, capsys: pytest.CaptureFixture[str], **options: Any) -> Shown:
    hold(out, limit=4, turns=5, **options)
    found = summarize_run(out)
    show(found, verbose=True)
    page = render_report(found, (), (), (), lambda sha256: None, RunInfo())
    return Shown(found, " ".join(capsys.readouterr().out.split()), page)


def said(lines: tuple[str, ...]) -> Any:
    def rule(body: dict[str, Any], number: int) -> str:
        turns = sum(message["role"] == "assistant" for message in body["messages"])
        return str(lines[min(turns, len(lines) - 1)])

    return rule


@pytest.mark.parametrize(
    ("lines", "finding"),
    [
        (("I feel bad about my work these days.",), "says again what it said before"),
        (tuple(line.split("] ")[1] for line in HEALTHY), "gives no stage direction"),
        (
            tuple(
                f"[nods] It sounds like you feel {word} about your week."
                for word in ("sad", "low", "bad", "lost")
            ),
            "speaks as a therapist",
        ),
        (("[sighs]",), "says nothing"),
    ],
)
def test_a_model_that_is_no_client_is_marked_in_every_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: tuple[str, ...], finding: str
) -> None:
    with serving(said(lines)) as server:
        found = report(tmp_path / "run", capsys, client=server.model("small"))
    (client,) = found.summary.clients
    assert any(finding in one for one in client.findings), client
    assert "client: openai/small; rated by: coded" in found.terminal
    assert "this client is not fit: scores mean nothing" in found.terminal
    assert "this client is not fit: scores mean nothing" in found.page


def test_a_fit_model_is_described_and_not_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(said(HEALTHY)) as server:
        found = report(tmp_path / "run", capsys, client=server.model("good"))
    (client,) = found.summary.clients
    assert client.findings == ()
    assert client.turns == 20
    assert "of 20 turns 0% without a stage direction, 0% repeated, 0% out of role" in found.terminal
    assert "not fit" not in found.terminal + found.page


@pytest.mark.parametrize(
    ("rule", "finding"),
    [
        (lambda body, number: verdict(4), "100% of its scores are 4"),
        (lambda body, number: "I would rather not.", "100% of its answers cannot be used"),
        (lambda body, number: verdict(number % 5), ""),
    ],
)
def test_a_judge_that_tells_nothing_apart_is_marked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rule: Any, finding: str
) -> None:
    with serving(rule) as server:
        found = report(tmp_path / "run", capsys, judge=(server.model("j"),), instrument=("ctrs",))
    (rater,) = found.summary.raters
    assert "rated by: llm:openai/j" in found.terminal
    assert any(finding in one for one in rater.findings) if finding else rater.findings == ()
    assert ("this judge is not fit: scores mean nothing" in found.terminal) is bool(finding)
    assert ("this judge is not fit" in found.page) is bool(finding)


def test_the_packaged_client_and_rater_are_named_and_not_marked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = report(tmp_path / "run", capsys)
    assert found.summary.clients == ()
    assert all(one.findings == () for one in found.summary.raters)
    assert "client: stateful; rated by: coded" in found.terminal
    assert "not fit" not in found.terminal + found.page


def test_the_stateful_client_would_pass_and_written_clients_are_in_their_role() -> None:
    data = load_data("mini")
    held = rehearse_many(data.profiles, [Attuned, Directive], 24)
    talks = [hear_client(one.model_copy(update={"client": "a model"})) for one in held]
    fitness = judge_client("t", "", "a model", [talk for talk in talks if talk])
    assert fitness is not None
    assert fitness.findings == ()
    lines = [line for play in data.screenplays for line in play.lines if line.words]
    share = {
        who: sum(is_out_of_role(line.words) for line in lines if line.speaker is who)
        / sum(line.speaker is who for line in lines)
        for who in Speaker
    }
    assert share[Speaker.CLIENT] < 0.04
    assert share[Speaker.THERAPIST] > 2 * share[Speaker.CLIENT]
