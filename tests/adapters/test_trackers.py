"""Runs logged to trackers through their own libraries, kept offline, and read back."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from mirror_bench.adapters.trackers import TRACKERS
from mirror_bench.adapters.trackers.log_run import ChosenTracker, chosen_trackers, log_run
from mirror_bench.adapters.trackers.tracked_run import TrackedRun, tracked_run
from mirror_bench.analysis.run_summary import summarize_runs
from mirror_bench.cli import cli
from mirror_bench.errors import InputError

pytestmark = pytest.mark.usefixtures("without_figures")


@pytest.fixture
def run(short_runs: dict[str, Path], tmp_path: Path) -> Path:
    """A run of which the tracker's words can be looked up, with a figure."""
    folder = Path(shutil.copytree(short_runs["reflective"], tmp_path / "mine"))
    (folder / "plots").mkdir(exist_ok=True)
    Image.new("RGB", (8, 8)).save(folder / "plots" / "totals.png")
    return folder


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    monkeypatch.chdir(tmp_path)


def _logged(run: Path, tracker: str) -> tuple[str, TrackedRun]:
    done = CliRunner().invoke(cli, ["report", str(run), "--log", f"{tracker}:trial"])
    assert done.exit_code == 0, done.output
    (line,) = [one for one in done.stderr.splitlines() if one.startswith(f"logged to {tracker}:")]
    return line, tracked_run(run, summarize_runs([run]))


def test_a_run_is_told_with_its_fingerprint_intervals_and_files(run: Path) -> None:
    told = tracked_run(run, summarize_runs([run]))
    assert len(told.parameters["fingerprint"]) == 64
    assert told.parameters["therapist"] == "scripted/reflective"
    assert told.metrics["ctrs.total.low"] < told.metrics["ctrs.total"] < told.metrics["ctrs.total.high"]
    names = {path.name for path in told.files}
    assert {"report.html", "summary.json", "run.json", "totals.png"} <= names


def test_mlflow_keeps_it(run: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    line, told = _logged(run, "mlflow")
    client = mlflow.MlflowClient()
    kept = client.get_run(line.split()[4])
    assert kept.data.params == told.parameters
    assert kept.data.metrics == pytest.approx(told.metrics)
    assert {one.path for one in client.list_artifacts(kept.info.run_id)} == {
        "report.html",
        "summary.json",
        "run.json",
        "plots",
    }


def test_wandb_keeps_it_offline(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    line, told = _logged(run, "wandb")
    (kept,) = (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")
    assert line.split()[4] in kept.name
    words = (told.parameters["fingerprint"], "ctrs.total.low", "report.html", "plots/totals.png")
    deadline = time.monotonic() + 60  # wandb's own process writes the file
    while time.monotonic() < deadline and any(word.encode() not in kept.read_bytes() for word in words):
        time.sleep(0.2)
    for word in words:
        assert word.encode() in kept.read_bytes(), word


def test_trackio_keeps_it(run: Path) -> None:
    trackio = pytest.importorskip("trackio")
    _, told = _logged(run, "trackio")
    (kept,) = trackio.Api().runs("trial")
    assert kept.name == "mine"
    assert kept.config["fingerprint"] == told.parameters["fingerprint"]
    (logged,) = trackio.SQLiteStorage.get_logs("trial", "mine")
    assert {name: logged[name] for name in told.metrics} == pytest.approx(told.metrics)


@pytest.mark.parametrize("name", TRACKERS.packaged())
def test_a_missing_library_is_told_before_anything_is_held(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, TRACKERS.get(name).needs, None)
    command = ["run", "--therapist", "scripted/parrot", "--limit", "4", "--out", str(tmp_path / "r")]
    done = CliRunner().invoke(cli, [*command, "--log", name])
    assert isinstance(done.exception, InputError)
    assert f"pip install {TRACKERS.get(name).install}" in str(done.exception)
    assert not (tmp_path / "r").exists()


def test_an_unknown_tracker_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"no tracker is named 'tensorbored'.*mlflow, trackio, wandb"):
        chosen_trackers(["tensorbored"])


class _Broken:
    needs, install = "json", "json"

    def log(self, run: TrackedRun, project: str) -> str:
        raise ConnectionError("refused by\nthe tracker, key sk-abcdefghijklmnopqrstuvwxyz0123456789")


class _Silent(_Broken):
    def log(self, run: TrackedRun, project: str) -> str:
        time.sleep(30)
        return ""


@pytest.mark.parametrize(("tracker", "reason"), [(_Broken(), "refused by"), (_Silent(), "no answer in 0 s")])
def test_a_tracker_that_fails_costs_a_line_and_no_run(run: Path, tracker: _Broken, reason: str) -> None:
    before = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    said: list[str] = []
    chosen = [ChosenTracker("odd", "p", tracker)]
    went = log_run(run, summarize_runs([run]), chosen, said.append, patience=0.3)
    (line,) = said
    assert not went
    assert reason in line
    assert "\n" not in line
    assert "sk-abc" not in line
    assert f"mirror-bench report {run} --log odd" in line
    assert {path: path.read_bytes() for path in before} == before


def test_a_run_whose_tracker_fails_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb")

    def refuse(**options: object) -> None:
        raise RuntimeError("no room on the disk of the tracker")

    monkeypatch.setattr(wandb, "init", refuse)
    command = ["run", "--therapist", "scripted/parrot", "--limit", "2", "--max-client-turns", "3", "--quiet"]
    done = CliRunner().invoke(cli, [*command, "--out", str(tmp_path / "r"), "--log", "wandb"])
    assert done.exit_code == 0, done.output
    assert "--log wandb: not logged" in done.stderr
    assert (tmp_path / "r" / "report.html").exists()
