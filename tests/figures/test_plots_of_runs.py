"""Figures of `mirror-bench plot`: written where there is data, named where there is none, byte for byte."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import report_samples as samples
from PIL import Image

from mirror_bench.analysis.candidate_costs import CandidateCost, read_sizes, size_of, without_size
from mirror_bench.analysis.metrics import score_rating
from mirror_bench.analysis.session_outcomes import CandidateKey, SessionOutcome, gather
from mirror_bench.analysis.summary import Summary, compare_runs, summarize_outcomes
from mirror_bench.cli import plot
from mirror_bench.errors import InputError
from mirror_bench.figures.agreement import agreement_figure
from mirror_bench.figures.kinds import KINDS, Material, draw_kinds
from mirror_bench.figures.pareto import pareto_figures
from mirror_bench.figures.radar import radars
from mirror_bench.figures.ranks import stability_of
from mirror_bench.figures.style import COLUMN, METADATA, figure_style
from mirror_bench.schema import FaceCondition

SKILLS = {"vllm/Org/good": 0.7, "openai/fair": 0.5, "openai/poor": 0.3}
JUDGES = ("coded", "llm:openai/judge")


def material(
    skills: Mapping[str, float] = SKILLS,
    raters: Sequence[str] = JUDGES,
    conditions: Sequence[FaceCondition] = (FaceCondition.NONE, FaceCondition.MATCHED),
    sizes: Mapping[str, CandidateCost] | None = None,
) -> Material:
    """As the command gathers it: scores of the protocol's own rater, and every rater's beside them."""
    return Material(*measured(tuple(skills.items()), tuple(raters), tuple(conditions)), sizes or {})


@functools.cache
def measured(
    skills: tuple[tuple[str, float], ...], raters: tuple[str, ...], conditions: tuple[FaceCondition, ...]
) -> tuple[Summary, list[SessionOutcome], list[SessionOutcome]]:
    due = samples.scenarios(9, conditions=conditions)
    summaries = []
    outcomes: list[SessionOutcome] = []
    rated: list[SessionOutcome] = []
    for name, skill in skills:
        sessions, _ = samples.run_of(due, name, skill=skill)
        ratings = [one for s in sessions for rater in raters for one in samples.ratings_of(s, skill, rater)]
        own = gather(sessions, ratings, score_rating, ("coded",))
        summaries.append(summarize_outcomes(own, due))
        outcomes += own.outcomes
        rated += gather(sessions, ratings, score_rating).outcomes
    return compare_runs(summaries), outcomes, rated


SIZES = {
    "good": CandidateCost(parameters=72, cost=9),
    "openai/fair": CandidateCost(parameters=7),
    "poor": CandidateCost(parameters=8),
}


def test_the_command_and_the_figures_know_the_same_kinds() -> None:
    assert tuple(KINDS) == plot.KINDS
    assert tuple(METADATA) == plot.FORMATS


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.campaign)])
def test_every_kind_is_written_in_every_format_with_equal_bytes(tmp_path: Path, every: int) -> None:
    given = material(sizes=SIZES)
    one = draw_kinds(given, tuple(KINDS), tmp_path / "1", tuple(METADATA))
    assert set(one.written) == set(KINDS)
    assert not one.skipped
    assert {Path(path).stem for path in one.written["pareto"]} == {"pareto-parameters", "pareto-cost"}
    again = draw_kinds(given, tuple(KINDS)[::every], tmp_path / "2", tuple(METADATA))
    for kind, paths in again.written.items():
        for first, second in zip(one.written[kind], paths, strict=True):
            assert Path(first).read_bytes() == Path(second).read_bytes(), first
    for kind in KINDS:
        for first in one.written[kind]:
            if first.endswith(".png"):
                with Image.open(first) as image:
                    assert image.width == round(COLUMN * 300)
                    assert len(image.convert("RGB").getcolors(1 << 24) or []) > 3
            elif first.endswith(".svg"):
                assert ElementTree.parse(first).getroot().tag.endswith("svg")


def test_kinds_without_data_say_why_and_take_old_figures_away(tmp_path: Path) -> None:
    draw_kinds(material(), tuple(KINDS), tmp_path, ("png",))
    alone = material({"a/x": 0.5}, ("coded",), (FaceCondition.MATCHED,))
    drawn = draw_kinds(alone, tuple(KINDS), tmp_path, ("png",))
    assert set(drawn.skipped) == {"pareto", "ranks", "agreement", "gain"}
    assert "--sizes" in drawn.skipped["pareto"]
    assert {path.stem for path in tmp_path.iterdir()} == set(KINDS) - set(drawn.skipped)
    nothing = Material(summarize_outcomes(gather([], [], score_rating), 4))
    assert not draw_kinds(nothing, tuple(KINDS), tmp_path / "none", ("png",)).written
    assert not (tmp_path / "none").exists()


def test_a_candidate_stands_once_with_its_own_face() -> None:
    assert [one.condition for one in material().candidates] == [FaceCondition.MATCHED] * 3
    deaf = material(conditions=(FaceCondition.NONE,))
    assert [one.condition for one in deaf.candidates] == [FaceCondition.NONE] * 3


def test_radars_hold_four_candidates_each() -> None:
    many = material({f"m/{index}": 0.5 for index in range(6)}, ("coded",), (FaceCondition.MATCHED,))
    figures = radars(many.candidates, many.summary.metrics)
    drawn = [[text.get_text() for text in figure.legends[0].get_texts()] for figure in figures]
    assert drawn == [["0", "1", "2", "3"], ["4", "5"]]
    titles = [ax.get_title() for ax in figures[0].axes]
    assert titles == ["CTRS items (0 to 6)", "WAI items (1 to 5)"]


def test_the_front_of_a_pareto_figure_is_filled() -> None:
    given = material(sizes=SIZES)
    figure = pareto_figures(given.candidates, given.summary.metrics, given.sizes)["parameters"]
    for ax in figure.axes:
        lines: Any = ax.lines
        filled = {
            float(line.get_xdata()[0]): line.get_markerfacecolor() != "#ffffff"
            for line in lines
            if len(line.get_xdata()) == 1
        }
        assert filled == {72: True, 7: True, 8: False}
        (front,) = [line for line in lines if line.get_linestyle() == "--"]
        assert list(front.get_xdata()) == [7, 72, 72]


def test_ranks_follow_skill_on_common_scenarios() -> None:
    given = material()
    keys = [entry.key for entry in given.candidates]
    for metric in given.summary.metrics:
        if metric.kind == "total":
            found = stability_of(given.outcomes, keys, metric)
            assert found is not None
            assert [keys[index].therapist for index in found.order] == list(SKILLS)
            assert (found.units, found.clusters) == (9, 9)
            assert found.shares[0][0] > 0.95
            assert stability_of(given.outcomes, keys[:1], metric) is None
            turned = stability_of(given.outcomes, keys, metric.model_copy(update={"better": "lower"}))
            assert turned is not None
            assert turned.order == found.order[::-1]


def test_panels_and_retests_are_no_raters_of_their_own() -> None:
    more = (*JUDGES, "llm:openai/judge (retest)", "panel(coded, llm:openai/judge)")
    two, four = material(), material(raters=more)
    with figure_style():
        figures = [agreement_figure(one.rated, one.summary.metrics) for one in (two, four)]
    assert figures[0] is not None
    assert figures[1] is not None
    titles = [[ax.get_title(loc="left") for ax in figure.axes] for figure in figures if figure]
    assert titles[0] == titles[1]
    assert all("n = 54" in title for title in titles[0])
    three = material(raters=(*JUDGES, "llm:other/judge"))
    matrix = agreement_figure(three.rated, three.summary.metrics)
    assert matrix is not None
    assert [label.get_text() for label in matrix.axes[0].get_yticklabels()] == ["openai/judge", "other/judge"]
    assert agreement_figure(material(raters=("coded",)).rated, two.summary.metrics) is None


@pytest.mark.filterwarnings(
    "error",  # of drawing; what earlier tests left to be collected is not meant
    "ignore::ResourceWarning",
    "ignore::DeprecationWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
def test_hostile_and_long_names_are_drawn_as_text(tmp_path: Path) -> None:
    names = ("$\\frac{$", "x/--><script>alert(1)</script>", "y/" + "long" * 200)
    given = material(dict.fromkeys(names, 0.5), (*JUDGES, "llm:模型/ᚠ\x00"), (FaceCondition.MATCHED,))
    for paths in draw_kinds(given, tuple(KINDS), tmp_path, ("svg",)).written.values():
        for path in paths:
            assert not list(ElementTree.parse(path).getroot().iter("{http://www.w3.org/2000/svg}script"))


def test_sizes_are_found_by_method_name_or_short_name(tmp_path: Path) -> None:
    path = tmp_path / "sizes.yaml"
    path.write_text("openai/a: 7\nopenai/a p+ec: {cost: 2.5}\nb: {tokens_per_second: 90, parameters: 1}\n")
    sizes = read_sizes(path)
    own = FaceCondition.MATCHED
    keys = [
        CandidateKey("openai/a", "p+ec", own),
        CandidateKey("openai/a", "direct", own),
        CandidateKey("vllm/Org/b?tp=2", "", own),
        CandidateKey("c/d", "p", own),
    ]
    found = [size_of(key, sizes) for key in keys]
    assert found == [
        CandidateCost(cost=2.5),
        CandidateCost(parameters=7),
        CandidateCost(parameters=1, tokens_per_second=90),
        None,
    ]
    assert without_size(keys, sizes) == ["c/d p"]


@pytest.mark.parametrize(
    "text",
    ["a: -1", "a: 0", "a: big", "a: true", "a: .nan", "a: .inf", "a: {}", "a: {weight: 3}", "a: {cost: x}"],
)
def test_bad_sizes_are_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sizes.yaml"
    path.write_text(f"good: 1\n{text}\n")
    with pytest.raises(InputError, match=r"sizes\.yaml: a: must be a number above 0"):
        read_sizes(path)
