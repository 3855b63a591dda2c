"""What is heard of a model's answer: words without thoughts, within their length, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from pydantic import Field, model_validator

from mirror_bench.engines.base import Answer, Sampling
from mirror_bench.engines.reasoning import OPENING, part_thoughts, with_thoughts
from mirror_bench.errors import EngineError
from mirror_bench.modelspec import ModelOptions


@dataclass(frozen=True)
class Room:
    """How much a model may generate in all, where thoughts have room of their own.

    Attributes:
        thinking: Tokens for thoughts, beside those that are asked for.
        whole: Tokens for the whole answer, thoughts included; 0 for those that are asked for.
    """

    thinking: int = 0
    whole: int = 0

    def __bool__(self) -> bool:
        return bool(self.thinking or self.whole)

    def widen(self, sampling: Sampling) -> Sampling:
        """Returns how to ask a model that thinks first; what ends an answer must not end its thoughts."""
        if not self:
            return sampling
        return replace(sampling, max_tokens=self.whole or sampling.max_tokens + self.thinking, stop=())


class RoomOptions(ModelOptions):
    """The limits of tokens for models that think before they answer, the same for every engine.

    Attributes:
        max_thinking_tokens: Tokens for thoughts alone, beside those of the answer.
        max_tokens: Tokens for the whole answer, thoughts included.
    """

    max_thinking_tokens: int = Field(0, ge=0)
    max_tokens: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.max_thinking_tokens and self.max_tokens:
            raise ValueError(
                "give max_thinking_tokens (for thoughts alone) or max_tokens (for the whole answer)"
            )
        return self

    @property
    def room(self) -> Room:
        """How much may be generated in all."""
        return Room(self.max_thinking_tokens, self.max_tokens)


@dataclass(frozen=True)
class Given:
    """A model's raw output before its thoughts are taken out: text, thoughts, tokens, why it ended.

    Attributes:
        finish: "stop", "length", "content_filter", "tool_calls", or "" where nobody says why it ended.
        thoughts: Those that came beside the text.
        thought_tokens: How many of `tokens` are thoughts, where that is known.
        opened: Whether the prompt ended within a thought.
        tool: The tool that was called.
    """

    text: str
    finish: str = "stop"
    thoughts: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    thought_tokens: int | None = None
    opened: bool = False
    tool: str = ""


def hear(engine: str, given: Given, asked: Sampling, room: Room | None = None) -> Answer:
    """Returns a model's raw output as an answer: without thoughts, cut to the tokens asked for.

    Args:
        engine: Who gave it, to name in messages.
        given: What was given.
        asked: How it was asked for; what is heard keeps to it, however much room thoughts had.
        room: The room that thoughts had.

    Raises:
        EngineError: If there is no word, and the model did not stop of its own accord.
    """
    whole = (
        f"{OPENING}{given.text}"
        if given.opened and not given.text.lstrip().startswith("<think")
        else given.text
    )
    parted = part_thoughts(whole)
    thoughts = "\n\n".join(filter(None, (given.thoughts.strip(), parted.thoughts)))
    said, finish = (parted.said.lstrip() if thoughts or room else parted.said), given.finish
    cut = min((said.find(stop) for stop in asked.stop if stop in said), default=None)
    if cut is not None:
        said, finish = said[:cut], "stop"
    kept = _within(said, thoughts, given, asked) if room else said
    if kept != said:
        said, finish = kept, "length"
    if not said.strip() and (parted.unfinished or finish != "stop"):
        raise EngineError(f"{engine}: {_why_silent(given, bool(thoughts) or parted.unfinished)}")
    if given.thoughts.strip() or cut is not None or finish != given.finish:
        raw = with_thoughts(said, thoughts)
    else:
        raw = whole
    return Answer(
        said,
        finish or "stop",
        given.prompt_tokens,
        given.tokens,
        raw=raw if raw != said else "",
    )


def _within(said: str, thoughts: str, given: Given, asked: Sampling) -> str:
    """Cuts what goes beyond the tokens asked for: the room for thoughts makes no longer replies."""
    if given.thought_tokens is not None:
        spoken = float(given.tokens - given.thought_tokens)
    else:
        spoken = given.tokens * len(said) / max(1, len(said) + len(thoughts))
    if spoken <= asked.max_tokens:
        return said
    return said[: int(len(said) * asked.max_tokens / spoken)].rsplit(" ", 1)[0]


def _why_silent(given: Given, thought: bool) -> str:
    if given.finish == "content_filter":
        return "no words came: a content filter kept the answer back"
    if given.finish == "tool_calls":
        tool = f" ({given.tool[:60]})" if given.tool else ""
        return f"no words came: the model called a tool{tool} where none is offered"
    if thought:
        return (
            f"no words came: the answer was cut after {given.tokens} tokens while the model was still "
            f"thinking; "
            "give thoughts room of their own with the option max_thinking_tokens=4096"
        )
    if given.finish == "length":
        return (
            f"no words came: the answer was cut after {given.tokens} tokens; if the model thinks first, "
            "give thoughts room of their own with the option max_thinking_tokens=4096"
        )
    return "no words came, and nothing says why"
