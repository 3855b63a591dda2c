"""What a run would take is about what it takes, over the wire; and a limit stops it where it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from talking_server import TalkingServer, serving, verdict

from mirror_bench.analysis.regression.run_estimate import real_usage
from mirror_bench.cli import cli
from mirror_bench.engines.prices import Usage, load_prices
from mirror_bench.errors import InputError
from mirror_bench.schema import derive_seed

REPLIES = (
    "It sounds as if that weighs on you.",
    "I notice that you look away while you say so, and I wonder what is hard about it. Take your time.",
    "What would be different tomorrow if this went a little better, even a little?",
    "You have tried so much. Who knows about it?",
)
CLIENT = (
    "[looks at the floor] I don't know. It is what it is, I suppose.",
    "[crosses her arms] You keep asking, and I keep saying that nothing helps.",
    "[shrugs] Maybe. My brother says the same, but he does not live here.",
)


def _rule(body: dict[str, Any], number: int) -> str:
    if body["model"] == "judge":
        return verdict(3)
    lines = CLIENT if body["model"] == "client" else REPLIES
    seen = json.dumps([message["content"] for message in body["messages"]])[-400:]
    return lines[derive_seed("wire", seen) % len(lines)]


def _pieces(text: str) -> int:
    """Tokens as this server counts them: short pieces of words, and 300 for an image."""
    words = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", text)
    return len(re.findall(r"[A-Za-z']{1,5}|[^A-Za-z'\s]", words)) + 300 * text.count('image_url":')


@pytest.fixture(scope="module")
def server() -> Iterator[TalkingServer]:
    with serving(_rule, _pieces) as server:
        yield server


def _call(*arguments: str) -> Any:
    return CliRunner().invoke(cli, list(arguments))


def _options(server: TalkingServer, case: str) -> list[str]:
    options = ["--therapist", server.model("m"), "--no-safety", "--max-client-turns", "5", "--seeds", "0"]
    return (
        options
        + {
            "a therapist": [],
            "a plan and captions": [
                "--method",
                "p+ec",
                "--face-conditions",
                "matched,none",
                "--probe-turns",
                "1",
            ],
            "client and judge": ["--client", server.model("client"), "--judge", server.model("judge")],
        }[case]
    )


@pytest.mark.parametrize("case", ["a therapist", "a plan and captions", "client and judge"])
def test_an_estimate_is_within_15_percent_of_what_the_run_takes(
    case: str, server: TalkingServer, tmp_path: Path, without_figures: None, figure: Any
) -> None:
    options = _options(server, case)
    pilot, run = tmp_path / "pilot", tmp_path / "run"
    assert _call("run", *options, "--limit", "5", "--quiet", "--out", str(pilot)).exit_code == 0
    done = _call("estimate", *options, "--limit", "12", "--like", str(pilot), "--json")
    assert done.exit_code == 0, done.output
    assert _call("run", *options, "--limit", "12", "--quiet", "--out", str(run)).exit_code == 0
    real = real_usage(run)
    roles = json.loads(done.output)["roles"]
    assert {one["model"] for one in roles} == set(real)
    for one in roles:
        for what in ("calls", "prompt_tokens", "tokens"):
            wanted, found = getattr(real[one["model"]], what), one["usage"][what]
            figure(f"{case}, {one['role']}, {what}", f"estimated {found:.0f}, real {wanted:.0f}")
            assert found == pytest.approx(wanted, rel=0.15), (case, one["role"], what)
    assert all(one["measured"] for one in roles)


def test_without_a_pilot_it_says_what_is_assumed_and_what_has_no_price(server: TalkingServer) -> None:
    done = _call("estimate", *_options(server, "a therapist"), "--limit", "4", "--tokens-per-second", "100")
    assert done.exit_code == 0, done.output
    assert re.match(
        r"\d+ sessions \(4 clients( x \d seeds)?(, and \d+ for safety alone)?\), about", done.output
    )
    assert "Lengths of answers are assumed" in done.output
    assert "No price of openai/m is known: a server of your own costs nothing by token" in done.output
    assert "At 100 tokens a second" in done.output
    assert max(map(len, done.output.splitlines())) <= 100
    free = _call("estimate", "--therapist", "scripted/attuned", "--limit", "2")
    assert "no model is asked" in free.output
    assert (
        free.output.startswith("7 sessions (2 clients, and 5 for safety alone), about")
        or "x 2 seeds" in free.output
    )
    priced = _call("estimate", "--therapist", "openai/gpt-4o-2024-11-20", "--limit", "4", "--json")
    assert json.loads(priced.output)["usd"] > 0


def test_a_run_of_another_model_is_no_measure(server: TalkingServer, tmp_path: Path) -> None:
    options = _options(server, "a therapist")
    pilot = tmp_path / "pilot"
    assert _call("run", "--therapist", "scripted/attuned", "--limit", "1", "--out", str(pilot), "--no-safety")
    with pytest.raises(InputError, match="not of openai/m direct"):
        CliRunner().invoke(cli, ["estimate", *options, "--like", str(pilot)], catch_exceptions=False)


def test_a_limit_of_cost_stops_a_run_and_a_higher_one_goes_on(
    server: TalkingServer, tmp_path: Path, without_figures: None
) -> None:
    options, run = _options(server, "a therapist"), tmp_path / "run"
    prices = tmp_path / "prices.yaml"
    prices.write_text("models:\n  openai/m: {prompt: 1000, completion: 2000}\n")
    command = ["run", *options, "--limit", "6", "--quiet", "--out", str(run), "--prices", str(prices)]
    with pytest.raises(InputError, match="stopped at --max-cost 20") as stopped:
        CliRunner().invoke(cli, [*command, "--max-cost", "20"], catch_exceptions=False)
    assert "the same command with a higher --max-cost goes on" in str(stopped.value)
    price = load_prices(prices).must("openai/m")
    spent = price.of(real_usage(run)["openai/m"])
    assert 15 < spent <= 20
    with pytest.raises(InputError, match="stopped at"):  # it counts what was spent before
        CliRunner().invoke(cli, [*command, "--max-cost", "20"], catch_exceptions=False)
    assert price.of(real_usage(run)["openai/m"]) <= 20
    done = CliRunner().invoke(cli, [*command, "--max-cost", "100000"])
    assert done.exit_code == 0, done.output


def test_a_limit_without_a_price_is_refused_before_anything_is_asked(
    server: TalkingServer, tmp_path: Path
) -> None:
    asked = server.asked
    command = ["run", *_options(server, "a therapist"), "--max-cost", "5", "--out", str(tmp_path / "run")]
    with pytest.raises(InputError, match="no price of openai/m is known"):
        CliRunner().invoke(cli, command, catch_exceptions=False)
    assert server.asked == asked


def test_prices_are_found_by_the_longest_name_that_fits(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("date: 2026-01-31\nmodels: {openai/gpt-4o: {prompt: 1, completion: 1}}\n")
    prices = load_prices(own)
    use = Usage(calls=1, prompt_tokens=1e6, tokens=1e6)
    assert prices.must("openai/gpt-4o-2024-11-20").of(use) == 2
    assert prices.must("openai/gpt-4o-mini?temperature=1").of(use) == pytest.approx(0.75)
    assert prices.must("vllm/any/where").of(use) == 0
    assert prices.must("inspect/openai/gpt-4o-mini").of(use) == pytest.approx(0.75)
    assert prices.must("openai/gpt-5-pro").of(use) == 135
    for other in ("gpt-4omni", "gpt-4o-audio-preview", "gpt-5-mini-2", "gpt-5.6"):
        assert prices.of(f"openai/{other}") is None
    dated, variant = (prices.must(f"openai/gpt-4.1{end}").of(use) for end in ("-2025-04-14", ":batch"))
    assert dated == variant == 10
    own.write_text("models: {openai/x: {prompt: -1, completion: 1}}\n")
    with pytest.raises(InputError, match=r"own.yaml: models\.openai/x\.prompt"):
        load_prices(own)
