#!/usr/bin/env python3
"""Writes what goes to the Hugging Face Hub: `data FOLDER` (MIRROR-Mini as Parquet) or `space FOLDER`.

Nothing is uploaded: `hf upload OWNER/mirror-mini FOLDER --repo-type dataset`, or `--repo-type space`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CARDS = Path(__file__).with_name("hub")
SPLITS = ("train", "dev", "test")


def write_data(folder: Path) -> None:
    """Writes a Parquet file a split, which `datasets.load_dataset` opens without a script, and the card."""
    import pyarrow.parquet

    from mirror_bench.content import content_path
    from mirror_bench.data.export.exporter import export_data
    from mirror_bench.data.sources.mini import load_mini

    data = load_mini()
    with content_path("mini", "profiles.jsonl").open(encoding="utf-8") as lines:
        canary = json.loads(next(lines))["canary"]
    made = {}
    for split in SPLITS:
        path = folder / "data" / f"{split}.parquet"
        made[split] = export_data(data, "parquet", path, split=split, force=True)
        table = pyarrow.parquet.read_table(path)
        marked = table.append_column("canary", pyarrow.array([canary] * len(table)))
        pyarrow.parquet.write_table(marked, path)
    splits = ", ".join(f"*{split}* {one.records} clients" for split, one in made.items())
    card = (CARDS / "DATA_CARD.md").read_text(encoding="utf-8")
    card = card.replace("{splits}", splits).replace("{canary}", canary)
    (folder / "README.md").write_text(card, encoding="utf-8")
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")


def write_space(folder: Path) -> None:
    """Builds the board and puts the Space's front matter beside it."""
    subprocess.run([sys.executable, "-m", "leaderboard", "build", "--out", str(folder)], cwd=ROOT, check=True)
    shutil.copyfile(CARDS / "SPACE.md", folder / "README.md")


def main() -> None:
    """Writes the folder that was asked for."""
    made = {"data": write_data, "space": write_space}
    if len(sys.argv) != 3 or sys.argv[1] not in made:
        raise SystemExit(f"usage: {Path(__file__).name} data|space FOLDER")
    folder = Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    made[sys.argv[1]](folder)
    print(f"written: {folder}")


if __name__ == "__main__":
    main()
