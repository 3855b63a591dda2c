from __future__ import annotations

from pathlib import Path

import pytest
from mirror_files import INTAKE, SHARED, intake, write

from mirror_bench.data.sources.cactus import load_cactus
from mirror_bench.errors import InputError
from mirror_bench.schema import Resistance


def test_reads_the_evaluation_set(tmp_path: Path) -> None:
    records = [intake(attitude) for attitude in ("positive", "neutral", "negative")]
    data = load_cactus(str(write(tmp_path / "c.json", records)))
    assert data.problems == ()
    assert len({profile.id for profile in data.profiles}) == 3
    profile = data.profiles[2]
    assert (profile.name, profile.age, profile.resistance) == ("Ana Ruiz", 31, Resistance.NONE)
    assert "negative" in profile.personality
    assert "Speaks when spoken to." in profile.personality


def test_reads_the_training_set_with_its_dialogue(tmp_path: Path) -> None:
    record = {
        "intake_form": INTAKE,
        "attitude": "neutral",
        "thought": "One slip and it is over.",
        "patterns": ["labeling"],
        "cbt_technique": "Reality Testing",
        "cbt_plan": "1. Look.",
        "dialogue": "Counselor: Hello, Ana.\nClient: Hello.",
    }
    data = load_cactus(str(write(tmp_path / "c.json", [record])))
    assert data.problems == ()
    (profile,), (play,) = data.profiles, data.screenplays
    assert (profile.distorted_thought, profile.thinking_traps) == ("One slip and it is over.", ("labeling",))
    assert (play.technique, len(play.lines), play.profile_id) == ("Reality Testing", 2, profile.id)


def test_ids_do_not_hang_on_the_order(tmp_path: Path) -> None:
    records = [intake("positive"), intake("negative")]
    one = load_cactus(str(write(tmp_path / "c.json", records)))
    two = load_cactus(str(write(tmp_path / "d.json", records[::-1])))
    assert {p.id: p for p in one.profiles} == {p.id: p for p in two.profiles}


def test_a_record_without_a_form_is_a_problem(tmp_path: Path) -> None:
    data = load_cactus(str(write(tmp_path / "c.json", [intake(intake_form=""), intake("warm"), 3])))
    assert len(data.profiles) == 1
    assert sorted((problem.line, problem.message[:12]) for problem in data.problems) == [
        (1, "has no intak"),
        (2, "the attitude"),
        (3, "is not a rec"),
    ]


@pytest.mark.parametrize("value", ["", "nonsense", "[]", "{}", "[1, 2]", '[{"idx": 1}]', b"\x00\xff\xfe"])
def test_a_file_without_intakes_is_refused(tmp_path: Path, value: str | bytes) -> None:
    with pytest.raises(InputError) as caught:
        load_cactus(str(write(tmp_path / "c.json", value)))
    assert "c.json" in str(caught.value)


@pytest.mark.skipif(
    not (SHARED / "cactus_sample.json").exists(), reason="shared/data does not lie beside the checkout"
)
def test_the_shared_sample_is_three_people_with_three_attitudes() -> None:
    data = load_cactus(str(SHARED / "cactus_sample.json"))
    assert data.problems == ()
    assert len(data.profiles) == len({profile.id for profile in data.profiles}) == 9
    assert {profile.name for profile in data.profiles} == {
        "Laura Saunders",
        "Travis Foster",
        "Jennifer Foster",
    }
    for profile in data.profiles:
        for field in (
            "age",
            "gender",
            "occupation",
            "education",
            "marital_status",
            "family",
            "presenting_problem",
        ):
            assert getattr(profile, field), field
        assert profile.reason_for_seeking
        assert profile.history
        assert profile.resistance is Resistance.NONE
