"""Reads files and values from outside: bounded, cleaned, and never with anything but an InputError."""

from __future__ import annotations

import ast
import csv
import json
import re
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.data.base import Problem
from mirror_bench.errors import InputError

MAX_FILE = 256 * 2**20
"""Bytes of one file; the official training file is about a tenth of this."""
MAX_TEXT = 100_000
"""Characters of one cell or field, and of one Python literal."""
MAX_RECORDS = 200_000
"""Records of one file."""

# The longer mark first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_KINDS = (
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet or document"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
)
_MISSING = {"", "nan", "none", "null", "n/a", "na", "not found", "not provided", "unknown"}
# Controls, and bidirectional overrides, which can make a page show other words than the record holds.
_REMOVED = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]")
_SURROGATES = re.compile("[\\ud800-\\udfff]")


class Content(NamedTuple):
    """A file's text, and what had to be mended to read it."""

    text: str
    problems: tuple[Problem, ...]


def read_file(path: Path, *, foreign: bool = False) -> Content:
    """Reads a text file as UTF-8, or as UTF-16 or UTF-32 with its byte order mark; line ends become newlines.

    Bytes that are not UTF-8 become U+FFFD and one problem that names the first such line.

    Args:
        path: The file.
        foreign: Whether it may come from any program: UTF-16 is then read without its mark too, and what is
            not UTF-8 as Windows-1252, which one problem says.

    Raises:
        InputError: If the file is missing, unreadable, empty, larger than `MAX_FILE`, or no text, by name.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise InputError(f"{path}: is larger than {MAX_FILE >> 20} MiB: split it")
        raw = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from None
    if not raw.strip():
        raise InputError(f"{path}: is empty")
    problems: tuple[Problem, ...] = ()
    encoding = encoding_of(raw, path, foreign=foreign)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        kind = encoding.removesuffix("-sig").upper()
        western = foreign and encoding == "utf-8-sig"
        done = "the file was read as Windows-1252" if western else "they were replaced by U+FFFD"
        problems = (Problem(path.name, line, f"holds bytes that are not {kind}: {done}"),)
        text = raw.decode("cp1252" if western else encoding, errors="replace")
    return Content(text.replace("\r\n", "\n").replace("\r", "\n"), problems)


def _unmarked(raw: bytes) -> str:
    """Returns which UTF-16 a text without its mark is in: in Western text every other byte is 0; else ""."""
    start = raw[:4096]
    if start.startswith(tuple(mark for mark, _ in _MARKS)) or start.count(0) < len(start) // 4:
        return ""
    odd, even = start[1::2].count(0), start[::2].count(0)
    return "utf-16-le" if odd > 4 * even else "utf-16-be" if even > 4 * odd else ""


def encoding_of(raw: bytes, path: Path, *, foreign: bool = False) -> str:
    """Returns the encoding that a file's first bytes tell; `foreign` as for `read_file`.

    Raises:
        InputError: If they are those of another kind of file.
    """
    if foreign and (unmarked := _unmarked(raw)):
        return unmarked
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return encoding
    for start, kind in _KINDS:
        if raw.startswith(start):
            raise InputError(f"{path}: is {kind}, no text: give CSV, JSON or JSON lines in UTF-8, or Parquet")
    if b"\0" in raw[:1024]:
        raise InputError(f"{path}: is no UTF-8 text (perhaps UTF-16 without its mark): save it as UTF-8")
    return "utf-8-sig"


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Returns `text` without control characters, bidirectional overrides and lone surrogates, bounded."""
    text = text[:limit]
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATES.sub("\ufffd", _REMOVED.sub("", text))


def clean_all(value: Any) -> Any:
    """Returns a JSON value with every text in it cleaned."""
    if isinstance(value, str):
        return clean(value, MAX_TEXT + 1)  # one too many shows that it was too long
    if isinstance(value, list | tuple):
        return [clean_all(item) for item in value]
    if isinstance(value, dict):
        return {clean(str(key), 200): clean_all(item) for key, item in value.items()}
    return value


def delimiter_of(header: str) -> str:
    """Returns what parts a table's cells: of the candidates, that which makes most names of its header."""
    return max(",;\t|", key=lambda mark: len(header_of(header, mark)))


def header_of(line: str, delimiter: str) -> list[str]:
    """Returns the names in a table's first line; none where it is no CSV."""
    # The limit is global to the process; the size of the file already bounds a cell.
    limit = csv.field_size_limit(MAX_FILE)
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []
    finally:
        csv.field_size_limit(limit)


def parse_json(text: str) -> Any:
    """Returns the value of JSON text, cleaned.

    Raises:
        ValueError: If it is not JSON or nests too deeply, saying why in one line.
    """
    try:
        return clean_all(json.loads(text))
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at line {error.lineno}") from None
    except (RecursionError, ValueError):
        raise ValueError("is not JSON that can be read: it nests too deeply or holds a huge number") from None


def parse_literal(text: str) -> Any:
    """Returns the value of a cell that holds JSON or a Python literal, cleaned.

    Only literals are read (`ast.literal_eval`), never code.

    Raises:
        ValueError: If it is neither, or longer than `MAX_TEXT`.
    """
    if len(text) > MAX_TEXT:
        raise ValueError(f"is longer than {MAX_TEXT} characters")
    try:
        return parse_json(text)
    except ValueError:
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # stray backslashes in prose are no concern of the caller's
            return clean_all(ast.literal_eval(text.strip()))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueError("is neither JSON nor a Python literal") from None


def cell(value: Any) -> str:
    """Returns a cell's text, cleaned; "" for every way of saying that it is missing.

    A cell that is wholly a quoted Python or JSON text, or a list of texts, is unwrapped.
    """
    if isinstance(value, list | tuple):
        return "\n".join(filter(None, (cell(item) for item in value if isinstance(item, str))))
    if isinstance(value, bool | float) or (isinstance(value, int) and value.bit_length() <= 64):
        value = str(value)  # a larger number would not even print
    text = clean(value).strip() if isinstance(value, str) else ""
    if text.lower() in _MISSING:
        return ""
    if len(text) > 1 and (text[0] + text[-1]) in {"''", '""', "[]"}:
        try:
            inner = parse_literal(text)
        except ValueError:
            return text
        if isinstance(inner, str):
            return "" if inner.strip().lower() in _MISSING else inner.strip()
        if isinstance(inner, list):
            return "\n".join(filter(None, (item.strip() for item in inner if isinstance(item, str))))
    return text


def missing(value: Any) -> bool:
    """Tells whether a cell of a table is empty, or says that it is, as "n/a" does."""
    if isinstance(value, str):
        return value.strip().lower() in _MISSING or value.strip() in {"[]", "{}"}
    return value is None or value != value or value in ([], {})


def cells(value: Any) -> tuple[str, ...]:
    """Returns the texts of a cell that holds a list in whatever form: literal, lines, commas, semicolons."""
    parts = re.split(r"[\n;,]", cell(value))
    return tuple(filter(None, (re.sub(r"^[\s\-*•\d.)]+", "", part).strip(" .'\"") for part in parts)))


def identifier(text: str) -> str:
    """Returns `text` as an id that is safe in file names and in scenario ids; "" where nothing is left."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:120].strip("-.")
