"""Session files of MindEval: a member's profile and the interaction, a JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mirror_bench.data.transcripts.base import Conversation, TranscriptReading
from mirror_bench.data.transcripts.messages import read_messages


def read_mindeval(path: Path, reading: TranscriptReading) -> Iterator[Conversation]:
    """Yields the sessions of a file; see `base.Reader`.

    The member's first "Hello", which the benchmark's script puts there, stays: the therapist answers it.
    """
    for held in read_messages(path, reading):
        person = held.person
        name = person.get("name") if isinstance(person, dict) else None
        # Lines have no ids of their own; a member's name makes the session findable.
        label = f"{held.id}-{name}" if isinstance(name, str) and name.strip() else held.id
        yield held._replace(id=label)
