"""Model names: `provider/name?option=value&…`, one string per role."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from mirror_bench.errors import InputError
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
        raise InputError(
            f"{role} {shown!r} is not of the form provider/name: "
            "try vllm/Qwen/Qwen2.5-VL-7B-Instruct, openai/gpt-4o or scripted/reflective"
        )
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


class Options:
    """Typed reading of a model's options; whatever nobody asked for is refused by `done`."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self._known: list[str] = []

    def text(self, key: str, default: str = "") -> str:
        """Returns the option as text."""
        self._known.append(key)
        return self.spec.options.get(key, default)

    def integer(self, key: str, default: int) -> int:
        """Returns the option as a whole number."""
        value = self.text(key, str(default))
        try:
            return int(value)
        except ValueError:
            raise InputError(f"{self.spec}: the option {key}={value!r} must be a whole number") from None

    def number(self, key: str, default: float) -> float:
        """Returns the option as a number."""
        value = self.text(key, str(default))
        try:
            return float(value)
        except ValueError:
            raise InputError(f"{self.spec}: the option {key}={value!r} must be a number") from None

    def flag(self, key: str, default: bool = False) -> bool:
        """Returns the option as true or false."""
        value = self.text(key, str(default)).lower()
        if value not in {"true", "false", "1", "0", "yes", "no"}:
            raise InputError(f"{self.spec}: the option {key}={value!r} must be true or false")
        return value in {"true", "1", "yes"}

    def done(self) -> None:
        """Refuses options that nobody read.

        Raises:
            InputError: Naming the option and the ones that exist.
        """
        for key in self.spec.options:
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise InputError(
                    f"{self.spec}: no option {key!r}: {hint}known are {', '.join(sorted(set(self._known)))}"
                )
