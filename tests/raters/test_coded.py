from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from statistics import mean

import pytest
from annomi import auc, needs_annomi, session, transcripts
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.clients.stateful.client import StatefulClient
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.errors import InputError
from mirror_bench.faces.base import Face
from mirror_bench.raters.coded import CodedRater, refuse_unknown_features
from mirror_bench.raters.coded_session import read
from mirror_bench.raters.instruments import CodedRule, Item, instrument_scores, load_instrument
from mirror_bench.raters.session_features import FEATURES, features
from mirror_bench.schema import Ending, Profile, Scenario, Session, Speaker, Turn
from mirror_bench.therapists.policies import comparison

NOBODY = Profile(id="p", name="P")
PROFILES = {profile.id: profile for profile in load_mini().profiles}
Reply = Callable[[str, int], str]


def scores(held: Session, profile: Profile = NOBODY) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in ("wai", "ctrs"):
        instrument = load_instrument(name)
        rating = asyncio.run(CodedRater().rate(held, profile, instrument))
        found |= {k: v for k, v in instrument_scores(instrument, rating).items() if v is not None}
    return found


async def hold(profile: Profile, reply: Callable[[str, Face], object], seed: int = 0) -> Session:
    client = StatefulClient(Scenario(profile=profile, resistance=profile.resistance, seed=seed), 12)
    turns: list[Turn] = []
    said = await client.open()
    while True:
        turns.append(Turn(speaker=Speaker.CLIENT, words=said.words, state=said.state))
        if said.ends:
            return session(turns, profile.id, said.ends)
        answer = reply(said.words, Face(b"", "", said.expression))
        words = answer if isinstance(answer, str) else (await answer).words  # type: ignore[misc]
        turns.append(Turn(speaker=Speaker.THERAPIST, words=words))
        said = await client.reply(words)


def rated_by_kind(kind: type[comparison.Scripted]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for profile in PROFILES.values():
        if profile.split == "test":
            therapist = kind(Scenario(profile=profile, resistance=profile.resistance))
            for name, score in scores(asyncio.run(hold(profile, therapist.reply)), profile).items():
                found.setdefault(name, []).append(score)
    return found


def test_scripted_therapists_stand_in_their_known_order() -> None:
    kinds = [comparison.Attuned, comparison.Reflective, comparison.Directive, comparison.Parrot]
    means = [{name: mean(v) for name, v in rated_by_kind(kind).items()} for kind in kinds]
    for metric in ("wai.total", "wai.bond", "ctrs.understanding"):
        order = [found[metric] for found in means]
        assert order == sorted(order, reverse=True), metric
    attuned, reflective, directive, parrot = (found["wai.total"] for found in means)
    assert attuned >= 3.7
    assert reflective - directive >= 1.2
    assert directive <= 2.6
    assert parrot <= 2.4
    assert means[0]["ctrs.total"] - means[2]["ctrs.total"] >= 2.5


COMFORT = (
    "That must be so hard. I understand how you feel.",
    "I'm so sorry you're going through this. Your feelings are valid.",
    "I hear you. It sounds really painful.",
    "You are not alone. I'm here for you.",
    "That sounds incredibly tough. You're so strong.",
    "I can imagine how difficult this is. I support you.",
)
QUESTIONS = (
    "How long has this been going on?",
    "What do you think about that?",
    "How does that make you feel?",
    "When did it start?",
    "Who else knows about it?",
    "What else is on your mind?",
)
SHOW = (
    "It sounds like part of you is afraid. It is up to you how we use our time. "
    "What evidence speaks against the thought? How would a friend see it? "
    "Shall we work out a small step together? Did I get that right? "
) * 4
GAMES: dict[str, Reply] = {
    "parrot": lambda heard, n: heard or "...",
    "parrot with a tail": lambda heard, n: f"{heard} Tell me more.",
    "comfort": lambda heard, n: COMFORT[n % len(COMFORT)],
    "questions": lambda heard, n: QUESTIONS[n % len(QUESTIONS)],
    "everything at once": lambda heard, n: SHOW,
    "everything after an echo": lambda heard, n: f"{heard} {SHOW}",
    "endless": lambda heard, n: " ".join((*COMFORT, *QUESTIONS)) * 40 + str(n),
    "okay": lambda heard, n: "Okay.",
}


@pytest.mark.parametrize("game", GAMES)
def test_no_single_trick_comes_near_a_skilled_therapist(game: str) -> None:
    found: list[dict[str, float]] = []
    for profile in [p for p in PROFILES.values() if p.split == "test"][::3]:
        count = iter(range(100))

        def reply(heard: str, face: Face, count: Iterator[int] = count) -> str:
            return GAMES[game](heard, next(count))

        held = asyncio.run(hold(profile, reply))
        found.append(scores(held, profile))
    assert mean(f["wai.total"] for f in found) <= 3.1
    assert mean(f["ctrs.total"] for f in found) <= 2.2


@needs_annomi
def test_high_quality_sessions_of_others_score_above_low_ones() -> None:
    found = [(scores(held), high) for held, high in transcripts()]
    for metric in ("wai.total", "ctrs.total"):
        good = [f[metric] for f, high in found if high]
        poor = [f[metric] for f, high in found if not high]
        assert auc(good, poor) >= 0.9, metric


@needs_annomi
def test_the_difference_is_not_length_alone() -> None:
    found = [(scores(session(held.turns[:20])), high) for held, high in transcripts()]
    good = [f["wai.total"] for f, high in found if high]
    poor = [f["wai.total"] for f, high in found if not high]
    assert auc(good, poor) >= 0.85


def play(*lines: str) -> list[Turn]:
    speakers = (Speaker.CLIENT, Speaker.THERAPIST)
    return [Turn(speaker=speakers[i % 2], words=line) for i, line in enumerate(lines)]


TALK = play(
    "I don't see the point of this. My sister made me come.",
    "You're here because your sister pushed, and part of you would rather be anywhere else.",
    "Pretty much. She thinks I never leave the flat.",
    "What was the last day like when you did leave it?",
    "Saturday. I went to the market and turned round at the gate.",
    "You're lazy. You should just go in next time.",
    "Fine.",
)


def test_every_feature_is_named_and_lies_between_none_and_all() -> None:
    found = features(read(session(TALK), NOBODY))
    assert sorted(found) == sorted(FEATURES)
    assert all(0 <= feature.value <= 1 for feature in found.values())


def test_latent_state_faces_and_directions_are_not_read() -> None:
    bare = session(TALK)
    dressed = session(
        [
            turn.model_copy(update={"state": {"bond": 1.0}, "direction": "[weeps]", "marks": ("mask_met",)})
            for turn in TALK
        ]
    )
    assert scores(bare) == scores(dressed)


def test_evidence_points_at_turns_and_reasons_are_one_line() -> None:
    rating = asyncio.run(CodedRater().rate(session(TALK), NOBODY, load_instrument("ctrs")))
    assert rating.rater == "coded"
    for item in rating.items.values():
        assert all(isinstance(i, int) and 0 <= i < len(TALK) for i in item.evidence)
        assert item.reason
        assert "\n" not in item.reason
    assert 5 in rating.items["interpersonal"].evidence
    assert "confronts" in rating.items["interpersonal"].reason


def test_leaving_lowers_the_bond() -> None:
    stayed, left = scores(session(TALK)), scores(session(TALK, ended=Ending.CLIENT_LEFT))
    assert left["wai.bond"] < stayed["wai.bond"]


def test_a_therapist_who_never_speaks_is_not_rated() -> None:
    rating = asyncio.run(CodedRater().rate(session(TALK[:1]), NOBODY, load_instrument("wai")))
    assert all(item.score is None and "says nothing" in item.reason for item in rating.items.values())


def test_items_without_a_rule_stay_unanswered_and_unknown_features_are_named() -> None:
    wai = load_instrument("wai")
    bare = wai.model_copy(update={"items": (Item(id="x", title="X", text="?"),), "subscales": {}})
    rating = asyncio.run(CodedRater().rate(session(TALK), NOBODY, bare))
    assert rating.items["x"].score is None
    wrong = Item(id="x", title="X", text="?", coded=CodedRule(start=0.5, pro={"charm": 0.1}))
    with pytest.raises(InputError, match=r"wai\.x: the coded rater knows no feature 'charm'"):
        asyncio.run(CodedRater().rate(session(TALK), NOBODY, bare.model_copy(update={"items": (wrong,)})))


@pytest.mark.parametrize(("typed", "meant"), [("repeats", "repeats_itself"), ("repiars", "repairs")])
def test_an_unknown_feature_is_answered_first_by_one_that_begins_so(typed: str, meant: str) -> None:
    wrong = Item(id="x", title="X", text="?", coded=CodedRule(start=0.5, pro={typed: 0.1}))
    form = load_instrument("wai").model_copy(update={"items": (wrong,), "subscales": {}})
    with pytest.raises(InputError, match=f"did you mean '{meant}'"):
        refuse_unknown_features(form)


@given(st.lists(st.tuples(st.sampled_from(Speaker), st.text(max_size=120)), max_size=12))
def test_any_session_is_rated_on_the_scale_and_always_alike(said: list[tuple[Speaker, str]]) -> None:
    held = session([Turn(speaker=speaker, words=words) for speaker, words in said])
    found = scores(held)
    assert found == scores(held)
    assert all(0 <= score <= 6 for score in found.values())
