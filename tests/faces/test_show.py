import hashlib
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest

from mirror_bench.errors import InputError
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.faces.presenter import ShownFaces
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Expression, FaceCondition, FaceIdentity, Profile, Resistance, Scenario

_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 336, 336)


class CountingSource:
    """Renders the start of a PNG and a text, and counts how often."""

    name = "counting/1"

    def __init__(self) -> None:
        self.rendered: list[str] = []

    def stands_on(self) -> StandsOn:
        return StandsOn()

    def render(self, identity: FaceIdentity, expression: Expression) -> bytes:
        self.rendered.append(expression.label)
        return _START + f"{identity.line()} {expression.line()}".encode()


def _scenario(condition: FaceCondition, name: str = "p-1") -> Scenario:
    return Scenario(profile=Profile(id=name, name="P"), resistance=Resistance.NONE, condition=condition)


def test_the_same_face_is_drawn_once_and_the_oldest_is_forgotten() -> None:
    source = CountingSource()
    show = ShownFaces(source, capacity=2)
    matched = _scenario(FaceCondition.MATCHED)
    for name in ("anger", "anger", "fear", "anger", "pain", "anger", "fear"):
        face = show.show(matched, 0, EXPRESSIONS[name])
        assert face is not None
        assert face.expression == EXPRESSIONS[name]
        assert face.sha256 == hashlib.sha256(face.png).hexdigest()
    assert source.rendered == ["anger", "fear", "pain", "fear"]


def test_no_face_is_drawn_where_it_is_withheld() -> None:
    source = CountingSource()
    assert ShownFaces(source).show(_scenario(FaceCondition.NONE), 3, EXPRESSIONS["anger"]) is None
    assert source.rendered == []


def test_candidates_of_one_scenario_see_the_same_face_and_turns_differ() -> None:
    shuffled = _scenario(FaceCondition.SHUFFLED)
    one, other = ShownFaces(CountingSource()), ShownFaces(CountingSource())
    first = [one.show(shuffled, turn, EXPRESSIONS["anger"]) for turn in range(12)]
    assert first == [other.show(shuffled, turn, EXPRESSIONS["anger"]) for turn in range(12)]
    assert len({face.expression.label for face in first if face}) > 3


def test_the_neutral_condition_keeps_the_identity() -> None:
    show = ShownFaces(CountingSource())
    faces = [
        show.show(_scenario(FaceCondition.NEUTRAL, name), 0, EXPRESSIONS["anger"]) for name in ("a", "b")
    ]
    assert faces[0] is not None
    assert faces[1] is not None
    assert faces[0].expression == faces[1].expression == EXPRESSIONS["neutral"]
    assert faces[0].png != faces[1].png


def test_threads_share_one_show() -> None:
    source = CountingSource()
    show = ShownFaces(source, capacity=4)
    names = list(EXPRESSIONS)
    matched = _scenario(FaceCondition.MATCHED)
    with ThreadPoolExecutor(8) as pool:
        shown = list(pool.map(lambda n: show.show(matched, n, EXPRESSIONS[names[n % 19]]), range(400)))
    for place, face in enumerate(shown):
        assert face is not None
        assert face.expression.label == names[place % 19]
        assert EXPRESSIONS[names[place % 19]].line().encode() in face.png


@pytest.mark.parametrize(
    ("png", "given"),
    [
        ("a text", "a str"),
        (b"GIF89a", "bytes that are no PNG"),
        (_START[:16] + struct.pack(">II", 10, 20), "an image of 10 x 20"),
    ],
)
def test_what_no_model_should_be_shown_is_refused(
    png: bytes, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = CountingSource()
    monkeypatch.setattr(source, "render", lambda *_: png)
    with pytest.raises(InputError, match=f"counting/1 gives {given}: .* PNG of 336 x 336"):
        ShownFaces(source).show(_scenario(FaceCondition.MATCHED), 0, EXPRESSIONS["anger"])
