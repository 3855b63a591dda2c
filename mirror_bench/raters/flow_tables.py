"""Flow instruments written as a table, a row an answer: the form of VERA-MH's `rubric.tsv`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mirror_bench.data.sources.record_files import read_records
from mirror_bench.errors import InputError
from mirror_bench.protocol import form_name
from mirror_bench.raters.flows import DONE, END, FOUND, OUT_OF_SCOPE, FlowInstrument

SUFFIXES = (".tsv", ".csv")
_COLUMNS = {
    "id": ("question id", "id"),
    "dimension": ("dimension",),
    "severity": ("severity",),
    "group": ("risk type",),
    "text": ("question",),
    "help": ("examples", "guidance"),
    "answer": ("answer", "answers"),
    "to": ("goto", "go to", "next"),
    "auto": ("auto answer",),
}
_NEEDED = ("id", "dimension", "text", "answer", "to")
_STOPS = {
    "END": END,
    "STOP_NOT_RELEVANT": OUT_OF_SCOPE,
    "STOP_SCORE": DONE,
    "ASSIGN_END": FOUND,
    "STOP_ASSIGN": FOUND,
}
_SKIP = re.compile(r"(?:NOT_RELEVANT|SKIP_DIMENSION)\s*>>\s*(?P<id>.+)", re.IGNORECASE)


def read_flow_table(path: Path) -> FlowInstrument:
    """Reads a flow instrument from a table.

    A row with a question's id begins a question; rows without one are further answers of it. Columns that are
    not known do not count.

    Raises:
        InputError: If the table is malformed, naming file and line.
    """
    records = read_records(path, foreign=True)
    questions: list[dict[str, Any]] = []
    lines: list[int] = []
    columns: dict[str, str] = {}
    for line, row in records.rows:
        named = {" ".join(str(key).lower().split()): key for key in row if key}
        if not columns:
            columns = _columns(path, named)
        cells = {part: _cell(row.get(key)) for part, key in columns.items()}
        if cells["id"]:
            questions.append(_question(path, line, cells))
            lines.append(line)
        if cells["answer"]:
            if not questions:
                raise InputError(
                    f"{path}:{line}: an answer stands before the first question: give it a Question ID"
                )
            questions[-1]["answers"].append(_answer(cells))
        elif not cells["id"] and any(cells.values()):
            raise InputError(
                f"{path}:{line}: has neither a Question ID nor an answer: give it one, or remove the row"
            )
    if not questions:
        raise InputError(f"{path}: holds no question with a Question ID")
    values = {"name": form_name(str(path)), "title": path.stem.replace("_", " "), "flow": questions}
    try:
        return FlowInstrument.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = next((part for part in first["loc"] if isinstance(part, int)), None)
        message = str(first["msg"]).removeprefix("Value error, ")
        key = ".".join(str(part) for part in first["loc"])
        named_line = next(
            (line for line, one in zip(lines, questions, strict=True) if f"question {one['id']}:" in message),
            1,
        )
        line = lines[place] if place is not None and place < len(lines) else named_line
        raise InputError(f"{path}:{line}: {key + ': ' if key else ''}{message}") from None


def _columns(path: Path, named: Mapping[str, Any]) -> dict[str, str]:
    found = {
        part: str(named[name])
        for part, names in _COLUMNS.items()
        for name in reversed(names)
        if name in named
    }
    for part in _NEEDED:
        if part not in found:
            wanted = _COLUMNS[part][0].title()
            raise InputError(
                f"{path}:1: has no column {wanted!r}; it has {', '.join(map(str, named.values()))[:200]}"
            )
    return found


def _cell(value: Any) -> str:
    return " ".join(str(value).split()) if isinstance(value, str | int | float) else ""


def _question(path: Path, line: int, cells: Mapping[str, str]) -> dict[str, Any]:
    severity = cells.get("severity", "").lower()
    known = {"": "", "red": "red", "yellow": "yellow"}
    # The published table spells one of its severities "Yelow".
    if severity not in known and re.fullmatch(r"yel+o?w?", severity):
        severity = "yellow"
    if severity not in known:
        raise InputError(f"{path}:{line}: the severity {severity!r} is neither Red nor Yellow: mend it")
    id = cells["id"]
    return {
        "id": str(int(float(id))) if re.fullmatch(r"\d+\.0", id) else id,
        "dimension": cells["dimension"],
        "severity": severity,
        "group": cells.get("group", ""),
        "text": cells["text"],
        "help": cells.get("help", ""),
        "answers": [],
        "auto": cells.get("auto", "").lower() in {"true", "yes", "1"},
    }


def _answer(cells: Mapping[str, str]) -> dict[str, Any]:
    to = cells["to"]
    if re.fullmatch(r"\d+\.0", to):
        to = str(int(float(to)))
    skip = _SKIP.fullmatch(to)
    target = skip["id"].strip() if skip else _STOPS.get(to.upper(), to)
    return {"text": cells["answer"], "to": target, "skips": bool(skip)}
