"""Agreement on classes: confusion, precision and recall, macro-F1 and kappa, with intervals over clusters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from mirror_bench.stats.intervals import Floats, Interval
from mirror_bench.stats.jackknife import cluster_codes, jackknife_interval


class ClassFigures(NamedTuple):
    """Precision, recall and F1 of one class.

    Attributes:
        name: The class.
        precision: Share of what was so called that is so; None where nothing was so called.
        recall: Share of what is so that was so called; None where nothing is so.
        f1: Their harmonic mean; 0 where nothing was found rightly.
        size: How many there are by the reference.
    """

    name: str
    precision: float | None
    recall: float | None
    f1: float
    size: int


class Agreement(NamedTuple):
    """How far predicted classes agree with a reference: confusion, macro-F1 and kappa.

    Attributes:
        names: The classes.
        confusion: Row per class by the reference, column per class found; counts.
        classes: Figures per class.
        macro_f1: Mean F1 over the classes that the reference has, clustered interval.
        kappa: Cohen's kappa, clustered interval; None where one class is all there is.
    """

    names: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassFigures, ...]
    macro_f1: Interval
    kappa: Interval | None


def class_agreement(
    reference: Sequence[str],
    found: Sequence[str],
    names: Sequence[str],
    clusters: Sequence[Hashable],
) -> Agreement:
    """Compares found classes with those of a reference.

    Args:
        reference: n classes; at least one.
        found: n classes.
        names: All classes there can be.
        clusters: n cluster names; for the intervals one whole cluster after the other is left out.

    Raises:
        ValueError: If there is nothing to compare, or a class is not among `names`.
    """
    if not reference:
        raise ValueError("nothing to compare")
    size, codes = len(names), cluster_codes(clusters)
    cells = [names.index(r) * size + names.index(f) for r, f in zip(reference, found, strict=True)]
    tables = np.zeros((int(codes.max()) + 1, size * size))
    np.add.at(tables, (codes, np.array(cells)), 1.0)

    def drawn(weights: Floats) -> Floats:
        table: Floats = (weights @ tables).reshape(len(weights), size, size)
        return table

    total = tables.sum(axis=0).reshape(size, size)
    macro = jackknife_interval(
        lambda weights: _macro_f1(drawn(weights)), len(tables), len(reference), scale="share"
    )
    if macro is None:  # It exists wherever there is a unit.
        raise ValueError("nothing to compare")
    return Agreement(
        tuple(names),
        tuple(tuple(int(cell) for cell in row) for row in total),
        tuple(_figures(name, place, total) for place, name in enumerate(names)),
        macro,
        jackknife_interval(
            lambda weights: _kappa(drawn(weights)), len(tables), len(reference), scale="correlation"
        ),
    )


def _figures(name: str, place: int, table: Floats) -> ClassFigures:
    hits, called, real = table[place, place], table[:, place].sum(), table[place].sum()
    return ClassFigures(
        name,
        float(hits / called) if called else None,
        float(hits / real) if real else None,
        float(2 * hits / (called + real)) if called + real else 0.0,
        int(real),
    )


def _macro_f1(tables: Floats) -> Floats:
    """Returns a mean F1 per table; classes that a table's reference lacks do not enter it."""
    hits = np.diagonal(tables, axis1=1, axis2=2)
    real, called = tables.sum(axis=2), tables.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = np.where(real > 0, 2 * hits / (real + called), 0.0)
        mean: Floats = f1.sum(axis=1) / (real > 0).sum(axis=1)
    return mean


def _kappa(tables: Floats) -> Floats:
    """Returns Cohen's kappa per table of counts: `agreement.cohen_kappa` for thousands of units."""
    n = tables.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = np.trace(tables, axis1=1, axis2=2) / n
        chance = (tables.sum(axis=2) * tables.sum(axis=1)).sum(axis=1) / n**2
        kappa: Floats = np.where(chance < 1, (agreed - chance) / (1 - chance), np.nan)
    return kappa
