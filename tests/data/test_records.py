"""Records in whatever form they come, or refused by the name of that form."""

from pathlib import Path

import pytest

from mirror_bench.data.sources.record_files import read_records
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError

ROWS = [(2, {"name": "Ana, the elder", "note": "a; b"}), (3, {"name": "Bo", "note": "é"})]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize(("mark", "suffix"), [(",", ".csv"), (";", ".csv"), ("\t", ".csv"), ("\t", ".tsv")])
def test_cells_are_parted_by_what_the_header_tells(
    tmp_path: Path, encoding: str, mark: str, suffix: str
) -> None:
    path = tmp_path / f"x{suffix}"
    lines = [f"name{mark}note", f'"Ana, the elder"{mark}"a; b"', f"Bo{mark}é"]
    path.write_text("\r\n".join(lines), encoding=encoding)
    assert read_records(path).rows == ROWS


def test_parquet_is_read(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "x.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row for _, row in ROWS]), path)
    assert [row for _, row in read_records(path).rows] == [row for _, row in ROWS]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_records(path)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"PAR1....", "a Parquet file"),
        (b"PK\x03\x04....", "a zip archive or a spreadsheet"),
        (b"\x1f\x8b....", "a gzip archive"),
        ("a,b\n1,2".encode("utf-16-le"), "UTF-16 without its mark"),
    ],
)
@pytest.mark.parametrize("source", ["mirror", "cactus"])
def test_another_kind_of_file_is_named(tmp_path: Path, source: str, content: bytes, named: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=named):
        load_data(f"{source}:{path}")
