"""Turns messages into the text that a model's chat template makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mirror_bench.engines.base import ImagePart, Message
from mirror_bench.engines.reasoning import opens_thought, thinks_in_special_tokens, without_special_tokens
from mirror_bench.errors import EngineError, InputError

_PROBE = ImagePart(b"", "0" * 64)


class Prompting:
    """A model's processor and chat template.

    Attributes:
        processor: The `transformers` processor, or the tokenizer of a model for text alone.
        takes_images: Whether the model reads images at all.
        sees: Whether, besides, its template has a place for them.
        opens_thought: Whether the template ends a prompt within a thought, so that answers begin with one.
        thinks_in_special_tokens: Whether marks of thoughts are special tokens, to be kept in decoding.

    Args:
        model: Local folder or name on the Hub.
        options: Further arguments of `from_pretrained`, such as `revision`.

    Raises:
        InputError: If the model has no chat template.
    """

    def __init__(self, model: str, **options: Any) -> None:
        from transformers import AutoProcessor

        self.processor = AutoProcessor.from_pretrained(model, **options)
        self.takes_images = hasattr(self.processor, "image_processor")
        if not getattr(self.processor, "chat_template", None):
            raise InputError(
                f"{model}: has no chat template; "
                "use an instruction-tuned model or add chat_template.jinja to its folder"
            )
        self.sees = self.takes_images and self._shows_images()
        self.opens_thought = opens_thought(self._apply((Message("user", ("word",)),)))
        self.thinks_in_special_tokens = thinks_in_special_tokens(self.tokenizer)

    @property
    def tokenizer(self) -> Any:
        """The tokenizer."""
        return getattr(self.processor, "tokenizer", self.processor)

    def render(self, messages: Sequence[Message]) -> str:
        """Returns the prompt, ready for the model to speak; images are left out where it does not see.

        Templates that know no system message, or insist on turns that alternate, get the same texts folded
        together.

        Raises:
            EngineError: If the template refuses the conversation even so.
        """
        from jinja2 import TemplateError

        try:
            return self._apply(messages)
        except TemplateError:
            try:
                return self._apply(_folded(messages))
            except TemplateError as error:
                raise EngineError(f"the model's chat template refuses the conversation: {error}") from None

    def adds_special_tokens(self, text: str) -> bool:
        """Returns whether the tokenizer must still frame a rendered prompt, which some templates do."""
        begin = getattr(self.tokenizer, "bos_token", None)
        return self.takes_images and not (begin and text.startswith(begin))

    def without_special_tokens(self, text: str) -> str:
        """Returns decoded text without the special tokens that are left in it for the sake of thoughts."""
        return without_special_tokens(text, self.tokenizer) if self.thinks_in_special_tokens else text

    def _apply(self, messages: Sequence[Message]) -> str:
        text = self.processor.apply_chat_template(
            [{"role": message.role, "content": self._content(message)} for message in messages],
            tokenize=False,
            add_generation_prompt=True,
        )
        return str(text)

    def _content(self, message: Message) -> str | list[dict[str, str]]:
        if not self.takes_images:
            return message.text
        return [
            {"type": "image"} if isinstance(part, ImagePart) else {"type": "text", "text": part}
            for part in message.parts
        ]

    def _shows_images(self) -> bool:
        bare = self._apply((Message("user", ("word",)),))
        return self._apply((Message("user", (_PROBE, "word")),)) != bare


def without_images(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Returns the messages with their texts alone."""
    return tuple(
        replace(message, parts=tuple(part for part in message.parts if isinstance(part, str)))
        for message in messages
    )


def _folded(messages: Sequence[Message]) -> tuple[Message, ...]:
    folded: list[Message] = []
    for message in messages:
        spoken = replace(message, role="user") if message.role == "system" else message
        if folded and folded[-1].role == spoken.role:
            folded[-1] = replace(folded[-1], parts=(*folded[-1].parts, "\n\n", *spoken.parts))
        else:
            folded.append(spoken)
    return tuple(folded)


def load_prompting(model: str, folder: Path | None, **options: Any) -> Prompting:
    """Loads a model's processor.

    Raises:
        InputError: In one line, if there is none or it cannot be read.
    """
    try:
        return Prompting(str(folder or model), **options)
    except (OSError, ValueError, KeyError, ImportError, TypeError) as error:
        said = " ".join(str(error).split())[:300]
        where = "" if folder else "; there is no such folder here, and the Hub gave no model of that name"
        raise InputError(f"{model}: its processor cannot be loaded ({said}){where}") from None
