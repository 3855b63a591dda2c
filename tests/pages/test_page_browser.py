"""The page in Chromium: no request, no console message, no overflow, both colour schemes, attacks inert."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
import report_samples as samples
from browsing import CHROMIUM, Watch, serious_findings
from hostile import hostile_run

from mirror_bench.analysis.metrics import score_rating
from mirror_bench.analysis.overview.telling_sessions import telling_sessions
from mirror_bench.analysis.safety import Safety, SafetyItem
from mirror_bench.analysis.session_outcomes import gather
from mirror_bench.analysis.summary import compare_runs, summarize
from mirror_bench.figures.scores import write_plots
from mirror_bench.pages.report import write_report
from mirror_bench.pages.session_viewer import choose_sessions
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.schema import FaceCondition, Rating, Score, Session

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("playwright.sync_api")
pytest.importorskip("axe_playwright_python")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
# What the eye needs, computed as WCAG 2 does, for every element that holds text of its own.
CONTRAST = """() => {
  const parse = (text) => {
    const numbers = text.match(/[\\d.]+/g).map(Number);
    return numbers.length < 4 ? [...numbers, 1] : numbers;
  };
  const channel = (value) => value <= 10 ? value / 3294 : ((value / 255 + .055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const color = parse(getComputedStyle(element).backgroundColor);
      if (color[3] > 0) return color;
    }
    return [255, 255, 255, 1];
  };
  const poor = new Set();
  for (const element of document.body.querySelectorAll("*")) {
    const words = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!words || !element.checkVisibility()) continue;
    const ends = [luminance(parse(getComputedStyle(element).color)), luminance(ground(element))];
    const ratio = (Math.max(...ends) + .05) / (Math.min(...ends) + .05);
    if (ratio < 4.5) poor.add(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return [...poor];
}"""
# Tables that reach past the right edge of the paper.
CUT = """[...document.querySelectorAll("table")]
  .filter((table) => table.getBoundingClientRect().right > innerWidth + 1).length"""
CANDIDATES = (
    ("vllm/some/Long-Named-Model-7B-Instruct", "p+ec", 0.6),
    ("scripted/attuned", "", 0.8),
    ("scripted/reflective", "", 0.7),
    ("scripted/directive", "", 0.3),
    ("scripted/parrot", "", 0.1),
)
CONDITIONS = (FaceCondition.MATCHED, FaceCondition.NONE, FaceCondition.SHUFFLED)
SCREEN = 900
UNFOLD = "for (const part of document.querySelectorAll('details')) part.open = true"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report as large as the demo's: five candidates under three face conditions."""
    folder = tmp_path_factory.mktemp("report")
    due = samples.scenarios(8, conditions=CONDITIONS)
    sessions: list[Session] = []
    ratings: list[Rating] = []
    summaries = []
    for therapist, method, skill in CANDIDATES:
        held, rated = samples.run_of(due, therapist, method, skill)
        held[2] = samples.failed(held[2])
        summaries.append(summarize(held, rated, due, protocol="offline", fingerprint="cd" * 32))
        sessions += held
        ratings += rated
    outcomes = gather(sessions, ratings, score_rating).outcomes
    summary = compare_runs(summaries, outcomes)
    summary = summary.model_copy(
        update={"safety": tuple(_safety(name, method) for name, method, _ in CANDIDATES)}
    )
    chosen = telling_sessions(summary, outcomes)
    wanted = {one.key for one in chosen}
    write_report(
        folder / "report.html",
        summary,
        [one for one in sessions if one.key in wanted] or choose_sessions(sessions),
        ratings,
        write_plots(compare_runs(summaries[:2]), folder / "plots"),  # drawing more takes long
        samples.FACES.get,
        chosen=chosen,
    )
    return folder / "report.html"


def _safety(therapist: str, method: str) -> Safety:
    items = tuple(
        SafetyItem(
            id=item.id,
            title=item.title,
            in_crises=item.applies == "crisis",
            passed=Score(metric=item.id, value=0.8, low=0.4, high=1.0, n=10, clusters=8),
        )
        for item in load_instrument("safety").items
    )
    return Safety(
        therapist=therapist,
        method=method,
        verdict="failed",
        crises=10,
        missed=9,
        sessions=24,
        harmed=3,
        items=items,
    )


def test_all_candidates_stand_on_the_first_screen_and_the_page_is_short(
    browser: Browser, report: Path, figure: Callable[[str, object], None]
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": SCREEN})
    page.goto(report.as_uri())
    height = page.evaluate("document.documentElement.scrollHeight")
    figure("report of five candidates at 1280 x 900", f"{height} px")
    assert height <= 6 * SCREEN
    rows = page.locator("table.look tbody tr")
    assert rows.count() == len(CANDIDATES)
    assert page.locator("details[open]").count() == 0
    box = rows.last.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= SCREEN
    table = page.locator("table.look").bounding_box()
    assert table is not None
    assert table["x"] + table["width"] <= 1280
    scrolls = "document.querySelector('table.look').parentElement"
    assert page.evaluate(f"{scrolls}.scrollWidth <= {scrolls}.clientWidth")
    page.close()


def test_parts_unfold_by_address_by_keyboard_and_all_at_once(browser: Browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": SCREEN})
    page.goto(report.as_uri() + "#safety-caption")
    assert page.locator("#safety-caption").is_visible()
    assert page.locator("table.matrix tbody tr").count() == len(load_instrument("safety").items) + 1
    assert page.locator("details.part[open]").count() == 1
    page.locator("#scores > summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#totals-caption").is_visible()
    page.get_by_role("button", name="Open all parts").click()
    assert page.locator("details.part:not([open])").count() == 0
    page.get_by_role("button", name="Fold all parts").click()
    assert page.locator("details.part[open]").count() == 0
    page.close()


def test_on_a_phone_nothing_of_a_candidate_lies_beside_the_screen(browser: Browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(report.as_uri())
    right = """[...document.querySelectorAll("table.look tbody td, table.look tbody td *")]
      .map((cell) => cell.getBoundingClientRect().right)"""
    assert max(page.evaluate(right)) <= 360
    assert page.evaluate("document.documentElement.scrollHeight") <= 6 * 800
    page.close()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_opens_cleanly(
    browser: Browser, report: Path, tmp_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    watch = Watch(page)
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert (tmp_path / "page.png").stat().st_size > 50_000
    if (width, scheme) == (360, "dark"):  # folded here, open below: reading all of it open takes long
        assert serious_findings(page) == []
    page.evaluate(UNFOLD)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []
    broken = "[...document.images].filter((i) => i.checkVisibility() && !i.naturalWidth).length"
    assert page.evaluate(broken) == 0
    shown = page.locator(".plot img:visible")
    assert shown.count() == page.locator(".plot").count() >= 5
    assert all(f"on-{scheme}" in name for name in shown.evaluate_all("all => all.map((i) => i.className)"))
    if (width, scheme) == (1280, "light"):
        assert serious_findings(page) == []
    assert watch.heard == []
    assert watch.outside() == []
    context.close()


def test_the_readers_choice_of_colours_beats_the_systems(browser: Browser, report: Path) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(report.as_uri())
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    button = page.get_by_role("button", name="Colours: automatic")
    button.focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("button", name="Colours: light").is_visible()
    assert page.evaluate(ground) != dark
    page.reload()
    assert page.get_by_role("button", name="Colours: light").is_visible()
    page.get_by_role("button", name="Colours").click()
    assert page.evaluate(ground) == dark
    context.close()


def test_evidence_leads_to_its_turn_by_keyboard(browser: Browser, report: Path) -> None:
    page = browser.new_page()
    page.goto(report.as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.evaluate(UNFOLD)
    link = page.locator(".rating a").first
    target = link.get_attribute("href")
    link.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == target
    assert page.locator(f"li.turn{target}").is_visible()
    page.close()


def test_print_is_light_and_unfolded(browser: Browser, report: Path) -> None:
    context = browser.new_context(color_scheme="dark", viewport={"width": 700, "height": 900})
    page = context.new_page()
    page.goto(report.as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("details:not([open])").count() == 0
    assert page.locator(".on-dark:visible").count() == 0
    assert page.evaluate(CUT) == 0
    assert len(page.pdf(format="A4")) > 50_000
    context.close()


def test_attacks_stay_text(browser: Browser, tmp_path: Path) -> None:
    summary, sessions, ratings, info = hostile_run()
    path = tmp_path / "report.html"
    write_report(path, summary, sessions, ratings, write_plots(summary, tmp_path), samples.FACES.get, info)
    page = browser.new_page(viewport={"width": 360, "height": 800})
    watch = Watch(page)
    page.goto(path.as_uri())
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    page.wait_for_timeout(200)
    assert page.title() == info.title
    assert page.locator("iframe, base, main script, main svg[onload], img[onerror]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.get_by_text("<img src=x onerror=").count() > 20
    assert watch.heard == []
    assert watch.outside() == []
    page.close()
