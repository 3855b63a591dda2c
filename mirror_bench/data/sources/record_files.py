"""Records of a file, whatever it is written in: CSV, Parquet, a JSON list, JSON columns or JSON lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.data.base import Problem
from mirror_bench.data.untrusted_input import (
    MAX_FILE,
    MAX_RECORDS,
    MAX_TEXT,
    Content,
    clean_all,
    delimiter_of,
    parse_json,
    read_file,
)
from mirror_bench.errors import InputError
from mirror_bench.text import one_line


class RecordFile(NamedTuple):
    """The rows of one CSV or JSON file, each with its place in it.

    Attributes:
        rows: Each with its place: the 1-based line where it begins (CSV, JSON lines) or its 1-based number
            (JSON list).
    """

    rows: list[tuple[int, dict[str, Any]]]
    problems: tuple[Problem, ...]


def read_records(path: Path, *, foreign: bool = False) -> RecordFile:
    """Reads the records of a file; the form follows from the suffix, else JSON is expected.

    `.csv` may part its cells by commas, semicolons or tabs, `.tsv` by tabs; `.parquet` is Parquet. `foreign`
    says whether the text may be in other encodings too, as for `read_file`.

    Raises:
        InputError: If the file cannot be read, or holds no record in a form that is known.
    """
    suffix = path.suffix.lower()
    content = Content("", ()) if suffix == ".parquet" else read_file(path, foreign=foreign)
    problems = list(content.problems)
    try:
        if suffix == ".parquet":
            pairs = _parquet(path)
        else:
            pairs = _csv(content.text, suffix) if suffix in {".csv", ".tsv"} else _json(content.text)
        rows: list[tuple[int, dict[str, Any]]] = []
        for place, value in pairs:
            if len(rows) >= MAX_RECORDS:
                problems.append(
                    Problem(path.name, place, f"only {MAX_RECORDS} records are read: the rest was left out")
                )
                break
            if isinstance(value, dict):
                long = [
                    name for name, item in value.items() if isinstance(item, str) and len(item) > MAX_TEXT
                ]
                if long:
                    problems.append(
                        Problem(path.name, place, f"{long[0][:60]!r} was cut at {MAX_TEXT} characters")
                    )
                rows.append((place, value))
            else:
                problems.append(Problem(path.name, place, str(value)[:300]))
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    if not rows:
        first = f" (line {problems[0].line}: {problems[0].message})" if problems else ""
        raise InputError(f"{path}: holds no record{first}")
    return RecordFile(rows, tuple(problems))


def _parquet(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yields each row of a Parquet file, cleaned."""
    import pyarrow
    import pyarrow.parquet

    try:
        if path.stat().st_size > MAX_FILE:
            raise ValueError(f"is larger than {MAX_FILE >> 20} MiB: split it")
        file = pyarrow.parquet.ParquetFile(path)
        number = 0
        for batch in file.iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield number, clean_all(row)
    except (OSError, pyarrow.ArrowException) as error:
        reason = one_line(error, 200)
        raise ValueError(f"cannot be read as Parquet ({reason})") from None


def _delimiter(text: str, suffix: str) -> str:
    """Returns what parts the cells: of the candidates, the one that parts the header into most names."""
    if suffix == ".tsv":
        return "\t"
    header = text.lstrip("\n").partition("\n")[0]
    return delimiter_of(header)


def _csv(text: str, suffix: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yields each row as a dictionary, or what is wrong with it."""
    # Strict: else a quotation mark that is never closed takes all that follows into one cell, without a word.
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=_delimiter(text, suffix), strict=True)
    header: list[str] | None = None
    while True:
        begins = reader.line_num + 1
        # The limit is global to the process; the size of the file already bounds a cell.
        limit = csv.field_size_limit(MAX_FILE)
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if reader.line_num > begins:
                yield begins, f"is not CSV: {error}; all up to line {reader.line_num} is left out"
                continue
            # A mark within one line swallows nothing.
            row = next(csv.reader([text.split("\n")[begins - 1]], delimiter=reader.dialect.delimiter), [])
        finally:
            csv.field_size_limit(limit)
        if not any(value.strip() for value in row):
            continue
        if header is None:
            header = [name.strip() for name in row]
            continue
        if len(row) != len(header):
            yield (
                begins,
                f"has {len(row)} cells where the header has {len(header)}: the rest counts as missing",
            )
        yield begins, dict(zip(header, row, strict=False))


def _json(text: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yields each record as a dictionary, or what is wrong with it."""
    try:
        value = parse_json(text)
    except ValueError as error:
        if text.lstrip()[:1] != "{" or "\n" not in text.strip():
            raise
        yield from _json_lines(text, str(error))
        return
    if isinstance(value, dict) and value and all(isinstance(column, dict) for column in value.values()):
        yield from _columns(value)
    elif isinstance(value, dict):
        data = value.get("data")
        yield from _listed(data if isinstance(data, list) else [value])
    elif isinstance(value, list):
        yield from _listed(value)
    else:
        raise ValueError("is not a list of records")


def _listed(values: list[Any]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, value in enumerate(values, start=1):
        yield number, value if isinstance(value, dict) else "is not a record: it was left out"


def _json_lines(text: str, whole: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    usable = False
    for number, row in enumerate(text.split("\n"), start=1):
        if not row.strip():
            continue
        try:
            value = parse_json(row)
        except ValueError as error:
            yield number, f"{error}: it was left out"
            continue
        usable = usable or isinstance(value, dict)
        yield number, value if isinstance(value, dict) else "is not a record: it was left out"
    if not usable:
        raise ValueError(whole)


def _columns(value: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Reads column -> row label -> cell, which is what pandas writes where nobody says otherwise."""
    labels = list(dict.fromkeys(label for column in value.values() for label in column))
    # A record that happens to hold nothing but mappings reads the same; its inner keys would all be words.
    if not all(label.isdigit() for label in labels):
        yield 1, value
        return
    for number, label in enumerate(labels, start=1):
        yield number, {name: column.get(label) for name, column in value.items()}
