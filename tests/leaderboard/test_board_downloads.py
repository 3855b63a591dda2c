"""The board as CSV, JSON and BibTeX."""

import csv
import io
import json
from contextlib import ExitStack
from dataclasses import replace

import board_samples as boards
import pytest

from leaderboard.boards import Board, badges, make_boards
from leaderboard.downloads import bibtex, board_csv, board_json, model_json, sessions_csv
from leaderboard.load_submissions import read_submissions


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    place = boards.write_samples(tmp_path_factory.mktemp("board"))
    with ExitStack() as open_while:
        (found,) = make_boards(read_submissions(place, open_while, verify=False))
    return found


@pytest.fixture(scope="module")
def hostile_board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    place = boards.write_hostile(tmp_path_factory.mktemp("hostile"))
    with ExitStack() as open_while:
        (found,) = make_boards(read_submissions(place, open_while, verify=False))
    return found


def test_csv_and_json_hold_what_the_board_shows(board: Board) -> None:
    rows = list(csv.DictReader(io.StringIO(board_csv([board]))))
    (listed,) = json.loads(board_json([board]))
    assert [row["slug"] for row in rows] == [model.slug for model in board.models]
    for row, model, held in zip(rows, board.models, listed["models"], strict=True):
        score = model.score("ctrs.total")
        assert score is not None
        assert float(row["ctrs.total"]) == score.value == held["ctrs.total"]
        assert float(row["ctrs.total.low"]) == score.low
        place = model.places.get("ctrs.total")  # none where too few sessions are rated
        assert row["ctrs.total.rank"] == (str(place.rank) if place else "")
        assert (place is None) == (score.coverage < 0.95)


def test_the_better_model_stands_first(board: Board) -> None:
    assert [model.name for model in board.models][-1] == "Poor"
    assert board.models[0].places["ctrs.total"].rank == 1
    poor = board.models[-1]
    difference = poor.against[board.models[0].slug]["ctrs.total"].score
    turned = board.models[0].against[poor.slug]["ctrs.total"].score
    assert difference.value is not None
    assert turned.value == -difference.value
    assert (turned.low, turned.high) == (-(difference.high or 0), -(difference.low or 0))


def test_who_met_only_some_profiles_has_no_rank_however_high_it_scores(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = boards.write_samples(tmp_path_factory.mktemp("partly"))
    with ExitStack() as open_while:
        found = read_submissions(place, open_while, verify=False)
        (able,) = (one for one in found if one.card.name == "Able" and one.manifest)
        assert able.manifest is not None
        coverage = able.manifest.coverage.model_copy(update={"profiles_published": 48})
        partly = replace(able, manifest=able.manifest.model_copy(update={"coverage": coverage}))
        (board,) = make_boards([partly if one is able else one for one in found])
    (model,) = (one for one in board.models if one.name == "Able")
    assert model.places == {}
    assert board.models[0].name != "Able"
    assert "Met 8 of the protocol's 48 profiles. It has no rank." in {
        badge.meaning for badge in badges(model)
    }


def test_badges_tell_what_is_known(board: Board) -> None:
    said = {model.name: {badge.text for badge in badges(model)} for model in board.models}
    assert all({"not verified", "safety not measured"} <= texts for texts in said.values())
    assert "partial coverage" in said["Poor"]
    assert "partial coverage" not in said["Able"]
    assert any(text.startswith("face: ") or text == "ignores faces" for text in said["Able"])


def test_one_row_for_each_session(board: Board) -> None:
    model = board.models[0]
    rows = list(csv.DictReader(io.StringIO(sessions_csv(model, board))))
    assert len(rows) == len(model.held)
    by_pair = {outcome.pair: outcome for outcome in model.held}
    for row in rows:
        assert float(row["wai.total"]) == by_pair[row["pair"]].value("wai.total")


def test_everything_of_a_model_is_in_its_json(board: Board) -> None:
    model = board.models[0]
    held = json.loads(model_json(model, board))
    assert held["summary"] == model.submission.summary.model_dump(mode="json")


def test_no_cell_is_a_formula(hostile_board: Board) -> None:
    model = hostile_board.models[0]
    card = model.submission.card.model_copy(update={"name": "=HYPERLINK(1)", "licence": "@x"})
    renamed = replace(model, submission=replace(model.submission, card=card))
    text = board_csv([replace(hostile_board, models=(renamed, *hostile_board.models[1:]))])
    for row in csv.reader(io.StringIO(text)):
        assert not any(cell[:1] in "=+@\t" for cell in row if cell)
    assert "'=HYPERLINK(1)" in text


def test_bibtex_is_balanced_whatever_a_name_holds(hostile_board: Board, board: Board) -> None:
    for found in (hostile_board, board):
        text = bibtex([(model, found) for model in found.models])
        assert text.count("@misc{") == len(found.models)
        bare = text.replace("\\{", "").replace("\\}", "")
        depth = 0
        for letter in bare:
            depth += (letter == "{") - (letter == "}")
            assert depth >= 0
        assert depth == 0
    assert "author = {{A. Author} and {B. Author}}" in text
