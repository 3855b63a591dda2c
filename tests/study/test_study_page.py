"""The commands of docs/human-study.md, in their order, with raters who answer by a rule."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from short_runs import undrawn
from study_samples import sent, write_sent

from mirror_bench.cli import cli
from mirror_bench.study.records import read_key

PAGE = Path(__file__).resolve().parents[2] / "docs" / "human-study.md"


def test_the_page_works_from_its_first_to_its_last_command(
    held_runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answers").mkdir()
    blocks = re.findall(
        r"^```(?:bash|shell)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    lines = [
        words
        for block in blocks
        for line in block.splitlines()
        if (words := shlex.split(line, comments=True))
    ]
    held = {f"runs/study-{run.name}": run for run in held_runs}
    told = []
    for words in lines:
        assert words[0] == "mirror-bench"
        if words[1] == "run":  # such runs are at hand
            out = words[words.index("--out") + 1]
            shutil.copytree(held[out], tmp_path / out)
            continue
        if words[1:3] == ["study", "import"]:
            key = read_key(Path(words[3]))
            for path, code in zip(words[4:], key.raters, strict=True):
                write_sent(Path(path), sent(key, code))
        with undrawn():
            done = CliRunner().invoke(cli, words[1:])
        assert done.exit_code == 0, f"{shlex.join(words)}\n{done.output}\n{done.exception}"
        told.append(done.output)
    assert sum("people on" in one for one in told) == 2
