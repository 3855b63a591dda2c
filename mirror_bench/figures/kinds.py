"""The kinds of figure that `mirror-bench plot` draws of one or several runs, and what each needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mirror_bench.analysis.candidate_costs import CandidateCost, without_size
from mirror_bench.analysis.candidate_scores import CandidateScores
from mirror_bench.analysis.session_outcomes import SessionOutcome
from mirror_bench.analysis.summary import Summary
from mirror_bench.figures.agreement import agreement_figure
from mirror_bench.figures.pareto import pareto_figures
from mirror_bench.figures.radar import radars
from mirror_bench.figures.ranks import rank_map
from mirror_bench.figures.scores import FIGURES
from mirror_bench.figures.style import figure_style, save_figure
from mirror_bench.schema import FaceCondition, Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Material:
    """The summary, session outcomes and model sizes that figures are drawn from.

    Attributes:
        summary: Of all runs.
        outcomes: Their sessions, with the scores of the raters that count.
        rated: The same sessions, with those of every rater.
        sizes: Candidate -> size, of the user's own file.
    """

    summary: Summary
    outcomes: Sequence[SessionOutcome] = ()
    rated: Sequence[SessionOutcome] = ()
    sizes: Mapping[str, CandidateCost] = field(default_factory=dict)

    @property
    def candidates(self) -> list[CandidateScores]:
        """One entry per candidate: with the own face, or with the first condition that it has."""
        found: dict[tuple[str, str], CandidateScores] = {}
        for entry in self.summary.entries:
            key = entry.therapist, entry.method
            if key not in found or entry.condition is FaceCondition.MATCHED:
                found[key] = entry
        return list(found.values())


class FigureKind(NamedTuple):
    """A kind of figure: how it is drawn, and what it needs.

    Attributes:
        draw: Returns figures by what follows the kind in their files' names; nothing without data.
        needs: What there was none of, where nothing is drawn.
    """

    draw: Callable[[Material], Mapping[str, Figure]]
    needs: str


class Drawn(Record):
    """The files that were drawn, and why others were not.

    Attributes:
        written: Kind -> paths.
        skipped: Kind -> why nothing was drawn.
        notes: What figures leave out.
    """

    written: Mapping[str, tuple[str, ...]]
    skipped: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()


def draw_kinds(material: Material, kinds: Sequence[str], folder: Path, formats: Sequence[str]) -> Drawn:
    """Writes figures as `folder/<kind>.<format>`; further figures of a kind as `<kind>-<which>.<format>`.

    Equal material gives equal bytes under one version of matplotlib. A figure of an earlier call that now has
    no data is removed, so that no folder mixes runs.

    Args:
        material: What to draw from.
        kinds: Of `KINDS`.
        folder: Made where missing, once there is something to write.
        formats: Of "png", "svg" and "pdf".
    """
    written: dict[str, tuple[str, ...]] = {}
    skipped: dict[str, str] = {}
    with figure_style():
        for name in kinds:
            figures = KINDS[name].draw(material)
            if not figures:
                skipped[name] = KINDS[name].needs
            for end in formats:
                (folder / f"{name}.{end}").unlink(missing_ok=True)
            written[name] = tuple(
                str(path)
                for which, figure in figures.items()
                for path in _save(folder, name, which, figure, formats)
            )
    missing = without_size([entry.key for entry in material.summary.entries], material.sizes)
    notes = [f"no size given for {name}: left out of pareto" for name in missing if written.get("pareto")]
    return Drawn(written={k: v for k, v in written.items() if v}, skipped=skipped, notes=tuple(notes))


def _save(folder: Path, name: str, which: str, figure: Figure, formats: Iterable[str]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}{'-' if which else ''}{which}.{end}" for end in formats]
    for path in paths:
        save_figure(figure, path)
    return paths


def _of_report(name: str) -> Callable[[Material], Mapping[str, Figure]]:
    """Returns how a figure that reports also show is drawn."""

    def draw(material: Material) -> Mapping[str, Figure]:
        figure = FIGURES[name](material.summary)
        return {} if figure is None else {"": figure}

    return draw


def _radar(material: Material) -> Mapping[str, Figure]:
    figures = radars(material.candidates, material.summary.metrics)
    return {"" if place == 0 else str(place + 1): figure for place, figure in enumerate(figures)}


def _pareto(material: Material) -> Mapping[str, Figure]:
    found = pareto_figures(material.candidates, material.summary.metrics, material.sizes)
    return {measure.replace("_", "-"): figure for measure, figure in found.items()}


def _ranks(material: Material) -> Mapping[str, Figure]:
    figure = rank_map(material.outcomes, material.candidates, material.summary.metrics)
    return {} if figure is None else {"": figure}


def _agreement(material: Material) -> Mapping[str, Figure]:
    figure = agreement_figure(material.rated, material.summary.metrics)
    return {} if figure is None else {"": figure}


KINDS: Mapping[str, FigureKind] = {
    "forest": FigureKind(
        _of_report("scores"),
        "no session has a total: rate the runs first (mirror-bench rate)",
    ),
    "radar": FigureKind(
        _radar,
        "no instrument has three rated items: rate the runs first (mirror-bench rate)",
    ),
    "resistance": FigureKind(
        _of_report("resistance"),
        "no session has a total: rate the runs first (mirror-bench rate)",
    ),
    "pareto": FigureKind(
        _pareto,
        "no candidate has both a total and a size: give --sizes FILE with an entry for it",
    ),
    "trajectory": FigureKind(
        _of_report("trajectories"),
        "the client logs no state: only the stateful client does",
    ),
    "ranks": FigureKind(
        _ranks,
        "it takes two candidates rated on common scenarios of two profiles: give more runs",
    ),
    "agreement": FigureKind(
        _agreement,
        "no session has totals of two raters: add another (mirror-bench rate --judge)",
    ),
    "gain": FigureKind(
        _of_report("visual_gain"),
        "no candidate was run with the own face and another condition (mirror-bench run --face-conditions)",
    ),
    "endings": FigureKind(_of_report("endings"), "no session is due"),
}
