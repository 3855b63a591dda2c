"""A therapist in a session whose history is given: after each answer it is told what was really said."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mirror_bench.errors import InputError
from mirror_bench.faces.base import Face
from mirror_bench.therapists.base import Therapist, TherapistTurn


class RemindedTherapist:
    """Answers each point of a session whose history is given.

    Args:
        therapist: Who answers; it has a method `recall(words)` that puts what was really said in the place of
            its own last answer.
        given: What the session's own therapist said, answer by answer.
        name: Of the therapist, for messages.

    Raises:
        InputError: If the therapist has no such method, and so would go on from words that nobody answered.
    """

    def __init__(self, therapist: Therapist, given: Sequence[str], name: str) -> None:
        self._therapist = therapist
        recall: Callable[[str], None] | None = getattr(therapist, "recall", None)
        if recall is None:
            raise InputError(
                f"{name}: cannot be asked under a given history: give it a method recall(words) that puts "
                "what was really said in the place of its last answer, or take another protocol"
            )
        self._recall = recall
        self._given = iter(given)

    @property
    def sees(self) -> bool:
        """Whether it looks at faces."""
        return self._therapist.sees

    @property
    def plan(self) -> tuple[str, str]:
        """The technique chosen and the plan written."""
        return self._therapist.plan

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Answers, then remembers what was really said instead."""
        said = await self._therapist.reply(heard, face)
        self._recall(next(self._given, ""))
        return said
