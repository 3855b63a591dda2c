"""Campaigns: a small sample of each, their state, and that they can find something."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from browsing import CHROMIUM

from benchmarks.browser import chromium
from benchmarks.campaigns.bad_luck import KINDS, BadLuck
from benchmarks.campaigns.base import Campaign, Outcome, hold
from benchmarks.campaigns.hostile import Hostile, opened
from benchmarks.campaigns.kills import KINDS as KILLED
from benchmarks.campaigns.kills import Kills
from benchmarks.campaigns.mutated import Mutated
from benchmarks.campaigns.readers import Reader, readers
from benchmarks.campaigns.tampered import Tampered
from benchmarks.campaigns.wire import Wire
from benchmarks.volume import write_run
from mirror_bench.analysis.run_summary import gather_run
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.sessions.rating import Standing
from mirror_bench.submissions.findings import Verdict


class Seventh:
    """Finds something in every seventh case, and breaks at the fifth."""

    name = "seventh"

    def __init__(self) -> None:
        self.held: list[int] = []

    def case(self, seed: int, number: int, place: Path) -> Outcome:
        self.held.append(number)
        if number == 5:
            raise KeyError("broken")
        return Outcome("number", "seen", "a\nseventh" if number % 7 == 6 else "")


def test_findings_are_lines_and_a_campaign_goes_on_where_it_was(tmp_path: Path) -> None:
    said: list[str] = []
    first = hold(Seventh(), 8, 3, tmp_path, said.append)
    assert [re.sub(r"py:\d+", "py:N", line.split(", ", 1)[1]) for line in said] == [
        "case 5, campaign: KeyError: 'broken' (test_campaigns.py:N)",
        "case 6, number: a seventh",
    ]
    assert first.line == "seventh (seed 3): 8 cases, 2 findings; campaign broken 1, number seen 7"
    again = Seventh()
    second = hold(again, 14, 3, tmp_path, said.append)
    assert again.held == list(range(8, 14))
    assert len(second.findings) == 3
    (tmp_path / "seventh-3.json").write_text(json.dumps({"done": 1}))
    with pytest.raises(InputError, match="remove it to begin anew"):
        hold(Seventh(), 2, 3, tmp_path)


@pytest.mark.parametrize(
    ("campaign", "seed", "number"),
    [
        (Mutated(), 11, 2409),  # tabs between braces
        (Mutated(), 11, 6738),  # a damaged memory, of which SQLite says what is no text
        (Mutated(), 11, 8623),  # a rater that does not exist, in run.json
        (Wire(), 11, 15),  # garbage before any answer
        (Tampered(), 14, 228),  # a mapping in place of a verdict
    ],
)
def test_what_earlier_campaigns_found_stays_mended(
    campaign: Campaign, seed: int, number: int, tmp_path: Path
) -> None:
    assert not campaign.case(seed, number, tmp_path).problem


@pytest.mark.parametrize("kind", list(readers()))
def test_every_reader_reads_its_sound_file(kind: str, tmp_path: Path) -> None:
    for name, content in readers()[kind].files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    readers()[kind].read(tmp_path)


def test_spoilt_files_are_read_or_refused_in_a_line(figure: Callable[[str, object], None]) -> None:
    _sample(Mutated(), 4 * len(readers()), figure)


def test_tracebacks_and_nameless_refusals_are_findings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(place: Path) -> object:
        raise IndexError("list index out of range")

    def nameless(place: Path) -> object:
        raise InputError("something is wrong")

    kinds = {"a": Reader({"x": b"1"}, broken), "b": Reader({"x": b"1"}, nameless)}
    monkeypatch.setattr("benchmarks.campaigns.mutated.readers", lambda: kinds)
    said: list[str] = []
    hold(Mutated(), 2, 0, say=said.append)
    assert "IndexError: list index out of range" in said[0]
    assert "names no file: something is wrong" in said[1]


def test_a_rating_of_an_unknown_item_is_told_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "run", "parrot", 1)
    path = tmp_path / "run" / "ratings.jsonl"
    path.write_text(path.read_text().replace('"understanding"', '"misunderstanding"'))
    # Whatever edition of rater and instrument the committed entry is of.
    monkeypatch.setattr(Standing, "counts", lambda self, rating: True)
    with pytest.raises(InputError, match=r"ratings\.jsonl: .* no item .misunderstanding.*; remove the line"):
        gather_run(tmp_path / "run")


def test_a_manifest_that_names_what_no_system_takes_is_refused(tmp_path: Path) -> None:
    for named in ('["' + "x" * 5000 + '"]', "5", "{}"):
        (tmp_path / "manifest.json").write_text(f'{{"personas": {named}}}')
        with pytest.raises(InputError) as caught:
            load_data(f"vera:{tmp_path}")
        assert "\n" not in str(caught.value)


def test_a_server_that_fails_at_every_fifth_call_loses_none(figure: Callable[[str, object], None]) -> None:
    _sample(Wire(), 3, figure)


def test_bad_luck_stops_a_run_in_one_line_and_the_same_command_ends_it(
    figure: Callable[[str, object], None],
) -> None:
    _sample(BadLuck(), len(KINDS), figure)


def _sample(campaign: Campaign, count: int, figure: Callable[[str, object], None]) -> None:
    found = hold(campaign, count, seed=2, say=lambda line: None)
    figure(campaign.name, found.line)
    assert found.findings == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(KILLED)))
def test_what_is_killed_goes_on_to_the_same(kind: str, tmp_path: Path) -> None:
    outcome = Kills().case(5, KILLED.index(kind), tmp_path)
    assert outcome.kind == kind
    assert not outcome.problem


def test_a_file_that_is_written_in_parts_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(path: Path, content: bytes) -> None:
        path.write_bytes(content[: len(content) // 2])
        time.sleep(60)  # killed before it goes on

    assert not Kills().case(7, KILLED.index("pack"), tmp_path / "sound").problem
    monkeypatch.setattr("mirror_bench.submissions.archive.write_atomically", slowly)
    monkeypatch.setattr("benchmarks.campaigns.kills._takes", lambda kind: 6.0)
    assert Kills().case(7, KILLED.index("pack"), tmp_path / "slow").problem == "the file is not whole"


@pytest.mark.slow
def test_a_value_changed_anywhere_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = []
    for number in range(8):
        (tmp_path / str(number)).mkdir()
        outcomes.append(Tampered().case(9, number, tmp_path / str(number)))
    assert {outcome.came_to for outcome in outcomes} <= {"found", "cannot be read"}
    assert len({outcome.kind for outcome in outcomes}) >= 3
    monkeypatch.setattr("benchmarks.campaigns.tampered.verify_file", lambda path: Verdict(file="", sha256=""))
    assert Tampered().case(9, 0, tmp_path / "0").problem


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_hostile_texts_stay_text_on_every_page(tmp_path: Path) -> None:
    assert Hostile().case(3, 0, tmp_path) == Outcome("pages", "stayed text")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<img src=x onerror=window.owned=1>", "a script ran"),
        ("<b onmouseover=window.owned=1>x</b>", "an element came to be"),
        ("<a href=' javascript:window.owned=1'>x</a>", "an element came to be"),
        ("<iframe srcdoc=x></iframe>", "an element came to be"),
        ("<style>@import 'https://example.com/x.css';</style>", "a request"),
        ("<script src=//example.com/x.js></script>", "a request"),
        ("<script>no(</script>", "an error"),
    ],
)
def test_a_page_that_lets_a_text_out_is_a_finding(body: str, told: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><main>{body}</main>")
    with chromium() as browser:
        assert any(told in said for said in opened(page.as_uri(), browser).problems)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_texts_that_no_session_shows_are_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.campaigns.hostile._addresses", lambda site: iter(()))
    assert "shown in no session" in Hostile().case(3, 0, tmp_path).problem
