"""One piece of evidence on the validity of scores, and how it reads in `docs/VALIDITY.md`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Target(NamedTuple):
    """A figure that was aimed at, beside what was found.

    Attributes:
        what: What was measured, a noun phrase.
        wanted: The target as text, for example ">= 0.90".
        found: The figure found, with its interval where it has one.
        met: Whether it reaches the target.
    """

    what: str
    wanted: str
    found: str
    met: bool


class Table(NamedTuple):
    """A table of text: `heads` names the columns, every row has as many cells."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Plot(NamedTuple):
    """A figure of an examination: its file name, caption and the function that draws it.

    Attributes:
        name: Its file name without an ending; letters, digits and hyphens.
        caption: What one sees, in a sentence; also its text for those who do not see it.
        draw: Returns the figure; called under the style of `figures.style`.
    """

    name: str
    caption: str
    draw: Callable[[], Figure]


@dataclass(frozen=True)
class Setting:
    """What an examination may use: AnnoMI where it is at hand, how much, and a seed.

    Attributes:
        annomi: AnnoMI as a CSV file, or None where it is not at hand.
        quick: Whether a small part is enough, as in tests; the full part goes into `VALIDITY.md`.
        seed: Seed of all that is drawn.
    """

    annomi: Path | None = None
    quick: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Evidence:
    """The result of one examination: what was tested, targets, tables and figures.

    Attributes:
        title: Its heading.
        tested: What was tested, on what and how: a paragraph or several.
        targets: What was aimed at.
        tables: Further figures.
        plots: Figures to draw.
        not_shown: What the examination does not show, a sentence each.
        skipped: Why nothing could be tested; empty where it was.
    """

    title: str
    tested: str
    targets: tuple[Target, ...] = ()
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    not_shown: tuple[str, ...] = ()
    skipped: str = ""

    @property
    def met(self) -> bool:
        """Whether every target is met."""
        return all(target.met for target in self.targets)


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table; bars in cells are escaped."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"

    return "\n".join((line(heads), line(["---"] * len(heads)), *(line(row) for row in rows)))
