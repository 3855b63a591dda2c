import pytest

from mirror_bench.errors import InputError
from mirror_bench.faces.identity import CHOICES, check_identity, identity_of, random_identity
from mirror_bench.schema import FaceIdentity, Profile


def test_random_identities_cover_every_choice_and_repeat() -> None:
    people = [random_identity(seed) for seed in range(600)]
    assert people == [random_identity(seed) for seed in range(600)]
    for field, choices in CHOICES.items():
        assert {getattr(person, field) for person in people} == set(choices), field
    assert min(person.skin for person in people) < 0.05
    assert max(person.skin for person in people) > 0.95
    assert min(person.age for person in people) < 18
    assert max(person.age for person in people) > 75
    for person in people:
        check_identity(person)


def test_a_profile_keeps_its_own_face() -> None:
    face = FaceIdentity(age=61, sex="male", hair="turban", beard="full")
    assert identity_of(Profile(id="a", name="A", age=20, gender="female", face=face)) == face


@pytest.mark.parametrize(
    ("gender", "sex"),
    [
        ("Female", "female"),
        ("male", "male"),
        ("Man", "male"),
        ("trans woman", "female"),
        ("non-binary", "androgynous"),
        ("", "androgynous"),
    ],
)
def test_a_derived_face_follows_age_and_gender(gender: str, sex: str) -> None:
    profile = Profile(id="p-1", name="P", age=47, gender=gender)
    assert identity_of(profile).sex == sex
    assert identity_of(profile).age == 47
    assert identity_of(profile) == identity_of(profile)


def test_ages_out_of_the_drawable_range_are_drawn_at_its_ends() -> None:
    assert identity_of(Profile(id="a", name="A", age=7)).age == 12
    assert identity_of(Profile(id="a", name="A", age=103)).age == 95


def test_different_profiles_look_different() -> None:
    assert len({identity_of(Profile(id=f"p-{n}", name="P")).line() for n in range(50)}) > 45


def test_a_face_that_cannot_be_drawn_is_refused_by_profile() -> None:
    profile = Profile(id="p-9", name="P", face=FaceIdentity(hair="mohawk"))
    with pytest.raises(InputError, match=r"profile p-9.*hair 'mohawk'.*bob"):
        identity_of(profile)
