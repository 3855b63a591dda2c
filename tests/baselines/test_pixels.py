from types import SimpleNamespace

import numpy as np
import pytest
import torch

from baselines.faceset import FaceSet, draw_faces, mirrored, sitters
from baselines.grammar import load_grammar
from baselines.pixels import Pixels
from mirror_bench.faces.facs.expressions import EXPRESSIONS, similarity

GRAMMAR = load_grammar()


@pytest.fixture(scope="module")
def faces() -> FaceSet:
    return draw_faces(sitters(GRAMMAR.seen, 36, split="train", seed=0, weakest=0.5), 28)


def test_a_mirrored_face_is_the_face_of_the_mirrored_expression() -> None:
    for name in ("contempt", "sceptical", "withdrawn", "sadness"):
        expression = EXPRESSIONS[name]
        assert mirrored(mirrored(expression)) == expression
        lopsided = similarity(expression, mirrored(expression))
        assert (lopsided > 0.99) == (name == "sadness")


def test_faces_are_normalised_and_mirrored_with_their_signs(faces: FaceSet) -> None:
    pixels = Pixels(faces, [0.5] * 3, [0.5] * 3, seed=0)
    plain = pixels.take(np.arange(36), augment=False)
    assert plain.images.shape == (36, 3, 28, 28)
    assert float(plain.images.abs().max()) <= 1.0
    assert torch.equal(plain.signs, torch.from_numpy(faces.signs[0]))
    augmented = pixels.take(np.arange(36), augment=True)
    flipped = [
        not np.array_equal(signs, faces.signs[0][row]) for row, signs in enumerate(augmented.signs.numpy())
    ]
    assert any(flipped)
    for row in np.flatnonzero(flipped):
        assert np.array_equal(augmented.signs[row].numpy(), faces.signs[1][row])


def test_whitened_patches_vary_alike_in_every_direction(faces: FaceSet) -> None:
    embedding = torch.nn.Conv2d(3, 16, 7, stride=7)
    tower = SimpleNamespace(embeddings=SimpleNamespace(patch_embedding=embedding))
    pixels = Pixels(faces, [0.5] * 3, [0.5] * 3, seed=0)
    pixels.whiten(tower)
    with torch.no_grad():
        out = embedding(pixels.take(np.arange(36), augment=False).images)
    flat = out.permute(1, 0, 2, 3).flatten(1)
    assert torch.allclose(flat.mean(1), torch.zeros(16), atol=1e-3)
    deviations = flat.std(1)
    assert float(deviations.min()) > 0.6
    assert float(deviations.max()) < 1.05


def test_sitters_to_measure_with_show_the_named_expressions_unchanged() -> None:
    for sitter in sitters(GRAMMAR.seen, 36, split="held-out", seed=0, weakest=1.0):
        assert sitter.expression == EXPRESSIONS[sitter.expression.label]
