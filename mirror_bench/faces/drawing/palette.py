"""The colours of a drawn person: skin, hair, eyes, clothes and the wall behind."""

from __future__ import annotations

import random
from typing import NamedTuple

from mirror_bench.faces.drawing.canvas import Color
from mirror_bench.schema import FaceIdentity, derive_seed

_SKIN: tuple[Color, ...] = (
    (253, 226, 206), (244, 206, 176), (226, 178, 139), (190, 137, 98), (146, 98, 67), (104, 68, 48),
)  # fmt: skip
_HAIR: dict[str, Color] = {
    "black": (43, 38, 42), "brown": (94, 62, 42), "auburn": (139, 66, 36), "blond": (214, 172, 98),
    "gray": (150, 150, 154), "white": (226, 226, 224), "dyed": (60, 132, 148),
}  # fmt: skip
_DYES: tuple[Color, ...] = ((44, 128, 150), (176, 66, 110), (104, 78, 158), (70, 140, 92))
_WALLS: tuple[Color, ...] = (
    (196, 212, 206), (204, 208, 222), (222, 210, 192), (210, 202, 216), (190, 208, 220), (220, 204, 198),
)  # fmt: skip
_CLOTHES: tuple[Color, ...] = (
    (74, 98, 132), (146, 72, 72), (70, 112, 98), (104, 84, 128), (176, 136, 74), (84, 88, 96),
    (160, 96, 70), (58, 84, 92), (206, 196, 178), (124, 132, 92),
)  # fmt: skip
_SCARVES: tuple[Color, ...] = (
    (86, 108, 140), (150, 92, 104), (92, 122, 104), (196, 178, 152), (112, 92, 122), (70, 78, 96),
)  # fmt: skip
_EYES: tuple[Color, ...] = ((92, 60, 36), (72, 48, 32), (96, 116, 74), (84, 124, 152), (110, 84, 52))


class Palette(NamedTuple):
    """Colours, each RGB.

    Attributes:
        shade: Skin in soft shadow.
        crease: Skin in a fold.
        ink: Lashes and the line of the mouth.
        cloth_shade: Cloth in a fold.
        natural: The hair's own colour, under any dye.
        cover: Headscarf or turban.
    """

    skin: Color
    shade: Color
    crease: Color
    ink: Color
    light: Color
    blush: Color
    lip: Color
    lip_shade: Color
    hair: Color
    hair_shade: Color
    natural: Color
    brow: Color
    eye: Color
    wall: Color
    cloth: Color
    cloth_shade: Color
    cover: Color
    cover_shade: Color


def mix(first: Color, second: Color, share: float) -> Color:
    """Returns the colour `share` of the way from `first` to `second`, in [0, 1]."""
    share = min(1.0, max(0.0, share))
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return (red, green, blue)


def palette_of(identity: FaceIdentity) -> Palette:
    """Returns the colours of one identity; what the identity leaves open is derived from it."""
    draw = random.Random(derive_seed("palette", identity.line()))
    skin = _skin(identity.skin)
    hair = draw.choice(_DYES) if identity.hair_color == "dyed" else _HAIR[identity.hair_color]
    natural = (74, 52, 40) if identity.hair_color == "dyed" else hair
    woman = identity.sex == "female"
    red = (204, 84, 86) if woman else (184, 98, 88)
    lip = mix(skin, mix(red, (112, 46, 50), identity.skin * 0.8), 0.55 if woman else 0.44)
    cloth, cover = draw.choice(_CLOTHES), draw.choice(_SCARVES)
    return Palette(
        skin=skin,
        shade=mix(skin, (112, 44, 40), 0.17),
        crease=mix(skin, mix((70, 24, 22), (26, 8, 10), identity.skin), 0.42 + 0.2 * identity.skin),
        ink=mix(skin, (34, 18, 20), 0.86),
        light=mix(skin, (255, 244, 226), 0.45),
        blush=mix(skin, (226, 74, 76), 0.6),
        lip=lip,
        lip_shade=mix(lip, (80, 20, 30), 0.28),
        hair=hair,
        hair_shade=mix(hair, (20, 14, 18), 0.32),
        natural=natural,
        brow=mix(mix(natural, (36, 26, 26), 0.45), (18, 12, 14), 0.7 * identity.skin),
        eye=draw.choice(_EYES[:2] if identity.skin > 0.55 else _EYES),
        wall=draw.choice(_WALLS),
        cloth=cloth,
        cloth_shade=mix(cloth, (24, 22, 34), 0.3),
        cover=cover,
        cover_shade=mix(cover, (24, 22, 34), 0.28),
    )


def _skin(tone: float) -> Color:
    place = tone * (len(_SKIN) - 1)
    low = min(int(place), len(_SKIN) - 2)
    return mix(_SKIN[low], _SKIN[low + 1], place - low)
