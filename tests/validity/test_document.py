from __future__ import annotations

from pathlib import Path

import pytest

from mirror_bench.data.checks.canary import holds_canary
from mirror_bench.errors import InputError
from mirror_bench.validity import registry
from mirror_bench.validity.document import document, write_document
from mirror_bench.validity.evidence import Evidence, Plot, Setting, Table, Target
from mirror_bench.validity.registry import EXAMINATIONS, examination, examine_all


def draw() -> object:
    from mirror_bench.figures.style import new_figure

    figure, axes = new_figure(2, 2)
    axes[0, 0].plot([0, 1], [1, 0])
    return figure


FOUND = {
    "kilns": Evidence(
        title="Kilns and sleep",
        tested="Six kilns\nwere fired.\n\nNobody slept.",
        targets=(
            Target("hours | nights", ">= 7", "3.00 [1.00, 5.00]", met=False),
            Target("b", "1", "1", True),
        ),
        tables=(Table("By night", ("night", "hours"), (("first", "3"),)), Table("None", ("a",), ())),
        plots=(Plot("kilns-hours", "Hours [of sleep]\nby night.", draw),),  # type: ignore[arg-type]
        not_shown=("That fire is warm.",),
    ),
    "ovens": Evidence(title="Ovens", tested="", skipped="no oven was at hand"),
}


def test_the_document_tells_all_and_hides_no_missed_target() -> None:
    text = document(FOUND)
    assert holds_canary(text)
    summary, rest = text.split("## Kilns and sleep")
    assert "| Kilns and sleep | hours \\| nights | >= 7 | 3.00 [1.00, 5.00] | **NO** |" in summary
    assert "| Ovens | – | – | – | skipped |" in summary
    section, ovens = rest.split("## Ovens")
    assert "Six kilns were fired.\n\nNobody slept." in section
    assert "**By night**\n\n| night | hours |" in section
    assert "None" not in section
    assert "![Hours (of sleep) by night.](validity/kilns-hours.svg)" in section
    assert "- That fire is warm." in section
    assert "**Skipped:** no oven was at hand." in ovens
    assert text.index("## What none of this shows") > text.index("## Ovens")
    assert "No clinician" in text
    assert "\n\n\n" not in text
    assert "--quick" not in text
    assert "--quick" in document(FOUND, quick=True)


def test_writing_twice_gives_the_same_bytes_and_leaves_no_stray_figure(tmp_path: Path) -> None:
    (tmp_path / "validity").mkdir()
    (tmp_path / "validity" / "of-long-ago.svg").write_text("<svg/>")
    path = write_document(FOUND, tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert write_document(FOUND, tmp_path) == path == tmp_path / "VALIDITY.md"
    assert before == {p.name: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert sorted(before) == ["VALIDITY.md", "kilns-hours.svg"]
    assert str(tmp_path) not in path.read_text()


@pytest.mark.parametrize("name", EXAMINATIONS)
def test_every_examination_can_be_loaded(name: str) -> None:
    assert callable(examination(name))


def test_no_examination_is_left_out_of_the_document() -> None:
    folder = Path(registry.__file__).parent
    written = {p.stem for p in folder.glob("*.py") if "\ndef examine(setting: Setting)" in p.read_text()}
    listed = {where.split(":")[0].rsplit(".", 1)[1] for where in EXAMINATIONS.values()}
    assert listed == written


def test_examinations_are_held_in_order_and_unknown_ones_named() -> None:
    begun: list[str] = []
    found = examine_all(Setting(quick=True), ("coding", "known_groups"), begun.append)
    assert begun == list(found) == ["coding", "known_groups"]
    with pytest.raises(InputError, match="no examination 'charm': known are left_out_sets, known_groups"):
        examine_all(Setting(), ("charm",))
