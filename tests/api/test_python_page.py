"""The snippets of `docs/python.md` run as they stand, one after the other."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"


def test_the_snippets_of_the_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    snippets = re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert len(snippets) == 5
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {"__name__": "page"}
    for number, snippet in enumerate(snippets, 1):
        exec(compile(snippet, f"docs/python.md, snippet {number}", "exec"), scope)
    said = capsys.readouterr().out
    assert re.search(
        r"CTRS \d\.\d\d \[\d\.\d\d, \d\.\d\d\], 7 sessions, 5 of them for safety alone, 0 failed", said
    )
    assert "listener against scripted/reflective: 0 won" in said
    assert "100% rated" in said
    assert re.search(r"\d+ ratings added", said)
    assert "{'hope'}" in said
    assert "are under different protocols (they differ in" in said.splitlines()[-1]
    assert scope["run"].report.is_file()
    assert scope["turns"].features["turns"]
