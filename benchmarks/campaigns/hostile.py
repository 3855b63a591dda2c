"""Texts that attack the pages which show them, opened in a real Chromium: all must stay text.

A case writes ten such texts into every free text of a small submission (its card, the therapist's name,
words, directions, captions, reasons, evidence), makes report and board of it, and opens every page.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.browser import chromium
from benchmarks.campaigns.base import Outcome
from benchmarks.campaigns.small_run import command, packed_run
from mirror_bench.submissions.archive import MANIFEST, write_archive
from mirror_bench.submissions.pack import files_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog

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
_AFTER = ("", ">", '"', "'", "<!--", "-->", "\n", "</", ' x="', "\\", "&", "\u2066", "x" * 300)
_FREE_IN_TURN = ("words", "direction", "raw", "caption")
_FREE_IN_SESSION = ("plan", "technique", "reason", "client")
_ALLOWED = "file:///", "data:", "blob:"
_STRANGE = """() => [...document.body.querySelectorAll("*")].filter((part) =>
  part.matches("iframe, base, object, embed, form[action], marquee, link, meta, template")
  || part.matches("main script:not([type])")
  || [...part.attributes].some(({name, value}) => /^on/i.test(name) || /^\\s*javascript:/i.test(value))
).map((part) => part.outerHTML.slice(0, 80))"""
"""What no page of ours holds: other elements than it needs, handlers, addresses that are scripts."""


class OpenedPage(NamedTuple):
    """What became of a page in the browser.

    Attributes:
        problems: What it did that no page may do, a line each.
        text: The words that it shows.
    """

    problems: list[str]
    text: str


class Hostile:
    """Case `number` shows ten texts on every page."""

    name = "hostile"

    def case(self, seed: int, number: int, place: Path) -> Outcome:
        """See `Campaign`."""
        numbers = range(number * TEXTS, (number + 1) * TEXTS)
        run, site = place / "run", place / "site"
        write_hostile([hostile_text(seed, each) for each in numbers], run, place / "entries")
        said = _report(run) or _board(place / "entries", site)
        if said:
            return Outcome("pages", "refused", said)
        wrong: list[str] = []
        shown = ""
        with chromium() as browser:
            for address in [(run / "report.html").as_uri(), *_addresses(site)]:
                page = opened(address, browser)
                wrong += [f"{address.removeprefix(place.as_uri())}: {problem}" for problem in page.problems]
                shown += page.text if "session.html#" in address else ""
        missing = [each for each in numbers if f"[{each}]" not in shown]
        if missing:
            wrong.append(f"texts {missing} are shown in no session, so that they could not break out")
        return Outcome("pages", "broke out" if wrong else "stayed text", "; ".join(wrong[:3]))


def _addresses(site: Path) -> Iterator[str]:
    """Yields the pages of a board; those that a script fills with a session or two models, filled."""
    for page in sorted(site.rglob("*.html")):
        yield page.as_uri()
    for session in sorted((site / "data" / "sessions").rglob("*.js")):
        yield f"{(site / 'session.html').as_uri()}#{session.parent.name}/{session.stem}"
    for model in sorted((site / "models").glob("*.html")):
        yield f"{(site / 'compare.html').as_uri()}#{model.stem}/{model.stem}"


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
            own = _FREE_IN_TURN if one["speaker"] == "therapist" else ("words", "direction")
            one |= {key: next(turn) for key in own if key != "direction" or key in one}
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
    code, said = command("report", str(run))
    return said if code else ""


def _board(entries: Path, site: Path) -> str:
    from click.testing import CliRunner

    from leaderboard.__main__ import board

    done = CliRunner().invoke(
        board, ["build", "--submissions", str(entries), "--out", str(site), "--no-verify", "--fresh"]
    )
    return "" if done.exit_code == 0 else f"{done.exception!r} {done.output[-300:]}"


def opened(address: str, browser: Browser) -> OpenedPage:
    """Returns what became of the page at an address."""
    page = browser.new_page()
    told: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        told.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on("pageerror", lambda error: told.append(f"an error: {error}"))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(_ALLOWED) else told.append(f"a request: {asked.url}"),
    )
    page.goto(address)
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    page.evaluate("for (const part of document.querySelectorAll('[tabindex], a, button')) part.focus()")
    page.wait_for_timeout(60)
    if page.evaluate("window.owned"):
        told.append("a script ran")
    told += [f"an element came to be: {markup}" for markup in page.evaluate(_STRANGE)]
    text = page.evaluate("document.body.textContent")
    page.close()
    return OpenedPage(told, text)
