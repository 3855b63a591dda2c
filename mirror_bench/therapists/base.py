"""The shape of every therapist: in one session, it takes the client's words and face and answers in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mirror_bench.faces.base import Face
from mirror_bench.schema import ContextFit


@dataclass(frozen=True)
class TherapistTurn:
    """What a therapist answers in one turn: the words for the client, and how they came about.

    Attributes:
        words: What the client hears.
        raw: The model's whole answer, thoughts included; empty where it is the same as `words`.
        removed: The kinds of what was cleaned away, such as "stage parentheses".
        caption: What the model wrote of the client's face before it replied, where the method asks for it.
        tokens: How many tokens the model generated for this turn, captions and plans included.
        finish: Why the model ended its answer, as in `schema.Turn`.
        fit: Which part of the session the model read; None where it read the whole.
    """

    words: str
    raw: str = ""
    removed: tuple[str, ...] = ()
    caption: str = ""
    tokens: int = 0
    finish: str = ""
    fit: ContextFit | None = None


class Therapist(Protocol):
    """A therapist in one session: takes each turn of the client, words and face, and returns its reply."""

    @property
    def sees(self) -> bool:
        """Whether it looks at the client's face; where not, no face is drawn for it."""
        ...

    @property
    def plan(self) -> tuple[str, str]:
        """The counseling technique that it chose and its written plan; both empty while it has made none."""
        ...

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Returns the therapist's reply to one turn of the client.

        Args:
            heard: The client's words.
            face: The client's face at these words; None where none is shown.

        Raises:
            EngineError: If the engine could not answer.
        """
        ...
