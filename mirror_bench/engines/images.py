"""Images of requests in the forms that engines take."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mirror_bench.engines.base import ImagePart, Message
from mirror_bench.errors import InputError, TooMuchError
from mirror_bench.pictures import as_rgb

if TYPE_CHECKING:
    from PIL.Image import Image


def images_of(messages: Sequence[Message]) -> list[ImagePart]:
    """Returns every image of a conversation, in order."""
    return [part for message in messages for part in message.parts if isinstance(part, ImagePart)]


def data_url(part: ImagePart) -> str:
    """Returns the image as a `data:` URL."""
    return "data:image/png;base64," + base64.b64encode(part.png).decode("ascii")


# The same faces come back with every turn of a session; at 336 x 336 the cache takes 85 MB at most.
@functools.lru_cache(maxsize=256)
def decode(part: ImagePart) -> Image:
    """Returns the image as RGB.

    Raises:
        InputError: If the bytes are no image.
    """
    from PIL import Image as PillowImage

    try:
        with PillowImage.open(io.BytesIO(part.png)) as image:
            return as_rgb(image)
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"the image {part.sha256[:12]} of a request is no PNG ({error})") from None


def check_count(messages: Sequence[Message], limit: int, engine: str) -> None:
    """Refuses a conversation with more images than an engine was opened for.

    Raises:
        TooMuchError: Naming the option that raises the limit.
    """
    count = len(images_of(messages))
    if count > limit:
        raise TooMuchError(
            f"{engine}: a request holds {count} images and max_images={limit}: "
            f"open the model with max_images={count} or shorten the context",
            images=limit,
        )
