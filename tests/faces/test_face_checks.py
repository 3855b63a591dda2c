import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from mirror_bench.errors import InputError
from mirror_bench.faces.checks import check_face, find_face
from mirror_bench.faces.drawn import DrawnFaces
from mirror_bench.faces.expressions import EXPRESSIONS, scaled
from mirror_bench.faces.identity import random_identity
from mirror_bench.schema import Expression

_MILD = ("neutral", "happiness", "sadness", "sceptical", "anxious")


def _png(size: tuple[int, int], mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, 128).save(file, format="PNG")
    return file.getvalue()


def test_faces_are_detected_over_many_identities() -> None:
    drawn = DrawnFaces()
    cases = [(random_identity(seed), scaled(EXPRESSIONS[_MILD[seed % 5]], 0.5)) for seed in range(500)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda case: find_face(drawn.render(*case)), cases))
    assert sum(box is not None for box in found) / len(found) >= 0.95


def test_a_found_face_lies_where_the_head_is_drawn() -> None:
    box = find_face(DrawnFaces().render(random_identity(3), Expression()))
    assert box is not None
    assert abs(box.left + box.width / 2 - 168) < 20
    assert abs(box.top + box.height / 2 - 135) < 35


def test_an_image_without_a_face_or_of_another_size_fails_with_a_reason() -> None:
    assert check_face(_png((336, 336))) == "no frontal face was detected"
    assert "100x80" in check_face(_png((100, 80)))
    assert "1 channels" in check_face(_png((336, 336), "L"))
    assert check_face(DrawnFaces().render(random_identity(3), Expression())) == ""


def test_bytes_that_are_no_image_are_refused() -> None:
    for data in (b"", b"not an image"):
        with pytest.raises(InputError, match="no image"):
            check_face(data)
        with pytest.raises(InputError, match="no image"):
            find_face(data)
