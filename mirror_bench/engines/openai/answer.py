"""Reads what a chat server answered, in whatever shape its words, thoughts and counts come."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mirror_bench.engines.answers import Given
from mirror_bench.engines.openai.refusals import one_line
from mirror_bench.errors import EngineError

# Words that servers have for why an answer ended, beside "stop".
_FINISH = {
    "length": ("length", "max_tokens", "model_length", "max_output_tokens", "token_limit"),
    "content_filter": (
        "content_filter",
        "safety",
        "recitation",
        "prohibited_content",
        "blocklist",
        "sensitive",
        "spii",
    ),
    "tool_calls": ("tool_calls", "function_call", "tool_use"),
    "stop": ("stop", "end_turn", "stop_sequence", "eos", "eos_token", "completed"),
}
_THOUGHTS = ("reasoning_content", "reasoning", "thinking", "reasoning_text")


def read_completion(completion: object, engine: str) -> Given:
    """Returns the text, tokens and reason for the end that a chat completion holds.

    Args:
        completion: The server's answer, read as JSON.
        engine: Who answered, to name in messages.

    Raises:
        EngineError: If it holds no choice, or one that the server broke off or that cannot be read.
    """
    body: Mapping[str, Any] = completion if isinstance(completion, Mapping) else {}
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        raise EngineError(f"{engine}: the server's answer holds no choice")
    finish = _finish(choice.get("finish_reason"))
    if finish == "error":
        raise EngineError(f"{engine}: the server broke the answer off ({one_line(str(choice)[:2000])})")
    text, thoughts = _content(message.get("content"), engine)
    refusal = message.get("refusal")
    if not text and isinstance(refusal, str) and refusal:
        text, finish = refusal, "content_filter"
    beside = next((found for name in _THOUGHTS if (found := _thoughts(message.get(name)))), "")
    tool = _tool(message)
    if tool and not text.strip():
        finish = "tool_calls"
    usage = body.get("usage")
    counts: Mapping[str, Any] = usage if isinstance(usage, Mapping) else {}
    details = counts.get("completion_tokens_details")
    thought = details.get("reasoning_tokens") if isinstance(details, Mapping) else None
    return Given(
        text=text,
        finish=finish or ("stop" if text.strip() else ""),
        thoughts="\n\n".join(filter(None, (thoughts.strip(), beside.strip()))),
        prompt_tokens=_count(counts.get("prompt_tokens")),
        tokens=_count(counts.get("completion_tokens")),
        thought_tokens=_count(thought) if isinstance(thought, int) and thought > 0 else None,
        tool=tool,
    )


def read_json(text: str) -> object:
    """Returns a server's answer as JSON, or as text where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def breaks_off(text: str) -> bool:
    """Tells whether a server's answer is the beginning of a JSON object whose end is missing."""
    if not text.lstrip().startswith("{"):
        return False
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.msg.startswith("Unterminated") or error.pos >= len(text.rstrip())
    except RecursionError:
        pass
    return False


def error_in(completion: object) -> tuple[int, Mapping[str, Any]] | None:
    """Returns the status and body of an error that came with the status 200, or None."""
    if not isinstance(completion, Mapping) or completion.get("choices"):
        return None
    error = completion.get("error")
    if not error and completion.get("object") != "error":
        return None
    fields = error if isinstance(error, Mapping) else completion
    code = str(fields.get("code") or fields.get("status"))
    return int(code) if re.fullmatch(r"[45]\d\d", code) else 400, completion


def _finish(reason: object) -> str:
    word = str(reason or "").lower().rpartition(".")[2]
    for known, words in _FINISH.items():
        if word in words:
            return known
    return "error" if word in {"error", "abort", "network_error"} else ""


def _content(content: object, engine: str) -> tuple[str, str]:
    """Returns the words and the thoughts of a message's content: text, a number, or a list of parts."""
    if content is None:
        return "", ""
    if isinstance(content, str):
        return content, ""
    if isinstance(content, int | float) and not isinstance(content, bool):
        return str(content), ""
    parts = content if isinstance(content, list) else [content]
    words: list[str] = []
    thoughts: list[str] = []
    for part in parts:
        if part is None:
            continue
        if isinstance(part, str):
            words.append(part)
        elif isinstance(part, Mapping) and str(part.get("type", "text")) in {
            "thinking",
            "reasoning",
            "redacted_thinking",
        }:
            thoughts.append(_thoughts(part))
        elif isinstance(part, Mapping) and isinstance(part.get("text"), str):
            words.append(part["text"])
        elif isinstance(part, Mapping) and isinstance(part.get("refusal"), str):
            words.append(part["refusal"])
        elif isinstance(part, Mapping) and isinstance(part.get("content"), str):
            words.append(part["content"])
        elif not isinstance(part, Mapping) or "type" not in part:
            raise EngineError(
                f"{engine}: the content of the server's answer is no text ({one_line(str(part))[:80]})"
            )
    return "".join(words), "\n\n".join(filter(None, thoughts))


def _thoughts(found: object) -> str:
    if isinstance(found, str):
        return found
    if isinstance(found, list):
        return "\n".join(filter(None, (_thoughts(part) for part in found)))
    if isinstance(found, Mapping):
        inner = (found.get(name) for name in ("thinking", "reasoning", "text", "content", "summary"))
        return next((text for part in inner if (text := _thoughts(part))), "")
    return ""


def _tool(message: Mapping[str, Any]) -> str:
    calls = message.get("tool_calls") or message.get("function_call")
    call = calls[0] if isinstance(calls, list) and calls else calls
    if not isinstance(call, Mapping):
        return ""
    function = call.get("function", call)
    name = function.get("name") if isinstance(function, Mapping) else None
    return one_line(str(name or "unnamed"))[:60]


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        return 0
    return int(value)
