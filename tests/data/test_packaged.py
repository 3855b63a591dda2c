from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mirror_files import RAW, write

from mirror_bench.data.base import DataSet
from mirror_bench.data.checks.canary import holds_canary
from mirror_bench.data.export.mini_folder import write_packaged
from mirror_bench.data.screenplays.records import (
    Line,
    Moment,
    Screenplay,
)
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.schema import (
    Profile,
    Speaker,
    VoiceLine,
)

LINES = (
    Line(speaker=Speaker.CLIENT, directions=("Shrugs", "eyes wet"), words="It's: fine, # really."),
    Line(speaker=Speaker.THERAPIST, words="Is it?"),
    Line(speaker=Speaker.CLIENT, directions=("Silence",)),
)
PLAY = Screenplay(
    id="one-1",
    profile_id="one",
    lines=LINES,
    technique="reality testing",
    ended="complete",
    moments=(Moment(number=1, masked=True, wants=("ask",)), Moment(number=3, missed=True)),
)


def voiced(*lines: tuple[str, str, str]) -> DataSet:
    voice = tuple(VoiceLine(act=act, band=band, words=words) for act, band, words in lines)
    return DataSet("made", (Profile(id="one", name="Ana: B.", voice=voice),), (PLAY,))


@pytest.mark.parametrize("canary", [False, True])
@pytest.mark.parametrize(
    "data",
    [
        load_data("mini"),
        voiced(),
        voiced(("first", "", "- Yes: 'no'"), ("answer", "guarded", "2"), ("answer", "opening", "null")),
        voiced(("answer", "", "a"), ("answer", "opening", "b")),
        voiced(("answer", "guarded", "a"), ("first", "", "b"), ("answer", "guarded", "c")),
    ],
    ids=lambda data: f"{data.name}" if isinstance(data, DataSet) else str(data),
)
def test_what_is_written_is_read_again(tmp_path: Path, data: DataSet, canary: bool) -> None:
    folder = write_packaged(data, tmp_path / "deep" / "set", canary=canary)
    again = load_data(f"mini:{folder}")
    assert again.problems == ()
    assert again.digest == data.digest
    assert all(holds_canary(p.read_text("utf-8")) is canary for p in folder.rglob("*.*") if p.is_file())
    assert [path.name for path in folder.parent.iterdir()] == ["set"]


def test_foreign_data_can_be_packaged(tmp_path: Path) -> None:
    data = load_data(f"mirror:{write(tmp_path / 'play.txt', RAW)}")
    again = load_data(f"mini:{write_packaged(data, tmp_path / 'set')}")
    assert [play.lines for play in again.screenplays] == [play.lines for play in data.screenplays]


def test_what_stands_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_packaged(voiced(), tmp_path / "empty")
    with pytest.raises(InputError, match="exists already"):
        write_packaged(voiced(), tmp_path / "empty")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="exists already"):
        write_packaged(voiced(), tmp_path / "file")


def test_an_id_that_is_no_file_name_is_named(tmp_path: Path) -> None:
    data = replace(voiced(), profiles=(Profile(id="../one", name="Ana"),))
    with pytest.raises(InputError, match=r"\.\./one"):
        write_packaged(data, tmp_path / "set")
    assert list(tmp_path.iterdir()) == []
