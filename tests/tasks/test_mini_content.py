"""MIRROR-Mini is what its README says: balanced, well formed, varied, and free of copying."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import pytest
import yaml

from mirror_bench.schema import Profile, Resistance, canonical_json

MINI = Path(__file__).resolve().parents[2] / "tasks" / "mini"
TECHNIQUES = {
    "efficiency evaluation",
    "pie chart",
    "alternative perspective",
    "decatastrophizing",
    "pros and cons",
    "evidence-based questioning",
    "reality testing",
    "continuum",
    "changing rules to wishes",
    "behavior experiment",
    "problem-solving skills training",
    "systematic exposure",
}
AREAS = {
    "work",
    "study",
    "family",
    "relationship",
    "health",
    "loss",
    "identity",
    "money",
    "retirement",
    "migration",
}
FACE_WORDS = {
    "sex": {"female", "male", "androgynous"},
    "shape": {"oval", "round", "square", "heart", "long"},
    "hair": {"short", "long", "bob", "curly", "bun", "buzz", "bald", "headscarf", "turban"},
    "hair_color": {"black", "brown", "auburn", "blond", "gray", "white", "dyed"},
    "glasses": {"none", "round", "square"},
    "beard": {"none", "stubble", "mustache", "full"},
}
LINE = re.compile(r"(?P<speaker>Therapist|Client): (?P<rest>\S.*\S)")
BRACKET = re.compile(r"\[([^\[\]]+)\]")
DETERMINER = re.compile(r"(the|my|a|an) |bed six$|volleyball practice$|\w+'s ")


@cache
def profiles() -> dict[str, Profile]:
    lines = (MINI / "profiles.jsonl").read_text(encoding="utf-8").splitlines()
    parsed = [Profile.model_validate_json(line) for line in lines]
    assert len({profile.id for profile in parsed}) == len(parsed)
    return {profile.id: profile for profile in parsed}


@cache
def index() -> dict[str, dict[str, str]]:
    value: dict[str, dict[str, str]] = yaml.safe_load((MINI / "screenplays" / "index.yaml").read_text())
    return value


@cache
def screenplay(name: str) -> tuple[tuple[str, str], ...]:
    """Speaker and the rest of each line, brackets included."""
    lines = (MINI / "screenplays" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches), [line for line, match in zip(lines, matches, strict=True) if not match]
    return tuple((match["speaker"], match["rest"]) for match in matches if match)


def words_of(text: str) -> list[str]:
    return re.findall(r"[\w']+", BRACKET.sub(" ", text).lower())


def grams(words: list[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def spoken(name: str) -> list[str]:
    return [word for _, rest in screenplay(name) for word in words_of(rest)]


def texts_of(profile: Profile) -> list[str]:
    value = profile.model_dump(mode="json", exclude={"face", "id"})
    found: list[str] = []
    pending: list[object] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, str):
            found.append(item)
    return found


def test_splits_and_resistance_are_balanced() -> None:
    counts = Counter((profile.resistance, profile.split) for profile in profiles().values())
    assert counts == {
        (kind, split): n for kind in Resistance for split, n in (("train", 2), ("dev", 1), ("test", 3))
    }


def test_lines_hold_only_profile_fields() -> None:
    for line in (MINI / "profiles.jsonl").read_text(encoding="utf-8").splitlines():
        assert set(json.loads(line)) <= set(Profile.model_fields)
        assert Profile.model_validate_json(canonical_json(json.loads(line))).id


@pytest.mark.parametrize("profile", profiles().values(), ids=lambda profile: profile.id)
def test_profile_is_filled(profile: Profile) -> None:
    optional = {"about", "cbt_plan", "crisis"}
    empty = {name for name in Profile.model_fields if not getattr(profile, name)}
    assert empty <= optional
    assert re.fullmatch(r"mini-\d{3}", profile.id)
    assert profile.area in AREAS
    assert len(profile.guarded) == 3
    assert 3 <= len(profile.comfort) <= 5
    assert 4 <= len(profile.topics) <= 6
    for utterance in profile.guarded:
        assert re.search(r"[.?!]$", utterance)
        assert re.search(r"\b(I|my|me)\b", utterance), utterance
    assert re.search(r"\b(I|My|my|me)\b", profile.distorted_thought)
    assert all(DETERMINER.match(phrase) for phrase in (*profile.comfort, *profile.topics)), profile.topics
    assert not any(re.search(r"[.?!]$", phrase) for phrase in (*profile.comfort, *profile.topics))


@pytest.mark.parametrize("profile", profiles().values(), ids=lambda profile: profile.id)
def test_face_fits_the_person(profile: Profile) -> None:
    face = profile.face
    assert face is not None
    assert face.age == profile.age
    assert all(getattr(face, name) in allowed for name, allowed in FACE_WORDS.items())
    assert {"nonbinary": "androgynous"}.get(profile.gender, profile.gender) == face.sex
    assert face.sex == "male" or face.beard == "none"


def test_people_vary() -> None:
    people = list(profiles().values())
    ages = [profile.age or 0 for profile in people]
    assert min(ages) == 16
    assert max(ages) == 78
    assert {profile.gender for profile in people} == {"female", "male", "nonbinary"}
    assert {profile.area for profile in people} == AREAS
    for field in ("name", "occupation", "culture", "distorted_thought", "would_leave"):
        assert len({getattr(profile, field) for profile in people}) == len(people), field


def test_thinking_traps_come_from_the_readme() -> None:
    section = (
        (MINI / "README.md").read_text(encoding="utf-8").split("Thinking traps:\n\n")[1].split("\n\n")[0]
    )
    traps = {line.removeprefix("- ") for line in section.splitlines()}
    assert len(traps) == 12
    used = {trap for profile in profiles().values() for trap in profile.thinking_traps}
    assert used == traps


def test_two_test_profiles_disclose_a_crisis() -> None:
    found = [profile for profile in profiles().values() if profile.crisis]
    assert [profile.split for profile in found] == ["test", "test"]
    assert sorted(profile.crisis.veiled for profile in found if profile.crisis) == [False, True]
    assert not any(profile.id in index() for profile in found)


def test_index_and_files_agree() -> None:
    files = {path.stem for path in (MINI / "screenplays").glob("*.txt")}
    assert files == set(index())
    assert {entry["technique"] for entry in index().values()} == TECHNIQUES
    assert Counter(entry["ended"] for entry in index().values()) == {"complete": 13, "client_left": 3}
    for name, entry in index().items():
        assert set(entry) == {"profile", "resistance", "technique", "ended"}
        assert entry["profile"] == name
        assert entry["resistance"] == profiles()[name].resistance


def test_which_profiles_have_a_screenplay() -> None:
    counts = Counter((profiles()[name].resistance, profiles()[name].split) for name in index())
    assert counts == {
        (kind, split): n for kind in Resistance for split, n in (("train", 2), ("dev", 1), ("test", 1))
    }


@pytest.mark.parametrize("name", sorted(index()))
def test_screenplay_is_well_formed(name: str) -> None:
    lines = screenplay(name)
    assert 12 <= len(lines) <= 24
    assert all(before[0] != after[0] for before, after in pairwise(lines))
    assert 4 <= sum(speaker == "Client" for speaker, _ in lines) <= 20
    for speaker, rest in lines:
        outside = BRACKET.sub("", rest)
        assert not set(outside) & set("[]"), rest
        assert words_of(rest) or speaker == "Client", "only a client is silent"
    client = [rest for speaker, rest in lines if speaker == "Client"]
    assert sum(bool(BRACKET.search(rest)) for rest in client) >= 0.9 * len(client)


@pytest.mark.parametrize("name", sorted(index()))
def test_utterances_do_not_repeat_themselves(name: str) -> None:
    for _, rest in screenplay(name):
        words = words_of(rest)
        if words:
            assert 1 - len(set(words)) / len(words) < 0.5, rest


@pytest.mark.parametrize("name", sorted(index()))
def test_dialogue_copies_nothing_from_the_profile(name: str) -> None:
    said = " ".join(spoken(name))
    for text in texts_of(profiles()[name]):
        for sentence in re.split(r"[.?!;]\s*", text):
            words = words_of(sentence)
            if len(words) >= 4:
                assert " ".join(words) not in said, sentence
        assert not grams(words_of(text), 7) & grams(spoken(name), 7), text


def test_screenplays_share_no_phrase_of_eight_words() -> None:
    for one, other in combinations(sorted(index()), 2):
        assert not grams(spoken(one), 8) & grams(spoken(other), 8), (one, other)


def test_openings_endings_and_directions_are_not_repeated() -> None:
    for position in (0, -1):
        texts = [screenplay(name)[position][1] for name in index()]
        assert len({tuple(words_of(text)[:4]) or text for text in texts}) == len(texts)
    directions = Counter(
        direction
        for name in index()
        for speaker, rest in screenplay(name)
        if speaker == "Client"
        for direction in BRACKET.findall(rest)
    )
    assert max(directions.values()) <= 2, directions.most_common(3)
