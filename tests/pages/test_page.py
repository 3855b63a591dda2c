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

from mirror_bench.analysis.metrics import score_rating
from mirror_bench.analysis.overview.telling_sessions import telling_sessions
from mirror_bench.analysis.session_outcomes import SessionOutcome, gather
from mirror_bench.analysis.summary import Summary, summarize
from mirror_bench.figures.scores import write_plots
from mirror_bench.pages.report import RunInfo, render_report, write_report
from mirror_bench.pages.session_viewer import choose_sessions
from mirror_bench.schema import FaceCondition, ItemRating, Rating, Session

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
        "ab" * 6,
        "Model-7B · p+ec",
        "the engine could not answer",
    ):
        assert part in text
    for part in ("Not for clinical use", "never read by the therapist", "Tired, and holding something back."):
        assert part in text
    assert "the engine could not answer after 3 attempts" in text
    assert "Removed from the answer: speaker label" in text
    assert "ab" * 7 not in text


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
    assert {"header", "footer", "section", "article", "details"} <= set(tags)
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


def candidates() -> tuple[Summary, list[Session], list[Rating], list[SessionOutcome]]:
    """Three candidates under two face conditions, rated by two."""
    due = samples.scenarios(8, conditions=(FaceCondition.MATCHED, FaceCondition.NONE))
    sessions: list[Session] = []
    ratings: list[Rating] = []
    for name, skill in (("scripted/able", 0.7), ("scripted/equal", 0.7), ("vllm/some/poor", 0.2)):
        held, rated = samples.run_of(due, name, "", skill)
        sessions += held
        ratings += rated
        ratings += [one.model_copy(update={"rater": "judge"}) for one in rated]
    ratings[-1] = ratings[-1].model_copy(
        update={"items": {name: ItemRating(score=1) for name in ratings[-1].items}}
    )
    gathered = gather(sessions, ratings, score_rating)
    return summarize(sessions, ratings, due), sessions, ratings, list(gathered.outcomes)


def test_the_first_screen_has_a_row_per_candidate_the_best_first() -> None:
    summary, sessions, ratings, _ = candidates()
    html = render_report(summary, sessions[:1], ratings, [], samples.FACES.get, RunInfo())
    first = html[html.index('id="first"') : html.index("</section>")]
    rows = re.findall(r'<tr>\s*<td class="num place".*?</tr>', first, re.DOTALL)
    assert len(rows) == 3
    assert "poor" in rows[2]
    for row in rows:
        assert row.count('<svg class="bar"') == 2
        assert row.count("tie group") == 2
    assert "and cannot be told apart from" in first
    assert first.index("poor is behind") < first.index("<table")
    assert "too few sessions" in first or "not told" in first
    for part in ("safety", "run", "scores", "faces", "sessions", "figures"):
        assert f'id="{part}"' not in first


def test_everything_below_the_first_screen_but_the_limits_is_folded() -> None:
    html = html_of()
    below = html[html.index("</section>") :]
    outside = re.sub(r'<details class="part".*?\n</div></details>', "", below, flags=re.DOTALL)
    assert "<table" not in outside
    assert "<article" not in outside
    assert re.findall(r"<h2[^>]*>([^<]*)", outside) == ["Limits"]
    assert "<details open" not in html


def test_sessions_are_shown_for_a_reason() -> None:
    summary, sessions, ratings, outcomes = candidates()
    chosen = telling_sessions(summary, outcomes)
    assert {one.why for one in chosen} == {"largest disagreement of raters", "largest gain by the face"}
    read = [one for one in sessions if one.key in {two.key for two in chosen}]
    html = render_report(summary, read, ratings, [], samples.FACES.get, RunInfo(), chosen)
    text = " ".join(Page(html).text.split())
    for number, one in enumerate(chosen, 1):
        assert f'id="s{number}-fold"' in html
        assert f"{one.why.capitalize()}:" in text
        assert one.told in text
