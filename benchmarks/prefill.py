"""How many prompt tokens vLLM really computes for a session, by its own counters: chat beside flat layout.

The client's lines and the faces are fixed, so that both layouts ask about the same twenty turns.
"""

from __future__ import annotations

from contextlib import suppress

from mirror_bench.data.sources.registry import load_data
from mirror_bench.engines.base import Answer, EngineWrapper, Request
from mirror_bench.engines.factory import open_engine
from mirror_bench.engines.vllm.engine import VllmEngine
from mirror_bench.errors import EngineError
from mirror_bench.faces.base import Face
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.faces.presenter import ShownFaces
from mirror_bench.modelspec import parse_model
from mirror_bench.protocol import SamplingSettings, TherapistSettings
from mirror_bench.schema import Scenario
from mirror_bench.sessions.candidate import open_therapist, read_candidate

TURNS = 20
LAYOUTS = ("chat", "flat")
_MAX_TOKENS = 12
_LINES = (
    "I don't see how talking is going to change any of it.",
    "It was fine, really. The week went by.",
    "You asked me that the last time, and I said what I think.",
    "Maybe. I have not thought of it like that.",
    "She says that I never listen, and then she leaves the room.",
)


class _Spoken(EngineWrapper):
    """Asks, and gives the same words whatever was said: an untrained model may say none."""

    async def answer(self, request: Request) -> Answer:
        """Asks and answers with fixed words."""
        with suppress(EngineError):
            await self.engine.answer(request)
        return Answer("It sounds as if that was a long week, and nobody asked you how it went.")


async def measure(model: str, sessions: int) -> dict[str, float]:
    """Returns name -> figure for sessions of `TURNS` turns.

    Args:
        model: Checkpoint folder of a model that sees.
        sessions: How many are held with each layout, one after another.
    """
    engine = open_engine(parse_model(f"vllm/{model}?max_images={TURNS}"))
    assert isinstance(engine, VllmEngine)
    await engine.start()
    candidate = read_candidate(f"vllm/{model}", "direct", 0, "tiny")
    found: dict[str, float] = {}
    try:
        for layout in LAYOUTS:
            await engine.forget_prefixes()
            settings = TherapistSettings(layout=layout, sampling=SamplingSettings(max_tokens=_MAX_TOKENS))
            before = engine.counters.prompt_tokens, engine.counters.cached_tokens
            for number in range(sessions):
                profile = load_data("mini").profiles[number]
                scenario = Scenario(profile=profile, resistance=profile.resistance, seed=number)
                therapist = open_therapist(candidate, scenario, _Spoken(engine), settings)
                for turn, face in enumerate(_faces(scenario)):
                    await therapist.reply(_LINES[(turn + number) % len(_LINES)], face)
            asked = engine.counters.prompt_tokens - before[0]
            cached = engine.counters.cached_tokens - before[1]
            found[f"{layout}_prompt_tokens"] = round(asked / sessions)
            found[f"{layout}_computed_tokens"] = round((asked - cached) / sessions)
    finally:
        await engine.close()
    found["chat_over_flat"] = round(found["chat_computed_tokens"] / found["flat_computed_tokens"], 3)
    return found


def _faces(scenario: Scenario) -> list[Face | None]:
    shown = ShownFaces(DrawnFaces())
    expressions = list(EXPRESSIONS.values())
    return [shown.show(scenario, turn, expressions[turn % len(expressions)]) for turn in range(TURNS)]
