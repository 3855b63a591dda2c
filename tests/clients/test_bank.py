"""The utterance bank: complete, readable, and shown on the face that its mood names."""

import itertools
from pathlib import Path

import pytest

from mirror_bench.clients.stateful import utterances
from mirror_bench.clients.stateful.utterances import Act, Band, load_bank
from mirror_bench.coding.face_remarks import ALIKE
from mirror_bench.errors import InputError
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.faces.facs.expressions import EXPRESSIONS, similarity
from mirror_bench.schema import Resistance


@pytest.mark.parametrize("resistance", Resistance)
def test_every_act_has_lines_and_a_mood_in_every_band(resistance: Resistance) -> None:
    loaded = load_bank(resistance)
    for act in Act:
        assert any(loaded.lines[act].values()), act
        for band in Band:
            assert loaded.moods_of(act, band)
    assert len(loaded.all_lines()) >= 120


def test_lines_are_many_and_none_stands_twice() -> None:
    texts: set[str] = set()
    for resistance in Resistance:
        texts |= {line.text for line in load_bank(resistance).all_lines()}
    assert len(texts) >= 350
    own = [line.text for line in load_bank(Resistance.EMOTIONAL).all_lines()]
    assert len(own) == len(set(own))


def test_every_direction_shows_its_mood() -> None:
    directions = load_bank(Resistance.NONE).directions
    assert set(directions) <= set(EXPRESSIONS)
    for mood, texts in directions.items():
        for text in texts:
            reading = read_direction(text)
            if mood == "neutral":
                assert reading.expression.label == "neutral", text
            else:
                assert similarity(reading.expression, EXPRESSIONS[mood]) >= 0.6, (mood, text)
            assert len(reading.unknown) <= 2, (text, reading.unknown)


def test_masks_show_what_the_words_deny() -> None:
    for resistance in Resistance:
        loaded = load_bank(resistance)
        assert "happiness" not in loaded.moods["masked"]
        assert "relieved" not in loaded.moods["masked"]
        for one, other in itertools.permutations(loaded.moods["masked"], 2):
            for direction in loaded.directions[one]:
                shown = read_direction(direction).expression
                assert similarity(shown, EXPRESSIONS[other]) < ALIKE, (
                    f"{other} would be right for {direction}"
                )
        assert len(loaded.moods["masked"]) >= (2 if resistance is Resistance.NONE else 4)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("lines: {shouts: [Hey.]}", "shouts"),
        ("lines: {answer: {late: [Hey.]}}", "late"),
        ("lines: {answer: ['About {nobody}.']}", "nobody"),
        ("lines: {answer: ['About {topic.']}", "answer"),
        ("lines: {answer: Hey}", "answer"),
        ("moods: {answer: [glee]}", "glee"),
        ("moods: {nowhere: [sadness]}", "nowhere"),
        ("stray: 1", "stray"),
    ],
)
def test_wrong_content_is_named(
    content: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "common.yaml").write_text(content)
    (tmp_path / "moods.yaml").write_text("sadness: [Looks sad]")
    monkeypatch.setattr(utterances, "content_path", lambda *parts: tmp_path / parts[-1])
    load_bank.cache_clear()
    try:
        with pytest.raises(InputError, match=named) as caught:
            load_bank(Resistance.NONE)
        assert "\n" not in str(caught.value)
        assert "common.yaml" in str(caught.value)
    finally:
        load_bank.cache_clear()
