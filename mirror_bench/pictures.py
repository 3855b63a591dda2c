"""Turns an image of any kind into what a model is shown: upright, RGB, on white."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N")
_BACKGROUND = (255, 255, 255, 255)


def is_plain(image: Image) -> bool:
    """Tells whether `as_rgb` would change nothing of an opened image."""
    orientation = image.getexif().get(0x0112, 1)
    return image.mode == "RGB" and "transparency" not in image.info and orientation == 1


def as_rgb(image: Image) -> Image:
    """Returns an opened image as RGB: its first frame, turned as its EXIF says, transparent parts white.

    Grey of 16 bits is scaled to 8, which Pillow alone would cut off; CMYK is read by its own profile, where
    it has one.

    Raises:
        ValueError: If its values are no colors or cannot be scaled, saying so.
        OSError: If it is broken.
    """
    from PIL import ImageOps

    fmt = image.format
    image = ImageOps.exif_transpose(image)
    if image.mode in _SIXTEEN_BITS or (image.mode == "I" and fmt in {"PNG", "TIFF", "PPM"}):
        image = _eight_bits(image)
    if image.mode in {"I", "F"}:
        raise ValueError(
            f"its values are of the kind {image.mode}, not colors; save it with 8 bits a channel"
        )
    if image.mode == "CMYK":
        return _from_cmyk(image)
    if image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info:
        from PIL import Image as PillowImage

        shown = image.convert("RGBA")
        return PillowImage.alpha_composite(PillowImage.new("RGBA", shown.size, _BACKGROUND), shown).convert(
            "RGB"
        )
    return image.convert("RGB")


def as_png(image: Image, compress_level: int = 1) -> bytes:
    """Returns an opened image as the PNG that a model is shown; see `as_rgb`."""
    stream = io.BytesIO()
    as_rgb(image).save(stream, "PNG", compress_level=compress_level)
    return stream.getvalue()


def _eight_bits(image: Image) -> Image:
    import numpy as np
    from PIL import Image as PillowImage

    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise ValueError("its values go beyond 16 bits; save it with 8 or 16 bits a channel")
    return PillowImage.fromarray(((values + 128) // 257).astype(np.uint8))


def _from_cmyk(image: Image) -> Image:
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if profile:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            turned = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            turned = None
        if turned is not None:
            return turned
    return image.convert("RGB")
