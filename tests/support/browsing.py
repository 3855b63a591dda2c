"""Chromium, and what a page says and asks for while it is open."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One per module: playwright's event loop may not go on while tests of another module have one."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


def serious_findings(page: Page) -> list[str]:
    """What axe-core finds in an open page that is serious or critical."""
    found = find_spec("axe_playwright_python")
    assert found is not None
    assert found.origin is not None
    page.evaluate((Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
    result: Any = page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in result["violations"]
        if one["impact"] in ("serious", "critical")
    ]


class Watch:
    """What a page says and asks for while it is open."""

    def __init__(self, page: Page) -> None:
        self.heard: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.heard.append(message.text))
        page.on("pageerror", lambda error: self.heard.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def outside(self) -> list[str]:
        """What was asked for beyond the page's own files."""
        return [url for url in self.asked if not url.startswith(("file:", "data:"))]
