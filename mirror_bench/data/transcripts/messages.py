"""Chat messages, a JSON object a line: the OpenAI form, and the other common shapes of the same."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mirror_bench.data.transcripts.base import Conversation, Spoken, TranscriptReading, labels_of
from mirror_bench.data.transcripts.lines import read_lines
from mirror_bench.data.untrusted_input import MAX_FILE, clean, parse_json, read_file
from mirror_bench.errors import InputError

_MESSAGES = (
    "messages",
    "conversation",
    "conversations",
    "interaction",
    "dialogue",
    "dialog",
    "turns",
    "chat",
)
_SPEAKERS = ("role", "speaker", "from", "author", "sender", "interlocutor", "name")
_WORDS = ("content", "text", "value", "words", "utterance", "message", "utterance_text")
_IDS = ("id", "conversation_id", "session_id", "dialogue_id", "idx", "uuid")
_PEOPLE = (
    "profile",
    "profile_id",
    "member_profile",
    "client",
    "client_id",
    "patient_id",
    "persona",
    "person",
)
_THERAPISTS = ("model", "therapist", "assistant", "chatbot")
_KNOWN = frozenset((*_MESSAGES, *_IDS, *_PEOPLE, *_THERAPISTS, "metadata", "labels"))
_LONGEST_IMAGE = 32 * 2**20
_DEEPEST = 6


def read_messages(path: Path, reading: TranscriptReading) -> Iterator[Conversation]:
    """Yields the conversations of a file of chat messages; see `base.Reader`.

    A line holds an object with `messages` (also named `conversation`, `turns` and alike), or the list of
    messages alone. A file whose whole is one JSON list, or one object over several lines, is read too.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder: name a file of messages, one JSON object a line")
    if _is_whole(path):
        yield from _whole_file(path, reading)
        return
    for number, line in read_lines(path, reading):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = error.msg if isinstance(error, json.JSONDecodeError) else "it nests too deeply"
            reading.say(path.name, number, f"is not JSON ({why}): the line was left out", lost=True)
            continue
        if (found := read_conversation(value, path.name, number, reading)) is not None:
            yield found


def _is_whole(path: Path) -> bool:
    """Whether a file is one JSON value over several lines: it begins with a list, or with a lone bracket."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError:
        return False  # said where it is read
    text = start.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    first = text.split(b"\n")[0].strip()
    if first in {b"{", b"[", b"[{"}:
        return True
    if not first.startswith(b"["):
        return False
    try:  # a list of messages may stand alone on its line
        return not all(isinstance(one, dict) and _field(one, _WORDS) is not None for one in json.loads(first))
    except (ValueError, RecursionError):
        return True


def _whole_file(path: Path, reading: TranscriptReading) -> Iterator[Conversation]:
    content = read_file(path, foreign=True)
    for problem in content.problems:
        reading.problem(problem)
    if len(content.text) > MAX_FILE:
        raise InputError(f"{path}: is larger than {MAX_FILE >> 20} MiB: write one JSON object a line")
    try:
        value = parse_json(content.text)
    except ValueError as error:
        raise InputError(f"{path}: {error}: write one JSON object a line") from None
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        value = value["data"]
    single = isinstance(value, dict) or (isinstance(value, list) and _is_message(value[:1]))
    for number, record in enumerate([value] if single else value, start=1):
        if (found := read_conversation(record, path.name, number, reading)) is not None:
            yield found


def _is_message(value: list[Any]) -> bool:
    return (
        bool(value)
        and isinstance(value[0], dict)
        and _field(value[0], _SPEAKERS) is not None
        and (_field(value[0], _WORDS) is not None and _messages(value[0]) is None)
    )


def read_conversation(value: Any, source: str, place: int, reading: TranscriptReading) -> Conversation | None:
    """Returns the conversation that a JSON value holds; None, and a problem, where it holds none.

    Args:
        value: An object with messages, or the list of them.
        source: The file's name.
        place: Its line or number in the file.
        reading: Told what could not be read.
    """
    record: Mapping[str, Any] = value if isinstance(value, dict) else {}
    messages = value if isinstance(value, list) else _messages(record)
    if messages is None:
        keys = ", ".join(map(str, list(record)[:6])) or type(value).__name__
        reading.say(source, place, f"holds no list of messages (it has {keys}): left out", lost=True)
        return None
    turns = []
    for number, message in enumerate(_flat(messages), start=1):
        if (turn := _turn(message, number, source, place, reading)) is not None:
            turns.append(turn)
    if not turns:
        reading.say(source, place, "holds no message with a speaker and words: left out", lost=True)
        return None
    person = _field(record, _PEOPLE)
    metadata = record.get("metadata") or record.get("labels")
    labels = labels_of(metadata, frozenset()) if isinstance(metadata, dict) else {}
    told = _field(record, _THERAPISTS)
    return Conversation(
        id=_plain(_field(record, _IDS)) or f"{Path(source).stem}-{place}",
        turns=tuple(turns),
        source=source,
        line=place,
        person=person if isinstance(person, dict) else _plain(person) or None,
        labels={**labels_of(record, _KNOWN), **labels},
        therapist=_plain(told),
    )


def _messages(record: Mapping[str, Any]) -> list[Any] | None:
    for key in _MESSAGES:
        if isinstance(record.get(key), list):
            held: list[Any] = record[key]
            return held
        if isinstance(record.get(key), dict) and (inner := _messages(record[key])) is not None:
            return inner
    return None


def _flat(messages: list[Any], depth: int = 0) -> Iterator[Any]:
    """Yields messages; lists of them within the list are laid out flat."""
    for message in messages:
        if isinstance(message, list) and depth < _DEEPEST and not _is_pair(message):
            yield from _flat(message, depth + 1)
        else:
            yield message


def _is_pair(message: list[Any]) -> bool:
    return len(message) == 2 and all(isinstance(part, str) for part in message)


def _turn(message: Any, number: int, source: str, place: int, reading: TranscriptReading) -> Spoken | None:
    where = f"message {number}"
    if isinstance(message, list) and _is_pair(message):
        return Spoken(message[0], clean(message[1]), place)
    if not isinstance(message, dict):
        reading.say(source, place, f"{where} is no message ({type(message).__name__}): it was left out")
        return None
    speaker = _plain(_field(message, _SPEAKERS))
    if not speaker:
        reading.say(source, place, f"{where} does not say who speaks: it was left out")
        return None
    words: list[str] = []
    images: list[bytes] = []
    _read_content(
        _field(message, _WORDS), words, images, lambda why: reading.say(source, place, f"{where} {why}")
    )
    return Spoken(speaker, "\n".join(words), place, tuple(images))


def _read_content(value: Any, words: list[str], images: list[bytes], say: Any, depth: int = 0) -> None:
    """Gathers texts and images of a message's content, of which several shapes are in use."""
    if value is None or depth > _DEEPEST:
        return
    if isinstance(value, str):
        words.append(clean(value))
    elif isinstance(value, int | float):
        words.append(str(value))
    elif isinstance(value, list):
        for part in value:
            _read_content(part, words, images, say, depth + 1)
    elif isinstance(value, dict):
        kind = str(value.get("type", ""))
        image = (
            value.get("image_url") or value.get("image") or (value.get("source") if "image" in kind else None)
        )
        if image is not None:
            _read_image(image, images, say)
        elif kind in {"reasoning", "thinking", "redacted_thinking", "tool_use", "tool_call", "tool_result"}:
            return  # nobody says it
        elif (text := _field(value, _WORDS)) is not None:
            _read_content(text, words, images, say, depth + 1)
        else:
            say(
                f"has a part of a kind that is not read ({kind[:30] or ', '.join(list(value)[:3])}): left out"
            )


def _read_image(value: Any, images: list[bytes], say: Any) -> None:
    if isinstance(value, dict):
        value = value.get("url") or value.get("data") or value.get("image")
    text = value if isinstance(value, str) else ""
    if text.startswith(("http://", "https://", "file:")):
        say("names an image by its address, which is not fetched: the turn has no face")
        return
    data = text.partition("base64,")[2] if text.startswith("data:") else text
    if not data or len(data) > _LONGEST_IMAGE:
        say("has an image that is empty or too large: the turn has no face")
        return
    try:
        images.append(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        say("has an image that is not base64: the turn has no face")


def _field(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Returns the first of these keys that a record has a value for, whatever its case."""
    for name in names:
        if (value := record.get(name)) not in (None, "", [], {}):
            return value
    lower = {str(key).lower(): value for key, value in record.items()}
    return next((lower[name] for name in names if lower.get(name) not in (None, "", [], {})), None)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("role") or value.get("name")
    return clean(str(value), 200).strip() if isinstance(value, str | int | float) and value != "" else ""
