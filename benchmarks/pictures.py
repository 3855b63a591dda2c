"""Takes the pictures of the documentation: the report's first screen, and the board's pages.

`python -m benchmarks.pictures --report runs/demo/report.html --board site --out docs`
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.browser import chromium

WIDTH, HEIGHT = 1280, 900


def take(report: Path | None, board: Path | None, out: Path) -> list[Path]:
    """Writes `report.png`, `board.png`, `board-model.png` and `board-session.png`, as far as given.

    Args:
        report: A `report.html`.
        board: A folder that `python -m leaderboard build` wrote.
        out: Where to.
    """
    pages: list[tuple[str, str]] = []
    if report:
        pages.append(("report.png", report.resolve().as_uri()))
    if board:
        model = sorted((board / "models").glob("*.html"))[0]
        pages.append(("board.png", (board / "index.html").resolve().as_uri()))
        pages.append(("board-model.png", model.resolve().as_uri()))
        session = (board / "session.html").resolve().as_uri()
        pages.append(("board-session.png", f"{session}#{model.stem}/1/3"))
    out.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        for name, address in pages:
            page.goto(address)
            page.wait_for_timeout(500)
            page.screenshot(path=out / name)
    return [out / name for name, _ in pages]


def main() -> None:
    """Takes the pictures that the arguments name."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--report", type=Path)
    parser.add_argument("--board", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    given = parser.parse_args()
    for path in (given.report, given.board):
        if path and not path.exists():
            sys.exit(f"{path}: does not exist: make it with make demo, or python -m leaderboard build")
    for path in take(given.report, given.board, given.out):
        print(path)


if __name__ == "__main__":
    main()
