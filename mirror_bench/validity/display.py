"""Shows a piece of evidence on a terminal, as JSON, and as plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mirror_bench.validity.evidence import Evidence, Table


def show_evidence(evidence: Evidence) -> None:
    """Prints targets and tables with rich."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console()
    if evidence.skipped:
        console.print(Text(f"{evidence.title}: skipped: {evidence.skipped}"))
        return
    for table in (*evidence.tables, targets_table(evidence)):
        if not table.rows:
            continue
        rich = RichTable(title=Text(table.title), title_justify="left", box=SIMPLE, pad_edge=False)
        for place, head in enumerate(table.heads):
            rich.add_column(Text(head), justify="left" if place == 0 else "right")
        for row in table.rows:
            rich.add_row(*map(Text, row))
        console.print(rich)


def targets_table(evidence: Evidence, title: str = "Targets") -> Table:
    """Returns what was aimed at and what was found, as a table."""
    rows = tuple(
        (target.what, target.wanted, target.found, "yes" if target.met else "NO")
        for target in evidence.targets
    )
    return Table(title, ("measured", "target", "found", "met"), rows)


def evidence_json(evidence: Evidence) -> dict[str, Any]:
    """Returns an examination's findings for machines."""
    return {
        "title": evidence.title,
        "met": evidence.met,
        "skipped": evidence.skipped,
        "targets": [target._asdict() for target in evidence.targets],
        "tables": [table._asdict() for table in evidence.tables],
        "not_shown": list(evidence.not_shown),
    }


def write_evidence_plots(
    evidence: Evidence, folder: Path, endings: tuple[str, ...] = ("svg", "png")
) -> list[Path]:
    """Writes every plot as `folder/<name>.<ending>`; makes the folder where missing.

    Returns:
        The paths written.
    """
    from mirror_bench.figures.style import figure_style, save_figure

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with figure_style():
        for plot in evidence.plots:
            figure = plot.draw()
            for ending in endings:
                path = folder / f"{plot.name}.{ending}"
                save_figure(figure, path, dpi=200)
                written.append(path)
    return written
