from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.engines.answers import Given, RoomOptions, hear
from mirror_bench.engines.base import Sampling
from mirror_bench.engines.reasoning import opens_thought, part_thoughts, with_thoughts, without_special_tokens
from mirror_bench.errors import EngineError, InputError
from mirror_bench.modelspec import parse_model, read_options

THOUGHT = "The client is lying. I should say: fine."
SAID = "You look tired today."

# What families of models set around thoughts and answers; {t} is the thought, {s} what is said.
MARKS = {
    "qwen, deepseek, phi": "<think>\n{t}\n</think>\n\n{s}",
    "opening mark eaten by the template": "{t}\n</think>\n\n{s}",
    "empty thought": "<think>\n\n</think>\n\n{t}</think>{s}",
    "thinking": "<thinking>{t}</thinking>{s}",
    "reasoning": "<reasoning>{t}</reasoning>{s}",
    "glm": "<think>{t}</think><answer>{s}</answer>",
    "glm box": "<think>{t}</think><|begin_of_box|>{s}<|end_of_box|>",
    "hunyuan": "<think>\n{t}\n</think>\n<answer>\n{s}\n</answer>",
    "ernie": "<think>\n{t}\n</think>\n<response>\n{s}\n</response>",
    "exaone deep": "<thought>\n{t}\n</thought>\n\n{s}",
    "seed": "<seed:think>{t}</seed:think>{s}",
    "minimax": "<mm:think>{t}</mm:think>{s}",
    "magistral": "[THINK]{t}[/THINK]{s}",
    "kimi-vl": "◁think▷{t}◁/think▷{s}",
    "kimi k3": "<|open|>think<|sep|>{t}<|close|>think<|sep|>"
    "<|open|>response<|sep|>{s}<|close|>response<|sep|>",
    "cohere": "<|START_THINKING|>{t}<|END_THINKING|><|START_RESPONSE|>{s}<|END_RESPONSE|>",
    "gemma": "<|channel>thought\n{t}<channel|>{s}",
    "medgemma": "<unused94>thought\n{t}<unused95>{s}",
    "apertus": "<|inner_prefix|>{t}<|inner_suffix|>{s}",
    "openthinker": "<|begin_of_thought|>{t}<|end_of_thought|><|begin_of_solution|>{s}<|end_of_solution|>",
    "granite": "Here is my thought process:\n{t}\n\nHere is my response:\n{s}",
    "granite 3.3": "<think>{t}</think><response>{s}</response>",
    "gpt-oss": "<|channel|>analysis<|message|>{t}<|end|>"
    "<|start|>assistant<|channel|>final<|message|>{s}<|return|>",
    "gpt-oss without special tokens": "analysis{t}assistantfinal{s}",
    "llava-cot": "<SUMMARY>x</SUMMARY><CAPTION>x</CAPTION><REASONING>{t}</REASONING>"
    "<CONCLUSION>{s}</CONCLUSION>",
    "marco": "<Thought>{t}</Thought><Output>{s}</Output>",
    "chat surfaces": '<details type="reasoning" done="true"><summary>x</summary>{t}</details>\n{s}',
    "escaped": "&lt;think&gt;{t}&lt;/think&gt;{s}",
    "fence": "```thinking\n{t}\n```\n{s}",
    "headings": "**Thinking:** {t}\n\n**Response:** {s}",
    "nested": "<think>a<think>b</think>{t}</think>{s}",
    "after the answer": "{s}<think>{t}",
}


@pytest.mark.parametrize("family", MARKS)
def test_thoughts_are_parted_from_what_is_said(family: str) -> None:
    answer = MARKS[family].format(t=THOUGHT, s=SAID)
    parted = part_thoughts(answer)
    assert parted.said.strip() == SAID
    assert THOUGHT in parted.thoughts
    assert part_thoughts(parted.said).said == parted.said


@pytest.mark.parametrize(
    "answer",
    [
        "<think>\nThe client is",
        "[THINK]The client is",
        "<|channel|>analysis<|message|>The client is",
        "analysisThe client is",
        "<|channel>thought\nThe client is",
        "Here is my thought process:\nThe client is",
        "◁think▷The client is",
    ],
)
def test_a_thought_that_was_cut_leaves_no_word(answer: str) -> None:
    parted = part_thoughts(answer)
    assert (parted.said, parted.unfinished) == ("", True)
    with pytest.raises(EngineError, match=r"still thinking.*max_thinking_tokens"):
        hear("x", Given(answer, "length", tokens=9), Sampling(max_tokens=9))


@pytest.mark.parametrize(
    "words",
    [
        "I think so.",
        "It is all in the analysis of it.",
        "[thinking] Well.",
        "2 < 3 and 4 > 1, I reason.",
        "Thinking about it: yes. My answer: no.",
        "```\ncode\n```",
        "I <3 it",
    ],
)
def test_speech_stays_as_it_is(words: str) -> None:
    assert part_thoughts(words) == (words, "", False)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=120), st.text(alphabet="ab \n.", max_size=60))
def test_thoughts_put_before_an_answer_come_out_again(thoughts: str, said: str) -> None:
    found = part_thoughts(with_thoughts(said, thoughts.replace("<", "").replace("&", "")))
    assert found.said.strip() == said.strip()


_PIECES = [*"<>/|[]◁▷think \n`", "<think>", "</think>", "[THINK]", "<answer>", "<|channel|>"]


@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
def test_any_answer_is_parted(text: str) -> None:
    assert len(part_thoughts(text).said) <= len(text)


def test_prompts_that_end_within_a_thought_are_known() -> None:
    assert opens_thought("<|im_start|>assistant\n<think>\n")
    assert not opens_thought("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert not opens_thought("<|im_start|>assistant\n")
    answer = hear("x", Given("He lies.</think>Well.", opened=True), Sampling())
    assert (answer.text, answer.raw) == ("Well.", "<think>\nHe lies.</think>Well.")


def test_marks_that_are_special_tokens_survive_decoding() -> None:
    class Tokenizer:
        all_special_tokens = ("<s>", "</s>", "[THINK]", "[/THINK]")

    assert without_special_tokens("[THINK]x[/THINK]Hi</s>", Tokenizer()) == "[THINK]x[/THINK]Hi"


def test_room_for_thoughts_makes_no_longer_replies() -> None:
    room = read_options(parse_model("openai/m?max_thinking_tokens=100"), RoomOptions).room
    asked = Sampling(max_tokens=10, stop=("\n\n",))
    assert room.widen(asked) == Sampling(max_tokens=110)
    thought = hear("x", Given("<think>a\n\nb</think>\n\nYes.\n\nNo.", tokens=9), asked, room)
    assert (thought.text, thought.finish) == ("Yes.", "stop")
    long = hear("x", Given("word " * 100, "stop", tokens=100), Sampling(max_tokens=10), room)
    assert long.finish == "length"
    assert 8 <= len(long.text.split()) <= 10
    told = hear("x", Given("word " * 10, thoughts="x" * 900, tokens=200, thought_tokens=190), asked, room)
    assert (told.text.split(), told.finish) == (["word"] * 10, "stop")
    for wrong in ("max_thinking_tokens=-1", "max_thinking_tokens=5&max_tokens=5", "max_tokens=x"):
        with pytest.raises(InputError, match="max_t"):
            read_options(parse_model(f"openai/m?{wrong}"), RoomOptions)


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        (Given("", "length"), "max_thinking_tokens"),
        (Given(" \n", "content_filter"), "content filter"),
        (Given("", "tool_calls", tool="look"), r"tool \(look\)"),
        (Given("", ""), "nothing says why"),
    ],
)
def test_no_words_is_no_silence(given_: Given, why: str) -> None:
    with pytest.raises(EngineError, match=why):
        hear("x", given_, Sampling())


def test_who_really_stops_without_a_word_is_silent() -> None:
    assert hear("x", Given("", "stop"), Sampling()).text == ""
    assert hear("x", Given("<think>x</think>", "stop"), Sampling()).text == ""
