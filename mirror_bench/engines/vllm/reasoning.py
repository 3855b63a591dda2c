"""Parts thoughts from answers by one of vLLM's own reasoning parsers, where the user names one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mirror_bench.errors import InputError
from mirror_bench.text import one_line

Part = Callable[[str], tuple[str, str]]
"""Takes an answer, special tokens included; returns what is said and what is thought."""


def open_parser(name: str, tokenizer: Any) -> Part:
    """Returns the parser of a name for a model's tokenizer.

    Raises:
        InputError: If vLLM has none of the name, or it does not go with the model.
    """
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
    from vllm.reasoning import ReasoningParserManager

    if name not in (known := ReasoningParserManager.list_registered()):
        raise InputError(
            f"reasoning_parser={name}: vLLM has no parser of that name: known are {', '.join(known)}"
        )
    try:
        parser = ReasoningParserManager.get_reasoning_parser(name)(tokenizer)
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = one_line(error, 200)
        raise InputError(
            f"reasoning_parser={name} does not go with this model ({said}); leave it out: marks of thoughts "
            "that are known are found without it"
        ) from None
    asked = ChatCompletionRequest(messages=[], model="")
    special = [str(token) for token in getattr(tokenizer, "all_special_tokens", ())]

    def part(text: str) -> tuple[str, str]:
        thoughts, said = parser.extract_reasoning(text, asked)
        return _without(special, said or ""), _without(special, thoughts or "")

    return part


def _without(tokens: list[str], text: str) -> str:
    for token in tokens:
        text = text.replace(token, "")
    return text
