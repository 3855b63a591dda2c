"""The Bradley-Terry model with ties of Davidson (1970), fitted so that strengths stay finite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_PRIOR = 0.25


@dataclass(frozen=True)
class StrengthFit:
    """A Davidson model fitted to counts of wins and ties.

    Attributes:
        counts: (2, n, n): wins of the row over the column, and ties in the upper half.
        prior: Counts of the same shape that were added.
        theta: n log strengths of mean 0 and, where ties occurred, log nu.
        loss: Minus the penalised log likelihood there.
        information: Fisher's, of theta, from the counts alone and the prior.
    """

    counts: Floats
    prior: Floats
    theta: Floats
    loss: float
    information: Floats

    @property
    def strengths(self) -> Floats:
        """Log strengths, of mean 0."""
        found: Floats = self.theta[: self.counts.shape[1]]
        return found

    @property
    def ties(self) -> float:
        """The tendency to ties; 0 where none occurred."""
        n = self.counts.shape[1]
        return float(np.exp(self.theta[n])) if len(self.theta) > n else 0.0

    def score(self, counts: Floats) -> Floats:
        """Returns the gradient of the log likelihood of a part of the counts at the fit."""
        gradient: Floats = -_loss(self.theta, counts)[1]
        return gradient

    def drop(self, direction: Floats, value: float) -> float:
        """Returns twice how much the log likelihood falls where `direction @ strengths` is held at a value.

        Args:
            direction: n numbers that sum to 0.
            value: Where it is held.
        """
        n, size = len(direction), len(self.theta)
        # Everything but the direction itself and the common level is free.
        fixed = np.vstack([direction, np.ones(n)])
        free = np.linalg.svd(fixed)[2][2:]
        basis = np.zeros((size, n - 2 + size - n))
        basis[:n, : n - 2] = free.T
        if size > n:
            basis[n, -1] = 1.0
        start = np.zeros(size)
        start[:n] = direction * value / float(direction @ direction)
        rest = basis.T @ (self.theta - start)
        found = _minimize(self.counts + self.prior, start, basis, rest)[1]
        return max(0.0, 2 * (found - self.loss))


def fit(counts: Floats) -> StrengthFit:
    """Returns the Davidson model fitted to (2, n, n) counts of wins and ties.

    A quarter of a win and of a loss per competitor, spread over its opponents, is added as a weak prior:
    nobody is then infinitely strong. It is half of what Firth's penalty (1993, "Bias reduction of maximum
    likelihood estimates") adds between two, and hardly moves those who met often.

    Args:
        counts: Wins of the row over the column, and ties in the upper half of the second plane.
    """
    wins, ties = counts
    n = wins.shape[0]
    met = wins + wins.T + ties + ties.T > 0
    opponents = np.maximum(met.sum(axis=1), 1)
    prior = np.zeros_like(counts)
    prior[0] = np.where(met, _PRIOR / np.sqrt(opponents[:, None] * opponents[None, :]), 0.0)
    size = n + int(ties.sum() > 0)
    basis = np.zeros((size, size - 1))
    basis[:n, : n - 1] = np.linalg.svd(np.ones((1, n)))[2][1:].T
    if size > n:
        basis[n, -1] = 1.0
    theta, loss = _minimize(counts + prior, np.zeros(size), basis, np.zeros(size - 1))
    return StrengthFit(counts, prior, theta, loss, _information(theta, counts + prior))


def _minimize(counts: Floats, start: Floats, basis: Floats, rest: Floats) -> tuple[Floats, float]:
    """Returns theta = start + basis @ rest with the least loss, and that loss, by Newton's method."""
    theta = start + basis @ rest
    loss, gradient = _loss(theta, counts)
    for _ in range(100):
        if not basis.shape[1]:
            break
        curved = basis.T @ _information(theta, counts) @ basis
        curved += 1e-10 * np.eye(len(curved)) * max(1.0, float(np.trace(curved)))
        step = basis @ np.linalg.solve(curved, basis.T @ gradient)
        scale = min(1.0, 5.0 / max(1e-300, float(np.abs(step).max())))
        for _ in range(30):
            trial, slope = _loss(theta - scale * step, counts)
            if trial <= loss:
                break
            scale /= 2
        if loss - trial < 1e-10 * max(1.0, abs(loss)):
            if trial <= loss:
                theta, loss = theta - scale * step, trial
            break
        theta, loss, gradient = theta - scale * step, trial, slope
    return theta, loss


def _shares(theta: Floats, n: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Returns log probabilities' parts: P(i beats j), P(j beats i), P(tie), and the log of their sum."""
    strength = theta[:n]
    ours, theirs = strength[:, None] + np.zeros(n), strength[None, :] + np.zeros((n, 1))
    tied = 0.5 * (ours + theirs) + theta[n] if len(theta) > n else np.full((n, n), -np.inf)
    top = np.maximum(np.maximum(ours, theirs), tied)
    total = np.exp(ours - top) + np.exp(theirs - top) + np.exp(tied - top)
    log_total = np.log(total) + top
    return np.exp(ours - log_total), np.exp(theirs - log_total), np.exp(tied - log_total), log_total


def _loss(theta: Floats, counts: Floats) -> tuple[float, Floats]:
    """Returns minus the log likelihood of counts and its gradient."""
    wins, ties = counts
    n = wins.shape[0]
    both = ties + ties.T  # symmetric; each tie twice
    won, _, tie, log_total = _shares(theta, n)
    met = wins + wins.T + both
    strength = theta[:n]
    loss = -(wins * (strength[:, None] - log_total)).sum()
    gradient = -(wins.sum(axis=1) + 0.5 * both.sum(axis=1)) + (met * (won + 0.5 * tie)).sum(axis=1)
    if len(theta) > n:
        halves = 0.5 * (strength[:, None] + strength[None, :]) + theta[n]
        loss -= 0.5 * (both * (halves - log_total)).sum()
        gradient = np.append(gradient, 0.5 * (met * tie).sum() - 0.5 * both.sum())
    return float(loss), gradient


def _information(theta: Floats, counts: Floats) -> Floats:
    """Returns Fisher's information of theta."""
    wins, ties = counts
    n = wins.shape[0]
    met = wins + wins.T + ties + ties.T
    won, lost, tie, _ = _shares(theta, n)
    # A comparison's score is (1, 0), (0, 1) or (1/2, 1/2) for the two strengths, less its mean.
    mean = won + 0.5 * tie
    own = met * (won + 0.25 * tie - mean**2)
    cross = met * (0.25 * tie - mean * (lost + 0.5 * tie))
    np.fill_diagonal(cross, 0.0)
    found: Floats = cross + np.diag((own - np.diag(np.diag(own))).sum(axis=1))
    if len(theta) == n:
        return found
    with_ties = (met * tie * (0.5 - mean)).sum(axis=1)
    ties_own = 0.5 * (met * tie * (1 - tie)).sum()
    whole: Floats = np.block([[found, with_ties[:, None]], [with_ties[None, :], np.array([[ties_own]])]])
    return whole
