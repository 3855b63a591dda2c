"""What every therapist is: the candidate, in one session. It hears words and sees a face, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mirror_bench.faces.base import Face
from mirror_bench.schema import ContextFit


@dataclass(frozen=True)
class TherapistTurn:
    """A therapist's reply.

    Attributes:
        words: What the client hears.
        raw: What the model answered, thoughts included, where it differs from `words`.
        removed: What was cleaned away, by kind.
        caption: The emotional caption of this turn, where the method makes one.
        tokens: Generated tokens, captions and plans included.
        finish: Why the model ended its answer, as in `schema.Turn`.
        fit: What of the session was read, where all was too much for the model.
    """

    words: str
    raw: str = ""
    removed: tuple[str, ...] = ()
    caption: str = ""
    tokens: int = 0
    finish: str = ""
    fit: ContextFit | None = None


class Therapist(Protocol):
    """One therapist in one session."""

    @property
    def sees(self) -> bool:
        """Whether it looks at faces; where not, none is drawn for it."""
        ...

    @property
    def plan(self) -> tuple[str, str]:
        """The technique chosen and the plan written, empty before the first reply or without planning."""
        ...

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Answers the client's words and face.

        Raises:
            EngineError: If the engine could not answer.
        """
        ...
