"""Texts that attack the pages which show them, opened in a real Chromium: all must stay text.

A case writes ten such texts into every free text of a small submission (its card, the therapist's name,
words, directions, captions, reasons, evidence), makes report and board of it, and opens every page.
"""

from __future__ import annotations

import atexit
import json
import random
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.campaigns.base import Outcome
from benchmarks.campaigns.small_run import packed_run
from mirror_bench.submissions.archive import MANIFEST, write_archive
from mirror_bench.submissions.pack import files_of

TEXTS = 10
"""Texts of one case."""
_DOES, _HERE = "window.owned=1", "\ue000"
_BEFORE = (
    "", "\"", "'", "`", ">", "\">", "'>", "-->", "]]>", "</title>", "</script>", "</style>", "</textarea>",
    "</svg>", "<!--", "<![CDATA[", "\\\"", "\\u003c", "&quot;>", "&#34;>", "\u2028", "\x00", "\u202e", "};",
    "//",
)  # fmt: skip
_ATTACKS = (Path(__file__).parent / "attacks.txt").read_text(encoding="utf-8").splitlines()
"""What may be tried, "DO" standing for what it would do."""
_AFTER = ("", ">", '"', "'", "<!--", "-->", "\n", "</", ' x="', "\\", "&", "\u2066", "x" * 3000)
_FREE_IN_TURN = ("words", "direction", "raw", "caption")
_FREE_IN_SESSION = ("plan", "technique", "reason", "client")
_ALLOWED = "file:", "data:", "blob:"


class Hostile:
    """Case `number` shows ten texts on every page."""

    name = "hostile"

    def case(self, seed: int, number: int, place: Path) -> Outcome:
        """See `Campaign`."""
        texts = [hostile_text(seed, number * TEXTS + each) for each in range(TEXTS)]
        run, site = place / "run", place / "site"
        write_hostile(texts, run, place / "entries")
        report = _report(run)
        if report:
            return Outcome("pages", "refused", report)
        board = _board(place / "entries", site)
        if board:
            return Outcome("pages", "refused", board)
        pages = [run / "report.html", *sorted(site.rglob("*.html"))]
        wrong = [f"{page.relative_to(place)}: {said}" for page in pages for said in opened(page)]
        return Outcome("pages", "stayed text" if not wrong else "broke out", "; ".join(wrong[:3]))


def hostile_text(seed: int, number: int) -> str:
    """Returns the text of this number."""
    chance = random.Random(f"hostile {seed} {number}")
    attack = "".join(
        chance.choice(_BEFORE) + chance.choice(_ATTACKS).replace("DO", _HERE) + chance.choice(_AFTER)
        for _ in range(chance.choice((1, 1, 1, 2)))
    )
    if chance.random() < 0.2:  # names of tags and attributes have no case, what they do has
        attack = "".join(chance.choice((sign.upper, sign.lower))() for sign in attack)
    attack = attack.replace(_HERE, _DOES)
    return f"{attack} [{number}]"


def write_hostile(texts: list[str], run: Path, entries: Path) -> None:
    """Writes a run folder, and a packed submission, whose free texts are these in turn."""
    turn = _in_turn(texts)
    members = dict(packed_run())
    former = json.loads(members["run.json"])["candidate"]["therapist"]
    name = json.dumps(_plain(next(turn)))
    sessions = [json.loads(line) for line in members["sessions.jsonl"].splitlines()]
    for session in sessions:
        session |= {key: next(turn) for key in _FREE_IN_SESSION}
        for one in session["turns"]:
            one |= {key: next(turn) for key in _FREE_IN_TURN if key in one}
            if one.get("expression"):
                one["expression"]["label"] = next(turn)
            one["marks"] = [next(turn)]
    ratings = [json.loads(line) for line in members["ratings.jsonl"].splitlines()]
    for rating in ratings:
        for item in rating["items"].values():
            item |= {"reason": next(turn), "evidence": [0, next(turn)]}
    members["sessions.jsonl"] = _lines(sessions)
    members["ratings.jsonl"] = _lines(ratings)
    for file, content in members.items():
        members[file] = content.replace(json.dumps(former).encode(), name.encode())
    manifest = json.loads(members[MANIFEST])
    _spoil(manifest["card"], turn)
    manifest["files"] = {key: file.model_dump() for key, file in files_of(members).items()}
    members[MANIFEST] = json.dumps(manifest).encode()
    for folder in (run, entries):
        folder.mkdir()
    for file, content in members.items():
        (run / file).write_bytes(content)
    write_archive(entries / "hostile.mirror.zip", members)


def _in_turn(texts: list[str]) -> Iterator[str]:
    while True:
        yield from texts


def _lines(records: list[Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def _spoil(card: dict[str, Any], turn: Iterator[str]) -> None:
    for key in ("name", "licence", "base_model", "description"):
        card[key] = _plain(next(turn))
    for key in ("authors", "training_data"):
        card[key] = [_plain(next(turn))]


def _plain(text: str) -> str:
    """Returns what a card takes, which refuses control characters."""
    return "".join(sign for sign in text if sign.isprintable())[:200]


def _report(run: Path) -> str:
    from benchmarks.campaigns.small_run import command

    code, said = command("report", str(run))
    return said if code else ""


def _board(entries: Path, site: Path) -> str:
    from click.testing import CliRunner

    from leaderboard.__main__ import board

    done = CliRunner().invoke(
        board, ["build", "--submissions", str(entries), "--out", str(site), "--no-verify", "--fresh"]
    )
    return "" if done.exit_code == 0 else f"{done.exception!r} {done.output[-300:]}"


def opened(path: Path) -> list[str]:
    """Returns what a page did that no page may do."""
    page = _chromium().new_page()
    told: list[str] = []

    def dismiss(dialog: Any) -> None:
        told.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on("pageerror", lambda error: told.append(f"an error: {error}"))
    page.on("request", lambda asked: None if asked.url.startswith(_ALLOWED) else told.append(asked.url))
    page.goto(path.as_uri())
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    page.evaluate("for (const part of document.querySelectorAll('[tabindex], a, button')) part.focus()")
    page.wait_for_timeout(60)
    if page.evaluate("window.owned"):
        told.append("a script ran")
    strange = page.locator("iframe, base, object, form[action], main script:not([type]), marquee, [onerror]")
    if strange.count():
        told.append(f"an element came to be: {strange.first.evaluate('e => e.outerHTML')[:80]}")
    page.close()
    return told


@cache
def _chromium() -> Any:
    from playwright.sync_api import sync_playwright

    driver = sync_playwright().start()
    browser = driver.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
    )

    def end() -> None:
        browser.close()
        driver.stop()

    atexit.register(end)
    return browser
