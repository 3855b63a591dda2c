"""A form in Chromium: a whole study, filled in by two, kept over a reload, imported, analysed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from browsing import CHROMIUM, Watch, serious_findings
from click.testing import CliRunner
from study_samples import honest

from mirror_bench.cli import cli
from mirror_bench.sessions.run_folder import read_ratings
from mirror_bench.study.making import StudyPlan, make_study
from mirror_bench.study.records import FORMS, StudyKey, StudyTask, read_key

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytest.importorskip("playwright.sync_api")
pytest.importorskip("axe_playwright_python")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
CLICK = """([task, answers]) => {
  for (const [key, value] of Object.entries(answers))
    document.querySelector(`input[name="${task}.${key}"][value="${value}"]`).click();
}"""
NO_STORAGE = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("denied", "SecurityError"); } });"""


def invoke(*arguments: str | Path) -> Any:
    return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False, standalone_mode=False)


def _open(context: BrowserContext, form: Path) -> tuple[Page, Watch]:
    page = context.new_page()
    watch = Watch(page)
    page.goto(form.as_uri())
    return page, watch


def _answers(key: StudyKey, code: str, task: StudyTask, page: Page) -> dict[str, str]:
    keys = page.locator(f"#{task.id} .question").evaluate_all("all => all.map((one) => one.dataset.key)")
    return {name: honest(key, code, task, name) for name in keys}


def _fill(page: Page, key: StudyKey, code: str, task: StudyTask, *, by_hand: bool = False) -> None:
    assert page.locator(f"#{task.id}").is_visible()
    assert page.locator(".page:visible").count() == 1
    answers = _answers(key, code, task, page)
    if by_hand:
        for name, value in answers.items():
            page.locator(f'input[name="{task.id}.{name}"][value="{value}"]').check()
    else:
        page.evaluate(CLICK, [task.id, answers])
    page.locator(f"#{task.id} [data-go=on]").click()


def _rate_all(browser: Browser, form: Path, key: StudyKey, code: str, out: Path) -> Path:
    """Fills in a form as a person would, with the browser reloaded within the sixth session."""
    context = browser.new_context(accept_downloads=True, viewport={"width": 1280, "height": 900})
    page, watch = _open(context, form)
    tasks = key.raters[code]
    assert len(tasks) == 12
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()
    for number, task in enumerate(tasks[:5]):
        _fill(page, key, code, task, by_hand=number == 0)
    half = dict(list(_answers(key, code, tasks[5], page).items())[:7])
    page.evaluate(CLICK, [tasks[5].id, half])
    page.locator(f"#{tasks[5].id}-remark").fill("The client <b>laughs</b> at the end.")
    page.reload()
    assert "answers kept in this browser" in str(page.locator("#kept").text_content())
    assert page.get_by_role("checkbox").is_checked()
    page.get_by_role("button", name="Begin").click()
    assert page.locator(f"#{tasks[5].id}").is_visible(), "it goes on where it was left"
    assert page.locator(f"#{tasks[5].id} input:checked").count() == 7
    for task in tasks[5:]:
        _fill(page, key, code, task)
    assert page.get_by_text("All 12 are answered. Thank you.").is_visible()
    with page.expect_download() as begun:
        page.get_by_role("button", name="Download the file with my answers").click()
    path = out / begun.value.suggested_filename
    begun.value.save_as(path)
    assert (
        json.loads(str(page.locator("#plain").input_value()))["answers"]
        == json.loads(path.read_text())["answers"]
    )
    assert watch.heard == []
    assert watch.outside() == []
    context.close()
    return path


def test_a_whole_study_of_twelve_sessions_twice(
    browser: Browser, study_runs: list[Path], tmp_path: Path
) -> None:
    study = tmp_path / "study"
    made = invoke("study", "make", *study_runs, "--raters", "2", "--out", study)
    assert not made.exception, made.output
    key = read_key(study)
    forms = sorted((study / "forms").iterdir())
    back = [
        _rate_all(browser, form, key, code, tmp_path) for form, code in zip(forms, key.raters, strict=True)
    ]
    done = invoke("study", "import", study, *back)
    assert done.return_value == 0, done.output
    # 12 sessions and 3 instruments.
    assert done.output.count("36 taken in") == 2
    for code, tasks in key.raters.items():
        mine = [
            rating
            for run in study_runs
            for rating in read_ratings(run)
            if rating.rater == key.rater_name(code)
        ]
        assert len(mine) == 36
        for task in tasks:
            hidden = key.sessions[task.sessions[0]]
            for rating in mine:
                if (rating.therapist, rating.scenario_id) == (hidden.therapist, hidden.scenario_id):
                    for name, item in rating.items.items():
                        assert item.score == float(honest(key, code, task, f"{rating.instrument}.{name}"))
    agreed = invoke("study", "agree", study, "--json")
    found = json.loads(agreed.output)
    total = {one["metric"]: one for one in found["people"]}["ctrs.total"]
    assert total["sessions"] == 12
    assert 0.8 < total["icc"]["value"] < 1
    assert 0.8 < total["alpha"]["value"] < 1
    assert {one["judge"] for one in found["judges"]} == {"coded", "attunement (coded)"}
    # The reports show them, beside the coded rater.
    report = invoke("report", study_runs[0], "--rater", "all", "--out", tmp_path / "report")
    assert not report.exception, report.output
    summary = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert {one["rater"] for one in summary["raters"]} >= {
        "coded",
        *(key.rater_name(code) for code in key.raters),
    }
    shown = {name for one in summary["agreement"] if one["metric"] == "ctrs.total" for name in one["raters"]}
    assert shown == {"coded", *(key.rater_name(code) for code in key.raters)}


@pytest.fixture(scope="module")
def short_forms(held_runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A form of each kind with two tasks."""
    folder = tmp_path_factory.mktemp("short")
    forms: dict[str, Path] = {}
    for form in FORMS:
        made = make_study(StudyPlan(tuple(held_runs), 2, form, each=2, units=2), folder / form)
        forms[form] = made.forms[0]
    return forms


@pytest.mark.parametrize(
    ("form", "width", "scheme"),
    [("rating", 1280, "dark"), ("rating", 360, "light"), ("pairwise", 360, "dark")],
)
def test_every_part_fits_and_has_names(
    browser: Browser, short_forms: dict[str, Path], form: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page, watch = _open(context, short_forms[form])
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(fits)
    assert serious_findings(page) == []
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()
    assert page.evaluate(fits)
    assert serious_findings(page) == []
    assert page.get_by_role("img", name="The client's face at turn 1").count() == (
        2 if form == "pairwise" else 1
    )
    assert all(page.evaluate("[...document.images].map((one) => one.naturalWidth > 0)"))
    page.get_by_role("button", name="Send in").click()
    assert page.evaluate(fits)
    assert serious_findings(page) == []
    assert watch.heard == []
    context.close()


def test_it_is_filled_in_by_keyboard_alone(browser: Browser, short_forms: dict[str, Path]) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, _ = _open(context, short_forms["pairwise"])
    focus = "document.activeElement.id || document.activeElement.name || document.activeElement.textContent"

    def tab_to(wanted: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate(focus).startswith(wanted):
                return
        raise AssertionError(f"no way by Tab to {wanted}")

    tab_to("begin")
    page.keyboard.press("Enter")
    assert page.get_by_text("Tick the box first").is_visible()
    assert page.evaluate(focus) == "consent"
    page.keyboard.press("Space")
    tab_to("begin")
    page.keyboard.press("Enter")
    task = str(page.locator(".task:visible").get_attribute("id"))
    assert page.evaluate(focus) == f"{task}-title"
    tab_to(f"{task}.better")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.locator(f'input[name="{task}.better"][value="b"]').is_checked()
    tab_to("Next")
    page.keyboard.press("Enter")  # the attention check is open
    assert "open" in str(page.locator(f"#{task} [data-open]").text_content())
    page.keyboard.press("Space")
    tab_to("Next")
    page.keyboard.press("Enter")
    assert not page.locator(f"#{task}").is_visible()
    context.close()


def test_where_nothing_can_be_kept_it_says_so_and_a_file_goes_on(
    browser: Browser, short_forms: dict[str, Path], tmp_path: Path
) -> None:
    context = browser.new_context(accept_downloads=True)
    context.add_init_script(NO_STORAGE)
    page, watch = _open(context, short_forms["pairwise"])
    assert "keeps nothing" in str(page.get_by_role("alert").first.text_content())
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Begin").click()
    task = str(page.locator(".task:visible").get_attribute("id"))
    page.locator(f'input[name="{task}.better"][value="tie"]').check()
    assert "1 answers, not kept" in str(page.locator("#kept").text_content())
    page.get_by_role("button", name="Send in").click()
    assert page.get_by_text("0 of 2 are answered in full").is_visible()
    with page.expect_download() as begun:
        page.get_by_role("button", name="Download the file").click()
    path = tmp_path / "answers.json"
    begun.value.save_as(path)
    assert watch.heard == []
    context.close()
    other = browser.new_context()
    page, _ = _open(other, short_forms["pairwise"])
    page.get_by_text("Go on with a file").click()
    page.locator("#earlier").set_input_files(tmp_path / "answers.json")
    page.get_by_text("1 answers read").wait_for()
    page.get_by_role("button", name="Begin").click()
    assert page.locator(f'input[name="{task}.better"][value="tie"]').is_checked()
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"study": "other"}')
    page.get_by_role("button", name="Start").click()
    page.locator("#earlier").set_input_files(wrong)
    page.get_by_text("holds no answers to this form").wait_for()
    assert page.locator(f'input[name="{task}.better"][value="tie"]').is_checked()
    other.close()
