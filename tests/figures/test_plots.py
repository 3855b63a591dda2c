"""Figures: written where there is data, equal for equal summaries, and unmoved by hostile names."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
import report_samples as samples
from PIL import Image

from mirror_bench.analysis.summary import Summary, compare_runs, summarize
from mirror_bench.analysis.visual_reliance import Reliance
from mirror_bench.figures.scores import FIGURES, write_plots
from mirror_bench.figures.style import COLUMN
from mirror_bench.schema import FaceCondition, Score

CONDITIONS = (FaceCondition.MATCHED, FaceCondition.NONE, FaceCondition.SHUFFLED)


def summary_of(*therapists: str, conditions: tuple[FaceCondition, ...] = CONDITIONS) -> Summary:
    due = samples.scenarios(8, conditions=conditions)
    summary = compare_runs([summarize(*samples.run_of(due, name), due) for name in therapists])
    words = [
        Reliance(therapist=name, measure="words", shown=shown, value=Score(metric="words", value=0.2))
        for name in dict.fromkeys(gain.therapist for gain in summary.gains)
        for shown in conditions
    ]
    return summary.model_copy(update={"reliance": (*summary.reliance, *words)})


def test_every_figure_is_written_as_png_and_svg(tmp_path: Path) -> None:
    written = write_plots(summary_of("a/x", "a/y"), tmp_path)
    assert {path.name for path in written} == {f"{name}{end}" for name in FIGURES for end in (".png", ".svg")}
    for path in written:
        if path.suffix == ".png":
            with Image.open(path) as image:
                assert image.width == round(COLUMN * 300)
                assert len(image.convert("RGB").getcolors(1 << 24) or []) > 3
        else:
            assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_equal_summaries_give_equal_bytes(tmp_path: Path) -> None:
    summary = summary_of("a/x")
    one, two = write_plots(summary, tmp_path / "1"), write_plots(summary, tmp_path / "2")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_figures_without_data_are_left_out_and_old_ones_removed(tmp_path: Path) -> None:
    write_plots(summary_of("a/x"), tmp_path)
    due = samples.scenarios(4)
    sessions, _ = samples.run_of(due)
    written = write_plots(summarize(sessions, [], due), tmp_path)
    assert {path.stem for path in written} == {"trajectories", "endings"}
    assert sorted(tmp_path.iterdir()) == sorted(written)
    assert write_plots(summarize([], [], 4), tmp_path) == []


@pytest.mark.filterwarnings(
    "error",  # of drawing; what earlier tests left to be collected is not meant
    "ignore::ResourceWarning",
    "ignore::DeprecationWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
@pytest.mark.parametrize(
    "name",
    ["$\\frac{$", "模型/ᚠᛇᚻ", "x/--><script>alert(1)</script>", "x/a\nb\x00c", "y/" + "long" * 200, "/"],
)
def test_hostile_names_are_drawn_as_text(tmp_path: Path, name: str) -> None:
    for path in write_plots(summary_of(name, conditions=CONDITIONS[:2]), tmp_path):
        if path.suffix == ".svg":
            assert not list(ElementTree.parse(path).getroot().iter("{http://www.w3.org/2000/svg}script"))


def test_ten_candidates_fit(tmp_path: Path) -> None:
    written = write_plots(
        summary_of(*(f"m/{index}" for index in range(10)), conditions=CONDITIONS[:1]), tmp_path
    )
    assert {path.stem for path in written} == set(FIGURES) - {"visual_gain", "visual_reliance"}
