"""Sessions of scripted therapists with the stateful client, without images: to study the client itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

from mirror_bench.clients.stateful.client import StatefulClient
from mirror_bench.faces import conditions
from mirror_bench.faces.base import Face
from mirror_bench.faces.conditions import expression_at_turn
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Expression, Profile, Scenario, Session
from mirror_bench.sessions import session
from mirror_bench.sessions.session import FacePresenter, SessionNames, hold_session
from mirror_bench.therapists.base import Therapist


def stands_on() -> StandsOn:
    """Returns what decides a session without images, but for its therapist."""
    return StatefulClient.stands_on() | session.stands_on() | conditions.stands_on()


class UndrawnFaces:
    """Shows what `FaceShow` shows, without the image: scripted therapists read the expression alone."""

    def show(self, scenario: Scenario, turn: int, expression: Expression) -> Face | None:
        """See `dialogue.Showing`; the image is empty."""
        shown = expression_at_turn(scenario.condition, expression, scenario.pair, turn)
        return None if shown is None else Face(b"", "", shown)


def rehearse(scenario: Scenario, therapist: Callable[[Scenario], Therapist], turns: int = 12) -> Session:
    """Holds one session, of at most `turns` client turns."""
    return asyncio.run(rehearse_async(scenario, therapist, turns))


def rehearse_many(
    profiles: Sequence[Profile],
    therapists: Sequence[Callable[[Scenario], Therapist]],
    sessions: int,
    turns: int = 12,
) -> Iterator[Session]:
    """Holds sessions with every profile in turn; the therapists take turns with each round of profiles.

    Args:
        profiles: Who is treated, each with the resistance of its own.
        therapists: What makes a therapist for a scenario.
        sessions: How many; the seed of a profile's scenarios counts up.
        turns: Most client turns of a session.
    """
    for place in range(sessions):
        profile = profiles[place % len(profiles)]
        seed = place // len(profiles)
        scenario = Scenario(profile=profile, resistance=profile.resistance, seed=seed)
        # One step further with each round, so that no therapist keeps the same profiles.
        therapist = therapists[(place + seed) % len(therapists)]
        yield rehearse(scenario, therapist, turns)


async def rehearse_async(
    scenario: Scenario, therapist: Callable[[Scenario], Therapist], turns: int = 12
) -> Session:
    """Holds one session, of at most `turns` client turns, inside a running event loop."""
    return await hold_session(
        scenario,
        StatefulClient(scenario, turns),
        therapist(scenario),
        FacePresenter(UndrawnFaces()),
        max_client_turns=turns,
        names=SessionNames("scripted", "", "stateful"),
    )
