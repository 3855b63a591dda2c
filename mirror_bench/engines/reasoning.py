"""Parts what a model thinks from what it says, by the marks that model families set around thoughts.

A server that gives thoughts in a field of their own is believed; this is the list behind it, for answers in
which thoughts stand in the text. Templates may eat the opening mark, so a lone closing mark ends a thought
that began with the answer; an answer may be cut before the closing mark, and is then all thought.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from mirror_bench.parts import StandsOn

VERSION = "1"
"""Raised with every change of what counts as a thought; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides which part of an answer is a thought."""
    return StandsOn.of("engines.reasoning", VERSION)


OPENING, CLOSING = "<think>\n", "\n</think>\n\n"
"""The marks under which thoughts are kept that came without any."""

# Names of tags: Qwen, DeepSeek, GLM, Phi and most others say think; Seed and MiniMax put a prefix before it.
_NAMES = (
    r"(?:[a-z]{1,12}[:_])?(?:think(?:ing)?|thoughts?|thought_process|chain_of_thought|cot|reason(?:s|ing)?"
    r"|reflect(?:ion)?|scratch_?pad|analysis|inner_(?:thoughts?|monologue|speech)|monologue|"
    r"internal_thoughts?)"
)
_DETAILS = r"""<details\b[^<>]*\breasoning\b[^<>]*>"""
_OPENS = (
    rf"<\|?(?!end[_:]){_NAMES}(?:[ \t][^<>]*)?\|?>",  # <think>, <reasoning>, <seed:think>, <|think|>
    r"\[(?:THINK|THINKING|THOUGHT|REASONING)\]",  # Mistral; in small letters it is a stage direction
    rf"◁{_NAMES}▷",  # Kimi-VL
    r"<\|(?:START_THINKING|begin_of_thought|inner_prefix)\|>",  # Cohere, OpenThinker, Apertus
    r"<\|channel>(?:thought|analysis)?[ \t]*\n?|<unused94>(?:thought)?[ \t]*\n?",  # Gemma, MedGemma
    r"<\|open\|>think<\|sep\|>",  # Kimi K3
    _DETAILS,  # what chat surfaces make of thoughts
    r"^[ \t]*```[ \t]*(?:think(?:ing)?|thoughts?|reasoning)[ \t]*$",
)
_CLOSES = (
    rf"<\|?/{_NAMES}[ \t]*\|?>",
    r"\[/(?:THINK|THINKING|THOUGHT|REASONING)\]",
    rf"◁/{_NAMES}▷",
    r"<\|(?:END_THINKING|end_of_thought|inner_suffix)\|>",
    r"<channel\|>|<unused95>",
    r"<\|close\|>think<\|sep\|>",
)
_MARK = re.compile(
    "|".join(
        (*(f"(?P<o{n}>{opening})" for n, opening in enumerate(_OPENS)), f"(?P<close>{'|'.join(_CLOSES)})")
    )
    + r"|(?P<details></details>)|(?P<fence>^[ \t]*```[ \t]*$)",
    re.IGNORECASE | re.MULTILINE,
)
_STAGE = re.compile(r"\[/?[a-z]", re.ASCII)
_ESCAPED = re.compile(rf"&lt;(/?\|?{_NAMES}\|?)&gt;", re.IGNORECASE)
# What stands around the answer itself: GLM and Hunyuan, Granite and ERNIE, Reflection, LLaVA-CoT, Cohere, …
_ANSWERS = (
    (r"<(answer|response|output|final(?:_answer|_response)?|conclusion|reply)>", r"</{0}>"),
    (r"<\|START_RESPONSE\|>", r"<\|END_RESPONSE\|>"),
    (r"<\|begin_of_(solution|box)\|>", r"<\|end_of_{0}\|>"),
    (r"<\|open\|>response<\|sep\|>", r"<\|close\|>response<\|sep\|>(?:<\|close\|>message<\|sep\|>)?"),
)
# gpt-oss: channels, of which the final one is said; and what is left of them without special tokens.
_CHANNEL = re.compile(
    r"(?:<\|start\|>)?(?:\s*assistant\s*)?<\|channel\|>\s*(?P<name>\w+)[^<]*(?:<\|constrain\|>[^<]*)?<\|"
    r"message\|>"
    r"(?P<text>.*?)(?:<\|(?:end|return|call)\|>|(?=<\|start\|>|<\|channel\|>)|\Z)",
    re.DOTALL,
)
_BARE_CHANNELS = re.compile(r"\A\s*analysis(?=\S)(?P<thought>.*?)assistant\s*final(?P<said>.*)\Z", re.DOTALL)
_BARE_OPEN = re.compile(r"\A\s*analysis(?=[A-Z\"'])(?!.*assistant\s*final)", re.DOTALL)
# Granite, and models that were told to write headings.
_SPOKEN_OF = re.compile(
    r"\A\s*(?:Here(?:'s|’s| is) my thought process:?)(?P<thought>.*?)(?:(?:Here(?:'s|’s|"
    r" is) my response:?)(?P<said>.*)|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_BLANK = r"[ \t*_#>]*"
_HEADED = re.compile(
    rf"\A\s*{_BLANK}(?:(?:inner |internal |my )?(?:thoughts?|thinking|reasoning|monologue|"
    rf"analysis)(?: process)?)"
    rf"{_BLANK}(?::{_BLANK}|\n)(?P<thought>.*?)"
    rf"^{_BLANK}(?:(?:final |my |spoken )?(?:answer|response|reply|output)){_BLANK}(?::{_BLANK}|"
    rf"\n)(?P<said>.*)\Z",
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
_TEMPLATE_TOKENS = re.compile(
    r"<\|?/?(?:im_start|im_end|im_sep|start_of_turn|end_of_turn|end_of_utterance|end_of_text|begin_of_text|"
    r"endoftext|eot_id|eom_id|eot|eos|bos|end|return|image|s|pad|turn)\|?>",
    re.IGNORECASE,
)
_PROMPT_OPENS = re.compile(rf"(?:{'|'.join(_OPENS[:6])})\s*\Z", re.IGNORECASE)


class PartedThoughts(NamedTuple):
    """A model's answer parted into what is said and what was thought.

    Attributes:
        said: What is left, as it stands where nothing was taken out.
        thoughts: What was taken out, without its marks.
        unfinished: Whether the answer ends within a thought.
    """

    said: str
    thoughts: str = ""
    unfinished: bool = False


def part_thoughts(text: str) -> PartedThoughts:
    """Returns what a model said and what it thought, from an answer that may hold both."""
    text = _ESCAPED.sub(r"<\1>", text)
    for of_family in (_channels, _sentences):
        if (parted := of_family(text)) is not None:
            return parted
    parted = _marked(text)
    said, aside = _unwrapped(parted.said)
    if said == text and not parted.thoughts:
        return parted
    return PartedThoughts(said.strip(), _joined((parted.thoughts, aside)), parted.unfinished)


def opens_thought(prompt: str) -> bool:
    """Returns whether a rendered prompt ends within a thought, so that the answer begins with one."""
    return _PROMPT_OPENS.search(prompt[-200:]) is not None


def closes_unopened(text: str) -> bool:
    """Returns whether an answer closes a thought that it did not open: the template opens it, unseen."""
    first = next((mark for mark in _MARK.finditer(text) if not _STAGE.match(mark.group())), None)
    return first is not None and _kind(first) == "close"


def holds_marks(text: str) -> bool:
    """Returns whether an answer holds any mark of a thought."""
    return any(_kind(mark) in {"open", "close"} for mark in _MARK.finditer(text)) or "<|channel|>" in text


def with_thoughts(said: str, thoughts: str) -> str:
    """Returns an answer as one text, from which `part_thoughts` gives `said` again."""
    return f"{OPENING}{thoughts.strip()}{CLOSING}{said}" if thoughts.strip() else said


def without_template_tokens(text: str) -> str:
    """Returns an answer without the tokens of chat templates that a server did not leave out."""
    return _TEMPLATE_TOKENS.sub(" ", text)


def thinks_in_special_tokens(tokenizer: Any) -> bool:
    """Returns whether a tokenizer of transformers has marks of thoughts that decoding would leave out."""
    return any(_is_mark(str(token)) for token in getattr(tokenizer, "all_special_tokens", ()))


def without_special_tokens(text: str, tokenizer: Any) -> str:
    """Returns decoded text without the special tokens that are no marks of thoughts."""
    for token in getattr(tokenizer, "all_special_tokens", ()):
        if not _is_mark(str(token)):
            text = text.replace(str(token), "")
    return text


def _is_mark(token: str) -> bool:
    harmony = {
        "<|channel|>",
        "<|message|>",
        "<|start|>",
        "<|end|>",
        "<|return|>",
        "<|call|>",
        "<|constrain|>",
    }
    wrappers = (first for first, _ in _ANSWERS)
    return (
        token in harmony
        or _MARK.fullmatch(token) is not None
        or any(re.fullmatch(wrapper, token, re.IGNORECASE) for wrapper in wrappers)
        or re.fullmatch(r"<\|(?:END_RESPONSE|end_of_solution|end_of_box|open|close|sep)\|>", token)
        is not None
    )


def _channels(text: str) -> PartedThoughts | None:
    if "<|channel|>" in text and "<|message|>" in text:
        channels = list(_CHANNEL.finditer(text))
        said = [channel["text"] for channel in channels if channel["name"].lower() == "final"]
        thoughts = [channel["text"] for channel in channels if channel["name"].lower() != "final"]
        before = text[: channels[0].start()] if channels else text
        return PartedThoughts(_joined((before, *said), "\n"), _joined(thoughts), not said)
    if (bare := _BARE_CHANNELS.match(text)) is not None:
        return PartedThoughts(bare["said"].strip(), bare["thought"].strip())
    if _BARE_OPEN.match(text):
        return PartedThoughts("", text.strip().removeprefix("analysis"), True)
    return None


def _sentences(text: str) -> PartedThoughts | None:
    match = _SPOKEN_OF.match(text) or _HEADED.match(text)
    if match is None:
        return None
    said = match["said"]
    return PartedThoughts((said or "").strip(), match["thought"].strip(), said is None)


def _marked(text: str) -> PartedThoughts:
    """Parts by pairs of marks; a closing mark without an opening one makes all before it a thought."""
    said: list[str] = []
    thoughts: list[str] = []
    place = 0
    inside = ""  # the kind of mark that opened the thought
    for mark in _MARK.finditer(text):
        if _STAGE.match(mark.group()):
            continue
        kind = _kind(mark)
        piece = text[place : mark.start()]
        if kind == "open" and not inside:
            said.append(piece)
            inside = mark.group().strip().lower()
        elif inside and _closes(kind, inside):
            thoughts.append(piece)
            inside = ""
        elif kind == "close" and not inside:
            thoughts = [*said, piece, *thoughts]
            said = []
        else:
            continue
        place = mark.end()
    rest = text[place:]
    if inside:
        return PartedThoughts("".join(said), _joined((*thoughts, rest)), True)
    if not place:
        return PartedThoughts(text)
    return PartedThoughts("".join((*said, rest)), _joined(thoughts))


def _kind(mark: re.Match[str]) -> str:
    name = mark.lastgroup or ""
    return "open" if name.startswith("o") else name


def _closes(kind: str, opened_by: str) -> bool:
    if opened_by.startswith("<details"):
        return kind == "details"
    if opened_by.startswith("```"):
        return kind == "fence"
    return kind == "close"


def _unwrapped(text: str) -> tuple[str, str]:
    """Returns what stands within the last pair of marks of an answer, and what stood around it."""
    for opening, closing in _ANSWERS:
        opened = list(re.finditer(opening, text, re.IGNORECASE))
        if not opened:
            lone = re.search(closing.format(r"(?:answer|response|solution|box)"), text, re.IGNORECASE)
            if lone is not None and not text[lone.end() :].strip():
                return text[: lone.start()], ""
            continue
        last = opened[-1]
        end = re.compile(closing.format(last.group(1) if last.groups() else ""), re.IGNORECASE).search(
            text, last.end()
        )
        inner = text[last.end() : end.start()] if end else text[last.end() :]
        if not inner.strip():
            continue
        around = (text[: last.start()], text[end.end() :] if end else "")
        if "box" in last.group().lower():  # marks a word of the answer rather than the whole of it
            return "".join((around[0], inner, around[1])), ""
        return inner, _joined(around)
    return text, ""


def _joined(parts: Iterable[str], by: str = "\n\n") -> str:
    return by.join(stripped for part in parts if (stripped := part.strip()))
