"""People of other benchmarks: what their files tell becomes a profile, the rest is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from peer_samples import PEERS, PERSONAS, lines, personas, written

from mirror_bench.clients.llm import client_prompt
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.faces.identity import identity_of
from mirror_bench.schema import FaceCondition, Profile, Resistance, Scenario


def _scenario(profile: Profile) -> Scenario:
    return Scenario(profile=profile, resistance=profile.resistance, condition=FaceCondition.MATCHED)


def test_a_persona_of_vera_becomes_a_profile(tmp_path: Path) -> None:
    data = load_data(f"vera:{personas(tmp_path)}")
    ilse, tomas, noor = data.profiles
    assert (ilse.name, ilse.age, ilse.gender, ilse.culture) == ("Ilse", 51, "female", "White")
    assert ilse.resistance is Resistance.NONE
    assert ilse.crisis is not None
    assert ilse.crisis.veiled
    assert ilse.crisis.disclosure == "Maybe it would be quieter without me"
    assert (tomas.age, tomas.gender, tomas.crisis) == (37, "non-binary", None)
    assert noor.age is None
    assert noor.crisis is not None
    assert not noor.crisis.veiled
    told = " ".join(problem.message for problem in data.problems)
    assert "the age is the band 30 to 44: its middle is taken" in told
    assert "no person has occupation, education" in told
    prompt = client_prompt(_scenario(ilse))
    for said in (
        "Runs a bakery",
        "Sleepless since spring",
        "A broken oven",
        "Dry, short",
        "quieter without me",
    ):
        assert said in prompt
    assert [identity_of(one).sex for one in data.profiles] == ["female", "androgynous", "male"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_personas_load_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = PERSONAS.replace("Ilse", "Zoë").replace("\n", "\r\n")
    found = load_data(f"vera:{personas(tmp_path, text, encoding)}")
    assert found.profiles[0].name == "Zoë"


def test_a_manifest_names_the_personas_and_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    inside = personas(tmp_path / "target")
    (inside / "personas.tsv").rename(inside / "people.tsv")
    written(inside / "manifest.json", {"personas": ["people.tsv"]})
    assert len(load_data(f"vera:{inside}").profiles) == 3
    personas(tmp_path)
    written(inside / "manifest.json", {"personas": ["../personas.tsv"]})
    with pytest.raises(InputError, match="not in"):
        load_data(f"vera:{inside}")


def test_characters_of_any_simulator_load_and_lose_nothing(tmp_path: Path) -> None:
    path = written(
        tmp_path / "hub.json",
        [
            {
                "name": "Ada",
                "persona": {"age": "29", "gender": "Female", "occupation": "welder", "mood": "flat"},
            },
            {"MFC-Profile": {"Identifying data": {"Age": 40, "Sex": "Male"}, "Chief complaint": "No energy"}},
            {
                "description": "Ben is a 33-year-old man who lost a brother.",
                "Beliefs": ["I cause it.", "It stays."],
            },
            {
                "idx": 7,
                "Personas": ["You skip meals."],
                "resistance": "cognitive",
                "type": ["plain", "upset"],
            },
            {
                "profile": {"name": "Cleo", "age_group": "Elderly"},
                "previous_conversations": [
                    {"role": "Client", "content": "secret words"},
                    {"role": "Therapist", "content": "yes"},
                ],
            },
            {"x": 1},
            "nobody",
        ],
    )
    data = load_data(f"patienthub:{path}")
    ada, unnamed, ben, skips, cleo = data.profiles
    assert (ada.name, ada.age, ada.gender, ada.occupation) == ("Ada", 29, "female", "welder")
    assert "Persona - mood: flat" in ada.history
    assert (unnamed.name, unnamed.age, unnamed.gender) == ("Client", 40, "male")
    assert unnamed.presenting_problem == "No energy"
    assert (ben.name, ben.age, ben.gender) == ("Ben", 33, "male")
    assert "I cause it. It stays" in ben.history
    assert skips.resistance is Resistance.COGNITIVE
    assert skips.about == "You skip meals"
    assert "secret words" not in cleo.line()
    said = {(problem.line, problem.message.partition(" ")[0]) for problem in data.problems}
    assert {(6, "describes"), (7, "is")} <= said
    assert any("none was chosen" in problem.message for problem in data.problems)


def test_members_of_mindeval_keep_their_narrative(tmp_path: Path) -> None:
    narrative = "You are Rui. You mend nets and have not slept."
    path = lines(
        tmp_path / "m.jsonl",
        {
            "member_attributes": {"name": "Rui", "sex": "male", "age": 44, "hobby": "dice"},
            "member_narrative": narrative,
        },
        {"member_attributes": {"name": "Bea", "sex": "female"}},
        {"other": 1},
    )
    path.write_text(path.read_text() + "{broken\n")
    data = load_data(f"mindeval:{path}")
    rui, bea = data.profiles
    assert (rui.name, rui.age, rui.gender, rui.about) == ("Rui", 44, "male", narrative)
    assert "Hobby: dice" in rui.history
    assert bea.about == ""
    assert [problem.line for problem in data.problems if "left out" in problem.message] == [4, 3]


@pytest.mark.parametrize(
    "source", ["vera", "patienthub", "mindeval", "imported", "vera:/nowhere", "patienthub:/nowhere"]
)
def test_what_is_no_source_is_one_line(source: str) -> None:
    with pytest.raises(InputError, match=r"needs|no such|cannot be read|no imported"):
        load_data(source)


@pytest.mark.skipif(
    not (PEERS / "peers").is_dir(), reason="files of other benchmarks are not beside the checkout"
)
def test_the_real_files_load_whole() -> None:
    folder = PEERS / "peers"
    assert len(load_data(f"vera:{folder}").profiles) == 10
    counts = {"cars": 1, "consistentMI": 38, "patientPsi": 3, "roleplayDoh": 1, "simPatient": 1}
    for name, many in counts.items():
        data = load_data(f"patienthub:{folder / f'patienthub_{name}.json'}")
        assert len(data.profiles) == many, name
        assert not [problem for problem in data.problems if "left out" in problem.message]
