"""Ratings of raters who came later count by their edition, as those of the protocol's do."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from mirror_bench.cli import cli
from mirror_bench.errors import InputError
from mirror_bench.protocol import RaterSettings
from mirror_bench.sessions.added_raters import FILE, added_editions, keep_added_raters, read_added_raters
from mirror_bench.sessions.rating import counted_ratings, standing_of
from mirror_bench.sessions.run_folder import read_ratings
from mirror_bench.sessions.run_header import read_header

JUDGE = RaterSettings(kind="llm", model="openai/judge?base_url=http://127.0.0.1:9/v1")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    command = ["run", "--therapist", "scripted/parrot", "--limit", "1", "--seeds", "0", "--no-safety"]
    command += ["--max-client-turns", "2", "--quiet", "--out", str(folder)]
    assert CliRunner().invoke(cli, command, catch_exceptions=False).exit_code == 0
    return folder


def test_a_rating_of_an_earlier_edition_counts_no_more(run: Path) -> None:
    keep_added_raters(run, [JUDGE])
    ((name, edition),) = added_editions(run).items()
    standing = standing_of(run, read_header(run))
    assert name not in standing.editions  # the protocol does not owe it
    mine = next(read_ratings(run)).model_copy(update={"rater": name})
    assert standing.counts(mine.model_copy(update={"rater_edition": edition}))
    assert not standing.counts(mine.model_copy(update={"rater_edition": "before"}))
    assert list(counted_ratings(run, standing)) == list(read_ratings(run))


def test_of_one_name_the_last_settings_count_and_none_leave_no_file(run: Path) -> None:
    keep_added_raters(run, [])
    assert not (run / FILE).exists()
    keep_added_raters(run, [JUDGE])
    keep_added_raters(run, [JUDGE.model_copy(update={"samples": 3}), RaterSettings()])
    assert [one.samples for one in read_added_raters(run)] == [3, 1]


def test_a_rater_that_is_not_here_leaves_its_ratings_and_a_damaged_file_is_named(run: Path) -> None:
    keep_added_raters(run, [RaterSettings(kind="of_another_package")])
    assert added_editions(run) == {}
    (run / FILE).write_text("[{]")
    with pytest.raises(InputError, match=FILE):
        standing_of(run, read_header(run))
