"""Model names: `provider/name?option=value&…`, one string per role."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, ValidationError

from mirror_bench.errors import InputError, did_you_mean
from mirror_bench.keys import check_url, check_variable, names_a_key, redact


@dataclass(frozen=True)
class ModelSpec:
    """A parsed model name.

    Attributes:
        provider: Who answers: "vllm", "transformers", "openai", "scripted", …
        name: The provider's name or path of the model; may hold slashes.
        options: Option -> value, as text.
    """

    provider: str
    name: str
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        options = "&".join(f"{key}={_quoted(value)}" for key, value in sorted(self.options.items()))
        return f"{self.provider}/{self.name}" + (f"?{options}" if options else "")


def parse_model(text: str, role: str = "model") -> ModelSpec:
    """Reads `provider/name?option=value&…`.

    A value stands as it is, a plus sign included; `%26` writes an ampersand and `%25` a percent sign.

    Args:
        text: The model's name.
        role: What it is for, to name in messages ("--therapist").

    Raises:
        InputError: If the text has no provider or no name, an option stands twice or has no value, or one
            holds a key, which would be recorded.
    """
    head, _, query = text.strip().partition("?")
    provider, slash, name = head.partition("/")
    shown = redact(text)
    if not (provider and slash and name):
        code = re.fullmatch(r"(\w+)(?:\.py)?:(\w+)", head)
        tries = (
            f"python/{code[1]}:{code[2]} names code of your own"
            if code
            else "try vllm/Qwen/Qwen2.5-VL-7B-Instruct, openai/gpt-4o or scripted/reflective"
        )
        raise InputError(f"{role} {shown!r} is not of the form provider/name: {tries}")
    options: dict[str, str] = {}
    if query:
        for part in query.split("&"):
            key, equals, value = (unquote(piece) for piece in part.partition("="))
            if not (key and equals):
                raise InputError(f"{role} {shown!r}: options are written option=value, joined by &")
            if key in options:
                raise InputError(f"{role} {shown!r}: the option {key!r} stands twice")
            if not value:
                raise InputError(f"{role} {shown!r}: the option {key!r} has no value")
            options[key] = value
    _check_keys(f"{role} {provider}/{name}", options)
    return ModelSpec(provider, name, options)


def _quoted(value: str) -> str:
    return value.replace("%", "%25").replace("&", "%26")


def _check_keys(where: str, options: Mapping[str, str]) -> None:
    """Refuses keys in options, before anything is recorded of them."""
    for key, value in options.items():
        if names_a_key(key):
            raise InputError(
                f"{where}: the option {key!r} would put a key on record; put the key into an environment "
                "variable and name that with api_key_env"
            )
        if key == "api_key_env":
            check_variable(value, where)
        if key == "base_url":
            for url in value.split(","):
                check_url(url, where)


class ModelOptions(BaseModel):
    """The options of a kind of model, read from its name by `read_options`; each engine has its own class.

    Unknown options are refused; a default stands for what the name leaves out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


_Read = TypeVar("_Read", bound=ModelOptions)
_WANTED = {"int_parsing": "a whole number", "float_parsing": "a number", "bool_parsing": "true or false"}


def read_options(spec: ModelSpec, kind: type[_Read]) -> _Read:
    """Returns the options of a model's name as their kind declares them.

    Raises:
        InputError: If one is unknown (the message names the nearest), malformed or out of range.
    """
    try:
        return kind.model_validate(dict(spec.options))
    except ValidationError as error:
        told = error.errors(include_url=False)[0]
    where = redact(str(spec))
    key = str(told["loc"][0]) if told["loc"] else ""
    if told["type"] == "extra_forbidden":
        known = sorted(one.alias or name for name, one in kind.model_fields.items())
        hint = did_you_mean(key, known)
        listed = ", ".join(known) or "none"
        raise InputError(f"{where}: no option {key!r}: {hint}known are {listed}")
    if told["type"] == "value_error":
        raise InputError(f"{where}: {told['msg'].removeprefix('Value error, ')}")
    if told["type"] == "missing":
        raise InputError(f"{where}: the option {key} is missing: write {spec.provider}/{spec.name}?{key}=…")
    wanted = _WANTED.get(told["type"])
    must = f"be {wanted}" if wanted else told["msg"].removeprefix("Input should ")
    raise InputError(f"{where}: the option {key}={redact(spec.options.get(key, ''))!r} must {must}")
