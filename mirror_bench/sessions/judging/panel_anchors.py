"""Sessions of poor to good scripted therapists, on which the judges of a panel are put on one scale."""

from __future__ import annotations

from mirror_bench.data.sources.mini import load_mini
from mirror_bench.parts import StandsOn
from mirror_bench.raters.base import Anchor, Anchors
from mirror_bench.schema import Profile, Resistance, Scenario
from mirror_bench.sessions import offline_sessions
from mirror_bench.sessions.offline_sessions import rehearse_async
from mirror_bench.therapists import SCRIPTED

VERSION = "1"
"""Raised with every change of which sessions are the anchors; part of a panel's fingerprint."""
THERAPISTS = ("attuned", "reflective", "directive", "parrot")
_TURNS = 8


async def anchor_sessions() -> tuple[Anchor, ...]:
    """Returns sessions of every therapist with one training profile per kind of resistance.

    The same sessions on every machine: packaged profiles, scripted therapists, one seed.
    """
    people: dict[Resistance, Profile] = {}
    for profile in load_mini().profiles:
        if profile.split == "train" and profile.crisis is None:
            people.setdefault(profile.resistance, profile)
    return tuple(
        [
            Anchor(
                await rehearse_async(
                    Scenario(profile=people[kind], resistance=kind, seed=0), SCRIPTED.get(name), _TURNS
                ),
                people[kind],
            )
            for name in THERAPISTS
            for kind in (Resistance.EMOTIONAL, Resistance.COGNITIVE, Resistance.BEHAVIORAL)
        ]
    )


def stands_on() -> StandsOn:
    """Returns what decides the anchors: packaged profiles, the stateful client, scripted therapists."""
    found = (
        StandsOn(versions={"sessions.panel_anchors": VERSION}, data=("mini",)) | offline_sessions.stands_on()
    )
    for name in THERAPISTS:
        found |= SCRIPTED.get(name).stands_on()
    return found


ANCHORS = Anchors(anchor_sessions, stands_on)
