from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirror_files import PROCESSED, write

from mirror_bench.data.untrusted_input import (
    cell,
    cells,
    clean,
    delimiter_of,
    header_of,
    identifier,
    missing,
    parse_json,
    parse_literal,
    read_file,
)
from mirror_bench.errors import InputError


def test_reads_a_file_with_a_mark_and_foreign_line_ends(tmp_path: Path) -> None:
    content = read_file(write(tmp_path / "a.txt", b"\xef\xbb\xbfone\r\ntwo\rthree"))
    assert content == ("one\ntwo\nthree", ())


def test_bytes_that_are_no_text_are_replaced_and_reported(tmp_path: Path) -> None:
    content = read_file(write(tmp_path / "a.txt", b"one\ntw\xffo\n"))
    assert content.text == "one\ntw\ufffdo\n"
    assert [(problem.source, problem.line) for problem in content.problems] == [("a.txt", 2)]


def test_a_header_of_any_length_or_kind_tells_what_parts_the_cells() -> None:
    assert delimiter_of("name;age;said\n") == ";"
    assert header_of("name; age\n", ";") == ["name", "age"]
    assert delimiter_of(f"name\tage\t{'x' * 200_000}\n") == "\t"
    # A lone carriage return in a header is no CSV to Python's reader.
    assert header_of("name,a\rge\n", ",") == []


@pytest.mark.parametrize("name", ["absent.txt", "", "bad\0name", "x" * 5000])
def test_an_unreadable_file_is_one_clear_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        read_file(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is empty"):
        read_file(write(tmp_path / "a.txt", " \n"))


@pytest.mark.parametrize("text", ["", " ", "nan", "None", "Not found", None, float("nan"), [], "[]"])
def test_all_ways_of_saying_nothing(text: object) -> None:
    assert cell(text) == ""
    assert missing(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ("'quoted'", "quoted"),
        ('"quo\\"ted"', 'quo"ted'),
        ("['a', 'b']", "a\nb"),
        (["a", "b"], "a\nb"),
        ("[Sighs] no list [Nods]", "[Sighs] no list [Nods]"),
        (31.5, "31.5"),
        pytest.param(16**5000, "", id="a number too large to print"),
    ],
)
def test_unwraps_cells(value: object, expected: str) -> None:
    assert cell(value) == expected


@pytest.mark.parametrize(
    "value", ["['mind reading', 'labeling']", "mind reading, labeling", "1. mind reading\n2. labeling."]
)
def test_reads_lists_in_any_form(value: str) -> None:
    assert cells(value) == ("mind reading", "labeling")


def test_reads_literals_and_json_alike() -> None:
    assert parse_literal(repr(PROCESSED)) == PROCESSED
    assert parse_literal('{"a": null}') == parse_literal("{'a': None}") == {"a": None}


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').getcwd()",
        "(" * 90_000,
        "[" * 50_000 + "]" * 50_000,
        "-" * 90_000 + "1",
        "1" + "+1" * 45_000,
        "9" * 90_000,
        "x" * 200_000,
        "'" + "a" * 10,
        "\0",
    ],
)
def test_what_is_no_literal_is_refused_and_never_run(text: str) -> None:
    with pytest.raises(ValueError):
        parse_literal(text)


def test_deep_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON"):
        parse_json("[" * 100_000)


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=200))
def test_cleaned_text_can_be_encoded_and_holds_no_controls(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert not [
        char for char in cleaned if (ord(char) < 32 and char not in "\n\t") or 0x7F <= ord(char) <= 0x9F
    ]
    assert clean(cleaned) == cleaned


@given(st.text(max_size=300))
def test_identifiers_are_safe(text: str) -> None:
    name = identifier(text)
    assert identifier(name) == name
    assert len(name) <= 120
    assert not set(name) & set("/\\: \n")
    assert not name.startswith(".")
