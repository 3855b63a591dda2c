"""`mirror-bench rate` with a panel and a retest, judges behind a real server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "raters"))
from judging import judges, noise, skill

from mirror_bench.analysis.metrics import score_rating
from mirror_bench.cli import cli
from mirror_bench.errors import InputError
from mirror_bench.sessions.run_folder import read_ratings

pytestmark = pytest.mark.usefixtures("without_figures")


def invoke(*arguments: str | Path) -> Any:
    return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture(scope="module")
def run(without_figures: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "reflective"
    command = ("run", "--therapist", "scripted/reflective", "--limit", "4", "--seeds", "0")
    done = invoke(*command, "--max-client-turns", "6", "--quiet", "--out", out)
    assert done.exit_code == 0, done.output
    return out


def severe_or_mild(model: str, text: str, low: int, high: int) -> float:
    level = low + (high - low) * (0.2 + 0.6 * skill(text)) + 0.6 * noise(model, text)
    return level - 1.5 if model == "severe" else level + 1.0


def test_a_panel_and_a_retest_are_kept_beside_the_single_judges(run: Path) -> None:
    with judges(severe_or_mild) as server:
        models = ("--judge", server.model("severe"), "--judge", server.model("mild"))
        command = ("rate", run, *models, "--panel", "--instrument", "ctrs", "--quiet")
        done = invoke(*command, "--retest", "3")
        assert done.exit_code == 0, done.output
        assert "retest r" in done.output
        assert "3 sessions" in done.output
        asked = server.asked
        again = invoke(*command, "--retest", "3")
        assert "0 ratings added" in again.output
        assert server.asked == asked
    means: dict[str, list[float]] = {}
    for rating in read_ratings(run):
        if rating.instrument == "ctrs" and (total := score_rating(rating)["ctrs.total"]) is not None:
            means.setdefault(rating.rater.split("?")[0], []).append(total)
    (panel,) = (name for name in means if name.startswith("panel("))
    severe, mild = means["llm:openai/severe"], means["llm:openai/mild"]
    assert sum(severe[:4]) / 4 < sum(means[panel]) / len(means[panel]) < sum(mild[:4]) / 4
    lines = json.loads((run / "calibration.json").read_text())
    (instruments,) = lines.values()
    by_judge = {name.split("?")[0]: line for name, line in instruments["ctrs"].items()}
    assert by_judge["llm:openai/severe"]["severity"] > 0.5 > -0.5 > by_judge["llm:openai/mild"]["severity"]


def test_bad_options_are_named(run: Path) -> None:
    with pytest.raises(InputError, match="two different models"):
        invoke("rate", run, "--panel", "--judge", "openai/one")
    with pytest.raises(InputError, match="model judges"):
        invoke("rate", run, "--retest", "3")
