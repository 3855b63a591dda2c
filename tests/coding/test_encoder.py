"""The sentence encoder: the same numbers in any company, from a file that a reader can check."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mirror_bench.coding.safety.bank import bank_digest
from mirror_bench.coding.safety.encoder import (
    LONGEST,
    encode,
    encoder,
    pieces_of,
    read_encoder,
    run,
    write_encoder,
)
from mirror_bench.errors import InputError

SENTENCES = (
    "I've been thinking about ending my life.",
    "no",
    "They were out of oat milk again, so I took the other one and it was fine.",
)


def test_the_shipped_encoder_was_tuned_on_the_shipped_bank() -> None:
    assert encoder().digest == bank_digest(), "run: python -m mirror_bench.coding.safety.tune"


def test_a_sentence_gives_the_same_numbers_in_any_company() -> None:
    made = encoder()
    together = run(made, [pieces_of(text, made.pieces) for text in SENTENCES])
    for text, numbers in zip(SENTENCES, together, strict=True):
        (alone,) = run(made, [pieces_of(text, made.pieces)])
        assert np.abs(alone - numbers).max() < 1e-4
        assert np.array_equal(encode([text])[0], encode([text])[0])


def test_words_are_split_into_known_pieces_and_long_sentences_are_cut() -> None:
    made = encoder()
    row = {place: piece for piece, place in made.pieces.items()}
    split = [row[place] for place in pieces_of("I’m zzyzxish", made.pieces)]
    assert split[:4] == ["[CLS]", "i", "'", "m"]
    assert split[-1] == "[SEP]"
    assert "".join(piece.removeprefix("##") for piece in split[4:-1]) == "zzyzxish"
    assert len(pieces_of("one " * 500, made.pieces)) == LONGEST


def test_a_written_encoder_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "encoder.npz"
    write_encoder(path, encoder())
    again = read_encoder(path)
    assert again.digest == encoder().digest
    rows = [pieces_of(text, again.pieces) for text in SENTENCES]
    for one, other in zip(run(again, rows), run(encoder(), rows), strict=True):
        assert np.abs(one - other).max() < 0.02


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "encoder.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"encoder\.npz"):
        read_encoder(path)


def test_tuning_goes_on_where_the_shipped_encoder_stands() -> None:
    tune = pytest.importorskip("mirror_bench.coding.safety.tune", reason="tuning needs the extra 'train'")
    pytest.importorskip(tune.PACKAGE)
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModel.from_pretrained(tune.original(), attn_implementation="eager")
    heads = tune.TunedHeads()
    tune.take_up(encoder(), model.encoder.layer[tune.FROZEN :], heads)
    taken, shipped = tune.arrays_of(model, heads), encoder().arrays
    moved = {name for name in taken if name.split(".")[0] in {"2", "3", "4", "5", "client", "therapist"}}
    assert len(moved) == 4 * 12 + 2
    for name in moved:
        assert np.abs(taken[name] - shipped[name]).max() < 1e-6, name
