"""`report.html`: one file that holds scores, figures and sessions, and asks nothing of the network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mirror_bench.analysis.attunement import ATTUNEMENT
from mirror_bench.analysis.candidate_scores import CandidateScores
from mirror_bench.analysis.display_names import CONDITION_NAMES, candidate_label, entry_labels, tidy
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.overview.first_look import (
    candidate_labels,
    candidate_rows,
    in_one_sentence,
    main_metrics,
)
from mirror_bench.analysis.overview.telling_sessions import TellingSession
from mirror_bench.analysis.summary import Summary
from mirror_bench.files import write_atomically
from mirror_bench.pages.charts import bar
from mirror_bench.pages.embedded_figures import embed_figure
from mirror_bench.pages.session_viewer import ENDINGS, Faces, view_session
from mirror_bench.schema import Rating, Record, Resistance, Score, Session


class RunInfo(Record):
    """What a report says of a run beside its summary.

    Attributes:
        title: Heading of the page.
        facts: What was run, in the order to show: "Client" -> "stateful", "Judge" -> ….
        notes: Further sentences for the limits section, such as the measured validity of the rater.
    """

    title: str = "MIRROR benchmark report"
    facts: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()


Groups = list[tuple[Metric, list[tuple[CandidateScores, Score | None]]]]


class ScoreTable(NamedTuple):
    """A table of scores, one group of rows per metric."""

    title: str
    id: str
    groups: Groups
    folded: bool


def write_report(
    path: Path,
    summary: Summary,
    sessions: Iterable[Session] = (),
    ratings: Iterable[Rating] = (),
    plots: Sequence[Path] = (),
    faces: Faces = lambda sha256: None,
    run: RunInfo | None = None,
    chosen: Sequence[TellingSession] = (),
) -> None:
    """Writes a self-contained page.

    Every text is escaped and bounded, and the page's own security policy allows nothing but its own style,
    script and inlined images. Equal arguments give equal bytes.

    Args:
        path: Where to write; replaced whole or not at all.
        summary: Scores to show.
        sessions: The few sessions to show in full.
        ratings: Ratings; those of other sessions are left out.
        plots: What `write_plots` returned; the SVGs are inlined.
        faces: Looks a face's PNG up by its SHA-256.
        run: What else to say.
        chosen: Why sessions are shown, as `telling_sessions` found; they are shown in this order.
    """
    html = render_report(summary, sessions, ratings, plots, faces, run or RunInfo(), chosen)
    write_atomically(path, html.encode())


def render_report(
    summary: Summary,
    sessions: Iterable[Session],
    ratings: Iterable[Rating],
    plots: Sequence[Path],
    faces: Faces,
    run: RunInfo,
    chosen: Sequence[TellingSession] = (),
) -> str:
    """Returns the page's HTML; arguments as for `write_report`."""
    telling = {telling_session.key: telling_session for telling_session in chosen}
    order = list(telling)
    shown = sorted(
        sessions, key=lambda session: order.index(session.key) if session.key in telling else len(order)
    )
    wanted = {session.key for session in shown}
    kept = [rating for rating in ratings if rating.session_key in wanted]
    rows = candidate_rows(summary)
    # Sessions held for safety alone make no entry, and so no row.
    apart = {row.key for row in rows}
    safeties = [row.safety for row in rows if row.safety]
    safeties += [safety for safety in summary.safety if (safety.therapist, safety.method) not in apart]
    css, script = asset("report.css"), asset("report.js")
    return (
        page_environment()
        .get_template("report.html.jinja")
        .render(
            css=css,
            script=script,
            css_hash=policy_hash(css),
            script_hash=policy_hash(script),
            run=run,
            summary=summary,
            labels=entry_labels((entry.key for entry in summary.entries), 40),
            rows=rows,
            verdict=in_one_sentence(summary),
            main_metrics=main_metrics(summary),
            safeties=safeties,
            safety_labels=candidate_labels((safety.therapist, safety.method) for safety in safeties),
            safety_items=list({item.id: item for safety in summary.safety for item in safety.items}.values()),
            tables=_tables(summary),
            totals=[metric for metric in summary.metrics if metric.kind == "total"],
            session_metrics=[m for m in summary.metrics if m.kind == "session" and m.name != ATTUNEMENT],
            attuned=_groups(summary, (ATTUNEMENT,)),
            resistances=[
                kind for kind in Resistance if any(kind in e.by_resistance for e in summary.entries)
            ],
            figures=[embed_figure(svg) for svg in plots if svg.suffix == ".svg"],
            sessions=[
                view_session(f"s{n}", session, kept, faces, telling.get(session.key))
                for n, session in enumerate(shown, 1)
            ],
            gain_reach=_gain_reach(summary),
            few=any(_few(score) for entry in summary.entries for score in _all_scores(entry)),
        )
    )


def shared_assets() -> tuple[Path, ...]:
    """Returns the style sheet and the script of all pages, for sites that keep them as files."""
    templates = Path(__file__).parent / "templates"
    return templates / "report.css", templates / "report.js"


@cache
def page_environment(*packages: str) -> Environment:
    """Returns the environment in which pages are made: escaping, bounding, with the filters for scores.

    Args:
        packages: Further packages whose `templates` folders are looked at first.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in (*packages, "mirror_bench.pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Escaping makes text harmless to HTML; this makes it harmless to the eye and to the page's size.
        finalize=lambda value: (
            tidy(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        ),
    )
    environment.globals.update(
        bar=bar, candidate_label=candidate_label, conditions=CONDITION_NAMES, endings=ENDINGS
    )
    environment.filters.update(number=_number, figure=_shown, interval=_interval, percent=_percent, tidy=tidy)
    return environment


def asset(name: str) -> Markup:
    """Returns a style sheet or script of the pages, to be put into one as it is."""
    return Markup((Path(__file__).parent / "templates" / name).read_text(encoding="utf-8"))


def policy_hash(text: str) -> str:
    """Returns what a page's security policy allows a style sheet or script of its own by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _number(value: float | None, digits: int = 2) -> str:
    """Returns a number with a true minus sign, or a dash for a missing one."""
    if value is None:
        return "–"
    text = f"{value:.{digits}f}"
    return (text[1:] if float(text) == 0 and text.startswith("-") else text).replace("-", "−")


def _shown(value: float | None, metric: str) -> str:
    """Returns a value as its metric is read: shares in percent, all else with two decimals."""
    return _percent(value) if metric == "dropout" and value is not None else _number(value)


def _interval(score: Score | None) -> str:
    if score is None or score.value is None:
        return ""
    if score.low is None or score.high is None:
        return "no interval"
    return f"[{_shown(score.low, score.metric)}, {_shown(score.high, score.metric)}]"


def _percent(value: float) -> str:
    return f"{_number(100 * value, 0)} %"


def _groups(summary: Summary, wanted: tuple[str, ...]) -> Groups:
    return [
        (metric, [(entry, entry.score(metric.name)) for entry in summary.entries])
        for metric in summary.metrics
        if metric.kind in wanted or metric.name in wanted
    ]


def _tables(summary: Summary) -> list[ScoreTable]:
    """Returns the totals, and below them what they consist of, unfolded only where that stays short."""
    few = len(summary.entries) <= 2
    tables = (
        ScoreTable("Totals", "totals", _groups(summary, ("total",)), False),
        ScoreTable("Subscales", "subscales", _groups(summary, ("subscale",)), not few),
        ScoreTable("Item by item", "items", _groups(summary, ("item",)), True),
    )
    return [table for table in tables if table.groups]


def _gain_reach(summary: Summary) -> dict[str, float]:
    """Returns, per metric, the largest end of any gain's interval: the half-width of its axis."""
    reach: dict[str, float] = {}
    for gain in summary.gains:
        ends = (gain.difference.value, gain.difference.low, gain.difference.high)
        largest = max((abs(end) for end in ends if end is not None), default=0.0)
        reach[gain.difference.metric] = max(reach.get(gain.difference.metric, 0.0), largest)
    return {metric: max(1.05 * largest, 1e-6) for metric, largest in reach.items()}


def _all_scores(entry: CandidateScores) -> Iterable[Score]:
    yield from entry.scores
    for scores in entry.by_resistance.values():
        yield from scores


def _few(score: Score) -> bool:
    from mirror_bench.stats.intervals import FEW_CLUSTERS

    return score.value is not None and score.clusters < FEW_CLUSTERS
