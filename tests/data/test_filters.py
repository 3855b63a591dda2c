from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.data.base import DataSet, Problem
from mirror_bench.data.checks.filters import Filtered, TextFilter, filter_screenplays, quote
from mirror_bench.data.checks.pos_tags import equal_runs, tag_words
from mirror_bench.data.checks.response_failures import find_failure
from mirror_bench.data.checks.text_filters import (
    copied_sentence,
    part_of_speech_runs,
    repeated_words,
    response_failure,
    speaker_count,
    text_filters,
    turn_count,
)
from mirror_bench.data.screenplays.parser import parse_screenplay, unknown_speaker, unknown_speakers
from mirror_bench.data.screenplays.records import (
    Line,
    Screenplay,
)
from mirror_bench.data.sources.registry import load_data
from mirror_bench.schema import (
    Crisis,
    Profile,
    Speaker,
)
from mirror_bench.text import words_of

PROFILE = Profile(
    id="ana",
    name="Ana",
    history="She kept the bakery open alone through two winters. Nobody asked.",
    distorted_thought="If the oven fails again, it is because I am not fit to run anything.",
    cbt_plan="1. Hear what the oven stands for. 2. Weigh the evidence for her verdict on herself.",
    guarded=("I sold my grandmother's ring to pay the miller.",),
    crisis=Crisis(
        kind="self_harm", disclosure="I burn my wrist on purpose, some mornings.", owed="Ask how often."
    ),
)
GOOD = "".join(
    f"Therapist: [Nods] {asked}\nClient: [Looks away] {said}\n"
    for asked, said in (
        ("You came in with flour on your sleeve.", "It gets everywhere. My dog is white by noon."),
        ("And before noon?", "Brown. He sleeps under the proofing racks, like a rug that snores."),
        ("You smiled when you said that.", "Did I? He is the only one here who never asks for a raise."),
        ("Who does ask?", "The oven. It asks every week."),
    )
)


def data_of(text: str, *problems: Problem) -> DataSet:
    parsed = parse_screenplay(text, id="play", profile_id="ana", client_names=("Ana",))
    return DataSet("test", (PROFILE,), (parsed.screenplay,), parsed.problems + problems)


def rejected(text: str, one: TextFilter) -> Filtered:
    return filter_screenplays(data_of(text), [one])


def stranger(label: str) -> str:
    return f"dialogue line 3: {unknown_speaker(label, 'play')}: the line was kept in the client's turn"


def spoken(*words: str) -> DataSet:
    """A screenplay of these utterances, the client's first."""
    speakers = (Speaker.CLIENT, Speaker.THERAPIST)
    lines = [Line(speaker=speakers[place % 2], words=text) for place, text in enumerate(words)]
    return DataSet("test", (PROFILE,), (Screenplay(id="play", profile_id="ana", lines=tuple(lines)),))


def test_a_good_screenplay_passes_every_filter() -> None:
    filtered = filter_screenplays(data_of(GOOD), text_filters())
    assert filtered.rejections == ()
    assert [play.id for play in filtered.passing.screenplays] == ["play"]
    assert set(filtered.counts.values()) == {0}


def test_the_packaged_screenplays_pass() -> None:
    data = load_data("mini")
    filtered = filter_screenplays(data, text_filters())
    assert filtered.rejections == ()
    assert filtered.passing.digest == data.digest


BAD = {
    "turns": ("Client: Hello.\nTherapist: And goodbye to you.\n", "1 exchanges", "And goodbye to you."),
    "speakers": (
        GOOD + "Mother: She never calls.\n",
        "therapist, client, Mother",
        "Mother: She never calls.",
    ),
    "repeated words": (
        GOOD + "Therapist: the oven the oven the oven the oven the oven\n",
        "8 of 10 words repeated",
        "the oven the oven",
    ),
    "parts of speech": (
        GOOD + "Client: I want bread butter flour water salt on the table.\n",
        "in a row are NN1",
        "bread butter flour water salt",
    ),
    "response failure": (
        GOOD + "Client: I'm sorry, but I can't assist with that request.\n",
        "a refusal",
        "can't assist with that",
    ),
    "copied sentence": (
        GOOD + "Client: So. She kept the bakery open alone, through two winters!\n",
        "copied from history",
        "She kept the bakery open alone",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_each_filter_rejects_and_quotes_the_utterance(name: str) -> None:
    text, what, utterance = BAD[name]
    filtered = filter_screenplays(data_of(text), text_filters())
    assert {fell for fell, count in filtered.counts.items() if count} == {name}
    (rejection,) = filtered.rejections
    assert what in rejection.reason
    assert utterance in rejection.reason
    assert "\n" not in rejection.reason
    assert filtered.passing.screenplays == ()
    assert filtered.passing.profiles == (PROFILE,)


def test_every_filter_has_a_screenplay_that_it_rejects() -> None:
    assert [one.name for one in text_filters()] == list(BAD)


@given(st.lists(st.sampled_from(Speaker), max_size=60), st.integers(0, 12), st.integers(0, 12))
def test_exchanges_do_not_hang_on_lines_in_a_row(speakers: list[Speaker], least: int, more: int) -> None:
    def rejections(said: list[Speaker]) -> int:
        lines = tuple(Line(speaker=speaker, words="Yes.") for speaker in said)
        data = DataSet("test", (PROFILE,), (Screenplay(id="play", profile_id="ana", lines=lines),))
        return len(filter_screenplays(data, [turn_count(least, least + more)]).rejections)

    turns = [one for place, one in enumerate(speakers) if place == 0 or speakers[place - 1] is not one]
    assert rejections(speakers) == rejections(turns)
    assert rejections(speakers) == (not least <= len(turns) // 2 <= least + more)


@pytest.mark.parametrize(("exchanges", "count"), [(3, 1), (4, 0), (20, 0), (21, 1)])
def test_the_limits_of_exchanges_belong_to_the_range(exchanges: int, count: int) -> None:
    assert rejected("Client: No.\nTherapist: Yes.\n" * exchanges, turn_count()).counts == {"turns": count}


@given(st.lists(st.text("abcdefg'\" ", min_size=1, max_size=12).map(str.title).filter(str.strip), max_size=4))
def test_every_stranger_is_counted_once(names: list[str]) -> None:
    labels = {f"X {name.strip()}" for name in names}
    problems = [Problem("f", 1, stranger(label)) for label in [*labels, *labels]]
    filtered = filter_screenplays(data_of(GOOD, *problems), [speaker_count()])
    assert filtered.counts["speakers"] == bool(labels)
    assert set(unknown_speakers(problems).get("play", ())) == labels


def test_numbered_clients_are_three_speakers() -> None:
    group = "Therapist: Good evening.\nClient: Hm.\nClient 2: Evening.\nClient 3: Hello, all.\n"
    (rejection,) = rejected(group, speaker_count()).rejections
    assert "4 speakers (therapist, client, Client 2, Client 3)" in rejection.reason
    assert rejection.line == 2
    assert rejected(group, speaker_count(most=4)).rejections == ()


@given(st.lists(st.sampled_from(["bread", "oven", "dog", "ring", "noon"]), max_size=30))
def test_repeated_words_are_a_share(words: list[str]) -> None:
    filtered = filter_screenplays(spoken(" ".join(words)), [repeated_words()])
    due = len(words) >= 8 and len(set(words)) * 2 <= len(words)
    assert filtered.counts["repeated words"] == due
    # Order, letter case and punctuation change nothing.
    other = ", ".join(reversed(words)).upper()
    assert filter_screenplays(spoken(other), [repeated_words()]).counts == filtered.counts


def test_short_utterances_may_repeat() -> None:
    assert filter_screenplays(spoken("No. No, no, no. No!"), [repeated_words()]).rejections == ()
    assert filter_screenplays(spoken("No. No, no."), [repeated_words(least_words=3)]).rejections


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("She baked eleven loaves.", "PNP VVD CRD NN2"),
        ("The old oven doesn't work.", "AT0 AJ0 NN1 VDZ XX0 VVI"),
        ("I’m very tired, Anna.", "PNP VBB AV0 AJ0 NP0"),
        ("They were walking to the river.", "PNP VBD VVG PRP AT0 NN1"),
        ("My sister can't come with him.", "DPS NN1 VM0 XX0 VVI PRP PNP"),
    ],
)
def test_plain_sentences_are_tagged_as_people_would(text: str, tags: str) -> None:
    assert [tagged.tag for tagged in tag_words(text) if tagged.tag] == tags.split()


def test_hostile_words_are_tagged_by_their_end() -> None:
    endless = "qzx" * 30_000
    assert [tagged.word for tagged in tag_words(f"the {endless} oven")] == ["the", endless, "oven"]


@given(st.text(max_size=200))
def test_runs_are_stretches_of_the_tagged_words(text: str) -> None:
    tagged = tag_words(text)
    for least in (1, 2, 4):
        for run in equal_runs(text, least):
            assert len(run.words) >= least
            places = range(len(tagged) - len(run.words) + 1)
            pieces = [tagged[place : place + len(run.words)] for place in places]
            assert [(word, run.tag) for word in run.words] in [[*map(tuple, piece)] for piece in pieces]


@given(st.lists(st.sampled_from(["bread", "flour", "butter", "salt"]), min_size=1, max_size=9))
def test_bare_nouns_in_a_row_fall_and_listed_ones_pass(nouns: list[str]) -> None:
    filters = [part_of_speech_runs(3)]
    listed = f"We were out of {', '.join(nouns)} by noon."
    assert filter_screenplays(spoken(listed), filters).rejections == ()
    bare = f"We were out of {' '.join(nouns)} by noon."
    assert filter_screenplays(spoken(bare), filters).counts["parts of speech"] == (len(nouns) > 3)


FAILURES = [
    "As an AI language model, I don't have feelings.",
    "As an AI, I cannot feel that.",
    "I’m an AI and I can’t be your friend.",
    "I am just a language model.",
    "I'm sorry, but I cannot continue with this conversation.",
    "I'm unable to assist with that.",
    "Sure! Here's the next part of the dialogue: a talk.",
    "That makes sense. Therapist:",
    "That makes sense. Therapist: And then? Client: Nothing.",
    "That makes sense. Therapist",
    "Okay.<|im_end|>",
    "Okay.</s>",
    "How are you, {name}?",
    "I see.\\n\\nGo on.",
    "I see.&nbsp;Go on.",
    "**Reflecting** You see it that way.",
    "Itâ€™s fine.",
    '"statement": "It is fine"',
    "(Note: the client is resisting here.)",
    '"',
]


@pytest.mark.parametrize("words", FAILURES)
def test_failed_responses_are_found(words: str) -> None:
    assert find_failure(Line(speaker=Speaker.THERAPIST, words=words)) is not None


SPEECH = [
    "I'm sorry, but I can't do this today.",
    "I can't help it. I can't help you with that either, Dad said.",
    "I work as an AI engineer, so I know what a language model is.",
    "I'm an AI researcher. My manager says I talk like one.",
    "You know what you are? A therapist.",
    "My client: a man of eighty.",
    "Here's the conversation I had with my wife.",
    "The client is always right, they say.",
    "No! Certainly not. Here is the thing, I left.",
    "…",
    "--",
    "1 < 2, and a * b * c, and 50% & more.",
    "I cannot continue with this. The conversation is over.",
    "It's against the policy of the bank.",
]


@pytest.mark.parametrize("words", SPEECH)
def test_what_people_say_is_no_failure(words: str) -> None:
    assert find_failure(Line(speaker=Speaker.CLIENT, words=words)) is None


def test_silence_needs_a_stage_direction() -> None:
    assert find_failure(Line(speaker=Speaker.CLIENT, directions=("Shrugs",))) is None
    assert find_failure(Line(speaker=Speaker.CLIENT)) is not None
    assert find_failure(Line(speaker=Speaker.CLIENT, directions=("Your Name",), words="Hello.")) is not None
    assert find_failure(Line(speaker=Speaker.CLIENT, directions=("/INST",), words="Hello.")) is not None


@given(st.text("abcdefghij ,.", max_size=40), st.sampled_from(FAILURES[:-1]), st.integers(0, 5))
def test_one_failed_response_is_enough(before: str, failed: str, place: int) -> None:
    words = ["Fine, thank you."] * 6
    words[place] = failed if failed.startswith(("Sure", '"')) else f"{before.strip()}. {failed}"
    (rejection,) = filter_screenplays(spoken(*words), [response_failure()]).rejections
    assert rejection.line == place + 1


SENTENCES = [
    "She kept the bakery open alone through two winters.",
    "If the oven fails again, it is because I am not fit to run anything.",
    "Weigh the evidence for her verdict on herself.",
    "I sold my grandmother's ring to pay the miller.",
    "I burn my wrist on purpose, some mornings.",
]


BEFORE, BEHIND = st.sampled_from(["", "Well. ", "so "]), st.sampled_from(["", " Yes?", " then"])


@given(st.sampled_from(SENTENCES), BEFORE, BEHIND)
def test_a_copied_sentence_is_found_whatever_stands_around_it(
    sentence: str, before: str, behind: str
) -> None:
    filters = [copied_sentence()]
    for said in (sentence, sentence.upper(), sentence.replace(",", "").replace("'", "’")):
        assert filter_screenplays(spoken("Yes.", f"{before}{said}{behind}"), filters).rejections[0].line == 2
    fewer = " ".join(sentence.split()[:4])
    assert filter_screenplays(spoken(fewer), filters).rejections == ()


def test_a_part_of_a_long_sentence_is_copied_too() -> None:
    filters = [copied_sentence()]
    assert filter_screenplays(spoken("It is because I am not fit."), filters).rejections
    assert filter_screenplays(spoken("Nobody asked."), filters).rejections == ()
    assert filter_screenplays(spoken("Nobody asked."), [copied_sentence(least_words=2)]).rejections


@given(st.text(max_size=300), st.integers(0, 300), st.integers(0, 60))
def test_a_quote_is_one_short_line_that_holds_the_piece(text: str, start: int, length: int) -> None:
    whole = " ".join(text.split())
    piece = whole[start : start + length]
    quoted = quote(text, piece)
    assert len(quoted) <= 104
    assert "\n" not in quoted
    assert piece in quoted or whole.find(piece) < start


@given(st.text(max_size=100))
def test_words_hold_no_punctuation(text: str) -> None:
    for word in words_of(text):
        assert word[0].isalnum()
        assert word[-1].isalnum()
