"""The page as text: self-contained, escaped, complete, and equal for equal runs."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import report_samples as samples
from hostile import ATTACKS, hostile_run

from mirror_bench.analysis.summary import Summary, summarize
from mirror_bench.figures.scores import write_plots
from mirror_bench.pages.report import RunInfo, render_report, write_report
from mirror_bench.pages.session_viewer import choose_sessions
from mirror_bench.schema import FaceCondition, Rating, Session

VOID = {"meta", "link", "img", "br", "line", "circle", "polyline"}


class Page(HTMLParser):
    """Reads a page, and notes what a browser would."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} is closed while another is open"

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def a_run() -> tuple[Summary, list[Session], list[Rating]]:
    due = samples.scenarios(8, conditions=(FaceCondition.MATCHED, FaceCondition.NONE))
    sessions, ratings = samples.run_of(due, "vllm/some/Model-7B", "p+ec")
    sessions[1] = samples.failed(sessions[1])
    return summarize(sessions, ratings, due, protocol="offline", fingerprint="ab" * 32), sessions, ratings


def html_of(plots: list[Path] | None = None) -> str:
    summary, sessions, ratings = a_run()
    info = RunInfo(title="A title", facts={"Judge": "coded"}, notes=("A note.",))
    return render_report(summary, choose_sessions(sessions), ratings, plots or [], samples.FACES.get, info)


def test_the_page_holds_what_was_measured(tmp_path: Path) -> None:
    summary, _, _ = a_run()
    text = " ".join(Page(html_of()).text.split())
    score = summary.entries[0].score("wai.total")
    assert score is not None
    assert f"{score.value:.2f} [{score.low:.2f}, {score.high:.2f}]" in text
    for part in (
        "A title",
        "A note.",
        "offline",
        "ab" * 32,
        "Model-7B · p+ec",
        "the engine could not answer",
    ):
        assert part in text
    for part in ("Not for clinical use", "never read by the therapist", "Tired, and holding something back."):
        assert part in text
    assert "the engine could not answer after 3 attempts" in text
    assert "Removed from the answer: speaker label" in text


def test_tags_are_balanced_and_identifiers_unique() -> None:
    page = Page(html_of())
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    anchors = {attributes["href"][1:] for attributes in page.all("a") if attributes["href"].startswith("#")}
    assert anchors <= set(ids)
    labels = {attributes["aria-labelledby"] for _, attributes in page.tags if "aria-labelledby" in attributes}
    assert labels <= set(ids)


def test_the_page_is_accessible_in_structure() -> None:
    page = Page(html_of())
    tags = [tag for tag, _ in page.tags]
    assert tags.count("h1") == tags.count("main") == 1
    assert {"header", "nav", "footer", "section", "article"} <= set(tags)
    assert tags.count("caption") == tags.count("table")
    assert all("scope" in attributes for attributes in page.all("th"))
    assert all(attributes.get("alt") for attributes in page.all("img"))
    assert page.all("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h\d", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_page_asks_nothing_of_the_network(tmp_path: Path) -> None:
    summary, _, _ = a_run()
    page = Page(html_of(write_plots(summary, tmp_path)))
    for tag, attributes in page.tags:
        for name in ("src", "href"):
            if name in attributes:
                assert attributes[name].startswith(("#", "data:")), (tag, attributes[name][:60])
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    assert len(page.all("img")) > 10


def test_the_policy_admits_only_the_pages_own_style_and_script() -> None:
    html = html_of()
    policy = next(meta["content"] for meta in Page(html).all("meta") if "http-equiv" in meta)
    assert "default-src 'none'" in policy
    for tag in ("style", "script"):
        found = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert len(found) == 1
        digest = base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_every_attack_is_shown_as_text() -> None:
    summary, sessions, ratings, info = hostile_run()
    benign = {tag for tag, _ in Page(html_of()).tags}
    html = render_report(summary, sessions, ratings, [], samples.FACES.get, info)
    page = Page(html)
    assert {tag for tag, _ in page.tags} <= benign
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    for attack in ATTACKS[:-1]:
        assert page.text.count(attack) > 20, attack
    assert not set("\x00\x1b\u202e\u2066") & set(html)
    assert "(46," in page.text or "more characters)" in page.text


def test_equal_runs_give_equal_pages(tmp_path: Path) -> None:
    summary, sessions, ratings = a_run()
    for name in ("a.html", "b.html"):
        write_report(tmp_path / "new" / name, summary, sessions[:1], ratings, [], samples.FACES.get)
    files = sorted((tmp_path / "new").iterdir())
    assert [file.name for file in files] == ["a.html", "b.html"]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_an_empty_run_has_a_page(tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", summarize([], [], 0))
    page = Page((tmp_path / "report.html").read_text())
    assert page.open == []
    assert "No session is recorded yet" in page.text
    assert "No session has been rated" in page.text
    assert page.all("table") == []
    assert "nothing here shows whether faces were used" in page.text


def test_one_profile_alone_has_a_score_without_interval(tmp_path: Path) -> None:
    due = samples.scenarios(1)
    write_report(tmp_path / "report.html", summarize(*samples.run_of(due), due))
    assert "no interval" in (tmp_path / "report.html").read_text()
