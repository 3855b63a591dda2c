from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirror_files import ABOUT, INTAKE

from mirror_bench.data.sources.personal_info import read_intake, read_person, read_resistance
from mirror_bench.schema import Profile, Resistance


def test_reads_the_sentence_of_the_official_files() -> None:
    assert read_person(ABOUT) == {
        "name": "Ana Ruiz",
        "age": 31,
        "gender": "female",
        "occupation": "night nurse",
        "education": "Nursing School",
        "marital_status": "divorced",
        "family": "Has one son, lives with her mother.",
    }


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ("Bo Lind, 52, is a retired man.", {"name": "Bo Lind", "gender": "male"}),
        ("Mei is a 9 year old girl.", {"name": "Mei", "age": 9, "gender": "female"}),
        ("Jo Park is a 200-year-old man working as a baker.", {"name": "Jo Park", "occupation": "baker"}),
        ("Somebody whom nobody knows", {}),
        ("", {}),
    ],
)
def test_reads_what_can_be_read(about: str, expected: dict[str, object]) -> None:
    person = read_person(about)
    assert expected.items() <= person.items()
    assert person.get("age") != 200


def test_reads_every_section_of_an_intake_form() -> None:
    fields = read_intake(INTAKE)
    assert (fields["name"], fields["age"], fields["gender"]) == ("Ana Ruiz", 31, "female")
    assert (fields["occupation"], fields["education"]) == ("Night Nurse", "Nursing School")
    assert (fields["marital_status"], fields["family"]) == ("Divorced", "One son")
    assert fields["presenting_problem"].endswith("It began in spring.")
    assert fields["reason_for_seeking"] == "I sleep three hours a day."
    assert fields["history"].startswith("Nothing like it before.")
    for kept in ("I call in sick often.", "I cook nothing.", "My mother."):
        assert kept in fields["history"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cactus-7-emotional-resistance", Resistance.EMOTIONAL),
        ("cognitive resistance", Resistance.COGNITIVE),
        ("- Behavioral Resistance: skips homework", Resistance.BEHAVIORAL),
        ("behavioural", Resistance.BEHAVIORAL),
        ("cactus-7-no-resistance", Resistance.NONE),
        ("none", Resistance.NONE),
        ("an emotional day", None),
        ("", None),
    ],
)
def test_reads_the_resistance_type(text: str, expected: Resistance | None) -> None:
    assert read_resistance(text) is expected


@given(st.text(max_size=300))
def test_any_text_makes_fields_that_a_profile_takes(text: str) -> None:
    for fields in (read_person(text), read_intake(text)):
        Profile.model_validate({"id": "x", "name": "x", **fields})


@pytest.mark.parametrize("piece", ["\n", " ", "1. \n", "name \n", "age ", "1", "working as "])
def test_long_nonsense_is_read_at_once(piece: str) -> None:
    began = time.monotonic()
    read_person(piece * 100_000)
    read_intake(piece * 100_000)
    assert time.monotonic() - began < 5, "quadratic work would take minutes"
