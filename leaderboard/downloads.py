"""The board as tables for programs: CSV, JSON and BibTeX."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from leaderboard.boards import Board, Model, badges
from mirror_bench.analysis.display_names import tidy
from mirror_bench.schema import Score

_SPECIAL = re.compile(r"[\\{}%&$#_~^]")
_TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def board_rows(board: Board) -> list[dict[str, Any]]:
    """Returns one flat row per model: what it is, and value, interval and tie groups of every metric."""
    return [_row(model, board) for model in board.models]


def board_csv(boards: Iterable[Board]) -> str:
    """Returns all boards as one CSV table (RFC 4180); a cell that a spreadsheet would run is made text."""
    rows = [row for board in boards for row in board_rows(board)]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return out.getvalue()


def board_json(boards: Iterable[Board]) -> str:
    """Returns all boards as JSON, a list of models for each protocol."""
    value = [
        {"protocol": board.protocol, "fingerprint": board.fingerprint, "models": board_rows(board)}
        for board in boards
    ]
    return json.dumps(value, indent=1, ensure_ascii=True) + "\n"


def model_json(model: Model, board: Board) -> str:
    """Returns everything the site knows of one model as JSON: its declaration and its whole summary."""
    value = {
        "slug": model.slug,
        "card": model.submission.card.model_dump(mode="json"),
        "board": _row(model, board),
        "summary": model.submission.summary.model_dump(mode="json"),
    }
    return json.dumps(value, indent=1, ensure_ascii=True) + "\n"


def sessions_csv(model: Model, board: Board) -> str:
    """Returns one row per session of the model's ranked face condition."""
    measured = [metric.name for metric in board.metrics]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["pair", "profile", "resistance", "ended", *measured])
    for outcome in sorted(model.held, key=lambda outcome: outcome.pair):
        values = [outcome.value(name) for name in measured]
        head = [outcome.pair, outcome.profile_id, outcome.resistance.value, outcome.ended.value]
        writer.writerow([_cell(one) for one in (*head, *values)])
    return out.getvalue()


def bibtex(models: Sequence[tuple[Model, Board]]) -> str:
    """Returns a BibTeX entry for each model on the board."""
    return "\n".join(_entry(model, board) for model, board in models)


def _entry(model: Model, board: Board) -> str:
    card = model.submission.card
    started = model.submission.header.environment.started[:4]
    fields = {
        "title": f"{{{_tex(card.name)}}}: submission to the MIRROR benchmark",
        "author": " and ".join(f"{{{_tex(author)}}}" for author in card.authors),
        "year": started if re.fullmatch(r"[0-9]{4}", started) else "",
        "note": _tex(
            f"Protocol {board.protocol}, fingerprint {board.fingerprint[:12]}, licence {card.licence}"
        ),
        "howpublished": rf"\url{{{_url(card.links[0])}}}" if card.links else "",
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{mirror-{model.slug},", *lines, "}", ""])


def _tex(text: str) -> str:
    line = " ".join(tidy(text, 400).split())
    return _SPECIAL.sub(lambda found: _TEX.get(found[0], "\\" + found[0]), line)


def _url(link: str) -> str:
    return re.sub(r"[{}\\%]", lambda found: f"\\%{ord(found[0]):02X}", link)


def _row(model: Model, board: Board) -> dict[str, Any]:
    card, entry = model.submission.card, model.entry
    row: dict[str, Any] = {
        "slug": model.slug,
        "model": tidy(card.name, 200),
        "authors": "; ".join(tidy(author, 200) for author in card.authors),
        "method": model.submission.method,
        "parameters_billions": card.parameters_billions,
        "modality": card.modality,
        "licence": tidy(card.licence, 200),
        "base_model": tidy(card.base_model, 200),
        "protocol": board.protocol,
        "fingerprint": board.fingerprint,
        "faces": entry.condition.value,
        "sessions_due": entry.coverage.due,
        "sessions_held": entry.coverage.held,
        "face_verdict": model.face.verdict if model.face else "",
        "badges": "; ".join(badge.text for badge in badges(model)),
    }
    for metric in board.metrics:
        row |= _columns(metric.name, entry.score(metric.name))
        if place := model.places.get(metric.name):
            row[f"{metric.name}.rank"] = place.rank
            row[f"{metric.name}.ties"] = "".join(place.groups)
    return row


def _columns(name: str, score: Score | None) -> dict[str, float | None]:
    if score is None:
        return {name: None, f"{name}.low": None, f"{name}.high": None}
    return {name: score.value, f"{name}.low": score.low, f"{name}.high": score.high}


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
