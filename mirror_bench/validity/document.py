"""Writes `VALIDITY.md`: what was tested about the scores, what was found, and what none of it shows."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from mirror_bench.data.checks.canary import CANARY
from mirror_bench.validity.display import write_evidence_plots
from mirror_bench.validity.evidence import Evidence, Target, markdown_table

PLOTS = "validity"
"""The folder of the figures, beside the document."""
WIDTH = 140

_PREAMBLE = (
    "What speaks for the scores of mirror-bench, and what does not. `mirror-bench validate --all` writes it "
    "anew; nothing in it is set by hand. A target that is missed stays in the table, marked NO. Figures of "
    "the coded rater stand first for sets that it was not fitted on; what its phrases were written on is "
    "marked as such and has no target. It cannot order AI therapists: on sessions of AI clinicians it does "
    "not agree with psychologists."
)
_QUICK = (
    "**Made with `--quick`:** a small part of everything was examined, to see that it works. The figures are "
    "not those of the full examinations."
)
_GENERAL = (
    "No clinician has reviewed the scores, the clients, the faces or this document.",
    "No score here has been held against what became of a client; a good score is no evidence that somebody "
    "would be helped, or not harmed.",
    "AnnoMI, the only whole sessions of other people on which the tables stand, is motivational interviewing "
    "in English, for the most part played for teaching. It is not cognitive behavioral therapy, and no "
    "patient was in it.",
    "The coded rater and the stateful client know phrases and forms of sentences, not meaning, and hear "
    "through the same codes: what the codes miss, both miss.",
    "Scripted therapists are known to differ by how they were written. That scores order them shows that "
    "scores follow what was written into them, not that they order therapists who are nearly alike.",
    "Judges that are language models change with their version; what was found with one holds for that one.",
)


def write_document(found: Mapping[str, Evidence], folder: Path, *, quick: bool = False) -> Path:
    """Writes `folder/VALIDITY.md` and its figures in `folder/validity`, and returns the document's path.

    The same evidence gives the same bytes. Figures of an earlier document that this one does not show are
    removed, so that none is left that nothing explains.

    Args:
        found: Name -> evidence, in the order of the document.
        folder: Where it is written; made where missing.
        quick: Whether only a small part was examined, as the document then says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fresh = {path for evidence in found.values() for path in _write_plots(evidence, folder / PLOTS)}
    if (folder / PLOTS).is_dir():
        for path in (folder / PLOTS).glob("*.svg"):
            if path not in fresh:
                path.unlink()
    path = folder / "VALIDITY.md"
    path.write_text(document(found, quick=quick), encoding="utf-8")
    return path


def document(found: Mapping[str, Evidence], *, quick: bool = False) -> str:
    """Returns the document as Markdown, without a date and without a path of the machine."""
    parts = [
        f"<!-- Benchmark data: keep it out of training corpora. {CANARY} -->\n# Validity of the scores",
        _paragraph(_PREAMBLE),
        _paragraph(_QUICK) if quick else "",
        "## Summary",
        _summary(found),
        *(_section(evidence) for evidence in found.values()),
        "## What none of this shows",
        _list(_GENERAL),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _write_plots(evidence: Evidence, folder: Path) -> list[Path]:
    return write_evidence_plots(evidence, folder, ("svg",)) if evidence.plots else []


def _summary(found: Mapping[str, Evidence]) -> str:
    rows = []
    for evidence in found.values():
        if evidence.skipped:
            rows.append((evidence.title, "–", "–", "–", "skipped"))
        rows += [(evidence.title, *_cells(target)) for target in evidence.targets]
    return markdown_table(("examination", "measured", "target", "found", "met"), rows)


def _section(evidence: Evidence) -> str:
    heading = f"## {evidence.title}"
    if evidence.skipped:
        return f"{heading}\n\n{_paragraph(f'**Skipped:** {evidence.skipped}.')}"
    parts = [heading, *map(_paragraph, evidence.tested.split("\n\n"))]
    if evidence.targets:
        parts.append(
            markdown_table(("measured", "target", "found", "met"), list(map(_cells, evidence.targets)))
        )
    for table in evidence.tables:
        if table.rows:
            parts.append(f"**{table.title}**" if table.title else "")
            parts.append(markdown_table(table.heads, table.rows))
    parts += [
        f"![{_one_line(plot.caption)}]({PLOTS}/{plot.name}.svg)\n\n*{_one_line(plot.caption)}*"
        for plot in evidence.plots
    ]
    if evidence.not_shown:
        parts += ["Not shown:", _list(evidence.not_shown)]
    return "\n\n".join(part for part in parts if part)


def _cells(target: Target) -> tuple[str, str, str, str]:
    return target.what, target.wanted, target.found, "yes" if target.met else "**NO**"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("[", "(").replace("]", ")")


def _paragraph(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def _list(sentences: tuple[str, ...]) -> str:
    return "\n".join(
        textwrap.fill(
            " ".join(sentence.split()),
            WIDTH,
            initial_indent="- ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for sentence in sentences
    )
