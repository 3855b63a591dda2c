"""The paper's table as text for a terminal and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mirror_bench.analysis.display_names import candidate_label
from mirror_bench.schema import Score

if TYPE_CHECKING:
    from mirror_bench.analysis.overview.paper_table import PaperTable, TableRow

_NAME, _CELL = 34, 22


def as_text(table: PaperTable) -> str:
    """Returns the table as lines: a block per score, a row per candidate, a column per resistance type."""
    return "\n".join(_lines(table)) + "\n"


def _lines(table: PaperTable) -> Iterator[str]:
    yield f"protocol {table.protocol} ({table.fingerprint[:12]}), data {table.data}"
    yield f"client: {table.client or 'none'}; rated by: {', '.join(table.raters) or 'nobody'}"
    candidates: dict[tuple[str, str], dict[str, TableRow]] = {}
    for row in table.rows:
        candidates.setdefault((row.therapist, row.method), {})[row.resistance] = row
    types = list(dict.fromkeys(row.resistance for row in table.rows))
    yield ""
    yield _row("sessions held of due", types)
    for key, rows in candidates.items():
        yield _row(candidate_label(*key), [_held(rows.get(resistance)) for resistance in types])
    for place, metric in enumerate(table.columns):
        scale = "" if metric.low is None or metric.high is None else f", {metric.low:g} to {metric.high:g}"
        better = ", lower is better" if metric.better == "lower" else ""
        yield ""
        yield f"{metric.title}{scale}{better}"
        yield _row("", types)
        for key, rows in candidates.items():
            cells = [
                _shown(rows[resistance].scores[place]) if resistance in rows else "–" for resistance in types
            ]
            yield _row(candidate_label(*key), cells)
    if table.preferences:
        yield ""
        yield f"preferred by {table.compared_by} (wins-ties-losses of the first; its win rate, ties half)"
        for match in table.preferences:
            missing = f", {match.missing} without a verdict" if match.missing else ""
            yield (
                f"{match.resistance:<11} {match.first} over {match.second}: "
                f"{match.wins}-{match.ties}-{match.losses}  "
                f"{_shown(match.win_rate)}{missing}"
            )


def _row(name: str, cells: list[str]) -> str:
    return f"{name[:_NAME]:<{_NAME}}" + "".join(f"{cell:>{_CELL}}" for cell in cells)


def _held(row: TableRow | None) -> str:
    return "–" if row is None else f"{row.held} of {row.sessions}"


def _shown(score: Score) -> str:
    if score.value is None:
        return "–"
    interval = "" if score.low is None or score.high is None else f" [{score.low:.2f}, {score.high:.2f}]"
    return f"{score.value:.2f}{interval}"


def as_csv(table: PaperTable) -> str:
    """Returns the table as CSV: a line per candidate, resistance type and score, then one per preference."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        ("therapist", "method", "resistance", "metric", "value", "low", "high", "n", "sessions", "coverage")
    )
    for row in table.rows:
        for score in row.scores:
            told = (score.n, row.sessions, score.coverage)
            writer.writerow((row.therapist, row.method, row.resistance, *_numbers(score), *told))
    for match in table.preferences:
        rate, due = match.win_rate, match.wins + match.ties + match.losses + match.missing
        told = (rate.n, due, rate.coverage)
        writer.writerow((match.first, f"over {match.second}", match.resistance, *_numbers(rate), *told))
    return file.getvalue()


def _numbers(score: Score) -> tuple[str, ...]:
    values = (score.value, score.low, score.high)
    return (score.metric, *("" if value is None else f"{value:g}" for value in values))
