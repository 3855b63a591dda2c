"""How a request is put to a chat server, and put otherwise once the server has refused a field of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from mirror_bench.engines.answers import RoomOptions
from mirror_bench.engines.base import Message, Request, Sampling
from mirror_bench.engines.images import data_url
from mirror_bench.engines.openai.refusals import Refusal
from mirror_bench.errors import did_you_mean
from mirror_bench.keys import names_a_key

JSON_MODES = ("schema", "object", "off")
TOKENS_KEYS = ("max_tokens", "max_completion_tokens")
# Without these a server draws by rules of its own, or its answer is cut here instead of there.
_SPARED = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "stop")
_REFUSED = re.compile(
    r"\bnot (?:currently |yet )?(?:be )?(?:support|permit|allow|available|implement|recogni|valid)|"
    r"unsupported|"
    r"\bun(?:known|expected|recogni[sz]ed)\b|extra (?:inputs?|fields?)|extra_forbidden|"
    r"only (?:the default|[\d.]+)\b|"
    r"n[o']t support|deprecated|no longer|use .{0,2}max_(?:completion_)?tokens|(?:cannot|can't|must not|"
    r"should not) "
    r"(?:both )?be|(?:omitted|unset|removed|disabled)|\binvalid\b|strictly positive|greater than 0|"
    r"must be 1\b|both\b",
    re.IGNORECASE,
)
_TOO_MUCH = re.compile(
    r"too (?:large|high|big)|exceed|less than or equal|at most|(?:maximum|max) (?:value|allowed|is|of)|<=",
    re.IGNORECASE,
)
_LEAVABLE = frozenset({*_SPARED, *TOKENS_KEYS, "response_format"})
_OURS = {"model", "messages", "stream", "n"}
_FORMAT = re.compile(
    r"response.?format|json_schema|json_object|structured.?output|guided|grammar", re.IGNORECASE
)


class MannerOptions(RoomOptions):
    """How a model is asked, as its options say.

    Attributes:
        json_mode: `json=`: "schema" has the server hold to the JSON schema, "object" to any JSON, "off" to
            none; then the schema is told in words.
        tokens_key: "max_tokens", or "max_completion_tokens".
        leave_out: Comma-separated fields that are not sent.
        reasoning_effort: Sent as it is.
        extra_body: Further fields, a JSON object.
    """

    json_mode: Literal["schema", "object", "off"] = Field("schema", alias="json")
    tokens_key: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    leave_out: str = ""
    reasoning_effort: str = ""
    extra_body: str = ""

    @property
    def fields_left_out(self) -> set[str]:
        """The fields that are not sent."""
        return {part.strip() for part in self.leave_out.split(",")} - {""}

    @field_validator("leave_out")
    @classmethod
    def _leavable(cls, text: str) -> str:
        for field in sorted({part.strip() for part in text.split(",")} - {"", *_LEAVABLE}):
            hint = did_you_mean(field, _LEAVABLE)
            known = ", ".join(sorted(_LEAVABLE))
            raise ValueError(f"leave_out: no field {field!r}: {hint}known are {known}")
        return text

    @field_validator("extra_body")
    @classmethod
    def _json_object(cls, text: str) -> str:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ValueError(
                'the option extra_body must be a JSON object, such as extra_body={"top_k":20}, '
                "with & and + inside written %26 and %2B"
            )
        if own := sorted(_OURS & set(value)):
            raise ValueError(f"the option extra_body must leave {', '.join(own)} to us")
        if secret := [name for name in _keys(value) if names_a_key(name)]:
            raise ValueError(
                f"the option extra_body holds {secret[0]!r}, and would put a key on record; "
                "keys are read from the environment variable that api_key_env names"
            )
        return text


class Manner:
    """How a model is asked: what its options say, and what was learnt from what the server refused.

    Args:
        options: Where it begins.
    """

    def __init__(self, options: MannerOptions) -> None:
        self.json: str = options.json_mode
        self.tokens_key: str = options.tokens_key
        self.left_out = options.fields_left_out
        self.effort = options.reasoning_effort
        self.extra = json.loads(options.extra_body) if options.extra_body else {}
        self._swapped = False

    def body(self, model: str, request: Request, sampling: Sampling, *, sees: bool) -> dict[str, Any]:
        """Returns the body of a request."""
        messages = [chat_message(message, sees) for message in request.messages]
        if request.json_schema is not None and self.json != "schema":
            _tell_form(messages, request.json_schema)
        body: dict[str, Any] = {
            "model": model,
            "messages": messages,
            "temperature": sampling.temperature,
            self.tokens_key: sampling.max_tokens,
        }
        if sampling.temperature > 0:
            body |= {"seed": request.seed, "top_p": sampling.top_p}
        if sampling.frequency_penalty:
            body["frequency_penalty"] = sampling.frequency_penalty
        if sampling.presence_penalty:
            body["presence_penalty"] = sampling.presence_penalty
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if request.json_schema is not None and self.json != "off":
            body["response_format"] = _response_format(request.json_schema, self.json)
        if self.effort:
            body["reasoning_effort"] = self.effort
        body = {
            key: value for key, value in body.items() if key not in self.left_out and key not in self.extra
        }
        return body | ({"extra_body": self.extra} if self.extra else {})

    def learn(self, refusal: Refusal, body: Mapping[str, Any]) -> str:
        """Puts later requests otherwise, where what the server refuses tells with certainty how.

        Args:
            refusal: What was refused.
            body: The request that was.

        Returns:
            What is done from now on, in words; "" where that is not certain.
        """
        said = f"{refusal.param} {refusal.words}"
        field = _named(refusal, body)
        if not field or refusal.status not in {400, 404, 422, 500, 501} or not _REFUSED.search(said):
            return ""
        if field == "response_format":
            asked = "schema" if body[field]["type"] == "json_schema" else "object"
            lower = JSON_MODES[JSON_MODES.index(asked) + 1]
            self.json = JSON_MODES[max(JSON_MODES.index(lower), JSON_MODES.index(self.json))]
            done = (
                "any JSON is asked for" if lower == "object" else "the form of answers is left to the prompt"
            )
            return f"{done} (json={lower})"
        if field in TOKENS_KEYS:
            return self._other_key(field, refusal.words)
        if (
            field not in _SPARED
            or field in self.extra
            or (_TOO_MUCH.search(refusal.words) and not re.search(r"only|both", refusal.words))
        ):
            return ""
        self.left_out.add(field)
        return f"{field} is left out, and the server's own setting holds (leave_out={field})"

    def remedy(self, refusal: Refusal, body: Mapping[str, Any]) -> str:
        """Returns which option to change, where `learn` does not know."""
        field = _named(refusal, body)
        if field in TOKENS_KEYS or (
            refusal.of_length and re.search(r"max_(?:completion_)?tokens", refusal.words)
        ):
            asked = body.get(self.tokens_key)
            return f"it was asked for {asked} tokens: lower max_thinking_tokens or max_tokens"
        if field == "reasoning_effort" or field in self.extra:
            option = field if field == "reasoning_effort" else "extra_body"
            return f"change the option {option}, or leave it out"
        if field:
            return f"the field {field} can be left out with leave_out={field}"
        return "what is sent can be changed with leave_out, tokens_key, json, reasoning_effort and extra_body"

    def _other_key(self, field: str, words: str) -> str:
        if _TOO_MUCH.search(words) and not re.search(r"(?i)support|use .{0,2}max_", words):
            return ""
        other = TOKENS_KEYS[1 - TOKENS_KEYS.index(field)]
        if self.tokens_key != field:
            return (
                f"{other} is sent for {field} (tokens_key={other})"  # learnt from another request in flight
            )
        if self._swapped:
            return ""
        self.tokens_key, self._swapped = other, True
        return f"{other} is sent for {field} (tokens_key={other})"


def _named(refusal: Refusal, body: Mapping[str, Any]) -> str:
    """Returns the field of the request that a refusal names: the parameter, else the first in its words."""
    fields: list[str] = [
        key for key in (*body, *body.get("extra_body", {})) if key not in {"model", "messages", "extra_body"}
    ]
    last = refusal.param.rpartition(".")[2]
    for name in (refusal.param, refusal.param.partition(".")[0], last):
        if name in fields:
            return name
    words = refusal.words
    either = all(name in fields and name in words for name in ("temperature", "top_p"))
    if either and re.search(r"(?i)\bboth\b|only one|at the same time", words):
        return "top_p"
    places = {key: found.start() for key in fields if (found := re.search(rf"(?<![\w]){key}(?![\w])", words))}
    if places:
        return min(places.items(), key=lambda item: item[1])[0]
    return "response_format" if "response_format" in body and _FORMAT.search(words) else ""


def _keys(value: object) -> list[str]:
    if isinstance(value, Mapping):
        return [str(key) for key in value] + [key for inner in value.values() for key in _keys(inner)]
    return [key for inner in value for key in _keys(inner)] if isinstance(value, list) else []


def _tell_form(messages: list[dict[str, Any]], schema: Mapping[str, Any]) -> None:
    """Puts into words, in the first message, the form that the server does not enforce."""
    form = f"Answer with one JSON object and nothing else, of this JSON schema: {json.dumps(schema)}"
    first = messages[0] if messages else {}
    if first.get("role") == "system" and isinstance(first["content"], str):
        first["content"] += f"\n\n{form}"
    else:
        messages.insert(0, {"role": "system", "content": form})


def chat_message(message: Message, sees: bool) -> dict[str, Any]:
    """Returns a message in the form of the OpenAI API; `sees` tells whether its images go along."""
    if not sees or all(isinstance(part, str) for part in message.parts):
        return {"role": message.role, "content": message.text}
    content = [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {"type": "image_url", "image_url": {"url": data_url(part)}}
        for part in message.parts
    ]
    return {"role": message.role, "content": content}


def _response_format(schema: Mapping[str, Any], mode: str) -> dict[str, Any]:
    if mode == "object":
        return {"type": "json_object"}
    # OpenAI enforces a schema only where it is strict, and refuses to call any other schema strict.
    described = {"name": "answer", "schema": dict(schema), "strict": _is_closed(schema)}
    return {"type": "json_schema", "json_schema": described}


def _is_closed(schema: Any) -> bool:
    if isinstance(schema, list | tuple):
        return all(_is_closed(part) for part in schema)
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", ())) != set(properties):
            return False
    return all(_is_closed(part) for part in schema.values())
