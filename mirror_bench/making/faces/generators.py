"""What every generator of faces is, and the one that draws: the whole way without any weights."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from mirror_bench.errors import InputError
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.making.faces import FACE_GENERATORS
from mirror_bench.making.faces.due import DueFace
from mirror_bench.modelspec import ModelOptions, ModelSpec, parse_model, read_options


class Commission(NamedTuple):
    """One image that a generator is asked for: the face, its prompts and its seed.

    Attributes:
        due: Whose face it is and what it shows.
        prompt: What the image is to show, in words.
        negative: What it must not show.
        seed: Derived from the face's id and the attempt.
    """

    due: DueFace
    prompt: str
    negative: str
    seed: int


class FaceGenerator(Protocol):
    """Generates images of a given person's face from prompts.

    One object works on one device; its class takes a `ModelSpec`.
    """

    @property
    def name(self) -> str:
        """What decides the images, as the finished set records it."""
        ...

    def start(self, device: str) -> None:
        """Loads the model onto a device ("cuda:0", "cpu", or "" to choose).

        Raises:
            InputError: If a package, the weights or the device is missing, and the remedy.
        """
        ...

    def make(self, commission: Commission) -> bytes:
        """Returns a 336x336 RGB PNG, the same for the same commission on the same machine.

        Raises:
            InputError: If no further image can be made, and the remedy.
        """
        ...


class DrawnGenerator:
    """Draws the faces (`drawn/faces`): tries the whole way, checks included, before weights are there."""

    def __init__(self, spec: ModelSpec) -> None:
        read_options(spec, ModelOptions)
        self._faces = DrawnFaces()

    @property
    def name(self) -> str:
        """Name and version of the drawing."""
        return self._faces.name

    def start(self, device: str) -> None:
        """Has nothing to load."""

    def make(self, commission: Commission) -> bytes:
        """See `FaceGenerator`; the seed changes nothing."""
        return self._faces.render(commission.due.who.identity, commission.due.expression)


def open_generator(name: str) -> FaceGenerator:
    """Returns the generator of a name such as "diffusers/FOLDER_OR_HUB_NAME?adapter=photomaker".

    Raises:
        InputError: If there is none of that name or an option is wrong.
    """
    spec = parse_model(name, "--generator")
    if spec.provider not in FACE_GENERATORS:
        known = ", ".join(FACE_GENERATORS.names())
        raise InputError(
            f"--generator {name}: no generator is named {spec.provider!r}: known are {known}; "
            "write diffusers/MODEL or drawn/faces"
        )
    generator: FaceGenerator = FACE_GENERATORS.get(spec.provider)(spec)
    return generator
