"""A session of which only some fields matter to a test."""

from __future__ import annotations

from typing import Any

from mirror_bench.schema import Ending, FaceCondition, Resistance, Session, Turn


def bare_session(*turns: Turn, name: str = "s", **fields: Any) -> Session:
    """Returns a session of these turns; `name` stands for its scenario, `fields` for what else matters."""
    plain: dict[str, Any] = {
        "scenario_id": name,
        "pair": name,
        "profile_id": "p",
        "resistance": Resistance.NONE,
        "condition": FaceCondition.MATCHED,
        "seed": 0,
        "therapist": "t",
        "client": "c",
        "ended": Ending.TURN_LIMIT,
    }
    return Session(**{**plain, "turns": turns, **fields})
