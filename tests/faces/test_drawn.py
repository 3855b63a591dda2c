import hashlib
import io
import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from mirror_bench.errors import InputError
from mirror_bench.faces.drawing import drawn_faces
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.facs.action_units import ACTION_UNITS, POSTURES
from mirror_bench.faces.facs.expressions import EXPRESSIONS, scaled
from mirror_bench.faces.identity import CHOICES, random_identity
from mirror_bench.schema import Expression, FaceIdentity

_PERSON = FaceIdentity(age=34, sex="female", skin=0.3, hair="bun", hair_color="brown")
_DRAWN = DrawnFaces()


def _pixels(expression: Expression, person: FaceIdentity = _PERSON) -> NDArray[np.int16]:
    return np.asarray(Image.open(io.BytesIO(_DRAWN.render(person, expression))), np.int16)


def _changed(expression: Expression, than: Expression | None = None) -> NDArray[np.bool_]:
    difference = np.abs(_pixels(expression) - _pixels(than or Expression())).max(axis=2)
    changed: NDArray[np.bool_] = difference > 24
    return changed


def test_a_face_is_a_336_pixel_rgb_png() -> None:
    image = Image.open(io.BytesIO(_DRAWN.render(_PERSON, Expression())))
    assert (image.format, image.size, image.mode) == ("PNG", (336, 336), "RGB")


def _plain_processor() -> dict[str, str]:
    """Returns what makes numpy count as on an old processor, where that can be had."""
    if platform.machine() != "x86_64":
        return {}
    return {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512_SKX"}


def test_the_same_arguments_give_the_same_bytes_in_threads_and_on_another_processor() -> None:
    cases = [(random_identity(seed), list(EXPRESSIONS.values())[seed % 19]) for seed in range(114)]
    here = [hashlib.sha256(_DRAWN.render(*case)).hexdigest() for case in cases]
    drawn_faces._draw.cache_clear()  # else the threads would find what was drawn above
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda case: hashlib.sha256(_DRAWN.render(*case)).hexdigest(), cases)) == here
    script = (
        "import hashlib\n"
        "from mirror_bench.faces.drawing.drawn_faces import DrawnFaces\n"
        "from mirror_bench.faces.facs.expressions import EXPRESSIONS\n"
        "from mirror_bench.faces.identity import random_identity\n"
        "for seed, expression in enumerate(list(EXPRESSIONS.values()) * 6):\n"
        "    print(hashlib.sha256(DrawnFaces().render(random_identity(seed), expression)).hexdigest())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **_plain_processor()},
    )
    assert done.stdout.split() == here


@pytest.mark.parametrize("unit", list(ACTION_UNITS))
def test_every_action_unit_is_seen_and_grows_with_intensity(unit: str) -> None:
    half, full = (_changed(Expression(units={unit: strength})).sum() for strength in (0.5, 1.0))
    assert full > 60, unit
    assert full > half > 0, unit


@pytest.mark.parametrize("unit", [unit for unit, what in ACTION_UNITS.items() if what.sides])
def test_a_sided_unit_moves_the_persons_own_side(unit: str) -> None:
    left, right = (_changed(Expression(units={f"{side}{unit}": 1.0})) for side in "LR")
    # The person's left is on the image's right; the middle of the mouth follows either corner a little.
    assert left[:, 176:].sum() > 2 * left[:, :160].sum(), unit
    assert right[:, :160].sum() > 2 * right[:, 176:].sum(), unit


def test_gaze_and_head_move_towards_the_side_they_name() -> None:
    def iris(expression: Expression) -> tuple[float, float]:
        image = _pixels(expression)[114:142, 110:228]
        dark = image.max(axis=2) < 60
        y, x = np.nonzero(dark)
        return float(x.mean()), float(y.mean())

    ahead = iris(Expression())
    assert iris(Expression(gaze=(1, 0)))[0] > ahead[0] + 1 > iris(Expression(gaze=(-1, 0)))[0] + 2
    assert iris(Expression(head=(20, 0, 0)))[0] > ahead[0] + 5
    assert iris(Expression(head=(0, 15, 0)))[1] < ahead[1] - 2


@pytest.mark.parametrize("posture", POSTURES)
def test_every_posture_is_seen(posture: str) -> None:
    assert _changed(Expression(posture={posture: 1.0})).sum() > 1500


def test_named_expressions_are_far_apart_in_pixels() -> None:
    faces = {name: _pixels(expression) for name, expression in EXPRESSIONS.items()}
    names = list(faces)
    for place, name in enumerate(names):
        for other in names[place + 1 :]:
            far = (np.abs(faces[name] - faces[other]).max(axis=2) > 24).sum()
            assert far > 400, (name, other, far)


@pytest.mark.parametrize("field", list(CHOICES))
def test_every_choice_of_identity_is_seen(field: str) -> None:
    # Clothes and wall follow the identity too, so only the face's own window is compared.
    base = FaceIdentity(age=34, sex="male", hair="short", beard="full" if field == "hair_color" else "none")
    drawn_faces = {
        choice: _pixels(Expression(), base.model_copy(update={field: choice}))[30:225, 100:236].tobytes()
        for choice in CHOICES[field]
    }
    assert len(set(drawn_faces.values())) == len(drawn_faces)


def test_the_smallest_and_largest_of_everything_can_be_drawn() -> None:
    units = dict.fromkeys(ACTION_UNITS, 1.0)
    for sign in (-1, 1):
        head = (45.0 * sign, 35.0 * sign, 30.0 * sign)
        gaze = (1.0 * sign, 1.0 * sign)
        extreme = Expression(units=units, head=head, gaze=gaze, posture=dict.fromkeys(POSTURES, 1.0))
        for age in (12, 95):
            assert len(_DRAWN.render(_PERSON.model_copy(update={"age": age}), extreme)) > 5000


@given(
    st.integers(0, 10**6),
    st.sampled_from(list(EXPRESSIONS.values())),
    st.floats(0, 1),
    st.dictionaries(st.sampled_from(POSTURES), st.floats(0, 1), max_size=3),
)
def test_any_person_can_show_anything(
    seed: int, expression: Expression, strength: float, posture: dict[str, float]
) -> None:
    shown = scaled(expression, strength).model_copy(update={"posture": posture})
    image = Image.open(io.BytesIO(_DRAWN.render(random_identity(seed), shown)))
    assert image.size == (336, 336)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="hair 'afro'"):
        _DRAWN.render(FaceIdentity(hair="afro"), Expression())
    with pytest.raises(InputError, match="no action unit '99'"):
        _DRAWN.render(_PERSON, Expression(units={"99": 0.5}))
