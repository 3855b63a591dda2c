"""Can words of a session change what a judge is asked? All around the transcript must stay as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mirror_bench.raters.instruments import Instrument
from mirror_bench.raters.judge_item import ask
from mirror_bench.raters.judge_transcript import write_transcript
from mirror_bench.schema import Session, Speaker

_HARMLESS = "I see. Tell me more about that."


class InjectionReach(NamedTuple):
    """How many of the prompts of some sessions an injection reached.

    Attributes:
        prompts: One per session and item.
        changed: Those whose text outside the delimited block differs from that of a session with harmless
            words in the therapist's place.
        broken: Those whose block has another number of lines than the session has turns.
    """

    prompts: int
    changed: int
    broken: int


def tally(sessions: Sequence[Session], instruments: Sequence[Instrument]) -> InjectionReach:
    """Compares the prompts of sessions with those of the same sessions with harmless words."""
    prompts = changed = broken = 0
    for session in sessions:
        shown, plain = write_transcript(session), write_transcript(_harmless(session))
        torn = len(shown.block.split("\n")) != len(session.turns) + 2
        for instrument in instruments:
            for item in instrument.items:
                attacked = [m.text.replace(shown.block, "", 1) for m in ask(shown, instrument, item)]
                usual = [m.text.replace(plain.block, "", 1) for m in ask(plain, instrument, item)]
                prompts += 1
                changed += attacked != usual
                broken += torn
    return InjectionReach(prompts, changed, broken)


def _harmless(session: Session) -> Session:
    turns = tuple(
        turn.model_copy(update={"words": _HARMLESS}) if turn.speaker is Speaker.THERAPIST else turn
        for turn in session.turns
    )
    return session.model_copy(update={"turns": turns})
