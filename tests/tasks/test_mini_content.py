"""MIRROR-Mini is what its README says: balanced, well formed, varied, and free of copying."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from mirror_bench.clients.stateful.utterances import load_voice
from mirror_bench.data.checks.canary import CANARY, NOTICE
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.schema import Profile, Resistance, canonical_json

MINI = Path(__file__).resolve().parents[2] / "tasks" / "mini"
README = (MINI / "README.md").read_text(encoding="utf-8")
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
CRISES = ("suicidal_thoughts", "self_harm", "abuse", "danger_to_other")
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
DETERMINER = re.compile(  # or a name
    r"(the|my|a|an|another|our|this|that|those|these|his|her|their|all|one|two|three) |[A-Z]|[\w’']+'s? "
    r"|bed six$|volleyball practice$|line \d+$"
)


@cache
def profiles() -> dict[str, Profile]:
    lines = (MINI / "profiles.jsonl").read_text(encoding="utf-8").splitlines()
    data = load_mini()
    assert not data.problems
    assert len(data.profiles) == len(lines)
    return {profile.id: profile for profile in data.profiles}


@cache
def index() -> dict[str, dict[str, Any]]:
    value: dict[str, dict[str, Any]] = yaml.safe_load((MINI / "screenplays" / "index.yaml").read_text())
    return value


@cache
def screenplay(name: str) -> tuple[tuple[str, str], ...]:
    """Speaker and the rest of each line, brackets included."""
    notice, *lines = (MINI / "screenplays" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert notice == f"# {NOTICE}"
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
    value = profile.model_dump(mode="json", exclude={"face", "id", "voice"})
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


def test_the_readme_counts_what_is_there() -> None:
    """The table: resistance, profiles per split, screenplays."""
    rows = re.findall(r"^\| `(\w+)`: [^|]* \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", README, re.MULTILINE)
    assert len(rows) == len(Resistance)
    for name, *counts in rows:
        kind = Resistance(name)
        people = Counter(profile.split for profile in profiles().values() if profile.resistance is kind)
        plays = sum(profiles()[play].resistance is kind for play in index())
        assert [int(count) for count in counts] == [people["train"], people["dev"], people["test"], plays], (
            name
        )
    assert f"{len(profiles())} fictional clients and {len(index())} written sessions" in README


def test_splits_and_resistance_are_balanced() -> None:
    for split in ("train", "dev", "test"):
        counts = Counter(one.resistance for one in profiles().values() if one.split == split)
        assert set(counts.values()) == {{"train": 8, "dev": 4, "test": 12}[split]}, (split, counts)
    assert len(profiles()) == 96
    plays = Counter(entry["resistance"] for entry in index().values())
    assert plays == dict.fromkeys(Resistance, 20)


def test_lines_hold_only_profile_fields() -> None:
    for line in (MINI / "profiles.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        assert record.pop("canary") == CANARY
        assert set(record) <= set(Profile.model_fields) - {"voice"}
        assert Profile.model_validate_json(canonical_json(record)).id


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
    section = README.split("Thinking traps:\n\n")[1].split("\n\n")[0]
    traps = {line.removeprefix("- ") for line in section.splitlines()}
    assert len(traps) == 12
    used = {trap for profile in profiles().values() for trap in profile.thinking_traps}
    assert used == traps


def test_areas_ages_and_genders_are_balanced() -> None:
    people = list(profiles().values())
    areas = Counter(profile.area for profile in people)
    assert max(areas.values()) <= 2 * min(areas.values()), areas
    ages = Counter(min(6, (profile.age or 0) // 10) for profile in people)  # teens to sixties and over
    assert set(ages) == set(range(1, 7))
    genders = Counter(profile.gender for profile in people)
    assert abs(genders["female"] - genders["male"]) <= 8, genders


def test_every_kind_of_crisis_is_disclosed() -> None:
    found = [profile.crisis for profile in profiles().values() if profile.crisis]
    assert {(crisis.kind, crisis.veiled) for crisis in found} == {
        (kind, veiled) for kind in CRISES for veiled in (True, False)
    }
    assert all(crisis.disclosure and crisis.owed for crisis in found)
    assert any(profile.crisis for profile in profiles().values() if profile.split == "test")


def test_index_and_files_agree() -> None:
    files = {path.stem for path in (MINI / "screenplays").glob("*.txt")}
    assert files == set(index())
    assert {entry["technique"] for entry in index().values()} == TECHNIQUES
    assert Counter(entry["ended"] for entry in index().values())["client_left"] >= 8
    for name, entry in index().items():
        assert set(entry) == {"profile", "resistance", "technique", "ended", "moments"}
        assert entry["profile"] == name
        assert entry["resistance"] == profiles()[name].resistance


def test_every_profile_has_a_voice_of_its_own() -> None:
    assert {path.stem for path in (MINI / "voices").glob("*.yaml")} == set(profiles())
    said = Counter(line.words.lower() for one in profiles().values() for line in one.voice if not line.band)
    assert max(said.values()) == 1, said.most_common(3)
    for profile in profiles().values():
        assert len(profile.voice) >= 90, profile.id
        assert load_voice(profile.id, profile.voice)
        guarded = [set(grams(words_of(text), 6)) for text in profile.guarded]
        for line in profile.voice:
            assert not any(grams(words_of(line.words), 6) & one for one in guarded), line.words


def test_at_least_half_of_the_resisting_hide_what_they_feel() -> None:
    plays = [play for play in load_mini().screenplays if play.resistance is not Resistance.NONE]
    masked = [play for play in plays if any(moment.masked for moment in play.moments)]
    assert len(masked) >= len(plays) / 2
    for play in masked:
        for moment in play.moments:
            if moment.masked:
                line = play.lines[moment.number - 1]
                assert line.directions, (play.id, moment.number)  # a face that differs must be written
                assert moment.wants, (play.id, moment.number)


def test_every_screenplay_has_annotated_moments() -> None:
    for play in load_mini().screenplays:
        assert 2 <= len(play.moments) <= 6, play.id
        assert all(moment.wants and moment.avoids for moment in play.moments), play.id


@pytest.mark.parametrize("name", sorted(index()))
def test_screenplay_is_well_formed(name: str) -> None:
    lines = screenplay(name)
    assert 14 <= len(lines) <= 24
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
        if len(direction.split()) > 2  # "Quietly" and "Pause" are anybody's
    )
    assert max(directions.values()) <= 2, directions.most_common(3)
