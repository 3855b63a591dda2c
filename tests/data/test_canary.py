from __future__ import annotations

from pathlib import Path

import pytest

from mirror_bench.content import tasks_root
from mirror_bench.data.checks.canary import CANARY, NOTICE, holds_canary, without_notice

MINI = tasks_root() / "mini"


def test_is_found_in_spite_of_case_and_line_breaks() -> None:
    assert holds_canary(f"before {CANARY.upper().replace(' ', chr(10))} after")
    assert not holds_canary(CANARY[:-1])


def test_a_notice_is_taken_off_and_the_lines_keep_their_numbers() -> None:
    assert without_notice(f"# {NOTICE}\nClient: Yes.\n") == "\nClient: Yes.\n"
    assert without_notice("# Act one\nClient: Yes.\n") == "# Act one\nClient: Yes.\n"
    assert without_notice(f"Client: {CANARY}\n") == f"Client: {CANARY}\n"


@pytest.mark.parametrize("path", sorted(p for p in MINI.rglob("*") if p.is_file()), ids=lambda p: p.name)
def test_every_file_of_the_set_holds_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        assert all(holds_canary(line) for line in text.splitlines())
    else:
        assert holds_canary(text)
