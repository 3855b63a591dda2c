import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from report_samples import run_of, scenarios

from mirror_bench.analysis.summary import Summary, summarize
from mirror_bench.cli.demo import demo, put_together
from mirror_bench.cli.demo.summary import closing_lines, score_table
from mirror_bench.errors import InputError
from mirror_bench.schema import FaceCondition

FACES = (FaceCondition.MATCHED, FaceCondition.NONE, FaceCondition.SHUFFLED)
"""As the demo holds them: the reference has its own face and none, one seed."""


@pytest.fixture(scope="module")
def summary() -> Summary:
    sessions, ratings = [], []
    due = 0
    for therapist, method, skill, faces in (
        ("vllm/runs/demo/reference", "direct", 0.6, FACES[:2]),
        ("scripted/attuned", "", 0.7, FACES),
        ("scripted/parrot", "", 0.1, FACES[:1]),
    ):
        chosen = scenarios(8, 1, faces)
        held, rated = run_of(chosen, therapist, method, skill)
        sessions += held
        ratings += rated
        due += len(chosen)
    return summarize(sessions, ratings, due // 6)


def test_the_table_explains_itself_within_80_columns(summary: Summary) -> None:
    text = score_table(summary, "after 1.0 minutes")
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in text
    for part in ("CTRS 0 to 6", "WAI 1 to 5", "higher is better", "rated by: coded", "   8"):
        assert part in text
    assert sum(line.startswith(("reference, ", "attuned, ", "parrot, ")) for line in lines) == 6
    yardstick = next(line for line in lines if line.startswith("yardstick"))
    assert yardstick.index("parrot") < yardstick.index("attuned")
    assert "reference" not in yardstick


def test_the_demo_ends_with_six_lines(summary: Summary) -> None:
    lines = closing_lines(summary, Path("runs/demo/report.html"))
    assert len(lines) == 6
    assert lines[0].startswith("best: ")
    assert lines[1].startswith("worst: parrot, own: CTRS ")
    assert lines[2].startswith("reference's visual gain over no face: CTRS ")
    assert lines[2].count("[") == 2
    assert lines[3] == "did the face help? attuned: not told, reference: helped"
    assert all("[" in line and "]" in line for line in lines[:3])
    assert lines[4] == "open: runs/demo/report.html"
    assert "--face-conditions matched,none,shuffled" in lines[5]


def test_without_the_reference_there_are_a_table_and_six_lines_still(tmp_path: Path) -> None:
    result = CliRunner().invoke(demo, ["--skip-reference", "--limit", "1", "--out", str(tmp_path / "demo")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "demo" / "report.html").is_file()
    assert result.stdout.splitlines()[-6].startswith("best: ")
    assert "attuned's visual gain over no face" in result.stdout


def test_a_missing_base_is_one_line_before_anything_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(InputError, match=r"cannot be put together: exit code 1; or give --skip-reference"):
        put_together(tmp_path / "reference")
