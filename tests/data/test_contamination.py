from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirror_bench.data.checks.canary import CANARY
from mirror_bench.data.checks.contamination import Protected, corpus_texts
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.errors import InputError


@pytest.fixture(scope="module")
def protected() -> Protected:
    return Protected(load_mini().of_split("test"))


def long_line() -> str:
    plays = load_mini().of_split("test").screenplays
    return max((line.words for play in plays for line in play.lines), key=len)


def test_finds_a_line_of_the_test_split_in_an_escaped_corpus(protected: Protected, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus" / "part.jsonl"
    corpus.parent.mkdir()
    corpus.write_text(json.dumps({"chat": [{"content": f"Well. {long_line()} So…"}]}) + "\n")
    (tmp_path / "corpus" / "clean.txt").write_text("Nothing that anybody ever wrote for a benchmark.")
    (hit,) = protected.check_all(corpus_texts([tmp_path / "corpus"]))
    assert hit.source.endswith("part.jsonl")
    assert hit.runs >= 1
    assert not hit.canary
    assert hit.of.startswith("mini-")


def test_finds_the_canary_alone(protected: Protected) -> None:
    hit = protected.check("page", f"scraped: {CANARY}")
    assert hit is not None
    assert (hit.canary, hit.runs) == (True, 0)


def test_finds_a_line_of_a_voice(protected: Protected) -> None:
    voices = [v.words for p in load_mini().of_split("test").profiles for v in p.voice]
    long = [words for words in voices if len(words.split()) >= 12]
    assert long
    assert all(protected.check("x", words) for words in long)


def test_the_other_splits_share_nothing_with_test(protected: Protected) -> None:
    rest = [part for split in ("train", "dev") for part in [load_mini().of_split(split)]]
    for part in rest:
        texts = [
            *(line.words for play in part.screenplays for line in play.lines),
            *(line.words for profile in part.profiles for line in profile.voice),
            *(text for profile in part.profiles for text in (*profile.guarded, profile.history)),
        ]
        assert protected.check_all(("text", text) for text in texts) == []


def test_a_corpus_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no text was found"):
        list(corpus_texts([tmp_path]))
    with pytest.raises(InputError, match="cannot be read"):
        list(corpus_texts([tmp_path / "absent.txt"]))
