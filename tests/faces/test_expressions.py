from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mirror_bench.errors import InputError
from mirror_bench.faces.facs.action_units import ACTION_UNITS, POSTURES, check_expression
from mirror_bench.faces.facs.expressions import (
    EXPRESSIONS,
    named,
    nearest,
    read_expressions,
    scaled,
    similarity,
    valence,
)
from mirror_bench.schema import Expression

_SHARE = st.floats(0, 1)
EXPRESSION = st.builds(
    Expression,
    units=st.dictionaries(st.sampled_from([*ACTION_UNITS, "L12", "R14", "L2", "R4"]), _SHARE, max_size=6),
    gaze=st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    head=st.tuples(st.floats(-45, 45), st.floats(-35, 35), st.floats(-30, 30)),
    posture=st.dictionaries(st.sampled_from(POSTURES), _SHARE, max_size=3),
)

PROTOTYPES = {
    "happiness": "6 12",
    "sadness": "1 4 15",
    "surprise": "1 2 5 26",
    "fear": "1 2 4 5 7 20 26",
    "anger": "4 5 7 23",
    "disgust": "9 17",
    "contempt": "R12 R14",
    "disagreement": "4 17 24",
    "embarrassment": "24",
}
COUNSELING = [
    "neutral",
    "sceptical",
    "withdrawn",
    "ashamed",
    "bored",
    "anxious",
    "relieved",
    "guarded_smile",
    "confused",
    "pain",
]


def test_prototypes_hold_their_action_units() -> None:
    for name, units in PROTOTYPES.items():
        assert set(units.split()) <= set(EXPRESSIONS[name].units), name
    assert set(EXPRESSIONS) == {*PROTOTYPES, *COUNSELING}


def test_every_expression_is_possible_and_nearest_to_itself() -> None:
    for name, expression in EXPRESSIONS.items():
        check_expression(expression, name)
        assert expression.label == name
        assert nearest(expression) == name
        assert nearest(scaled(expression, 0.6)) == name


def test_no_two_expressions_are_the_same_sign() -> None:
    names = list(EXPRESSIONS)
    for place, name in enumerate(names):
        for other in names[place + 1 :]:
            assert similarity(EXPRESSIONS[name], EXPRESSIONS[other]) < 0.85, (name, other)


def test_valence_has_the_sign_that_the_name_says() -> None:
    for name in ("happiness", "relieved"):
        assert valence(EXPRESSIONS[name]) > 0.3, name
    for name in [
        "sadness",
        "fear",
        "anger",
        "disgust",
        "disagreement",
        "anxious",
        "ashamed",
        "pain",
        "withdrawn",
        "contempt",
    ]:
        assert valence(EXPRESSIONS[name]) < -0.05, name
    assert valence(EXPRESSIONS["neutral"]) == 0
    assert abs(valence(EXPRESSIONS["surprise"])) < 0.1


@example(Expression(gaze=(0.0, 2.7e-282)), Expression())
@given(EXPRESSION, EXPRESSION)
def test_similarity_is_a_symmetric_cosine(first: Expression, second: Expression) -> None:
    assert -1 <= similarity(first, second) <= 1
    assert similarity(first, second) == pytest.approx(similarity(second, first))
    assert similarity(first, first) == pytest.approx(1.0)


@given(EXPRESSION, _SHARE)
def test_scaling_keeps_an_expression_possible_and_never_strengthens(
    first: Expression, strength: float
) -> None:
    weaker = check_expression(scaled(first, strength))
    assert weaker.label == first.label
    for name, value in weaker.units.items():
        assert value <= first.units[name] + 1e-4


def test_unknown_names_and_strengths_are_refused() -> None:
    with pytest.raises(InputError, match="sadness"):
        named("sad")
    with pytest.raises(InputError, match="strength"):
        scaled(EXPRESSIONS["anger"], 1.1)


@pytest.mark.parametrize(
    "text",
    [
        "smile: {units: {13: 0.5}}",
        "smile: {unit: {12: 1}}",
        "smile: 3",
        "smile: {units: [12]}",
        "smile: {units: {12: high}}",
        "smile: {gaze: [0]}",
        "smile: {posture: {sit: 1}}",
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "expressions.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"expressions\.yaml: smile") as caught:
        read_expressions(path)
    assert "\n" not in str(caught.value)
