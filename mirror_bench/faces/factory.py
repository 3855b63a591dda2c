"""Opens the face source that a protocol names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from mirror_bench.errors import InputError, told
from mirror_bench.faces import FACE_SOURCES
from mirror_bench.faces.base import FaceSource
from mirror_bench.parts import read_options


def open_faces(kind: str, argument: str = "", options: Mapping[str, Any] | None = None) -> FaceSource:
    """Returns the face source that a protocol's settings name.

    Args:
        kind: Its name in the registry.
        argument: What stands behind the colon of `name:argument`.
        options: Its own options, not read yet.

    Raises:
        InputError: If there is none of that name, or it takes no such argument or option.
    """
    make: Callable[..., FaceSource] = FACE_SOURCES.get(kind)
    read: BaseModel | None = read_options(make, options or {}, "faces.options")
    given: dict[str, Any] = {} if read is None else {"options": read}
    if argument and not getattr(make, "takes_argument", False):
        raise InputError(f"faces: {kind}:{argument}: the face source {kind!r} takes nothing behind a colon")
    try:
        return make(argument, **given) if argument else make(**given)
    except InputError:
        raise
    except Exception as error:  # another package's code
        raise InputError(f"faces: the face source {kind!r} cannot be made: {told(error)}") from None
