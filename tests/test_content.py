"""YAML content: what would be lost without a word is refused, by file and line."""

from pathlib import Path

import pytest

from mirror_bench.content import read_yaml
from mirror_bench.errors import InputError


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("a: 1\nb: 2\na: 3\n", r"x.yaml:3: the key 'a' stands twice"),
        ("a:\n  - {b: 1, b: 2}\n", r"x.yaml:2: the key 'b' stands twice"),
        ("a: 1\n'a': 2\n", r"x.yaml:2: the key 'a' stands twice"),
        ("a: [1\n", r"x.yaml:2: is not YAML"),
        ("day: !!int x\n", r"x.yaml: cannot be read as YAML"),
        ("- 1\n", "must hold a mapping"),
        ("a: 1\0\n", r"x.yaml: is not YAML: unacceptable character"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=named) as caught:
        read_yaml(path)
    assert "\n" not in str(caught.value)


def test_keys_of_other_kinds_merges_and_a_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfbase: &base {a: 1}\nmore:\n  <<: *base\n  a: 2\n  1: x\n  '1': y\n")
    assert read_yaml(path)["more"] == {"a": 2, 1: "x", "1": "y"}


def test_text_of_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: 1\n", encoding="utf-16")
    with pytest.raises(InputError, match="save it as UTF-8"):
        read_yaml(path)
