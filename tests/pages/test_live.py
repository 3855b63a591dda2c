"""The live view in a real browser: a run that is being held, killed and finished, and answers to findings."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsing import Watch
from click.testing import CliRunner
from starlette.testclient import TestClient
from talking_server import serving, verdict

from benchmarks.volume import write_run
from mirror_bench.analysis.findings import read_judged
from mirror_bench.cli import cli
from mirror_bench.errors import InputError
from mirror_bench.pages.live.server import LivePage
from mirror_bench.sessions.run_folder import read_sessions

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
MAIN = "from mirror_bench.cli import main; main()"
HOSTILE = '<img src="http://stranger.test/x" onerror="document.title=1"><script>document.title=2</script>'


@contextmanager
def _viewing(run: Path) -> Iterator[str]:
    """Serves the page of a run while the block runs; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "view", str(run)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[0]
    finally:
        process.terminate()
        process.wait(20)


def _held(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", MAIN, *command], stderr=subprocess.DEVNULL)


def _wait(seen: Callable[[], bool]) -> None:
    """Waits until something is seen, for a minute at the most."""
    for _ in range(600):
        if seen():
            return
        time.sleep(0.1)
    raise AssertionError("not seen within a minute")


def test_a_run_is_followed_turn_by_turn_through_a_kill_to_its_end(browser: Browser, tmp_path: Path) -> None:
    run, lines = tmp_path / "run", tmp_path / "lines.txt"
    said = (f"You look away as you say it. {HOSTILE}", "What happened then?", "That is a lot to carry.")
    lines.write_text("\n".join(said))
    command = ["run", "--limit", "2", "--seeds", "0", "--no-safety", "--quiet"]
    command += ["--max-client-turns", "6", "--concurrency", "1", "--out", str(run), "--therapist"]
    therapist = f"scripted/cycle?path={lines}&sees=true&delay="
    process = _held([*command, f"{therapist}3"])  # slow: it must still run when the browser has looked
    try:
        _wait((run / "run.json").exists)
        with _viewing(run) as address:
            page = browser.new_page()
            watch = Watch(page)
            page.goto(address)
            page.wait_for_selector("#sessions .badge:has-text('being held')", timeout=30_000)
            page.wait_for_selector("#session .turn.client .face img", timeout=30_000)
            before = page.locator("#session .turn").count()
            _wait(lambda: page.locator("#session .turn").count() > before)
            assert "running" in page.inner_text("#progress")
            os.kill(process.pid, signal.SIGKILL)
            process.wait(20)
            page.wait_for_selector("#progress .badge:has-text('stopped')", timeout=30_000)
            again = _held([*command, f"{therapist}0.1"])
            assert again.wait(120) == 0
            page.wait_for_selector("#progress .badge:has-text('finished')", timeout=30_000)
            sessions = list(read_sessions(run))
            rows = page.locator("#sessions button").all_inner_texts()
            assert len(rows) == len(sessions) == 2
            assert all("ctrs" in row for row in rows)
            page.click("#sessions button >> nth=1")
            page.wait_for_selector(f"#session code:has-text('{sessions[0].scenario_id}')")
            assert page.locator("#session .turn").count() == len(sessions[0].turns)
            assert "<script>" in page.inner_text("#session")  # as text
            assert page.title() == "run: live view"
            assert [url for url in watch.asked if not url.startswith((address, "data:"))] == []
            assert watch.heard == []
            page.set_viewport_size({"width": 390, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            page.close()
    finally:
        process.kill()


def _doubtful(body: dict[str, Any], number: int) -> str:
    return verdict(0)


def test_a_doubtful_finding_is_answered_on_the_page_and_by_nobody_else(
    browser: Browser, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with serving(_doubtful) as server:  # in a process of its own: the browser has this one's event loop
        command = ["run", "--therapist", "scripted/reflective", "--judge", server.model("judge")]
        command += ["--limit", "1", "--max-client-turns", "3", "--seeds", "0", "--out", str(run), "--quiet"]
        assert _held(command).wait(120) < 2
    with _viewing(run) as address:
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("#findings button[data-said]", timeout=60_000)
        first = page.locator("#findings button[data-finding]").first.get_attribute("data-finding")
        page.locator("#findings button[data-said='rejected']").first.click()
        _wait(lambda: page.locator(f"#finding-{first}").count() == 0)
        assert {name: told.said for name, told in read_judged(run).items()} == {first: "rejected"}
        token = page.get_attribute("meta[name=token]", "content")
        page.close()
        for headers, body, status in (
            ({}, b'{"said": "confirmed"}', 403),
            ({"X-Token": str(token)}, b'{"said": "maybe"}', 400),
            ({"X-Token": str(token)}, b"x" * 5000, 413),
            ({"X-Token": str(token), "Host": "stranger.test"}, b'{"said": "confirmed"}', 400),
        ):
            asked = urllib.request.Request(f"{address}findings/{first}", body, headers, method="POST")
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(asked, timeout=20)
            assert refused.value.code == status
        assert {name: told.said for name, told in read_judged(run).items()} == {first: "rejected"}


def test_a_finished_run_links_to_its_report_which_is_walled_off(tmp_path: Path) -> None:
    run = tmp_path / "run"
    write_run(run, "parrot", 0)
    (run / "report.html").write_text("<p>A report.</p>", encoding="utf-8")
    with TestClient(LivePage(run).application(), base_url="http://127.0.0.1") as client:
        assert 'href="/report.html"' in client.get("/state").json()["progress"]
        shown = client.get("/report.html")
        assert shown.status_code == 200
        assert shown.headers["content-security-policy"] == "sandbox allow-scripts"
        (run / "report.html").unlink()
        assert 'href="/report.html"' not in client.get("/state").json()["progress"]
        assert client.get("/report.html").status_code == 404


def test_a_folder_with_a_report_of_several_runs_is_no_run_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "report.html").touch()
    with pytest.raises(InputError, match=r"a report of several runs, .*report\.html, and view shows one run"):
        CliRunner().invoke(cli, ["view", str(tmp_path)], catch_exceptions=False)


def test_what_is_no_run_cannot_be_viewed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(f"{tmp_path} is no run folder")):
        CliRunner().invoke(cli, ["view", str(tmp_path)], catch_exceptions=False)
