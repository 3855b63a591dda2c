"""Rollouts on the train split: what a policy meets, what it is rewarded for, and whom it never meets."""

from __future__ import annotations

import asyncio

import pytest

from mirror_bench.data.sources.mini import load_mini
from mirror_bench.errors import InputError
from mirror_bench.schema import Ending, Scenario, Session
from mirror_bench.sessions.offline_sessions import rehearse
from mirror_bench.therapists import SCRIPTED
from mirror_bench.therapists.cheats import cheating
from mirror_bench.training.reward import RewardRule, gaming_marks, marked_features
from mirror_bench.training.rollout import ClientMoment, Rollout, TrainingSetting, undrawn
from mirror_bench.training.setup import set_up
from mirror_bench.training.train_split import scenario_named, training_scenarios


def _scenario(number: int = 0) -> Scenario:
    return training_scenarios(limit=4)[number]


async def _rolled_out(scenario: Scenario, therapist: str, setting: TrainingSetting) -> Rollout:
    rollout, answering = Rollout(scenario, setting), SCRIPTED.get(therapist)(scenario)
    seen: ClientMoment | None = await rollout.begin()
    while seen is not None:
        seen = await rollout.answer((await answering.reply(seen.words, seen.face)).words)
    return rollout


def test_a_rollout_is_the_session_that_a_run_would_hold() -> None:
    scenario = _scenario()
    rollout = asyncio.run(_rolled_out(scenario, "attuned", undrawn()))
    expected = rehearse(scenario, SCRIPTED.get("attuned"))
    assert rollout.session.turns == expected.turns
    assert rollout.session.ended is expected.ended


def test_the_rewards_of_turns_add_up_to_that_of_the_session() -> None:
    rollout = asyncio.run(_rolled_out(_scenario(1), "reflective", undrawn(max_client_turns=6)))
    whole = asyncio.run(rollout.worth())
    assert len(rollout.turn_rewards) == sum(turn.speaker == "therapist" for turn in rollout.session.turns)
    assert sum(rollout.turn_rewards) == pytest.approx(whole.value)
    assert len({round(one, 6) for one in rollout.turn_rewards}) > 2


def test_a_policy_sees_the_face_at_every_turn_and_never_the_direction() -> None:
    async def look() -> None:
        rollout = Rollout(_scenario(2), TrainingSetting(max_client_turns=3))
        try:
            seen = await rollout.begin()
            assert seen.face is not None
            assert seen.face.png.startswith(b"\x89PNG")
            assert await rollout.answer("What brings you here?") is not None
            system, *turns = rollout.messages()
            assert system.role == "system"
            assert [turn.role for turn in turns] == ["user", "assistant", "user"]
            assert all(len(turn.parts) == 2 for turn in turns if turn.role == "user")
            told = " ".join(turn.text for turn in turns)
            directions = [turn.direction for turn in rollout.session.turns if turn.direction]
            assert directions
            assert not any(direction in told for direction in directions)
        finally:
            await rollout.close()

    asyncio.run(look())


def _worth(session: Session, scenario: Scenario, rule: RewardRule) -> float:
    return asyncio.run(rule.of(session, scenario.profile)).value


def test_cheats_are_worth_less_than_listening_and_the_marks_cost_them_more() -> None:
    scenario = _scenario(3)
    plain, whole = RewardRule(attunement=0, gaming=0), RewardRule()
    listening = rehearse(scenario, SCRIPTED.get("reflective"))
    for cheat in ("praise", "parrot", "questions"):
        session = rehearse(scenario, cheating(cheat))
        assert gaming_marks(session, scenario.profile), cheat
        lost = _worth(session, scenario, plain) - _worth(session, scenario, whole)
        assert lost > 0.2, cheat
        assert _worth(session, scenario, whole) < _worth(listening, scenario, whole), cheat
    assert {"generic", "echoes", "interrogates", "premature"} <= set(marked_features())
    assert not {"reflects", "deepens", "collaborates"} & set(marked_features())


def test_a_session_without_a_word_of_the_therapist_is_worth_nothing() -> None:
    scenario = _scenario()
    said = rehearse(scenario, SCRIPTED.get("reflective"))
    opening = said.model_copy(update={"turns": said.turns[:1], "ended": Ending.TURN_LIMIT})
    assert _worth(opening, scenario, RewardRule()) == 0.0


@pytest.mark.parametrize("split", ["dev", "test"])
def test_nobody_of_another_split_is_met(split: str) -> None:
    with pytest.raises(InputError, match="training meets the split 'train' alone"):
        training_scenarios(split=split)
    held_out = next(one for one in load_mini().profiles if one.split == split)
    scenario = Scenario(profile=held_out, resistance=held_out.resistance)
    with pytest.raises(InputError, match=f"is of the split {split}"):
        Rollout(scenario, undrawn())
    with pytest.raises(InputError, match=f"is of the split {split}"):
        scenario_named(scenario.id, load_mini())
    renamed = held_out.model_copy(update={"split": "train", "id": "mine-001"})
    with pytest.raises(InputError, match=f"is {held_out.id} of MIRROR-Mini's split {split}"):
        Rollout(Scenario(profile=renamed, resistance=held_out.resistance), undrawn())


def test_choices_are_read_and_refused_in_words() -> None:
    training = set_up(limit=4, face_conditions="matched,none", seeds=[3], images=False)
    assert len(training.scenarios) == 8
    assert {scenario.profile.split for scenario in training.scenarios} == {"train"}
    with pytest.raises(InputError, match="max_client_turns=1"):
        set_up(max_client_turns=1)
    with pytest.raises(InputError, match=r"judges=.*provider/name"):
        set_up(judges="no-such-judge")
