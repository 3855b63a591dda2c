"""Asks a model who a client is where rules are unsure; only what it can quote from the record is believed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.data.annotation.records import PERSON, AnnotatedClient, FieldReading, SourceSpan
from mirror_bench.data.sources.personal_info import read_age, read_gender
from mirror_bench.data.untrusted_input import cell, parse_json
from mirror_bench.engines.base import Engine, Message, Request, Sampling
from mirror_bench.engines.factory import open_engine
from mirror_bench.engines.memo import Memo
from mirror_bench.engines.memo_engine import MemoEngine
from mirror_bench.engines.reasoning import part_thoughts
from mirror_bench.errors import EngineDeadError, EngineError, InputError
from mirror_bench.modelspec import parse_model
from mirror_bench.prompts import fill
from mirror_bench.schema import derive_seed
from mirror_bench.waiting import gathered

ATTEMPTS = 3
_LONGEST_ABOUT, _LONGEST_TALK = 6_000, 1_500
_SAMPLING = Sampling(max_tokens=256)
_FIELD: Mapping[str, Any] = {
    "type": "object",
    "properties": {"value": {"type": ["string", "integer", "null"]}, "quote": {"type": ["string", "null"]}},
    "required": ["value", "quote"],
}
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": dict.fromkeys(PERSON, _FIELD),
    "required": list(PERSON),
}
Columns = Mapping[str, Any]


class _Cell(NamedTuple):
    column: str
    text: str


async def ask_unsure(
    clients: Sequence[AnnotatedClient],
    records: Sequence[Columns],
    model: str,
    memory: Path,
    *,
    concurrency: int = 16,
    tick: Callable[[int], None] = lambda due: None,
) -> list[AnnotatedClient]:
    """Returns the clients, with what a model settled of the fields that rules are unsure of.

    Args:
        clients: As rules read them.
        records: The official columns of each.
        model: Any engine, as provider/name.
        memory: The file that keeps its answers, so that the same command goes on where it stopped.
        concurrency: Questions at a time.
        tick: Called after each question with how many there are.

    Raises:
        InputError: If the model cannot be used, or died.
    """
    due = sum(bool(client.unsure) for client in clients)
    if not due:
        return list(clients)
    engine: Engine = open_engine(parse_model(model, "--model"))
    memo = Memo(memory)
    gate = asyncio.Semaphore(concurrency)
    asked = MemoEngine(engine, memo)

    async def settle(client: AnnotatedClient, record: Columns) -> AnnotatedClient:
        if not client.unsure:
            return client
        async with gate:
            settled = await _settled(client, record, asked)
        tick(due)
        return settled

    try:
        await engine.start()
        try:
            return await gathered(
                settle(client, record) for client, record in zip(clients, records, strict=True)
            )
        except EngineDeadError as error:
            raise InputError(f"--model died: {error}: the same command goes on") from None
        finally:
            await engine.close()
    finally:
        memo.close()


async def _settled(client: AnnotatedClient, record: Columns, engine: Engine) -> AnnotatedClient:
    cells = _cells(record)
    doubts = [f"{field}: {client.reading(field).note}" for field in client.unsure]
    text = "\n\n".join(cell.text for cell in cells)
    question = fill("annotate_person", text=text, doubts=doubts)
    failure = ""
    for attempt in range(ATTEMPTS):
        seed = derive_seed("annotate", client.profile_id, attempt)
        request = Request(
            (Message("user", (question,)),), _SAMPLING, seed, json_schema=_SCHEMA, attempt=attempt
        )
        try:
            answer = await engine.answer(request)
        except EngineError as error:
            failure = f"the model could not answer ({str(error)[:120]})"
            continue
        value = _object(part_thoughts(answer.text).said)
        if value is None:
            failure = "the model's answer holds no JSON object"
            continue
        return _with_answer(client, value, cells)
    return client.model_copy(update={"unanswered": failure})


def _with_answer(
    client: AnnotatedClient, value: Mapping[str, Any], cells: Sequence[_Cell]
) -> AnnotatedClient:
    fields, settled = [], {}
    for reading in client.fields:
        if reading.field in client.unsure:
            reading = _believed(reading, value.get(reading.field), cells)
            settled[reading.field] = reading
        fields.append(reading)
    conflicts = []
    for conflict in client.conflicts:
        read = settled.get(conflict.field)
        if read is not None and read.by == "model":
            values = {conflict.kept, conflict.against}
            against = next(iter(values - {read.value}), conflict.against)
            conflict = conflict.model_copy(
                update={"kept": read.value, "against": against, "settled": read.sure}
            )
        conflicts.append(conflict)
    return client.model_copy(update={"fields": tuple(fields), "conflicts": tuple(conflicts)})


def _believed(reading: FieldReading, said: Any, cells: Sequence[_Cell]) -> FieldReading:
    """Returns what a model said of a field where its quote stands in the record, else the rule's reading."""

    def doubted(why: str) -> FieldReading:
        return reading.model_copy(update={"note": f"{reading.note}; the model {why}".strip("; ")})

    if not isinstance(said, Mapping):
        return doubted("says nothing of it")
    value, quote = cell(said.get("value")), cell(said.get("quote"))
    if reading.field == "age":
        value = str(read_age(value).get("age", ""))
    elif reading.field == "gender":
        value = read_gender(value) if value else ""
    if not value:
        return doubted("finds no answer")
    source = next(filter(None, (_place(cell, quote) for cell in cells)), None)
    if source is None:
        return doubted(f"says {value[:40]!r} and quotes what the record does not hold")
    if reading.field == "name" and value.lower() not in source.text.lower():
        return doubted(f"says {value[:40]!r}, which is not in its quote")
    if reading.field == "age" and re.search(r"\d", source.text) and value not in source.text:
        return doubted(f"says {value}, where its quote has another number")
    return FieldReading(field=reading.field, value=value[:80], by="model", source=source)


def _place(where: _Cell, quote: str) -> SourceSpan | None:
    words = quote.split()
    if not words:
        return None
    match = re.search(r"\s+".join(map(re.escape, words)), where.text, re.IGNORECASE)
    if match is None:
        return None
    return SourceSpan(column=where.column, start=match.start(), end=match.end(), text=match[0])


def _cells(record: Columns) -> list[_Cell]:
    """Returns what a model reads: the prose, and how the talk begins."""
    talk = record.get("dialogue")
    cells = [
        _Cell("personal_info", cell(record.get("personal_info"))[:_LONGEST_ABOUT]),
        _Cell("dialogue", cell(talk)[:_LONGEST_TALK] if isinstance(talk, str) else ""),
    ]
    return [cell for cell in cells if cell.text]


def _object(text: str) -> Mapping[str, Any] | None:
    """Returns the JSON object of an answer, whatever stands around it."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        value = parse_json(text[start : end + 1])
    except (ValueError, json.JSONDecodeError):
        return None
    return value if isinstance(value, dict) else None
