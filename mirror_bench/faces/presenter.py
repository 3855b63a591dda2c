"""What the therapist is shown: the face condition applied, the image drawn, recent images remembered."""

from __future__ import annotations

import functools
import hashlib
import struct
from collections.abc import Callable

from mirror_bench.errors import InputError
from mirror_bench.faces import conditions, identity
from mirror_bench.faces.base import SIDE, Face, FaceSource
from mirror_bench.faces.conditions import expression_at_turn
from mirror_bench.faces.identity import identity_of
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Expression, FaceIdentity, Scenario

VERSION = "1"
"""Raised with every change of which face is shown at a turn; part of the fingerprint."""

_PNG = b"\x89PNG\r\n\x1a\n"


def stands_on() -> StandsOn:
    """Returns what decides which face is shown at a turn."""
    return StandsOn.of("faces.presenter", VERSION) | conditions.stands_on() | identity.stands_on()


class ShownFaces:
    """Renders the face that the therapist sees at each turn, and remembers the latest renderings.

    Safe to share between threads.

    Args:
        source: Makes the images.
        capacity: Renderings remembered; the least recently shown goes first.
    """

    def __init__(self, source: FaceSource, capacity: int = 512) -> None:
        self.source = source
        self._face = functools.lru_cache(maxsize=max(1, capacity))(self._make)

    def show(self, scenario: Scenario, turn: int, expression: Expression) -> Face | None:
        """Returns the face of one client turn, or None where the scenario's condition withholds it.

        Args:
            scenario: Gives the identity and the face condition.
            turn: Number of the client turn, from 0.
            expression: What the client's own face shows.

        Raises:
            InputError: If the profile's face or the expression cannot be drawn, or what is drawn is no PNG of
                the size that all faces have.
        """
        frame: Callable[[Scenario, int], bytes | None] | None = getattr(self.source, "frame", None)
        if frame is not None:  # recorded faces belong to turns
            png = frame(scenario, turn)
            return None if png is None else self._checked(png, expression)
        shown = expression_at_turn(scenario.condition, expression, scenario.pair, turn)
        return None if shown is None else self._face(identity_of(scenario.profile).line(), shown.line())

    def _make(self, identity: str, expression: str) -> Face:
        """Makes what two lines of JSON say, which unlike the records can be looked up."""
        shown = Expression.model_validate_json(expression)
        return self._checked(self.source.render(FaceIdentity.model_validate_json(identity), shown), shown)

    def _checked(self, png: object, expression: Expression) -> Face:
        """Returns the face; another package's source may give anything, which no model should be shown."""
        given = f"a {type(png).__name__}"
        if isinstance(png, bytes):
            size = struct.unpack(">II", png[16:24]) if png.startswith(_PNG) and len(png) >= 24 else None
            if size == (SIDE, SIDE):
                return Face(png=png, sha256=hashlib.sha256(png).hexdigest(), expression=expression)
            given = f"an image of {size[0]} x {size[1]}" if size else "bytes that are no PNG"
        raise InputError(
            f"the face source {self.source.name} gives {given}: what it renders must be a PNG of "
            f"{SIDE} x {SIDE} pixels, as bytes"
        )
