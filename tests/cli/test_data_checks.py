from __future__ import annotations

import json
import shutil
from pathlib import Path

from click.testing import CliRunner, Result

from mirror_bench.cli.content.data import data
from mirror_bench.content import content_path
from mirror_bench.data.checks.canary import CANARY
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.errors import InputError


def run(*arguments: str) -> Result:
    return CliRunner().invoke(data, [*arguments])


def test_the_packaged_splits_are_as_published() -> None:
    shown = run("splits")
    assert (shown.exit_code, shown.stdout.count("as published")) == (0, 3)
    assert json.loads(run("splits", "--json").stdout)["as_published"] is True


def test_a_changed_copy_is_told_and_can_be_published_anew(tmp_path: Path) -> None:
    folder = tmp_path / "mini"
    shutil.copytree(content_path("mini"), folder)
    play = folder / "screenplays" / "mini-001.txt"  # of the train split
    play.write_text(
        play.read_text(encoding="utf-8").replace("Client: ", "Client: Well. ", 1), encoding="utf-8"
    )
    changed = run("splits", "--data", f"mini:{folder}")
    assert (changed.exit_code, changed.stdout.count("NOT as published")) == (1, 1)
    assert run("splits", "--data", f"mini:{folder}", "--write").exit_code == 0
    assert run("splits", "--data", f"mini:{folder}").exit_code == 0
    assert CANARY in (folder / "splits.yaml").read_text(encoding="utf-8")


def test_only_sets_of_this_form_have_splits(tmp_path: Path) -> None:
    assert isinstance(run("splits", "--data", "cactus:x.json").exception, InputError)
    (tmp_path / "profiles.jsonl").write_text('{"id": "a", "name": "A", "split": "test"}\n')
    assert isinstance(run("splits", "--data", f"mini:{tmp_path}").exception, InputError)


def test_a_corpus_is_searched_for_the_canary_and_the_text(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    line = max((words for p in load_mini().of_split("test").profiles for words in p.guarded), key=len)
    corpus.write_text(json.dumps({"text": f"So he said: {line}"}) + "\n", encoding="utf-8")
    found = run("contamination", str(corpus))
    assert found.exit_code == 1
    assert "runs of words" in found.stdout
    corpus.write_text(CANARY, encoding="utf-8")
    assert "the canary" in run("contamination", str(corpus)).stdout
    corpus.write_text("Nothing of the kind stands here.", encoding="utf-8")
    clean = run("contamination", str(corpus))
    assert (clean.exit_code, clean.stdout.strip()) == (0, "nothing was found")
    assert isinstance(run("contamination", str(corpus), "--split", "tset").exception, InputError)
    assert isinstance(run("contamination", str(tmp_path / "absent")).exception, InputError)
