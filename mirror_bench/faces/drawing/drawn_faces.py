"""Drawn faces: a parametric illustration, softly lit, whose action units are known exactly."""

from __future__ import annotations

import functools

from mirror_bench.faces.facs.action_units import check_expression
from mirror_bench.faces.identity import check_identity
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Expression, FaceIdentity


class DrawnFaces:
    """Draws faces; needs no model and no network. Stateless, so safe to share between threads."""

    version = "2"
    """Raised with every change of the drawing; part of the fingerprint."""

    @property
    def name(self) -> str:
        """Name and version."""
        return f"drawn/{self.version}"

    def stands_on(self) -> StandsOn:
        """See `FaceSource`."""
        return StandsOn.of("faces.drawn", self.version)

    def render(self, identity: FaceIdentity, expression: Expression) -> bytes:
        """Returns a 336x336 RGB PNG, the same bytes for the same arguments.

        Raises:
            InputError: If the identity or the expression cannot be drawn.
        """
        return _draw(check_identity(identity).line(), check_expression(expression).line())


# The same few faces come back in every session of a person and in most static tasks; they take 40 MB at most.
@functools.lru_cache(maxsize=1024)
def _draw(identity: str, expression: str) -> bytes:
    """Draws what two lines of JSON say, which unlike the records can be looked up."""
    from mirror_bench.faces.drawing import (
        beard,
        body,
        brows,
        coverings,
        eyes,
        folds,
        hair,
        head,
        mouth,
        nose,
        sketch,
    )

    face = sketch.begin(
        FaceIdentity.model_validate_json(identity), Expression.model_validate_json(expression)
    )
    hair.draw_back(face)
    body.draw_body(face)
    coverings.draw_drape(face)
    head.draw_ears(face, near=False)
    head.draw_head(face)
    head.draw_ears(face, near=True)
    folds.draw_folds(face)
    nose.draw_nose(face)
    eyes.draw_eyes(face)
    brows.draw_brows(face)
    beard.draw_beard(face)
    mouth.draw_mouth(face)
    eyes.draw_glasses(face)
    face.draw_creases()
    hair.draw_front(face)
    body.draw_arms(face)
    return face.canvas.png()
