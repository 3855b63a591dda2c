import pytest

from mirror_bench.errors import InputError
from mirror_bench.faces.facs.action_units import ACTION_UNITS, both_sides, check_expression, check_units
from mirror_bench.schema import Expression


def test_every_unit_of_the_contract_is_known() -> None:
    wanted = [
        "1",
        "2",
        "4",
        "5",
        "6",
        "7",
        "9",
        "10",
        "12",
        "14",
        "15",
        "17",
        "20",
        "23",
        "24",
        "25",
        "26",
        "43",
    ]
    assert set(wanted) <= set(ACTION_UNITS)
    check_units(dict.fromkeys(wanted, 1.0) | {"L12": 0.3, "R14": 0.0})


@pytest.mark.parametrize(
    ("units", "named"),
    [
        ({"3": 0.5}, "'3'"),
        ({"X12": 0.5}, "'X12'"),
        ({"L17": 0.5}, "no sides"),
        ({"12": 1.2}, "[0, 1]"),
        ({"12": -0.1}, "[0, 1]"),
        ({"12": float("nan")}, "[0, 1]"),
        ({"": 0.1}, "''"),
    ],
)
def test_impossible_units_are_refused_in_one_line(units: dict[str, float], named: str) -> None:
    with pytest.raises(InputError) as caught:
        check_units(units, "sample")
    assert named in str(caught.value)
    assert str(caught.value).startswith("sample: ") or "sample" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        (Expression(gaze=(1.5, 0)), "gaze"),
        (Expression(head=(0, 80, 0)), "pitch"),
        (Expression(head=(float("inf"), 0, 0)), "yaw"),
        (Expression(posture={"arms_cross": 1.0}), "did you mean 'arms_crossed'"),
    ],
)
def test_impossible_expressions_are_refused(expression: Expression, named: str) -> None:
    with pytest.raises(InputError, match=named):
        check_expression(expression)


def test_sides_add_to_units_of_both_sides() -> None:
    sides = both_sides({"12": 0.3, "R12": 0.8, "L14": 0.5})
    assert sides["12"] == (0.3, 0.8)
    assert sides["14"] == (0.5, 0.0)
