"""Images of every kind become what a model is shown: upright, RGB, on white."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from mirror_bench.errors import InputError
from mirror_bench.lm_eval.requests import image_part
from mirror_bench.pictures import as_png, as_rgb, is_plain


def saved(image: Image.Image, kind: str, **options: Any) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return Image.open(io.BytesIO(stream.getvalue()))


def near(found: Any, wanted: tuple[int, int, int], by: int = 3) -> bool:
    return all(abs(one - other) <= by for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize(("value", "shown"), [(0, 0), (0x8080, 128), (0xFFFF, 255), (300, 1)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_are_scaled(kind: str, value: int, shown: int) -> None:
    deep = saved(Image.fromarray(np.full((4, 4), value, np.uint16)), kind)
    assert as_rgb(deep).getpixel((1, 1)) == (shown, shown, shown)


def test_what_is_transparent_is_white() -> None:
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([200, 0, 0, 0, 0, 200] + [0] * 762)
    for image in (
        saved(Image.new("RGBA", (4, 4), (10, 10, 10, 0)), "PNG"),
        saved(Image.new("LA", (4, 4), (10, 0)), "PNG"),
        saved(Image.new("L", (4, 4), 7), "PNG", transparency=7),
        saved(Image.new("RGB", (4, 4), (7, 8, 9)), "PNG", transparency=(7, 8, 9)),
        saved(palette, "GIF", transparency=1),
        saved(Image.new("RGBA", (4, 4), (10, 10, 10, 0)), "WEBP", lossless=True),
    ):
        assert not is_plain(image)
        assert as_rgb(image).getpixel((1, 1)) == (255, 255, 255)
    half = as_rgb(saved(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "PNG"))
    assert near(half.getpixel((1, 1)), (127, 127, 127))


def test_a_palette_and_a_first_frame_keep_their_colors() -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in ((200, 0, 0), (0, 0, 200))]
    moving = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert near(as_rgb(moving).getpixel((1, 1)), (200, 0, 0))


def test_cmyk_with_and_without_a_profile() -> None:
    inks = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert near(as_rgb(saved(inks, "JPEG")).getpixel((1, 1)), (255, 0, 0), by=12)
    broken = saved(inks, "TIFF", icc_profile=b"no profile")
    assert near(as_rgb(broken).getpixel((1, 1)), (255, 0, 0))
    wrong = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert near(as_rgb(saved(inks, "TIFF", icc_profile=wrong)).getpixel((1, 1)), (255, 0, 0))


def test_an_image_is_turned_as_its_exif_says() -> None:
    image = Image.new("RGB", (6, 4), (0, 0, 0))
    image.paste((255, 255, 255), (0, 0, 3, 4))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = as_rgb(saved(image, "PNG", exif=exif))
    assert turned.size == (4, 6)
    assert turned.getpixel((1, 0)) == (255, 255, 255)
    assert turned.getpixel((1, 5)) == (0, 0, 0)
    assert not is_plain(saved(image, "PNG", exif=exif))
    assert is_plain(saved(image, "PNG"))


def test_values_that_are_no_colors_are_refused() -> None:
    with pytest.raises(ValueError, match="8 bits a channel"):
        as_rgb(saved(Image.new("F", (4, 4), 0.5), "TIFF"))
    with pytest.raises(ValueError, match="beyond 16 bits"):
        as_rgb(saved(Image.new("I", (4, 4), 70_000), "TIFF"))
    with pytest.raises(InputError, match="8 bits a channel"):
        image_part(Image.new("F", (4, 4), 0.5))


def test_what_is_shown_is_a_png() -> None:
    shown = Image.open(io.BytesIO(as_png(Image.new("1", (4, 4), 1))))
    assert (shown.format, shown.mode, shown.getpixel((0, 0))) == ("PNG", "RGB", (255, 255, 255))
