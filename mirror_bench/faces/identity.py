"""Who a drawn face belongs to: the space of identities, drawn at random or taken from a profile."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from mirror_bench.errors import InputError
from mirror_bench.parts import StandsOn
from mirror_bench.schema import FaceIdentity, Profile, derive_seed

VERSION = "1"
"""Raised with every change of which face a profile has; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides which face a profile has."""
    return StandsOn.of("faces.identity", VERSION)


CHOICES: Mapping[str, tuple[str, ...]] = {
    "sex": ("female", "male", "androgynous"),
    "shape": ("oval", "round", "square", "heart", "long"),
    "hair": ("short", "long", "bob", "curly", "bun", "buzz", "bald", "headscarf", "turban"),
    "hair_color": ("black", "brown", "auburn", "blond", "gray", "white", "dyed"),
    "glasses": ("none", "round", "square"),
    "beard": ("none", "stubble", "mustache", "full"),
}
"""Field of an identity -> the values it may take."""

# Weights are for variety that looks likely, not for any population's shares.
_HAIR: Mapping[str, Mapping[str, float]] = {
    "female": {"long": 5, "bob": 4, "curly": 3, "bun": 3, "short": 2, "headscarf": 1.5, "buzz": 0.4},
    "male": {"short": 6, "curly": 2, "buzz": 3, "bald": 1.6, "long": 0.7, "turban": 0.9, "bun": 0.3},
    "androgynous": {"short": 4, "bob": 3, "curly": 3, "long": 2, "buzz": 2, "bun": 1},
}
_GENDERS: Mapping[str, str] = {
    "female": "female", "woman": "female", "girl": "female", "f": "female", "she": "female",
    "male": "male", "man": "male", "boy": "male", "m": "male", "he": "male",
}  # fmt: skip


def check_identity(identity: FaceIdentity, where: str = "face") -> FaceIdentity:
    """Returns the identity after refusing values that cannot be drawn.

    Args:
        identity: The identity to check.
        where: What holds it, to name in messages.

    Raises:
        InputError: If a field holds none of its choices.
    """
    for field, choices in CHOICES.items():
        value = getattr(identity, field)
        if value not in choices:
            raise InputError(f"{where}: {field} {value!r} cannot be drawn: known are {', '.join(choices)}")
    return identity


def random_identity(seed: int) -> FaceIdentity:
    """Returns an identity out of the whole space, the same for the same seed."""
    draw = random.Random(derive_seed("identity", seed))
    sex = draw.choices(CHOICES["sex"], (10, 10, 3))[0]
    age = round(draw.triangular(14, 88, 34))
    return _identity(draw, age, sex)


def identity_of(profile: Profile) -> FaceIdentity:
    """Returns the profile's own face, or one derived from its age, gender and id.

    Raises:
        InputError: If the profile's own face cannot be drawn.
    """
    if profile.face is not None:
        return check_identity(profile.face, f"profile {profile.id}: face")
    draw = random.Random(derive_seed("identity of", profile.id))
    words = profile.gender.lower().replace("-", " ").split()
    sex = next((_GENDERS[word] for word in words if word in _GENDERS), "androgynous")
    if {"non", "nonbinary", "trans", "genderqueer"} & set(words) and "binary" in profile.gender.lower():
        sex = "androgynous"
    age = profile.age if profile.age is not None else round(draw.triangular(20, 70, 34))
    return _identity(draw, min(95, max(12, age)), sex)


def _identity(draw: random.Random, age: int, sex: str) -> FaceIdentity:
    hair = _weighted(draw, _HAIR[sex])
    if hair == "bald" and age < 25:
        hair = "buzz"
    beard = "none"
    if sex == "male" and age >= 18:
        beard = draw.choices(CHOICES["beard"], (5, 2, 1.2, 2))[0]
    if hair == "turban" and age >= 20 and draw.random() < 0.8:
        beard = "full"
    skin = round(draw.random(), 2)
    dyed = 0.0 if hair in {"bald", "buzz"} else 0.6 if age < 45 else 0.1
    return FaceIdentity(
        age=age,
        sex=sex,
        skin=skin,
        shape=draw.choice(CHOICES["shape"]),
        hair=hair,
        hair_color=_hair_color(draw, age, fair=2.5 * (1 - skin), dyed=dyed),
        glasses=draw.choices(CHOICES["glasses"], (6 if age < 50 else 3, 1, 1))[0],
        beard=beard,
        lines=round(min(1.0, max(0.0, (age - 30) / 50 + draw.uniform(-0.1, 0.1))), 2),
    )


def _hair_color(draw: random.Random, age: int, fair: float, dyed: float) -> str:
    if draw.random() < (age - 42) / 32:
        return "gray" if draw.random() > (age - 55) / 40 else "white"
    return draw.choices(("black", "brown", "auburn", "blond", "dyed"), (5, 5, fair, fair, dyed))[0]


def _weighted(draw: random.Random, weights: Mapping[str, float]) -> str:
    names: Sequence[str] = tuple(weights)
    return draw.choices(names, tuple(weights.values()))[0]
