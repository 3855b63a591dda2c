"""The invented benchmark of docs/other-benchmarks.md works as the page has it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.testing import CliRunner
from peer_samples import lines
from talking_server import serving

from mirror_bench.cli import cli
from mirror_bench.data.sources.registry import load_data
from mirror_bench.registry import Registry
from mirror_bench.sessions.run_folder import read_ratings, read_sessions

PAGE = Path(__file__).resolve().parents[1] / "docs" / "other-benchmarks.md"
_PAIR = re.compile(r'^(\w+) = "(.*)"$', re.MULTILINE)
pytestmark = pytest.mark.usefixtures("without_figures")


def _files(text: str) -> dict[str, str]:
    """File -> content, of every block that the page introduces by a file's name."""
    found = re.findall(r"^`([\w./]+)`[^`\n]*:\n\n```\w+\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    return dict(found)


@pytest.fixture
def harbour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the files of the page, its package installed as its entry points say."""
    files = _files(PAGE.read_text(encoding="utf-8"))
    assert {"harbour_bench/people.py", "harbour_bench/transcripts.py", "harbour.yaml"} <= files.keys()
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    groups = re.findall(r'entry-points\."([\w.]+)"\]\n((?:\w.*\n)+)', files["pyproject.toml"])
    points = {
        group: [EntryPoint(name, value, group) for name, value in _PAIR.findall(block)]
        for group, block in groups
    }
    assert set(points) == {"mirror_bench.data_sources", "mirror_bench.transcript_formats"}
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(Registry, "_points", lambda self: points.get(f"mirror_bench.{self.kind}s", ()))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dockers.csv").write_text(
        "docker,years,pronouns,trouble,crane\nAnn,41,she/her,Her back,No. 7\nBo,29,he/him,Nights,No. 2\n"
    )
    shift = [
        ["docker", "My back is gone."],
        ["mate", "What does it keep you from?"],
        ["docker", "Lifting my girl."],
        ["mate", "You miss lifting her."],
    ]
    lines(
        tmp_path / "shifts.jsonl",
        *({"shift": n, "docker": name, "log": shift} for n, name in enumerate(("Ann", "Bo", "Ann"))),
        {"no": 1},
    )
    yield tmp_path
    for name in [one for one in sys.modules if one.startswith("harbour_bench")]:
        del sys.modules[name]


def _call(command: str) -> int:
    _, *words = command.split()
    return CliRunner().invoke(cli, words, catch_exceptions=False).exit_code


def test_the_page_adds_a_benchmark_by_two_modules_and_yaml(harbour: Path) -> None:
    block = PAGE.read_text(encoding="utf-8").rpartition("```shell\n")[2].partition("```")[0]
    run, imported, rate = block.strip().splitlines()
    assert _call(f"{run} --quiet") == 0
    held = list(read_sessions(harbour / "runs" / "harbour"))
    assert len(held) == 2
    assert all(turn.face for session in held for turn in session.turns[:1])
    assert "Crane: No. 7" in load_data("harbour:dockers.csv").profiles[0].history
    assert _call(imported) == 1  # one line is no shift
    assert [one.pair for one in read_sessions(harbour / "runs" / "shifts")] == [
        "Ann:none:0",
        "Bo:none:0",
        "Ann:none:1",
    ]
    with serving(lambda body, number: '{"evidence": [], "reason": "so", "answer": "B"}') as server:
        assert _call(rate.replace("openai/gpt-4o", server.model("j")) + " --quiet") == 0
    made = [one for one in read_ratings(harbour / "runs" / "shifts") if one.instrument == "harbour_checklist"]
    assert [one.items["q_slow"].score for one in made] == [2, 2, 2]
