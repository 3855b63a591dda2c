"""Confusions are read from lm-eval's samples and counted by group."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mirror_bench.errors import InputError
from mirror_bench.lm_eval.confusion import accuracy, main, read_samples, report


def sample(shown: str, answer: str, sex: str) -> dict[str, Any]:
    doc = {"answers": [shown], "age": "under 35", "sex": sex, "skin": "dark"}
    return {"doc": doc, "filtered_resps": [answer]}


def written(path: Path, samples: list[Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in samples), encoding="utf-8")
    return path


def test_mistakes_stand_with_their_label_and_group(tmp_path: Path) -> None:
    samples = [sample("sad", "sad", "female"), sample("sad", "angry", "male"), sample("happy", "", "male")]
    faces = read_samples(written(tmp_path / "s.jsonl", samples))
    assert accuracy(faces) == pytest.approx(1 / 3)
    lines = list(report(faces))
    assert lines[0].split() == ["happy", "0.0%", "happy", "as", "(none)", "1"]
    assert lines[1].split() == ["sad", "50.0%", "sad", "as", "angry", "1"]
    assert any(line.startswith("sex   female       100.0% of   1") for line in lines)
    assert any("male           0.0% of   2" in line for line in lines)


@pytest.mark.parametrize("content", ["", "{}\n", "nonsense\n", '{"doc": {"answers": []}}\n'])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="log_samples"):
        read_samples(path)
    done = CliRunner().invoke(main, [str(path)])
    assert done.exit_code == 2
    assert CliRunner().invoke(main, [str(tmp_path / "none.jsonl")]).exit_code == 2
