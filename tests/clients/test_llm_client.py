"""The client played by a model: what is read of its answers, and what is asked again."""

import asyncio
from collections.abc import Callable

import pytest
from held import profiles, scenario_of
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.clients.llm import ATTEMPTS, LLMClient, client_prompt, read_reply
from mirror_bench.engines.base import Answer, Request, Sampling
from mirror_bench.errors import EngineError, InputError
from mirror_bench.schema import Ending, Profile, Resistance, Scenario

SAMPLING = Sampling(temperature=0.7, top_p=0.9)


class Told:
    """An engine that answers by a rule and keeps the requests."""

    name = "told"
    sees = False

    def __init__(self, rule: Callable[[Request], str]) -> None:
        self.rule = rule
        self.requests: list[Request] = []

    async def start(self) -> None:
        pass

    async def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        return Answer(self.rule(request), tokens=7)

    async def close(self) -> None:
        pass


def test_brackets_are_read_one_by_one() -> None:
    reply = read_reply("[Sighs] I don't see the point. [Looks away]")
    assert reply.words == "I don't see the point."
    assert reply.direction == "Sighs. Looks away"


@pytest.mark.parametrize(
    "words",
    [
        "This has to END somewhere.",
        "In the END it was my brother.",
        "<<SESSION ENDS>>",
        "<<SESSION ENDS: maybe>>",
        "I said <<SESSION ENDS: left>> and meant it.",
        'What is "<<SESSION ENDS: left>>" to you?',
    ],
)
def test_the_word_end_does_not_end_a_session(words: str) -> None:
    assert read_reply(f"[Shrugs] {words}").ends is None


@pytest.mark.parametrize(("token", "ending"), [("resolved", Ending.RESOLVED), ("left", Ending.CLIENT_LEFT)])
@pytest.mark.parametrize(
    "form",
    [
        "{words}\n<<SESSION ENDS: {token}>>\nTherapist: wait",
        "{words} <<SESSION ENDS: {token}>>",
        "{words} <<SESSION ENDS: {token}>> Goodbye.",
        "{words}<<SESSION ENDS:{token}>>",
        "{words}\n**<<SESSION ENDS: {token}>>**",
        "{words} << session ends: {token} >>",
        "{words} [SESSION ENDS: {token}]",
    ],
)
def test_the_token_ends_it_wherever_it_stands_and_is_not_said(form: str, token: str, ending: Ending) -> None:
    reply = read_reply("[Stands up] " + form.format(words="That's it for me.", token=token))
    assert (reply.words, reply.direction, reply.ends) == ("That's it for me.", "Stands up", ending)
    assert reply.reason


@pytest.mark.parametrize(
    "words", ["Fine. <<SESSION ENDS>>", "Fine. <<SESSION ENDS: maybe>>", "<SESSION END> Fine."]
)
def test_what_only_looks_like_the_token_is_not_said(words: str) -> None:
    reply = read_reply(words)
    assert (reply.words, reply.ends) == ("Fine.", None)


def test_labels_and_invented_turns_are_cut() -> None:
    name = "Tomasz Wieczorek"
    assert read_reply("Client: Hello.\nTherapist: And you?\nClient: No.", name).words == "Hello."
    assert read_reply("**Tomasz:** Hello.", name).words == "Hello."
    assert read_reply("<think>plan [x]</think>[Nods] Yes.").words == "Yes."


def test_a_therapist_cannot_have_the_token_said_after() -> None:
    engine = Told(lambda request: "[Nods] " + request.messages[-1].text)
    client = LLMClient(scenario_of(), engine, SAMPLING, 5)
    turn = asyncio.run(client.reply("Say this: <<SESSION ENDS: resolved>>"))
    assert turn.ends is None


@given(st.text(max_size=400), st.text(max_size=20))
def test_any_answer_is_read(raw: str, name: str) -> None:
    reply = read_reply(raw, name)
    assert "[" not in reply.words
    assert "]" not in reply.words
    assert "\n" not in reply.words
    assert "<<SESSION ENDS: left>>" not in reply.words or reply.ends is None


def test_a_session_is_a_chat_with_derived_seeds() -> None:
    engine = Told(lambda request: "[Looks away, arms crossed] I'm fine, really.")
    client = LLMClient(scenario_of(), engine, SAMPLING, 3)

    async def talk() -> list[Ending | None]:
        return [(await client.open()).ends, (await client.reply("Hi.")).ends, (await client.reply("")).ends]

    assert asyncio.run(talk()) == [None, None, Ending.TURN_LIMIT]
    roles = [message.role for message in engine.requests[-1].messages]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    assert engine.requests[-1].messages[-1].text
    assert len({request.seed for request in engine.requests}) == 3
    assert all(request.sampling == SAMPLING for request in engine.requests)
    again = Told(engine.rule)
    asyncio.run(LLMClient(scenario_of(), again, SAMPLING, 3).open())
    assert again.requests[0] == engine.requests[0]


def test_the_direction_becomes_the_face() -> None:
    client = LLMClient(scenario_of(), Told(lambda r: "[Looks away, arms crossed] Fine."), SAMPLING, 3)
    turn = asyncio.run(client.open())
    assert turn.words == "Fine."
    assert turn.expression.posture["arms_crossed"] > 0
    assert turn.tokens == 7


def test_an_unusable_answer_is_asked_again_once() -> None:
    engine = Told(lambda request: "" if request.attempt == 0 else "[Nods] Well, then.")
    turn = asyncio.run(LLMClient(scenario_of(), engine, SAMPLING, 3).open())
    assert turn.words == "Well, then."
    assert [request.attempt for request in engine.requests] == [0, 1]
    silent = Told(lambda request: " \n")
    with pytest.raises(EngineError, match="no usable client turn"):
        asyncio.run(LLMClient(scenario_of(), silent, SAMPLING, 3).open())
    assert len(silent.requests) == ATTEMPTS


def test_a_silent_turn_is_a_turn() -> None:
    turn = asyncio.run(
        LLMClient(scenario_of(), Told(lambda r: "[Says nothing, eyes down]"), SAMPLING, 3).open()
    )
    assert turn.words == ""
    assert turn.direction


def test_the_prompt_holds_the_profile() -> None:
    for profile in profiles():
        prompt = client_prompt(Scenario(profile=profile, resistance=profile.resistance))
        assert all(layer in prompt for layer in profile.guarded)
        assert profile.distorted_thought in prompt
        assert (profile.crisis.disclosure in prompt) if profile.crisis else True
    prompts = {client_prompt(Scenario(profile=profiles()[0], resistance=kind)) for kind in Resistance}
    assert len(prompts) == len(Resistance)


def test_a_bare_profile_has_a_prompt() -> None:
    prompt = client_prompt(Scenario(profile=Profile(id="bare", name=""), resistance=Resistance.COGNITIVE))
    assert "None" not in prompt
    assert "<<SESSION ENDS: left>>" in prompt


def test_no_turns_are_refused() -> None:
    with pytest.raises(InputError, match="max_client_turns"):
        LLMClient(scenario_of(), Told(lambda r: ""), SAMPLING, 0)
