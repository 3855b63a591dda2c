"""The face verdict: helped, swayed, ignored, or not to be told; and how often it would be wrong."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

import pytest

from mirror_bench.analysis.metrics import SESSION_METRICS, Metric
from mirror_bench.analysis.overview.face_verdict import FaceVerdict, judge_faces
from mirror_bench.analysis.session_outcomes import CandidateKey, SessionOutcome
from mirror_bench.schema import Ending, FaceCondition, Resistance, SessionKey
from mirror_bench.sessions.counterfactual_turns import Probe

MATCHED, NONE, NEUTRAL = FaceCondition.MATCHED, FaceCondition.NONE, FaceCondition.NEUTRAL
SHUFFLED, INCONGRUENT = FaceCondition.SHUFFLED, FaceCondition.INCONGRUENT
CTRS = Metric(name="ctrs.total", title="CTRS total", kind="total", low=0, high=6, better="higher")
WAI = Metric(name="wai.total", title="WAI total", kind="total", low=1, high=5, better="higher")
METRICS = (CTRS, WAI, *SESSION_METRICS)
Level = Callable[[FaceCondition, random.Random], float]


def outcomes(
    levels: Mapping[FaceCondition, float],
    profiles: int = 24,
    attuned: Mapping[FaceCondition, float] | None = None,
    scatter: float = 0.3,
    seed: int = 0,
) -> list[SessionOutcome]:
    """Sessions whose mean CTRS under each face condition is given; WAI lies at half of it."""
    rng = random.Random(seed)
    made = []
    for profile in range(profiles):
        hard = rng.gauss(0, 0.5)
        for condition, level in levels.items():
            ctrs = level + hard + rng.gauss(0, scatter)
            measures = {"turns": 8.0, "dropout": 0.0}
            if attuned:
                measures["attunement"] = attuned[condition] + rng.gauss(0, 0.2)
            made.append(
                SessionOutcome(
                    key=CandidateKey("t", "", condition),
                    session_key=SessionKey("t", "", f"p{profile}#{condition}"),
                    pair=f"p{profile}",
                    profile_id=f"p{profile}",
                    resistance=Resistance.NONE,
                    client="stateful",
                    ended=Ending.TURN_LIMIT,
                    measures=measures,
                    scores={"ctrs.total": ctrs, "wai.total": 2 + ctrs / 2},
                )
            )
    return made


def probes(
    changed: float, noise: float = 0.0, profiles: int = 24, turns: int = 6, seed: int = 1
) -> list[Probe]:
    """Turns asked again, whose words change by chance: with another face, and with the same one."""
    rng = random.Random(1)
    return [
        Probe(
            scenario_id=f"p{profile}#matched",
            pair=f"p{profile}",
            profile_id=f"p{profile}",
            therapist="t",
            turn=turn,
            shown=shown,
            held="one",
            words="two" if rng.random() < share else "one",
        )
        for profile in range(profiles)
        for turn in range(turns)
        for shown, share in ((MATCHED, noise), (NONE, changed), (SHUFFLED, changed))
    ]


def verdict(
    levels: Mapping[FaceCondition, float], asked: list[Probe] | None = None, **more: object
) -> FaceVerdict:
    (found,) = judge_faces(outcomes(levels, **more), METRICS, asked or [])  # type: ignore[arg-type]
    return found


def test_a_gain_over_no_face_and_over_a_wrong_one_is_help() -> None:
    found = verdict({MATCHED: 4.0, NONE: 3.4, SHUFFLED: 3.5}, probes(0.5))
    assert (found.verdict, found.gained, found.lost) == ("helped", ("ctrs.total", "wai.total"), ())
    assert found.against == (NONE, SHUFFLED)
    smaller = found.gain("ctrs.total")
    assert smaller is not None
    assert smaller.difference.value == min(
        one.difference.value or 0 for one in found.differences if one.metric == "ctrs.total"
    )
    over = r"\+0\.\d\d \[.*?\] over no face, \+0\.\d\d \[.*?\] over a shuffled face"
    assert re.search(f"HELPED, higher with the own face: CTRS {over}; WAI {over}", found.in_words)


def test_whom_any_picture_lifts_is_swayed_and_not_helped() -> None:
    found = verdict({MATCHED: 4.0, NONE: 3.4, SHUFFLED: 4.02}, probes(0.8), profiles=60)
    assert (found.verdict, found.gained) == ("swayed", ())
    assert "gains from none" in found.in_words
    assert found.changed is not None
    assert (found.changed.low or 0) > 0.5


def test_help_in_attunement_alone_is_help() -> None:
    same = {MATCHED: 3.5, NONE: 3.5, SHUFFLED: 3.5}
    reads = {MATCHED: 0.6, NONE: 0.0, SHUFFLED: -0.3}
    found = verdict(same, probes(0.5), attuned=reads)
    assert (found.verdict, found.gained) == ("helped", ("attunement",))


def test_whom_the_own_face_costs_something_is_swayed() -> None:
    found = verdict({MATCHED: 3.0, NONE: 3.8, SHUFFLED: 3.1}, probes(0.5))
    assert (found.verdict, found.lost) == ("swayed", ("ctrs.total", "wai.total"))
    assert "lower with the own face: CTRS -0." in found.in_words


def test_whose_words_never_change_ignores_faces_whatever_chance_did_to_scores() -> None:
    same = {MATCHED: 3.5, NONE: 3.5, SHUFFLED: 3.5}
    assert verdict(same, probes(0.0)).verdict == "ignores faces"
    noisy = verdict(same, probes(0.3, noise=0.3))
    assert noisy.verdict == "too few sessions"
    assert "IGNORED" in verdict(same, probes(0.0)).in_words


def test_a_noisy_model_that_was_asked_often_is_seen_to_ignore_faces() -> None:
    same = {MATCHED: 3.5, NONE: 3.5, SHUFFLED: 3.5}
    found = verdict(same, probes(0.3, noise=0.3, profiles=60, turns=60), profiles=60)
    assert found.verdict == "ignores faces"


def test_few_profiles_tell_nothing() -> None:
    found = verdict({MATCHED: 5.0, NONE: 2.0, SHUFFLED: 2.0}, probes(0.9), profiles=7)
    assert found.verdict == "too few sessions"
    assert "(7 pairs with 7 clients; at least 8 clients are needed)" in found.in_words
    wide = verdict({MATCHED: 3.6, NONE: 3.5, SHUFFLED: 3.5}, probes(0.5), profiles=10, scatter=0.8)
    assert wide.verdict == "too few sessions"
    assert "not decided" in wide.in_words
    assert "(10 pairs with 10 clients)" in wide.in_words
    assert "--probe-turns" in wide.in_words


@pytest.mark.parametrize("held", [{MATCHED: 4.0}, {NONE: 4.0}, {NONE: 4.0, SHUFFLED: 3.0}])
def test_nothing_to_compare_is_said(held: dict[FaceCondition, float]) -> None:
    found = verdict(held)
    assert found.verdict == "no other face condition held"
    assert found.verdict in found.in_words


def test_without_turns_asked_again_only_equal_sessions_show_that_faces_are_ignored() -> None:
    same = {MATCHED: 3.5, NONE: 3.5}
    assert verdict(same).verdict == "not told"
    assert "--probe-turns" in verdict(same).in_words
    blind = [one for condition in (MATCHED, NONE) for one in outcomes({condition: 3.5}, scatter=0.3, seed=3)]
    (found,) = judge_faces(blind, METRICS)
    assert found.verdict == "ignores faces"
    assert "every session comes out as with no face" in found.in_words


def test_each_kind_of_face_is_held_against_once() -> None:
    every = {MATCHED: 4.0, NONE: 3.4, NEUTRAL: 3.4, SHUFFLED: 3.4, INCONGRUENT: 3.4}
    assert verdict(every, probes(0.5)).against == (NONE, SHUFFLED)
    assert verdict({MATCHED: 4.0, NEUTRAL: 3.4, INCONGRUENT: 3.4}, probes(0.5)).against == (
        NEUTRAL,
        INCONGRUENT,
    )
    alone = verdict({MATCHED: 4.0, SHUFFLED: 3.2}, probes(0.5))
    assert alone.verdict == "helped"
    assert "not held against no face" in alone.in_words


def test_lost_turns_and_the_order_of_records_decide_nothing() -> None:
    levels = {MATCHED: 3.5, NONE: 3.5, SHUFFLED: 3.5}
    held, asked = outcomes(levels), probes(0.0)
    lost = [probe.model_copy(update={"words": "two", "lost": True, "turn": 99}) for probe in asked[:30]]
    assert judge_faces(held[::-1], METRICS, [*asked[::-1], *lost]) == judge_faces(held, METRICS, asked + lost)
    assert judge_faces(held, METRICS, asked + lost)[0].verdict == "ignores faces"


@pytest.mark.parametrize(
    ("none", "asked", "wrong", "right"),
    [
        (3.5, probes(0.6), "helped", "swayed"),  # the face changes words and nothing else
        (3.0, probes(0.6), "helped", "swayed"),  # any picture lifts
    ],
)
def test_help_is_seldom_found_where_there_is_none(
    none: float, asked: list[Probe], wrong: str, right: str
) -> None:
    found = [
        verdict({MATCHED: 3.5, NONE: none, SHUFFLED: 3.5}, asked, profiles=24, seed=seed).verdict
        for seed in range(200)
    ]
    assert (
        sum(one == wrong for one in found) <= 12
    )  # of 200; at most 2.5 % are promised, and chance adds some
    assert sum(one == right for one in found) > 100


def test_help_is_mostly_found_where_there_is_some() -> None:
    found = [
        verdict({MATCHED: 3.9, NONE: 3.5, SHUFFLED: 3.5}, probes(0.6), profiles=24, seed=seed).verdict
        for seed in range(60)
    ]
    assert found.count("helped") > 50
    assert "ignores faces" not in found
