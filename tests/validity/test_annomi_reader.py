from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from made_annomi import COLUMNS, made_rows, write_annomi

from mirror_bench.errors import InputError
from mirror_bench.schema import Speaker
from mirror_bench.validity.annomi import COLUMNS as NEEDED
from mirror_bench.validity.annomi import read_annomi

Rows = list[dict[str, str]]


def test_reads_transcripts_whatever_the_order_of_columns(tmp_path: Path) -> None:
    rows = made_rows(2, 1)
    usual = read_annomi(write_annomi(tmp_path / "a.csv", rows))
    turned = read_annomi(write_annomi(tmp_path / "b.csv", rows, COLUMNS[::-1], encoding="utf-8-sig"))
    bare = read_annomi(write_annomi(tmp_path / "c.csv", rows, NEEDED))
    assert usual == turned == bare
    assert [(t.name, t.high, len(t.utterances)) for t in usual] == [
        ("0", True, 8),
        ("1", True, 12),
        ("2", False, 8),
    ]
    first = usual[0].utterances[0]
    assert (first.speaker, first.expert) == (Speaker.CLIENT, "neutral")
    held = usual[0].session()
    assert [turn.words for turn in held.turns] == [u.words for u in usual[0].utterances]
    assert usual[1].therapist_tokens > usual[0].therapist_tokens > 10


def test_of_several_annotators_the_majority_counts(tmp_path: Path) -> None:
    rows = made_rows(1, 1)
    asked = next(row for row in rows if row["interlocutor"] == "therapist")
    place = rows.index(asked) + 1
    others = [{**asked, "main_therapist_behaviour": code} for code in ("other", "n/a", "other", "question")]
    found = read_annomi(write_annomi(tmp_path / "full.csv", [*rows[:place], *others, *rows[place:]]))
    assert len(found[0].utterances) == 8
    assert found[0].utterances[1].expert == "other"
    tied = [*rows[:place], {**asked, "main_therapist_behaviour": "other"}, *rows[place:]]
    first = read_annomi(write_annomi(tmp_path / "tied.csv", tied))[0].utterances[1].expert
    assert first == asked["main_therapist_behaviour"]


def test_what_nobody_coded_is_kept_without_a_class(tmp_path: Path) -> None:
    rows = made_rows(1, 1)
    rows[0]["client_talk_type"] = ""
    assert read_annomi(write_annomi(tmp_path / "a.csv", rows))[0].utterances[0].expert == ""


def changed(column: str, value: str, row: int = 2) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[row][column] = value

    return change


def one_quality(rows: Rows) -> None:
    for row in rows:
        row["mi_quality"] = "high"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed("mi_quality", "fair"), r"a\.csv:4: column mi_quality is 'fair'; known are high, low"),
        (changed("mi_quality", "low"), r"a\.csv:4: column mi_quality contradicts line 2"),
        (changed("interlocutor", "mother"), r"a\.csv:4: column interlocutor is 'mother'"),
        (changed("client_talk_type", "maybe"), r"a\.csv:4: column client_talk_type is 'maybe'; known are ch"),
        (
            changed("main_therapist_behaviour", "hum", 1),
            r"a\.csv:3: column main_therapist_behaviour is 'hum'",
        ),
        (changed("transcript_id", " "), r"a\.csv:4: column transcript_id is empty"),
        (changed("utterance_id", "0"), r"a\.csv:4: column utterance_id is '0', as on line 2, with another"),
        (one_quality, r"a\.csv: column mi_quality is 'high' throughout"),
        (lambda rows: rows.clear(), r"a\.csv: holds no utterances"),
    ],
)
def test_names_file_line_and_column(tmp_path: Path, change: Callable[[Rows], None], message: str) -> None:
    rows = made_rows(1, 1)
    change(rows)
    with pytest.raises(InputError, match=message):
        read_annomi(write_annomi(tmp_path / "a.csv", rows))


@pytest.mark.parametrize("column", NEEDED)
def test_names_the_column_that_is_missing(tmp_path: Path, column: str) -> None:
    columns = [name for name in COLUMNS if name != column]
    with pytest.raises(InputError, match=rf"a\.csv:1: no column {column};"):
        read_annomi(write_annomi(tmp_path / "a.csv", made_rows(1, 1), columns))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"a\.csv:1: no column transcript_id"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ((",".join(NEEDED) + '\n1,high,client,"an open end\n').encode(), "not CSV"),
        ((",".join(NEEDED) + "\n1,high,client\n").encode(), r"a\.csv:2: column \w+ is missing"),
    ],
)
def test_refuses_what_is_no_such_file(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_annomi(path)


def test_refuses_what_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match="no such file"):
            read_annomi(path)
