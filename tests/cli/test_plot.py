"""`mirror-bench plot` on real runs: what is written, what is skipped and why, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirror_bench.cli import cli
from mirror_bench.errors import InputError


@pytest.fixture(scope="module")
def runs(short_runs: dict[str, Path]) -> list[Path]:
    return list(short_runs.values())


def plot(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["plot", *map(str, arguments)], catch_exceptions=False)


def test_several_runs_are_drawn_together(runs: list[Path], tmp_path: Path) -> None:
    sizes = tmp_path / "sizes.yaml"
    sizes.write_text("scripted/reflective: 7\n")
    done = plot(*runs, "--out", tmp_path / "figures", "--sizes", sizes, "--format", "svg")
    assert done.exit_code == 0
    for kind in ("forest", "radar", "resistance", "pareto-parameters", "trajectory", "ranks", "endings"):
        assert f"written: {tmp_path / 'figures' / kind}.svg" in done.output
        assert (tmp_path / "figures" / f"{kind}.svg").stat().st_size > 1000
    assert "skipped: agreement: no session has totals of two raters" in done.output
    assert "skipped: gain" in done.output
    assert "note: no size given for scripted/parrot: left out of pareto" in done.output
    assert not list((tmp_path / "figures").glob("*.png"))


def test_chosen_kinds_as_json(runs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "figures"
    found = json.loads(plot(*runs, "--kind", "ranks, forest,gain", "--out", out, "--json").output)
    assert found["written"] == {
        kind: [str(out / f"{kind}.png"), str(out / f"{kind}.svg")] for kind in ("forest", "ranks")
    }
    assert set(found["skipped"]) == {"gain"}


def test_one_run_is_drawn_into_its_own_folder(runs: list[Path]) -> None:
    assert plot(runs[0], "--kind", "radar", "--format", "pdf").exit_code == 0
    assert (runs[0] / "plots" / "radar.pdf").read_bytes().startswith(b"%PDF")


def test_bad_input_is_one_line(runs: list[Path], tmp_path: Path) -> None:
    for arguments, message in (
        ((*runs,), "give --out FOLDER"),
        ((runs[0], "--kind", "pie"), "--kind 'pie': known are forest"),
        ((runs[0], "--kind", ","), "--kind ',': known are"),
        ((runs[0], "--format", "gif"), "--format 'gif': known are png, svg, pdf"),
        ((runs[0], "--kind", "pareto"), "give --sizes FILE"),
        ((runs[0], "--kind", "ranks", "--out", tmp_path), "nothing to draw: ranks: it takes two candidates"),
        ((runs[0], runs[0], "--out", tmp_path), "leave one of them out"),
        ((tmp_path / "nowhere",), "nowhere"),
        ((runs[0], "--rater", "nobody"), "--rater nobody"),
        ((runs[0], "--sizes", tmp_path / "none.yaml"), "none.yaml: cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            plot(*arguments)
    assert not list(tmp_path.iterdir())
