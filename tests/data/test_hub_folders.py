"""What goes to the Hub: Parquet that opens without a script, under a card that says what it is."""

from __future__ import annotations

import runpy
from pathlib import Path

import datasets
import yaml

from mirror_bench.data.sources.mini import load_mini

ROOT = Path(__file__).resolve().parents[2]


def test_the_data_open_as_three_splits_with_their_card(tmp_path: Path) -> None:
    runpy.run_path(str(ROOT / ".ci" / "hub_folders.py"))["write_data"](tmp_path)
    opened = datasets.load_dataset(str(tmp_path), cache_dir=str(tmp_path / "cache"))
    whole = load_mini()
    assert {name: len(part) for name, part in opened.items()} == {
        name: len(whole.of_split(name).profiles) for name in ("train", "dev", "test")
    }
    first = opened["train"][0]
    assert first["id"] == whole.of_split("train").profiles[0].id
    assert first["canary"] in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert any(play["lines"] for row in opened["train"] for play in row["screenplays"])
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(card.split("---")[1])
    assert front["license"] == "apache-2.0"
    assert "{" not in card.split("---", 2)[2].replace("{split", "")
    assert not list(tmp_path.rglob("*.py"))


def test_the_space_names_its_first_page() -> None:
    front = yaml.safe_load((ROOT / ".ci" / "hub" / "SPACE.md").read_text(encoding="utf-8").split("---")[1])
    assert front["sdk"] == "static"
    assert front["app_file"] == "index.html"
