from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from mirror_bench.data.base import DataSet
from mirror_bench.data.checks.description import describe_data
from mirror_bench.data.screenplays.records import (
    Line,
    Moment,
    Screenplay,
)
from mirror_bench.data.sources.registry import load_data
from mirror_bench.figures.data_description import DATA_FIGURES, write_data_plots
from mirror_bench.schema import (
    Profile,
    Speaker,
)

HOSTILE = "$x_1$ <b>\u202e" + "long " * 40


@pytest.fixture(scope="module")
def everything() -> DataSet:
    mini = load_data("mini")
    odd = Profile(
        id="odd", name="Odd", gender=HOSTILE, area=HOSTILE, thinking_traps=(HOSTILE, "訓練"), split="x"
    )
    lines = (Line(speaker=Speaker.CLIENT, directions=("Smiles",), words="Yes. " * 300),)
    moments = (Moment(number=1, masked=True, wants=("ask",), avoids=("advise",)),)
    play = Screenplay(
        id="odd", profile_id="odd", lines=lines, technique=HOSTILE, ended="left", moments=moments
    )
    return DataSet("all", (*mini.profiles, odd), (*mini.screenplays, play))


def test_every_figure_is_drawn_once_and_the_same_again(everything: DataSet, tmp_path: Path) -> None:
    described = describe_data(everything)
    written = write_data_plots(described, tmp_path / "a")
    names = {f"{name}{suffix}" for name in DATA_FIGURES for suffix in (".png", ".svg")}
    assert {path.name for path in written} == names
    for path in written:
        if path.suffix == ".png":
            with Image.open(path) as image:
                width, height = image.size
            assert width == 1050  # a column of a paper
            assert 500 < height < 4000
    again = write_data_plots(described, tmp_path / "b")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written]


def test_figures_without_data_go(everything: DataSet, tmp_path: Path) -> None:
    (tmp_path / "moments.png").write_bytes(b"of an earlier description")
    profiles = DataSet("profiles", everything.profiles)
    written = write_data_plots(describe_data(profiles), tmp_path)
    assert {path.stem for path in written} == {"clients", "troubles"}
    assert {path.stem for path in tmp_path.iterdir()} == {"clients", "troubles"}
    assert write_data_plots(describe_data(DataSet("empty")), tmp_path) == []
    assert list(tmp_path.iterdir()) == []
