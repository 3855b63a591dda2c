"""Reads, in the words of servers and libraries, that a request holds more than a model takes.

Wordings of OpenAI, Azure, vLLM, SGLang, TGI, llama.cpp, Ollama, LM Studio, Anthropic, Gemini, Mistral, Groq
and those that pass them on. What is not recognised stays an ordinary failure.
"""

from __future__ import annotations

import re

from mirror_bench.errors import TooMuchError

_LONG_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"})
# "max_tokens is too large: this model supports at most 4096 completion tokens" speaks of the answer alone.
_LONG = (
    r"context[ _](?:length|size|window|limit)",
    r"maximum (?:model|context|input|prompt) (?:length|size)|max_model_len|input token count",
    r"(?:prompt|inputs?|messages?|request|conversation)\b[^.]{0,60}\b(?:is|are) too (?:long|large)",
    r"too (?:long|large) for (?:the |this |requested )?model",
    r"(?:inputs?|prompt|messages)`? (?:tokens? )?[^.]{0,40}must (?:be <=?|have less than|not exceed)",
    r"(?:input|prompt)[^.]{0,20} tokens?[^.]{0,20} exceeds?|too many (?:input|prompt) tokens",
    r"tokens in the prompt cannot exceed",
    r"reduce the length of (?:the|your) (?:input )?(?:messages|prompt)",
    r"(?:entity|payload|body) (?:is )?too large",
)
_SOME = r"(?:\d+|one|a single|single)"
_MANY = r"(?:multiple|several|more than (?:one|\d+))"
_CROWD = (
    r"(?:at most|up to|no more than|fewer than|maximum(?: number)?(?: is| of)?|max(?: is| of)?) (?:the )?"
    rf"{_SOME} (?:input )?images?\b",
    rf"limit(?:ed)? (?:to|of|is) {_SOME} (?:input )?images?\b",
    rf"only(?: supports?| accepts?| allows?| takes?)? {_SOME} (?:input )?images?\b",
    rf"too many images|{_MANY} images?\b[^.]{{0,40}}\b(?:not|n't|un)",
    rf"(?:not|n't) (?:support|accept|allow|take)s? {_MANY} images?",
    r"number of images[^.]{0,60}(?:exceed|limit|maximum|greater|more than)",
    r"images?[^.]{0,20}exceeds? the (?:limit|maximum)",
)
# "The image exceeds the maximum of 20 MB" is about one image.
_OF_ONE = r"\b(?:[mk]i?b|bytes|pixels?|px|resolution|dimensions?|file size|image size)\b"

_NONE = r"\b(?:0|no|zero) (?:input )?images?\b"


def too_much(said: str, images: int, *, code: str = "", status: int = 0) -> TooMuchError | None:
    """Returns the error that a refusal stands for, or None where it is about something else.

    Args:
        said: What the server or library says.
        images: How many images the request holds.
        code: The server's own code for the error.
        status: Of HTTP; 0 where there is none.
    """
    if images and _says(said, *_CROWD) and not _says(said, _OF_ONE, _NONE):
        return TooMuchError(said, images=_most(said, images))
    if status == 429 or _says(said, "rate limit"):  # too much for a minute: less does not help, waiting does
        return None
    long = status == 413 or not _LONG_CODES.isdisjoint(code.split()) or _says(said, *_LONG)
    return TooMuchError(said) if long else None


def _says(said: str, *patterns: str) -> bool:
    return re.search("|".join(patterns), said, re.IGNORECASE) is not None


def _most(said: str, images: int) -> int:
    """How many images are taken: the largest number that is said and that the request goes beyond, or one."""
    # The 3.2 of a model's name is no count of images.
    numbers = [int(number) for number in re.findall(r"(?<![\w.-])\d{1,4}(?![\w-]|\.\d)", said)]
    return max((number for number in numbers if 0 < number < images), default=1)
