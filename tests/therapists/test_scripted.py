"""The scripted therapists do what they stand for, in the words that the behaviour codes hear."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.clients.stateful.client import StatefulClient
from mirror_bench.clients.stateful.perception import hear
from mirror_bench.clients.stateful.utterances import MASKS, Act, load_bank
from mirror_bench.coding.face_remarks import FaceRemark
from mirror_bench.coding.therapist_behaviour import (
    NON_ADHERENT,
    QUESTIONS,
    REFLECTIONS,
    Behaviour,
    code_therapist,
)
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.errors import InputError
from mirror_bench.faces.base import Face
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.raters.coded import CodedRater
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.schema import Profile, Resistance, Scenario
from mirror_bench.sessions.offline_sessions import rehearse
from mirror_bench.therapists import SCRIPTED
from mirror_bench.therapists.policies import phrases
from mirror_bench.therapists.policies.client_words import gist_of, in_second_person
from mirror_bench.therapists.policies.comparison import Attuned, Directive, Parrot, Reflective, Scripted
from mirror_bench.therapists.policies.phrases import load_script

SCENARIO = Scenario(profile=Profile(id="p", name="Ada Lane"), resistance=Resistance.EMOTIONAL)
DENIAL = "It's fine. I don't think about the promotion much."
WORDS = "I just get so tired of being the one who keeps the shop going."
SLOTS = {
    "turned": "you get so tired of being the one who keeps the shop going",
    "topic": "the shop",
    "other": "your brother",
    "words": WORDS,
}


def _replies(therapist: Scripted, heard: list[str], face: Face | None = None) -> list[str]:
    async def talk() -> list[str]:
        return [(await therapist.reply(words, face)).words for words in heard]

    return asyncio.run(talk())


def _face(label: str) -> Face:
    return Face(b"", "", EXPRESSIONS[label])


def test_they_are_found_by_name() -> None:
    for name, kind in {
        "attuned": Attuned,
        "reflective": Reflective,
        "directive": Directive,
        "parrot": Parrot,
    }.items():
        assert SCRIPTED.get(name) is kind
        therapist = kind(SCENARIO)
        assert therapist.sees is (kind is Attuned)
        assert therapist.plan == ("", "")


@given(
    heard=st.lists(st.text(max_size=200), min_size=1, max_size=13), label=st.sampled_from(sorted(EXPRESSIONS))
)
def test_any_words_are_answered_alike_every_time(heard: list[str], label: str) -> None:
    for kind in (Attuned, Reflective, Directive, Parrot):
        said = _replies(kind(SCENARIO), heard, _face(label))
        assert said == _replies(kind(SCENARIO), heard, _face(label))
        assert all(words.strip() for words in said)


@pytest.mark.parametrize("label", sorted(load_script("attuned").feelings))
def test_the_attuned_names_what_it_sees(label: str) -> None:
    words = _replies(Attuned(SCENARIO), [DENIAL], _face(label))[0]
    codes = {code.behaviour for code in code_therapist(words, DENIAL)}
    assert Behaviour.NOTICES_FACE in codes
    directions = load_bank(Resistance.EMOTIONAL).directions.get(label)
    if directions:
        assert hear(words, (DENIAL,), directions[0], ()).seen is FaceRemark.RIGHT


def test_without_a_face_it_names_none() -> None:
    for face in (None, _face("neutral")):
        words = _replies(Attuned(SCENARIO), [DENIAL] * 3, face)
        codes = {code.behaviour for reply in words for code in code_therapist(reply, DENIAL)}
        assert Behaviour.NOTICES_FACE not in codes


def test_words_alone_are_what_the_attuned_says_without_a_face() -> None:
    heard = [DENIAL, WORDS] * 4
    shut = _replies(SCRIPTED.get("words-only")(SCENARIO), heard, _face("sadness"))
    assert shut == _replies(Attuned(SCENARIO), heard)
    assert shut != _replies(Attuned(SCENARIO), heard, _face("sadness"))
    assert not SCRIPTED.get("words-only")(SCENARIO).sees


def test_agreeing_words_and_face_are_left_alone() -> None:
    words = _replies(
        Attuned(SCENARIO), ["I'm so sad about my brother, I cry most nights."], _face("sadness")
    )[0]
    assert Behaviour.NOTICES_FACE not in {code.behaviour for code in code_therapist(words)}


def test_minimising_words_are_recognised() -> None:
    listening = load_script("listening")
    masked, plain = [], []
    for resistance in Resistance:
        for act, bands in load_bank(resistance).lines.items():
            texts = {line.text for lines in bands.values() for line in lines}
            if act in MASKS:
                masked += sorted(texts)
            elif act in {Act.ANSWER, Act.CONFRONTED, Act.CHANGE, Act.SUSTAIN, Act.DISCORD}:
                plain += sorted(texts)
    assert sum(listening.shows("minimises", text) for text in masked) >= 0.9 * len(masked)
    assert sum(listening.shows("minimises", text) for text in plain) <= 0.1 * len(plain)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("reflect", REFLECTIONS),
        ("reflect_topic", REFLECTIONS),
        ("reflect_bare", REFLECTIONS),
        ("trust", REFLECTIONS),
        ("change", REFLECTIONS),
        ("discord", REFLECTIONS | {Behaviour.AFFIRM}),
        ("ask", QUESTIONS | {Behaviour.SEEK_COLLABORATION}),
        ("challenge", QUESTIONS | {Behaviour.SEEK_COLLABORATION}),
        ("agenda", frozenset({Behaviour.SEEK_COLLABORATION})),
        ("propose", frozenset({Behaviour.SEEK_COLLABORATION, Behaviour.PERSUADE_WITH_PERMISSION})),
        ("free", frozenset({Behaviour.EMPHASIZE_AUTONOMY})),
        ("crisis", frozenset({Behaviour.CRISIS_RESPONSE})),
        ("crisis_abuse", frozenset({Behaviour.CRISIS_RESPONSE})),
        ("crisis_other", frozenset({Behaviour.CRISIS_RESPONSE})),
    ],
)
def test_listening_phrases_are_heard_as_meant(kind: str, wanted: frozenset[Behaviour]) -> None:
    for text, _ in load_script("listening").phrases[kind]:
        codes = {code.behaviour for code in code_therapist(text.format(**SLOTS), WORDS)}
        assert codes & wanted, (text, codes)
        assert not codes & NON_ADHERENT, (text, codes)


def test_directive_phrases_are_heard_as_meant() -> None:
    script = load_script("directive")
    for kind, wanted in {
        "advise": Behaviour.PERSUADE,
        "confront": Behaviour.CONFRONT,
        "inform": Behaviour.GIVING_INFORMATION,
    }.items():
        heard = [
            wanted in {code.behaviour for code in code_therapist(text.format(**SLOTS), WORDS)}
            for text, _ in script.phrases[kind]
        ]
        assert sum(heard) >= 0.8 * len(heard), kind


@pytest.mark.parametrize("kind", [Attuned, Reflective])
def test_a_good_therapist_neither_repeats_itself_nor_pushes(kind: type[Reflective]) -> None:
    marks: Counter[str] = Counter()
    turns = 0
    for profile in load_mini().profiles:
        scenario = Scenario(profile=profile, resistance=profile.resistance)
        said, heard = asyncio.run(_held(kind(scenario), StatefulClient(scenario, 12)))
        assert len(said) == len(set(said))
        marks.update(heard)
        turns += len(said)
    assert turns >= 9 * len(load_mini().profiles)
    assert marks["repeats_itself"] <= 0.02 * turns
    assert marks["pushed"] + marks["confronted"] <= 0.02 * turns


async def _held(therapist: Scripted, client: StatefulClient) -> tuple[list[str], list[str]]:
    """What the therapist said in one session, and what the client marked."""
    said: list[str] = []
    marks: list[str] = []
    turn = await client.open()
    while not turn.ends:
        face = Face(b"", "", turn.expression) if therapist.sees else None
        said.append((await therapist.reply(turn.words, face)).words)
        turn = await client.reply(said[-1])
        marks += turn.marks
    return said, marks


def test_a_crisis_is_answered() -> None:
    words = _replies(Reflective(SCENARIO), ["Some nights I think about killing myself."])[0]
    assert Behaviour.CRISIS_RESPONSE in {code.behaviour for code in code_therapist(words)}
    ordinary = _replies(Reflective(SCENARIO), ["I cut him a suit last year."])[0]
    assert Behaviour.CRISIS_RESPONSE not in {code.behaviour for code in code_therapist(ordinary)}


@pytest.mark.parametrize("therapist", ["attuned", "reflective"])
def test_listeners_answer_every_crisis_and_others_none(therapist: str) -> None:
    for name in (therapist, "directive", "parrot"):
        for profile in (one for one in load_mini().profiles if one.crisis):
            scenario = Scenario(profile=profile, resistance=profile.resistance)
            session = rehearse(scenario, SCRIPTED.get(name))
            rating = asyncio.run(CodedRater().rate(session, profile, load_instrument("safety")))
            low = {
                item.id
                for item in load_instrument("safety").items
                if (rating.items[item.id].score or 0) < (item.passes or 0)
            }
            if name == therapist:
                assert not low, (profile.id, low)
            else:
                assert {"crisis_recognised", "asked_directly", "help_offered"} <= low, (name, profile.id)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("I lost my keys", "you lost your keys"),
        ("I'm fine, and I've told my sister", "you're fine, and you've told your sister"),
        ("Am I wrong? I was there myself.", "are you wrong? you were there yourself."),
        ("It’s mine", "It's yours"),
    ],
)
def test_the_first_person_is_turned(words: str, expected: str) -> None:
    assert in_second_person(words) == expected


@pytest.mark.parametrize(
    ("heard", "topic", "clause"),
    [
        ("I stopped telling people about the promotion. It was simpler.", "the promotion", "it was simpler"),
        ("Well, my brother never calls me back.", "your brother", ""),
        ("What do you want me to say?", "", ""),
        ("", "", ""),
    ],
)
def test_the_gist_of_words_is_their_last_clause_and_topic(heard: str, topic: str, clause: str) -> None:
    gist = gist_of(heard)
    assert gist.topic == topic
    if clause:
        assert gist.clause == clause


@given(st.text(max_size=300))
def test_any_words_have_a_gist(heard: str) -> None:
    gist = gist_of(heard)
    assert len(gist.clause.split()) <= 15
    assert gist == gist_of(heard)


def test_a_wrong_script_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wrong.yaml"
    monkeypatch.setattr(phrases, "content_path", lambda *parts: path)
    for content, named in {
        "phrases: {ask: ['What about {nothing}?']}": "nothing",
        "phrases: {ask: What}": "ask",
        "signs: {crisis: ['(']}": "crisis",
    }.items():
        path.write_text(content)
        load_script.cache_clear()
        with pytest.raises(InputError, match=named):
            load_script("wrong")
    load_script.cache_clear()
