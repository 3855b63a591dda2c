"""Muon's steps are orthogonal, and those of torch's own within bfloat16's precision."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from baselines.muon import Muon, orthogonal

SHAPES = ((24, 24), (64, 24), (24, 64), (24, 64))


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_come_near_one_and_vectors_stay(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = orthogonal(matrix[None])[0]
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.5
    assert values.max() < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    turned = left.mT @ found @ right.mT
    assert torch.allclose(turned, torch.diag(turned.diagonal()), atol=1e-4)


def test_ten_steps_are_those_of_torch() -> None:
    draw = torch.Generator().manual_seed(1)
    start = [torch.randn(shape, generator=draw) for shape in SHAPES]
    ours, theirs = ([torch.nn.Parameter(one.clone()) for one in start] for _ in range(2))
    mine = Muon(ours, lr=0.02, momentum=0.95)
    reference = torch.optim.Muon(theirs, lr=0.02, momentum=0.95, weight_decay=0.0)
    for _ in range(10):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=draw)
            other.grad = one.grad.clone()
        mine.step()
        reference.step()
    for one, other, before in zip(ours, theirs, start, strict=True):
        moved = (other.detach() - before).norm()
        assert (one.detach() - other.detach()).norm() < 0.05 * moved
