"""Transcripts of others: every format in the shapes in which such files come."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from peer_samples import chat, lines, written
from PIL import Image

from mirror_bench.data.base import Problem
from mirror_bench.data.transcripts import lines as line_reading
from mirror_bench.data.transcripts.base import Conversation, TranscriptReading
from mirror_bench.data.transcripts.registry import TRANSCRIPTS
from mirror_bench.data.transcripts.speakers import Cast
from mirror_bench.errors import InputError
from mirror_bench.schema import Speaker


def _read(format: str, path: Path, **options: object) -> tuple[list[Conversation], list[Problem]]:
    problems: list[Problem] = []
    reading = TranscriptReading(problems.append, **options)  # type: ignore[arg-type]
    return list(TRANSCRIPTS.get(format)(path, reading)), problems


def _said(held: Conversation) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.words) for turn in held.turns]


def test_messages_come_in_several_shapes(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "chats.jsonl",
        chat("Hello.", "What brings you?", id="a", profile="p1", quality="high"),
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yes?"}]},
        [{"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"}],
        {"turns": [["Client", "Pairs"], ["Therapist", "too"]]},
        {
            "messages": [
                [{"role": "user", "content": [{"type": "text", "text": "Nested"}]}],
                {"role": "assistant", "content": None},
            ]
        },
        {
            "messages": [
                {"role": "user", "content": "Think"},
                {
                    "role": "assistant",
                    "content": [{"type": "thinking", "text": "hidden"}, {"type": "text", "text": "Said"}],
                },
            ]
        },
    )
    found, problems = _read("messages", path)
    assert [_said(held) for held in found] == [
        [("user", "Hello."), ("assistant", "What brings you?")],
        [("human", "Hi"), ("gpt", "Yes?")],
        [("user", "One"), ("assistant", "Two")],
        [("Client", "Pairs"), ("Therapist", "too")],
        [("user", "Nested"), ("assistant", "")],
        [("user", "Think"), ("assistant", "Said")],
    ]
    assert (found[0].id, found[0].person, dict(found[0].labels)) == ("a", "p1", {"quality": "high"})
    assert found[1].id == "chats-2"
    assert problems == []


def test_what_is_no_conversation_is_listed_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(
        f"{json.dumps(chat('a', 'b'))}\n{{broken\n\n{json.dumps({'no': 1})}\n[1]\n" + "[" * 3000 + "\n"
    )
    lost: list[int] = []
    found, problems = _read("messages", path, lost=lambda: lost.append(1))
    assert len(found) == 1
    assert [(one.source, one.line) for one in problems] == [
        ("bad.jsonl", 2),
        ("bad.jsonl", 4),
        ("bad.jsonl", 5),
        ("bad.jsonl", 5),
        ("bad.jsonl", 6),
    ]
    assert len(lost) == 4


def test_a_whole_json_list_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps([chat("a", "b"), chat("c", "d")], indent=1))
    assert len(_read("messages", path)[0]) == 2
    one = tmp_path / "one.json"
    one.write_text(json.dumps(chat("a", "b"), indent=2))
    assert len(_read("messages", one)[0]) == 1


def test_images_are_decoded_and_addresses_never_fetched(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(stream, "PNG")
    data = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    parts = [{"type": "image_url", "image_url": {"url": data}}, {"type": "text", "text": "Look"}]
    away = [
        {"type": "image_url", "image_url": {"url": "https://example.org/x.png"}},
        {"type": "text", "text": "Look"},
    ]
    path = lines(
        tmp_path / "m.jsonl", *({"messages": [{"role": "user", "content": one}]} for one in (parts, away))
    )
    found, problems = _read("messages", path)
    assert found[0].turns[0].images == (stream.getvalue(),)
    assert found[1].turns[0].images == ()
    assert ["not fetched" in problem.message for problem in problems] == [True]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_in_any_encoding_and_line_end(tmp_path: Path, encoding: str, end: str) -> None:
    text = end.join(
        [
            "user: Ça va, déjà vu.",
            "",
            "agent: I hear you.",
            "More of it.",
            "user: Fin.",
            "[CONVERSATION ENDED - x]",
        ]
    )
    path = tmp_path / "0a1b2c_Ilse_some-model_run3.txt"
    path.write_bytes(text.encode(encoding))
    (held,), problems = _read("text", path)
    assert _said(held) == [
        ("user", "Ça va, déjà vu."),
        ("agent", "I hear you.\nMore of it."),
        ("user", "Fin."),
    ]
    assert (held.person, held.labels["ended"]) == ("Ilse", "CONVERSATION ENDED - x")
    assert len(problems) == (encoding == "cp1252")


def test_text_says_who_else_may_be_speaking(tmp_path: Path) -> None:
    path = tmp_path / "three.txt"
    path.write_text("Preface\n**Client:** Hi\nTherapist: Tell me.\nNote: fine\n" + "Mother: He lies.\n" * 3)
    (held,), problems = _read("text", path)
    assert len(held.turns) == 2
    assert [problem.line for problem in problems] == [1, 5]
    assert "--ignore 'Mother'" in problems[1].message
    (held,), problems = _read("text", path, speakers=frozenset({"mother"}))
    assert [turn.speaker for turn in held.turns[2:]] == ["Mother"] * 3


def test_a_huge_line_is_left_out_and_the_rest_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_reading, "LONGEST_LINE", 2_000)
    monkeypatch.setattr(line_reading, "_BLOCK", 700)
    path = lines(tmp_path / "m.jsonl", chat("a", "b"), chat("x" * 5_000, "b"), chat("c", "d"))
    found, problems = _read("messages", path)
    assert [held.turns[0].words for held in found] == ["a", "c"]
    assert [problem.line for problem in problems] == [2]


def test_a_table_joins_annotators_and_orders_by_number(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "\ufefftranscript_id,mi_quality,utterance_id,interlocutor,utterance_text,annotator_id\n"
        '1,high,1,therapist,"Two, with\na line",A\n1,high,0,client,One,A\n1,high,0,client,One,B\n'
        "2,low,0,client,Other,A\n2,low,1,therapist,Yes,A\n,low,2,client,lost,A\n2,low\n",
        encoding="utf-8",
    )
    found, problems = _read("csv", path)
    assert [_said(held) for held in found] == [
        [("client", "One"), ("therapist", "Two, with\na line")],
        [("client", "Other"), ("therapist", "Yes")],
    ]
    assert found[0].labels["mi_quality"] == "high"
    assert {problem.line for problem in problems} >= {2, 8, 9}


def test_a_table_of_other_columns_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("chat;wer;was\n1;Kunde;Hallo\n1;Berater;Ja\n")
    with pytest.raises(InputError, match=r"t\.csv:1: no column for the id.*--column id=NAME"):
        _read("csv", path)
    found, _ = _read("csv", path, columns={"id": "chat", "speaker": "wer", "text": "was"})
    assert _said(found[0]) == [("Kunde", "Hallo"), ("Berater", "Ja")]


def test_words_after_an_unquoted_comma_are_not_lost_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,speaker,text\n1,client,Well, I do not know\n1,client,Hm\n1,therapist,Yes,,\n")
    found, problems = _read("csv", path)
    assert [_said(held) for held in found] == [[("client", "Hm"), ("therapist", "Yes")]]
    assert [(one.line, one.message.partition(" (")[0]) for one in problems] == [
        (2, "has 4 cells where the header has 3")
    ]


@pytest.mark.parametrize(
    ("more", "lines", "heard"),
    [("", "lines 3 to 6", ["a"]), ('5,client,"e"\n6,client,f\n', "lines 3 to 7", ["a", "f"])],
)
def test_a_quotation_mark_that_is_never_closed_takes_nothing_in_silence(
    more: str, lines: str, heard: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        f'id,speaker,text\n1,client,a\n2,client,"b\n3,client,c\n4,client,d\n4,therapist,e\n{more}'
    )
    found, problems = _read("csv", path)
    assert [words for held in found for _, words in _said(held)] == heard
    (problem,) = problems
    assert lines in problem.message


def test_a_quotation_mark_within_a_line_takes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        'id,speaker,text\n1,client,"Fine" she says\n1,therapist,"So ""fine"" it is."\n1,client,"end\n'
    )
    found, problems = _read("csv", path)
    assert [words for _, words in _said(found[0])] == ["Fine she says", 'So "fine" it is.', "end"]
    assert problems == []


def test_a_large_table_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mirror_bench.data.transcripts import tables

    monkeypatch.setattr(tables, "KEPT_WHOLE", 10)
    path = tmp_path / "t.csv"
    path.write_text("id,speaker,text\n1,client,a\n1,therapist,b\n2,client,c\n2,therapist,d\n")
    assert [held.id for held in _read("csv", path)[0]] == ["1", "2"]


def test_sessions_of_patienthub_and_mindeval(tmp_path: Path) -> None:
    folder = tmp_path / "sessions" / "ada"
    folder.mkdir(parents=True)
    told = [{"role": "Therapist", "content": "Welcome."}, {"role": "client", "content": "Hm."}]
    written(folder / "session_1.json", {"profile": {"name": "Ada"}, "messages": told, "num_turns": 1})
    written(folder / "session_2.json", told)
    (folder / "broken.json").write_text("{")
    found, problems = _read("patienthub", tmp_path / "sessions")
    assert [held.id for held in found] == ["ada-session_1", "ada-session_2"]
    assert found[0].person == {"name": "Ada"}
    assert [problem.source for problem in problems] == ["broken.json"]
    path = lines(
        tmp_path / "m.jsonl",
        {
            "member_profile": {"name": "Rui"},
            "interaction": [
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Hello Rui"},
            ],
        },
    )
    (held,), _ = _read("mindeval", path)
    assert (held.id, held.person) == ("m-1-Rui", {"name": "Rui"})


def test_logs_of_inspect(tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    samples = [
        {"id": 1, "epoch": epoch, "messages": chat("Hi", "Yes?")["messages"], "metadata": {"topic": "sleep"}}
        for epoch in (1, 2)
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", json.dumps({"eval": {"model": "openai/gpt-x", "task": "t"}}))
        for sample in samples:
            archive.writestr(f"samples/1_epoch_{sample['epoch']}.json", json.dumps(sample))
        archive.writestr("samples/2_epoch_1.json", "{broken")
    found, problems = _read("inspect", path)
    assert [(held.id, held.therapist, held.labels["topic"]) for held in found] == [
        ("1", "openai/gpt-x", "sleep"),
        ("1-epoch-2", "openai/gpt-x", "sleep"),
    ]
    assert len(problems) == 1
    old = written(tmp_path / "log.json", {"eval": {"model": "m"}, "samples": samples})
    assert len(_read("inspect", old)[0]) == 2
    (tmp_path / "no.eval").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InputError, match="log of inspect_ai"):
        _read("inspect", tmp_path / "no.eval")


def test_speakers_are_mapped_and_contradictions_refused() -> None:
    cast = Cast.of(("Mother", "Dr. Lee"), ("user",), ("Nurse",))
    assert cast.side("mother") is Speaker.CLIENT
    assert cast.side("User") is Speaker.THERAPIST
    assert cast.side("assistant") is Speaker.THERAPIST
    assert cast.side(" nurse ") == cast.side("system") == ""
    assert cast.side("stranger") is None
    with pytest.raises(InputError, match="--client and --ignore both name 'a'"):
        Cast.of(("A",), (), ("a",))


@pytest.mark.parametrize("format", ["messages", "patienthub", "mindeval", "csv"])
def test_what_nests_without_end_or_has_no_end_is_a_problem_and_no_traceback(
    format: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.json"
    for content in ("[" * 100_000 + "]" * 100_000 + "\n", f"id,speaker,text,{'x' * 200_000}\na,b,c\n"):
        path.write_text(content)
        with contextlib.suppress(InputError):
            found, problems = _read(format, path)
            assert problems or not found or format == "csv"
