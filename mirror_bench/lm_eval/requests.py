"""Turns what lm-eval asks (a text, images, generation arguments) into requests to our engines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from mirror_bench.engines.base import ImagePart, Message, Role, Sampling
from mirror_bench.errors import InputError
from mirror_bench.pictures import as_png

if TYPE_CHECKING:
    from PIL.Image import Image

# Stands in lm-eval's texts wherever an image is to be seen.
PLACE = "<image>"
# lm-eval's own default.
MAX_TOKENS = 256

_SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
# What changes nothing at these values, or only says how a backend computes.
_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "num_beams": (1, None),
    "num_return_sequences": (1, None),
    "repetition_penalty": (1, 1.0, None),
    "top_k": (0, -1, None),
    "use_cache": (True, False, None),
}


class ChatText(str):
    """A conversation as lm-eval carries it: JSON, told by its type from any other text."""

    __slots__ = ()


def chat_text(history: Sequence[Mapping[str, str]]) -> ChatText:
    """Returns messages with `role` and `content` as text for `read_messages`."""
    return ChatText(json.dumps([dict(message) for message in history], ensure_ascii=False))


def read_messages(context: str, images: Sequence[Image] = ()) -> tuple[Message, ...]:
    """Returns the messages of an lm-eval context, images put in their places.

    Args:
        context: A `ChatText`, or a plain text, which is taken as one message of the user.
        images: Of the document, in the order of the places `<image>` in the texts.

    Raises:
        InputError: If there are more or fewer places than images.
    """
    history = json.loads(context) if isinstance(context, ChatText) else [{"role": "user", "content": context}]
    if not images:
        return tuple(Message(_role(one["role"]), (one["content"],)) for one in history)
    places = sum(one["content"].count(PLACE) for one in history)
    if places != len(images):
        raise InputError(
            f"the prompt has {places} places {PLACE} and the document {len(images)} images: "
            "correct doc_to_text or doc_to_image"
        )
    waiting = iter(images)
    messages = []
    for one in history:
        parts: list[str | ImagePart] = []
        for number, text in enumerate(one["content"].split(PLACE)):
            if number:
                parts.append(image_part(next(waiting)))
            if text:
                parts.append(text)
        messages.append(Message(_role(one["role"]), tuple(parts)))
    return tuple(messages)


def image_part(image: Image) -> ImagePart:
    """Returns the image as a PNG of its RGB values.

    Raises:
        InputError: If it is no opened image, or cannot be shown.
    """
    from PIL import Image as PillowImage

    if not isinstance(image, PillowImage.Image):
        raise InputError(
            f"doc_to_image gave a {type(image).__name__} where an image of Pillow belongs: "
            "open it there, or give its column the type Image()"
        )
    try:
        return ImagePart(as_png(image))
    except (ValueError, OSError) as error:
        raise InputError(f"an image of the document cannot be shown ({error})") from None


def read_images(arguments: Sequence[Any]) -> list[Image]:
    """Returns the images of an instance's arguments, whose last may hold them as `visual`.

    Raises:
        InputError: If it holds sound.
    """
    extra = arguments[-1] if isinstance(arguments[-1], Mapping) and len(arguments) > 2 else {}
    if extra.get("audio"):
        raise InputError("the task asks about sound, which no engine hears; leave it out")
    visual = extra.get("visual")
    if visual is None:
        return []
    return list(visual) if isinstance(visual, list | tuple) else [visual]


def read_sampling(arguments: Mapping[str, Any]) -> Sampling:
    """Returns how an answer is drawn from lm-eval's `generation_kwargs`.

    Greedy unless they ask for sampling with a temperature; 256 tokens where they name no number.

    Raises:
        InputError: If they hold an argument that our engines do not have.
    """
    from lm_eval.models.utils import normalize_gen_kwargs

    known: dict[str, Any] = dict(normalize_gen_kwargs(dict(arguments), default_max_gen_toks=MAX_TOKENS))
    until = tuple(str(text) for text in known.pop("until") if text)
    tokens = int(known.pop("max_gen_toks"))
    known.pop("do_sample", None)
    values = {name: float(known.pop(name)) for name in _SAMPLING if known.get(name) is not None}
    for name, value in known.items():
        if name not in _SAMPLING and value not in _NEUTRAL.get(name, ()):
            raise InputError(
                f"generation_kwargs: {name}={value!r} is not known to our engines; known are until, "
                f"do_sample, max_gen_toks, {', '.join(_SAMPLING)}"
            )
    if tokens < 1:
        raise InputError(f"generation_kwargs: max_gen_toks={tokens} must be at least 1")
    return Sampling(max_tokens=tokens, stop=until, **values)


def _role(role: str) -> Role:
    if role not in {"system", "user", "assistant"}:
        raise InputError(f"a message has the role {role!r}: known are system, user, assistant")
    return cast("Role", role)
