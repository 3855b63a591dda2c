"""Training samples in LLaVA's conversation format, read back into a profile and a piece of a screenplay."""

from __future__ import annotations

import itertools
import re
from typing import Any

from mirror_bench.data.screenplays.parser import parse_screenplay
from mirror_bench.data.screenplays.records import (
    Line,
    Screenplay,
)
from mirror_bench.data.sources.personal_info import read_person, read_resistance
from mirror_bench.data.sources.record_collector import Gathering
from mirror_bench.data.untrusted_input import cell, clean, identifier
from mirror_bench.schema import (
    Profile,
    Resistance,
    Speaker,
)

_FIELDS = {
    "personal information": "about",
    "the client": "about",
    "reason for counseling": "reason",
    "why they came": "reason",
    "client emotional state": "state",
    "what the face shows": "state",
    "cbt technique": "technique",
    "technique": "technique",
    "counseling planning": "plan",
    "plan": "plan",
}
_FIELD = re.compile(r"^- ?(?P<label>[A-Za-z ]{3,40}):[ \t]*", re.MULTILINE)
_TALK = re.compile(r"^(?:Therapist|Client)\s?:", re.MULTILINE)


def is_sample(record: dict[str, Any]) -> bool:
    """Whether a record is a LLaVA training sample."""
    return isinstance(record.get("conversations"), list)


def add_sample(record: dict[str, Any], source: str, number: int, gathering: Gathering) -> str:
    """Adds the profile and the piece of a screenplay that one sample holds, and returns the profile's id.

    A sample that only names the emotional state in an image has neither; the state itself stands again in
    the sample of the reply. Two forms of one sample (with and without a plan) make one profile and one piece.

    Args:
        record: `question_id` or `id` ("<profile>:<turn>:<kind>"), and `conversations` of one human prompt
            and one reply.
        source: Name of the file, for problems.
        number: The record's number in it.
        gathering: Takes what is read.
    """
    prompt, reply = _said(record, "human"), _said(record, "gpt")
    name, _, rest = cell(record.get("question_id") or record.get("id")).partition(":")
    turn, _, kind = rest.partition(":")
    if not prompt or not reply:
        gathering.problem(source, number, "a sample without a prompt and a reply: it was left out")
        return ""
    talk = _TALK.search(prompt)
    if not talk:
        if kind == "response":
            gathering.problem(source, number, "a sample without a conversation: it was left out")
        return ""
    profile_id = identifier(name)
    if not profile_id:
        gathering.problem(source, number, "a sample without a question_id: it was left out")
        return ""
    fields = _fields(prompt[: talk.start()])
    about = fields.get("about", "")
    resistance = read_resistance(name)
    if resistance is None and not gathering.knows(profile_id):
        gathering.problem(source, number, f"the id {name[:60]!r} names no resistance type: taken as none")
    person = read_person(about)
    person.setdefault("name", "Client")
    profile = Profile(
        id=profile_id,
        about=about,
        reason_for_seeking=fields.get("reason", ""),
        cbt_plan=fields.get("plan", ""),
        resistance=resistance or Resistance.NONE,
        **person,
    )
    given = gathering.profile(profile, source, number)
    play = _fragment(
        prompt[talk.start() :], reply, fields.get("state", ""), profile.model_copy(update={"id": given})
    )
    update = {
        "id": identifier(f"{given}.{turn}") if turn else given,
        "technique": fields.get("technique", ""),
    }
    gathering.screenplay(play.model_copy(update=update), source, number)
    return given


def sample_fields(record: dict[str, Any]) -> dict[str, str]:
    """Returns what one sample tells of its client, by the names of the official columns."""
    prompt = _said(record, "human")
    talk = _TALK.search(prompt)
    fields = _fields(prompt[: talk.start()]) if talk else {}
    names = {"about": "personal_info", "reason": "reason_for_seeking_counseling", "plan": "cbt_plan"}
    return {
        "idx": cell(record.get("question_id") or record.get("id")).partition(":")[0],
        "img_path": cell(record.get("image")),
        **{names[key]: text for key, text in fields.items() if key in names},
    }


def _fragment(talk: str, reply: str, state: str, profile: Profile) -> Screenplay:
    """Reads the conversation of a prompt (up to the first blank line) and adds the reply to it."""
    parsed = parse_screenplay(
        talk.split("\n\n", 1)[0],
        id=profile.id,
        profile_id=profile.id,
        resistance=profile.resistance,
        client_names=(profile.name,),
    )
    lines = list(parsed.screenplay.lines)
    if state and lines and lines[-1].speaker is Speaker.CLIENT:
        lines[-1] = Line(speaker=Speaker.CLIENT, directions=(state,), words=lines[-1].words)
    lines.append(Line(speaker=Speaker.THERAPIST, words=" ".join(reply.split())))
    return parsed.screenplay.model_copy(update={"lines": tuple(lines)})


def _said(record: dict[str, Any], who: str) -> str:
    for message in record["conversations"]:
        if isinstance(message, dict) and message.get("from") == who and isinstance(message.get("value"), str):
            return clean(message["value"]).strip()
    return ""


def _fields(head: str) -> dict[str, str]:
    """Reads the `- Label: text` items; an item ends where the next begins or at a blank line."""
    fields: dict[str, str] = {}
    marks = [found for found in _FIELD.finditer(head) if found["label"].strip().lower() in _FIELDS]
    for mark, following in itertools.zip_longest(marks, marks[1:]):
        body = head[mark.end() : following.start() if following else len(head)]
        text = body.split("\n\n", 1)[0].strip()
        fields.setdefault(_FIELDS[mark["label"].strip().lower()], re.sub(r"[\[\]]", "", text))
    return fields
