from pathlib import Path

import pytest

from mirror_bench.content import content_path
from mirror_bench.errors import InputError
from mirror_bench.faces.directions.lexicon import packaged_lexicon, read_lexicon, root

_BASE = "classes: {}\nweaken: {}\nnegate: []\nlittle: []\nstrengths: {}\nquiet: []\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cries", "cry"),
        ("crossing", "crossed"),
        ("glances", "glancing"),
        ("warily", "wary"),
        ("shrugged", "shrug"),
        ("drawn", "draws"),
        ("sadness", "sad"),
        ("tensed", "tense"),
        ("rolling", "rolls"),
        ("eyes", "eye"),
    ],
)
def test_inflections_share_a_stem(one: str, other: str) -> None:
    assert root(one) == root(other)


def test_one_brow_is_not_two() -> None:
    assert root("eyebrows") != root("eyebrow")


def test_every_packaged_phrase_keeps_a_word_to_match() -> None:
    lexicon = packaged_lexicon()
    assert len(lexicon.by_stem) > 300
    for phrases in lexicon.by_stem.values():
        assert all(phrase.words and all(phrase.words) for phrase in phrases)


@pytest.mark.parametrize(
    ("cues", "message"),
    [
        ("cues: [{say: ['@nowhere look']}]", "no class"),
        ("cues: [{units: {4: 1}}]", "must hold `say`"),
        ("cues: [{say: [no]}]", "quotes"),
        ("cues: [{say: [smile], like: glee}]", "glee"),
        ("cues: [{say: [smile], units: {13: 1}}]", "'13'"),
        ("cues: [{say: [the]}]\nlittle: [the]", "no word"),
        ("cues: [{say: [smile], like: happiness, strength: 3}]", "strength"),
    ],
)
def test_a_wrong_lexicon_is_refused_by_entry(tmp_path: Path, cues: str, message: str) -> None:
    path = tmp_path / "directions.yaml"
    base = _BASE.replace("little: []\n", "") if "little" in cues else _BASE
    path.write_text(base + cues)
    with pytest.raises(InputError, match=message) as caught:
        read_lexicon(path)
    assert "\n" not in str(caught.value)
    assert "directions.yaml" in str(caught.value)


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    path = tmp_path / "directions.yaml"
    path.write_text("classes: {}\n")
    with pytest.raises(InputError, match="'weaken' is missing"):
        read_lexicon(path)


def test_the_packaged_lexicon_is_the_one_read() -> None:
    assert packaged_lexicon().strengths == read_lexicon(content_path("faces", "directions.yaml")).strengths
