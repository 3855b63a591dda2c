"""The site in Chromium, from disk: no request, no message, nothing serious for axe, no attack."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import board_samples as boards
import pytest
from browsing import CHROMIUM, Watch, serious_findings

from leaderboard.boards import make_boards
from leaderboard.load_submissions import read_submissions
from leaderboard.site import write_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
PAGES = {
    "index": "index.html",
    "model": "models/able-p-ec.html",
    "compare": "compare.html#able-p-ec/reflective",
    "session": "session.html#able-p-ec/2/3",
}
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
# Tables that reach past the right edge of the paper.
CUT = """[...document.querySelectorAll("table")]
  .filter((table) => table.getBoundingClientRect().right > innerWidth + 1).length"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("board")
    return _written(boards.write_samples(place / "submissions"), place / "site")


def _written(submissions: Path, out: Path) -> Path:
    with ExitStack() as open_while:
        write_site(out, make_boards(read_submissions(submissions, open_while, verify=False)))
    return out


def _open(page: Page, site: Path, address: str) -> None:
    path, _, fragment = address.partition("#")
    page.goto((site / path).as_uri() + (f"#{fragment}" if fragment else ""))
    if fragment:
        page.wait_for_selector("#status:text('Both with'), #viewer:not([hidden]) .turn")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_cleanly(
    browser: Browser, site: Path, name: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    pytest.importorskip("axe_playwright_python")
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    watch = Watch(page)
    _open(page, site, PAGES[name])
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].filter((i) => i.complete && !i.naturalWidth).length") == 0
    assert serious_findings(page) == []
    assert watch.heard == []
    assert watch.outside() == []
    context.close()


def test_every_column_fits_at_1280_and_names_the_face(browser: Browser, site: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    _open(page, site, "index.html")
    place = page.locator(".board-scroll").first
    assert place.evaluate("place => place.scrollWidth - place.clientWidth") <= 0
    heads = [head.split("\n")[0] for head in page.locator(".main-table thead th").all_inner_texts()]
    assert heads[2:4] == ["CTRS total", "WAI total"]
    assert "Did the face help?" in heads[4:6]
    said = page.locator(".main-table tbody .face-cell").all_inner_texts()
    assert len(said) == 3
    assert [one for one in said if "no other face condition held" in one] != []
    assert [
        one for one in said if re.search("helped|swayed|ignores faces|too few sessions|not told", one)
    ] != []
    page.close()


def test_columns_sort_and_filters_choose(browser: Browser, site: Path) -> None:
    page = browser.new_page()
    _open(page, site, "index.html")
    names = page.locator(".main-table tbody a.model")
    assert sorted(names.all_inner_texts()) == ["Able", "Poor", "reflective"]
    for button in page.locator(".main-table thead button.sort").all():
        button.click()
        head = button.locator("xpath=ancestor::th")
        first = head.get_attribute("aria-sort")
        assert first in ("ascending", "descending")
        button.click()
        assert head.get_attribute("aria-sort") != first
        assert page.locator(".main-table thead th[aria-sort]").count() == 1
    page.get_by_role("button", name="Size").click()
    assert names.all_inner_texts() == ["Able", "Poor", "reflective"]
    page.get_by_role("button", name="Size").click()
    assert names.all_inner_texts() == ["Poor", "Able", "reflective"]
    for label, choice, left in (
        ("Method", "direct", ["Poor"]),
        ("Size", "3 to 10 B", ["Able"]),
        ("Sees", "text", ["Poor"]),
        ("Licence", "not declared", ["reflective"]),
    ):
        page.get_by_label(label, exact=False).and_(page.locator("select")).select_option(choice)
        assert [one for one in names.all() if one.is_visible()] != []
        assert [one.inner_text() for one in names.all() if one.is_visible()] == left
        assert page.locator("#shown").inner_text() == "1 of 3 models"
        page.get_by_label(label, exact=False).and_(page.locator("select")).select_option(index=0)
    page.get_by_label("Name").fill("nobody")
    assert page.locator(".nothing").is_visible()
    page.close()


def test_two_models_are_compared(browser: Browser, site: Path) -> None:
    page = browser.new_page()
    _open(page, site, "compare.html#able-p-ec/poor-direct")
    rows = page.locator("#result table.sortable tbody tr")
    assert rows.count() == 8
    assert "Able · p+ec scores higher" in page.locator("#result").inner_text()
    page.get_by_label("Resistance").select_option("cognitive")
    expect(page.locator("#result table.sortable tbody tr")).to_have_count(2)
    page.get_by_role("button", name="CTRS total, first").click()
    values = [float(row.locator("td.num").first.inner_text()) for row in rows.all()]
    assert values == sorted(values, reverse=True)
    rows.first.locator("a").first.click()
    page.wait_for_selector("#viewer:not([hidden])")
    assert "#able-p-ec/" in page.url
    page.close()


def test_a_session_is_read_by_keyboard(browser: Browser, site: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    watch = Watch(page)
    _open(page, site, "session.html#able-p-ec/2")
    assert [url for url in watch.asked if "/data/" in url] == [
        (site / "data" / "sessions" / "able-p-ec" / "2.js").as_uri()
    ]
    current = page.locator("li.turn[aria-current=step] .number")
    assert current.inner_text() == "turn 1"
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert current.inner_text() == "turn 3"
    assert page.url.endswith("#able-p-ec/2/3")
    page.keyboard.press("k")
    assert current.inner_text() == "turn 2"
    page.keyboard.press("i")
    chosen = page.locator("button.item[aria-pressed=true]")
    assert chosen.count() == 1
    assert page.locator("li.turn.evidence").count() > 0
    page.keyboard.press("Escape")
    assert page.locator("li.turn.evidence").count() == 0
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile(r"#able-p-ec/3"))
    expect(page.locator("#facts")).to_contain_text("3 of 16")
    page.locator("#keys").uncheck()
    page.keyboard.press("j")
    assert current.inner_text() == "turn 1"
    page.close()


def test_quoted_evidence_is_marked_in_the_words(browser: Browser, site: Path) -> None:
    page = browser.new_page()
    for number in range(1, 9):
        _open(page, site, f"session.html#able-p-ec/{number}")
        expect(page.locator("#facts")).to_contain_text(f"{number} of 16")
        for item in page.locator("button.item").all():
            item.click()
            if page.locator("mark").count():
                assert set(page.locator("mark").all_inner_texts()) == {"What would have to be different"}
                page.close()
                return
    pytest.fail("no session of the sample holds its quote")


@pytest.mark.parametrize("address", ["nobody/1", "able-p-ec/99", "../../x/1", "able-p-ec/1.js?", "", "//x/1"])
def test_a_wrong_address_is_said(browser: Browser, site: Path, address: str) -> None:
    page = browser.new_page()
    watch = Watch(page)
    page.goto((site / "session.html").as_uri() + f"#{address}")
    page.wait_for_selector("#status:text('cannot be shown')")
    assert watch.outside() == []
    assert not page.locator("#viewer").is_visible()
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_print_is_light_and_whole(browser: Browser, site: Path, name: str) -> None:
    context = browser.new_context(color_scheme="dark", viewport={"width": 700, "height": 900})
    page = context.new_page()
    _open(page, site, PAGES[name])
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("details:not([open])").count() == 0
    assert page.evaluate(CUT) == 0
    assert len(page.pdf(format="A4", landscape=name == "index")) > 15_000
    context.close()


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.campaign)])
def test_attacks_stay_text(browser: Browser, tmp_path: Path, every: int) -> None:
    """Every attack stands in the pages of both models; of the sessions a test run opens one in four."""
    site = _written(boards.write_hostile(tmp_path / "submissions"), tmp_path / "site")
    slugs = sorted(path.stem for path in (site / "models").glob("*.html"))
    sessions = sorted(path.stem for path in (site / "data" / "sessions" / slugs[0]).glob("*.js"))
    addresses = ["index.html", *(f"models/{slug}.html" for slug in slugs)]
    addresses += [f"compare.html#{slugs[0]}/{slugs[1]}"]
    addresses += [f"session.html#{slugs[0]}/{number}" for number in sessions[::every]]
    shown = 0
    for address in addresses:
        page = browser.new_page(viewport={"width": 360, "height": 800})
        watch = Watch(page)
        _open(page, site, address)
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        for item in page.locator("button.item").all()[:4]:
            item.click()
        page.wait_for_timeout(100)
        assert page.locator("iframe, base, object, embed, main script, main svg[onload]").count() == 0
        assert page.locator("[onerror], [onload], [onmouseover], [onclick]").count() == 0
        assert page.locator("a[href^='javascript'], link[href*='example']").count() == 0
        assert page.title() not in ("owned", "1")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        shown += page.get_by_text("<img src=x onerror=").count()
        assert watch.heard == []
        assert watch.outside() == []
        page.close()
    assert len(sessions) == 12
    assert shown > 40 / every


@pytest.mark.parametrize("count", [20, pytest.param(100, marks=pytest.mark.campaign)])
def test_many_models_paint_at_once(
    browser: Browser, site: Path, tmp_path: Path, figure: Callable[[str, object], None], count: int
) -> None:
    place = tmp_path / "one"
    shutil.copytree(site.parent / "submissions" / "reflective", place / "reflective")
    with ExitStack() as open_while:
        (one,) = read_submissions(place, open_while, verify=False)
        write_site(tmp_path / "site", make_boards(boards.many(one, count)))
    page = browser.new_page()
    _open(page, tmp_path / "site", "index.html")
    assert page.locator(".main-table tbody tr").count() == count
    for _ in range(200):  # the page's policy forbids the evaluation that wait_for_function repeats
        if page.evaluate("performance.getEntriesByName('first-contentful-paint').length"):
            break
        page.wait_for_timeout(20)
    paint = page.evaluate(FIRST_PAINT)
    figure("first contentful paint", f"{paint:.0f} ms")
    assert paint < 1000
    page.close()
