"""A face as a session passes it on: an image that is drawn only when somebody looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mirror_bench.parts import StandsOn
from mirror_bench.schema import Expression, FaceIdentity

SIDE = 336
"""Pixels of every face's side."""


class FaceSource(Protocol):
    """Renders the face of a person with an expression as an image.

    A class of the registry is called without arguments. One with the class attribute `takes_argument = True`
    may be named `name:argument` and is then called with that text; one with a class attribute `Options`, a
    pydantic class, is called with `options=` (`faces.factory.open_faces`). One whose faces belong to turns
    has a method `frame(scenario, turn) -> bytes | None` besides, which is asked instead of `render`.
    """

    @property
    def name(self) -> str:
        """Name and version."""
        ...

    def stands_on(self) -> StandsOn:
        """Returns what decides the images: content, code and models."""
        ...

    def render(self, identity: FaceIdentity, expression: Expression) -> bytes:
        """Returns a 336x336 RGB PNG, the same bytes for the same arguments. Safe to call from threads."""
        ...


@dataclass(frozen=True)
class Face:
    """The image of the client's face that a therapist is shown, with what it shows.

    Attributes:
        png: 336x336 RGB PNG.
        sha256: Digest of `png`.
        expression: What the image shows: ground truth for scripted therapists, never passed to a model.
    """

    png: bytes
    sha256: str
    expression: Expression
