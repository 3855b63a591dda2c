"""Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/) in the precision of the weights.

`torch.optim.Muon` orthogonalises in bfloat16, which a CPU without bfloat16 arithmetic emulates: a step then
takes seconds. Here matrices keep their precision, and those of a shape share products.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

STEPS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration, chosen by its author for the steepest slope at 0."""


class Muon(torch.optim.Optimizer):  # type: ignore[misc]
    """Nesterov momentum whose steps are orthogonalised, for matrices within layers.

    Args:
        matrices: Parameters of two dimensions.
        lr: Learning rate.
        momentum: Share of the past gradients that is kept, in [0, 1).
    """

    def __init__(self, matrices: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(list(matrices), {"lr": lr, "momentum": momentum})

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Any = None) -> None:
        """Takes one step; `closure` is not called."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for matrix in group["params"]:
                if matrix.grad is not None:
                    by_shape.setdefault(matrix.shape, []).append(matrix)
            for shape, matrices in by_shape.items():
                steps = orthogonal(torch.stack([self._ahead(one, group["momentum"]) for one in matrices]))
                rate = group["lr"] * math.sqrt(max(1, shape[0] / shape[1]))
                for matrix, towards in zip(matrices, steps, strict=True):
                    matrix.add_(towards, alpha=-rate)

    def _ahead(self, matrix: Tensor, momentum: float) -> Tensor:
        """Returns the gradient with momentum, looking ahead as Nesterov does."""
        state = self.state[matrix]
        if not state:
            state["past"] = torch.zeros_like(matrix)
        state["past"].lerp_(matrix.grad, 1 - momentum)
        return matrix.grad.lerp(state["past"], momentum)


def orthogonal(matrices: Tensor) -> Tensor:
    """Returns matrices (n, rows, columns) with the same vectors and singular values near 1 (0.7 to 1.2)."""
    tall = matrices.shape[1] > matrices.shape[2]
    now = matrices.mT if tall else matrices
    now = now / now.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(STEPS):
        gram = now @ now.mT
        now = a * now + (b * gram + c * gram @ gram) @ now
    return now.mT if tall else now
