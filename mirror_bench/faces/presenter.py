"""What the therapist is shown: the face condition applied, the image drawn, recent images remembered."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from mirror_bench.faces import conditions, identity
from mirror_bench.faces.base import Face, FaceSource
from mirror_bench.faces.conditions import shown_expression
from mirror_bench.faces.identity import identity_of
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Expression, Scenario, derive_seed

VERSION = "1"
"""Raised with every change of which face is shown at a turn; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides which face is shown at a turn."""
    return StandsOn.of("faces.presenter", VERSION) | conditions.stands_on() | identity.stands_on()


class ShownFaces:
    """Shows the faces of a run. Safe to share between threads.

    Args:
        source: Makes the images.
        capacity: Renderings remembered; the least recently shown goes first.
    """

    def __init__(self, source: FaceSource, capacity: int = 512) -> None:
        self.source = source
        self._capacity = max(1, capacity)
        self._recent: OrderedDict[tuple[str, str], Face] = OrderedDict()
        self._lock = threading.Lock()

    def show(self, scenario: Scenario, turn: int, expression: Expression) -> Face | None:
        """Returns the face of one client turn, or None where the scenario's condition withholds it.

        Args:
            scenario: Gives the identity and the face condition.
            turn: Index of the turn in the session.
            expression: What the client's own face shows.

        Raises:
            InputError: If the profile's face or the expression cannot be drawn.
        """
        seed = derive_seed(scenario.pair, "face", turn)
        shown = shown_expression(scenario.condition, expression, seed)
        if shown is None:
            return None
        identity = identity_of(scenario.profile)
        key = (identity.line(), shown.line())
        with self._lock:
            if (face := self._recent.get(key)) is not None:
                self._recent.move_to_end(key)
                return face
        # Drawn outside the lock: two threads may draw the same face, and get the same bytes.
        png = self.source.render(identity, shown)
        face = Face(png=png, sha256=hashlib.sha256(png).hexdigest(), expression=shown)
        with self._lock:
            self._recent[key] = face
            self._recent.move_to_end(key)
            while len(self._recent) > self._capacity:
                self._recent.popitem(last=False)
        return face
