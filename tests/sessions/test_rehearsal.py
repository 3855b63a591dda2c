from __future__ import annotations

from mirror_bench.data.sources.mini import load_mini
from mirror_bench.schema import Speaker
from mirror_bench.sessions.offline_sessions import rehearse_many
from mirror_bench.therapists.policies.comparison import Attuned, Directive


def test_every_profile_meets_every_therapist() -> None:
    profiles = load_mini().profiles[:3]
    held = list(rehearse_many(profiles, (Attuned, Directive), 12, turns=3))
    assert [session.profile_id for session in held] == [p.id for p in profiles] * 4
    assert [session.seed for session in held] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    first = {(s.profile_id, s.turns[1].words) for s in held}
    assert len(first) > 3  # two therapists, not one, for each
    assert all(sum(turn.speaker is Speaker.CLIENT for turn in s.turns) <= 3 for s in held)
    assert held == list(rehearse_many(profiles, (Attuned, Directive), 12, turns=3))
