import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lm_eval")

from chat_server import Body
from PIL import Image
from refusing_server import RefusingServer

from mirror_bench.cli import main
from mirror_bench.cli.tasks import rows

pytestmark = pytest.mark.usefixtures("quick_lm_eval")

TASK = """
task: {name}
custom_dataset: !function data.load
output_type: generate_until
test_split: test
doc_to_text: "Say {{{{word}}}}"
doc_to_target: "Say {{{{word}}}}"
generation_kwargs: {{until: ["."], max_gen_toks: 8}}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
metadata: {{version: 2.0, chance: 0.25, describes: Repeats a word.}}
"""
DATA = """
import datasets

def load(**kwargs):
    return {"test": datasets.Dataset.from_list([{"word": word} for word in ("yes", "no", "why. Now")])}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tasks"
    made.mkdir()
    (made / "data.py").write_text(DATA)
    (made / "one.yaml").write_text(TASK.format(name="tmp_say"))
    (made / "_group.yaml").write_text("group: tmp_all\ntask: [tmp_say]\nmetadata: {version: 1.0}\n")
    return made


def _call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["mirror-bench", "tasks", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def test_the_list_holds_ours_and_those_of_a_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _call(monkeypatch, "list", "--include-path", str(folder), "--json") == 0
    found = {info["name"]: info for info in json.loads(capsys.readouterr().out)}
    assert found["tmp_say"] == {
        "name": "tmp_say",
        "kind": "task",
        "version": "2.0",
        "chance": 0.25,
        "describes": "Repeats a word.",
        "path": str(folder / "one.yaml"),
    }
    assert found["tmp_all"]["kind"] == "group"
    assert found["mirror_static"]["kind"] == "group"
    assert _call(monkeypatch, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("mirror_static ") for line in lines)
    assert not any("tmp_say" in line for line in lines)


def test_a_run_writes_lm_evals_files(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ("run", "--model", "scripted/echo", "--tasks", "tmp_all", "--include-path", str(folder))
    out = ("--out", str(tmp_path / "out"), "--memo", str(tmp_path / "memo.sqlite"))
    assert _call(monkeypatch, *base, *out, "--json") == 0
    results = json.loads(capsys.readouterr().out)
    assert results["results"]["tmp_say"]["exact_match,none"] == pytest.approx(2 / 3)
    assert results["model_source"] == "mirror-engine"
    assert results["model_name"] == "scripted/echo"
    written, samples = (Path(path) for path in results["files"])
    assert written.parent == tmp_path / "out" / "scripted__echo"
    assert json.loads(written.read_text())["results"] == results["results"]
    said = [json.loads(line)["filtered_resps"][0] for line in samples.read_text().splitlines()]
    assert said == ["Say yes", "Say no", "Say why"]
    assert _call(monkeypatch, *base, *out, "--limit", "2", "--quiet") == 0
    assert "1.000" in capsys.readouterr().out


def test_metadata_reaches_the_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (48, 64)).save(tmp_path / "a.png")
    (tmp_path / "metadata.csv").write_text("file_name,expression\na.png,sad\n")
    out = ("--out", str(tmp_path / "out"), "--blind")
    base = ("run", "--model", "scripted/echo", "--tasks", "mirror_expression", *out)
    given = json.dumps({"face_set": str(tmp_path)})
    assert _call(monkeypatch, *base, "--metadata", given, "--json") == 0
    assert json.loads(capsys.readouterr().out)["n-samples"]["mirror_expression"]["effective"] == 1
    assert _call(monkeypatch, *base, "--metadata", '{"face_set": "nowhere"}', "--quiet") == 2
    assert "face_set: cannot read" in capsys.readouterr().err.splitlines()[-1]


def test_rows_hold_value_and_standard_error() -> None:
    results: dict[str, Any] = {
        "results": {
            "a": {"alias": "a", "sample_len": 4, "acc,none": 0.5, "acc_stderr,none": 0.25, "f1,strict": 1},
            "g": {"alias": "g", "acc,none": 0.5, "acc_stderr,none": "N/A"},
        },
        "n-samples": {"a": {"original": 9, "effective": 4}},
        "higher_is_better": {"a": {"acc": True, "f1": None}},
    }
    assert rows(results) == [
        ("a", "4", "acc", "↑", "0.500", "0.250"),
        ("", "", "f1 (strict)", "", "1.000", "–"),
        ("g", "", "acc", "", "0.500", "–"),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "scripted/echo", "--tasks", ","), "--tasks: name at least one"),
        (("--model", "scripted/echo", "--tasks", "tmp_all,tmp_say"), "Duplicate task"),
        (("--model", "scripted", "--tasks", "tmp_say"), "--model 'scripted' is not of the form"),
        (("--model", "scripted/echo", "--tasks", "tmp_say", "--include-path", "{tmp}/no"), "is no folder"),
        (("--model", "scripted/echo", "--tasks", "tmp_say", "--out", "{tmp}/file/out"), "--out"),
        (("--model", "scripted/echo", "--tasks", "tmp_say", "--metadata", "dev"), "--metadata: is no JSON"),
        (
            ("--model", "scripted/echo", "--tasks", "tmp_say", "--metadata", "[1]"),
            "--metadata: [1] is no object",
        ),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...],
    said: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("")
    given = [part.format(tmp=tmp_path) for part in arguments]
    out = [] if "--out" in given else ["--out", str(tmp_path / "out")]
    assert _call(monkeypatch, "run", "--quiet", "--include-path", str(folder), *out, *given) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("mirror-bench: ")
    assert said in last


def test_an_unknown_task_is_answered_with_the_nearest(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = _call(
        monkeypatch, "run", "--model", "scripted/echo", "--tasks", "tmp_sya", "--include-path", str(folder)
    )
    assert code == 2
    assert "did you mean 'tmp_say'" in capsys.readouterr().err


def test_refused_documents_are_counted_and_in_no_metric(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "other.yaml").write_text(TASK.format(name="tmp_other"))
    refused = ["Say no"]

    def refuse(body: Body) -> tuple[int, str] | None:
        asked = str(body["messages"])
        return (400, "the prompt was filtered") if any(one in asked for one in refused) else None

    server = RefusingServer(refuse)
    model = ("--model", server.model(max_retries=0), "--tasks", "tmp_say,tmp_other")
    fixed = ("run", *model, "--include-path", str(folder), "--out", str(tmp_path / "out"), "--json")
    assert _call(monkeypatch, *fixed) == 1
    told = capsys.readouterr()
    assert "tmp_say: 1 of 3 documents were not answered" in told.err
    assert "the prompt was filtered" in told.err
    results = json.loads(told.out)
    assert results["n-samples"]["tmp_say"]["effective"] == 2
    assert results["unanswered"]["tmp_say"]["documents"] == [1]
    shown = {row[0]: row[1] for row in rows(results) if row[0]}
    assert shown["tmp_say"] == "2 of 3"
    samples = [Path(path) for path in results["files"] if "samples_tmp_say" in path]
    assert [json.loads(line)["doc_id"] for line in samples[0].read_text().splitlines()] == [0, 2]
    asked = server.asked
    assert _call(monkeypatch, *fixed, "--min-coverage", "0.6", "--limit", "2") == 1  # 1 of 2 is below
    assert _call(monkeypatch, *fixed, "--min-coverage", "0.5", "--limit", "2") == 0
    assert asked == 2 * (2 + 3)  # a refused one three times, the others once: the second pass asks nothing
    capsys.readouterr()
    refused[:] = ["Say"]
    assert _call(monkeypatch, *fixed) == 2
    assert "no document was answered" in capsys.readouterr().err
    server.close()
