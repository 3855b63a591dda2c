"""Turns messages into the text that a model's chat template makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mirror_bench.engines.base import ImagePart, Message
from mirror_bench.engines.reasoning import opens_thought, thinks_in_special_tokens, without_special_tokens
from mirror_bench.engines.without_video import NoVideos, spare_videos
from mirror_bench.errors import EngineError, InputError
from mirror_bench.text import one_line

_PROBE = ImagePart(b"", "0" * 64)
# Words that no template writes by itself: each is looked for in what a template makes of it.
_RULES, _ASKED, _SAID, _ASKED_NEXT = "zorvex", "quimble", "thrafnor", "yelpwick"

Content = str | list[dict[str, str]]


class Prompting:
    """Renders messages into a model's prompt, by its own processor and chat template.

    Templates differ in what they take: contents as lists of parts or as plain texts, a system message or
    none. What this one takes is tried when it is opened; a template that leaves out a message without a word
    counts as one that refuses it.

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
        InputError: If the model has no chat template, or one that shows nothing of a message.
    """

    def __init__(self, model: str, **options: Any) -> None:
        from transformers import AutoProcessor

        spare_videos()
        self.processor = AutoProcessor.from_pretrained(model, **options)
        if isinstance(self.processor, NoVideos):
            raise ValueError("it has neither a processor nor a tokenizer")
        self.takes_images = hasattr(self.processor, "image_processor")
        # Some models keep their template with the tokenizer alone.
        own = getattr(self.processor, "chat_template", None)
        self.processor.chat_template = own or getattr(self.tokenizer, "chat_template", None)
        if not self.processor.chat_template:
            raise InputError(
                f"{model}: has no chat template, so it cannot be asked in turns; "
                "use an instruction-tuned model or add chat_template.jinja to its folder"
            )
        self._style = self._find_style(model)
        self._knows_system = self._shows((Message("system", (_RULES,)), Message("user", (_ASKED,))))
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

        system = any(message.role == "system" for message in messages)
        if self._knows_system or not system:
            try:
                return self._apply(messages)
            except TemplateError:
                if system:
                    try:
                        return self._apply(_folded(messages, keeps_system=True))
                    except TemplateError:
                        pass
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
            [{"role": message.role, "content": self._style(message)} for message in messages],
            tokenize=False,
            add_generation_prompt=True,
        )
        return str(text)

    def _find_style(self, model: str) -> Callable[[Message], Content]:
        """Returns the first way to write contents of which the template loses nothing."""
        talk = (
            Message("user", (_ASKED,)),
            Message("assistant", (_SAID,)),
            Message("user", (_ASKED_NEXT,)),
        )
        styles = (self._as_parts, self._as_parts_of_users, self._as_text)
        for style in styles if self.takes_images else styles[::-1]:
            self._style = style
            if self._shows(talk):
                return style
        raise InputError(
            f"{model}: its chat template does not show what a user and an assistant say in turns; "
            "correct chat_template.jinja in its folder"
        )

    def _shows(self, messages: Sequence[Message]) -> bool:
        """Tells whether the template takes messages and leaves out none."""
        from jinja2 import TemplateError

        try:
            text = self._apply(messages)
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError, IndexError):
            return False
        # A list that is written out as Python shows it was meant to be a text.
        return all(message.text in text for message in messages) and "'type'" not in text

    def _shows_images(self) -> bool:
        bare, shown = Message("user", (_ASKED,)), Message("user", (_PROBE, _ASKED))
        return self._shows((shown,)) and self._apply((shown,)) != self._apply((bare,))

    def _as_parts(self, message: Message) -> Content:
        return [
            {"type": "image"} if isinstance(part, ImagePart) else {"type": "text", "text": part}
            for part in message.parts
        ]

    def _as_parts_of_users(self, message: Message) -> Content:
        return self._as_parts(message) if message.role == "user" else message.text

    def _as_text(self, message: Message) -> Content:
        place = getattr(self.processor, "image_token", "") if self.takes_images else ""
        text = ""
        for part in message.parts:
            written = place if isinstance(part, ImagePart) else part
            apart = text and written and not text.endswith("\n") and not written.startswith("\n")
            text += f"\n{written}" if apart else written
        return text


def without_images(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Returns the messages with their texts alone."""
    return tuple(
        replace(message, parts=tuple(part for part in message.parts if isinstance(part, str)))
        for message in messages
    )


def _folded(messages: Sequence[Message], *, keeps_system: bool = False) -> tuple[Message, ...]:
    """Returns the same texts with no two messages of one role in a row, and the system's with the user's."""
    folded: list[Message] = []
    for message in messages:
        system = message.role == "system" and not keeps_system
        spoken = replace(message, role="user") if system else message
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
    except (OSError, ValueError, KeyError, ImportError, TypeError, AttributeError) as error:
        said = one_line(error)
        where = "" if folder else "; there is no such folder here, and the Hub gave no model of that name"
        raise InputError(f"{model}: its processor cannot be loaded ({said}){where}") from None
