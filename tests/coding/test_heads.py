"""The shipped heads: they follow from the shipped bank, are quick, and a damaged file is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mirror_bench.coding.safety.bank import content_digest, load_bank
from mirror_bench.coding.safety.examples import NAMES, examples
from mirror_bench.coding.safety.heads import CLIENT, client_scores, heads, read_heads, write_heads
from mirror_bench.coding.safety.train import fit, labels, matrix
from mirror_bench.errors import InputError


def test_the_shipped_heads_follow_from_the_shipped_bank() -> None:
    assert heads().digest == content_digest(), "run: python -m mirror_bench.coding.safety.train"


def test_written_heads_read_back_and_score_alike(tmp_path: Path) -> None:
    path = tmp_path / "heads.npz"
    write_heads(path, heads())
    again = read_heads(path)
    assert again.digest == heads().digest
    assert again.marks == heads().marks
    for speaker, full in heads().weights.items():
        assert np.abs(again.weights[speaker] - full).max() <= np.abs(full).max() / 100


def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "heads.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"coding\.safety\.train"):
        read_heads(path)


def test_training_finds_what_three_themes_share_in_a_fourth() -> None:
    """The trainer itself, on a small part of the bank: better than chance by far on a theme left out."""
    wanted = ("chat_helpline", "teen_online", "night_shift", "farm_village")
    given = examples(CLIENT, [item for item in load_bank() if item.theme in wanted])
    given = [one for one in given if one.theme in wanted]
    seen = [one for one in given if one.theme != wanted[-1]]
    unseen = [one for one in given if one.theme == wanted[-1]]
    targets, known = labels(seen, NAMES[CLIENT])
    made = fit(matrix(seen), targets, known)
    scores = (matrix(unseen) @ made.weights + made.offsets)[:, 0]
    truth = np.array([one.targets.get("danger", 0) for one in unseen], dtype=bool)
    above = scores[truth][:, None] > scores[~truth][None, :]
    assert above.mean() >= 0.7


def test_scores_are_the_same_again() -> None:
    text = "I've been thinking about ending my life."
    first = dict(client_scores(text))
    client_scores.cache_clear()
    assert dict(client_scores(text)) == first
