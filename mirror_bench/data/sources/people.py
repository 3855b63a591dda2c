"""Reads a person out of any record that describes one: known keys become fields, the rest is kept as told.

A benchmark's own module says where its records lie and what is special in them; which of its keys mean what
we call a name, an occupation or a problem is decided here, by `FIELDS`, so that the next benchmark's keys are
a line and no code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.data.sources.mini import validation_message
from mirror_bench.data.sources.personal_info import read_person, read_resistance
from mirror_bench.data.sources.record_collector import Gathering
from mirror_bench.data.sources.record_files import read_records
from mirror_bench.data.untrusted_input import clean, identifier
from mirror_bench.schema import Crisis, Profile, Resistance, digest

LONGEST_FIELD = 8_000
"""Characters of one field of a profile; a client's prompt holds several."""
_DEEPEST = 8
_MOST_LEAVES = 2_000

_SPELT = {
    "name": "name, full name, first name, patient name, client name, member name, persona name",
    "age": "age, age group, age range, age band",
    "gender": "gender, sex, gender identity, pronouns",
    "occupation": "occupation, job, profession, employment, employment status, work, job title",
    "education": "education, education level, schooling",
    "marital_status": "marital status, relationship status",
    "family": "family, family background, family details, household, living situation",
    "culture": "race ethnicity, ethnicity, race, culture, cultural background, nationality, religion",
    "area": "area, location, region, country, city, hometown",
    "personality": "personality, traits, style, communication style, manner, mbti, "
    "primary communication style, speaking style, reaction to chatbot responses, "
    "other client characteristics",
    "presenting_problem": "presenting problem, chief complaint, complaint, problem, symptoms, "
    "symptom, topic, mental health context, diagnosis, condition, situation, main problem, issue",
    "reason_for_seeking": "reason for seeking counseling, reason for seeking help, reason, goal, goals, "
    "motivation",
    "distorted_thought": "distorted thought, automatic thought, automatic thoughts, auto thought, "
    "negative thought",
    "thinking_traps": "thinking trap, thinking traps, cognitive distortion, cognitive distortions, patterns",
    "about": "about, description, narrative, member narrative, patient info, persona, personas, bio, "
    "summary, background, biography, identity, self description",
    "resistance": "resistance, resistance type",
}
FIELDS: Mapping[str, str] = {key: field for field, keys in _SPELT.items() for key in keys.split(", ")}
"""Key, in small letters and with blanks, -> the profile's field."""
STATED = ("name", "age", "gender", "occupation", "education", "marital_status", "family", "culture")
"""Fields of which it is said that a source does not give them."""
_NAMELESS = "Client"
_BAND = re.compile(r"(?<!\d)(\d{1,3})\s*(?:-|–|to)\s*(\d{1,3})(?!\d)")
_PRONOUNS = {"he": "male", "him": "male", "she": "female", "her": "female", "they": "non-binary"}
_SEXES = {
    "woman": "female",
    "female": "female",
    "girl": "female",
    "man": "male",
    "male": "male",
    "boy": "male",
}
_ROLES = frozenset({"role", "content", "speaker", "from", "value"})


class Leaf(NamedTuple):
    """A text inside a nested record, with the keys that lead to it.

    Attributes:
        path: The keys that lead to it, in small letters and with blanks.
    """

    path: tuple[str, ...]
    text: str


class DescribedPerson(NamedTuple):
    """The profile fields that a record states of a person, and what could not be read.

    Attributes:
        fields: For `Profile`.
        notes: What could not be read as it stands.
    """

    fields: dict[str, Any]
    notes: tuple[str, ...]


def plain_key(key: object) -> str:
    """Returns a key in small letters with blanks: "Race/Ethnicity" and "raceEthnicity" are alike."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", str(key))
    return " ".join(re.split(r"[^a-z0-9]+", parted.lower())).strip()


def leaves(record: Mapping[str, Any]) -> Iterator[Leaf]:
    """Yields every text of a nested record with the keys that lead to it; conversations are left out."""
    yield from _leaves(record, (), 0)


def _leaves(value: Any, path: tuple[str, ...], depth: int) -> Iterator[Leaf]:
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _leaves(below, (*path, plain_key(key)), depth + 1)
    elif isinstance(value, list | tuple):
        plain = [entry for entry in value if not isinstance(entry, Mapping | list | tuple)]
        if plain:
            yield Leaf(path, ". ".join(filter(None, (_text(entry).rstrip(" .") for entry in plain))))
        for entry in value:
            if isinstance(entry, Mapping) and len(_ROLES & entry.keys()) >= 2:
                return  # an earlier conversation says what was said, not who somebody is
            if isinstance(entry, Mapping | list | tuple):
                yield from _leaves(entry, path, depth + 1)
    elif text := _text(value):
        yield Leaf(path, text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:g}" if abs(value) < 1e15 else ""
    text = clean(value, LONGEST_FIELD).strip() if isinstance(value, str) else ""
    return "" if text.lower() in {"nan", "null", "n/a", "na"} else text


def read_people(record: Mapping[str, Any], left_out: tuple[str, ...] = ()) -> DescribedPerson:
    """Returns the profile fields that a record of any layout states of a person.

    Args:
        record: Keys of any depth; those that `FIELDS` knows become fields, the outermost of several first;
            all others are kept in the history under their own names.
        left_out: Keys, as `plain_key` spells them, that are not of the person.
    """
    told: dict[str, list[str]] = {}
    rest: list[str] = []
    notes: list[str] = []
    for number, leaf in enumerate(leaves(record)):
        if number >= _MOST_LEAVES:
            notes.append(f"holds more than {_MOST_LEAVES} values: the rest was left out")
            break
        key = leaf.path[-1] if leaf.path else ""
        if any(part in left_out for part in leaf.path):
            continue
        field = FIELDS.get(key, "")
        if field and not (field in {"name", "age"} and field in told):
            told.setdefault(field, []).append(leaf.text)
        elif not field:
            rest.append(f"{' - '.join(leaf.path).capitalize()}: {leaf.text}" if leaf.path else leaf.text)
    fields: dict[str, Any] = {
        field: _joined(texts, field, notes)
        for field, texts in told.items()
        if field not in {"age", "gender", "thinking_traps", "resistance"}
    }
    if traps := told.get("thinking_traps"):
        fields["thinking_traps"] = tuple(
            part.strip() for trap in traps for part in trap.split(". ") if part.strip()
        )
    fields |= read_years(" ".join(told.get("age", ())), notes)
    if gender := gender_of(*told.get("gender", ())):
        fields["gender"] = gender
    fields["resistance"] = read_resistance(*told.get("resistance", ())) or Resistance.NONE
    if rest:
        fields["history"] = _joined(rest, "history", notes, "\n")
    _complete(fields)
    return DescribedPerson(fields, tuple(notes))


def _joined(texts: list[str], field: str, notes: list[str], mark: str = ". ") -> str:
    text = mark.join(dict.fromkeys(text.rstrip(" .") if len(texts) > 1 else text for text in texts))
    if len(text) > LONGEST_FIELD:
        notes.append(f"{field} has {len(text)} characters: it was cut at {LONGEST_FIELD}")
    return text[:LONGEST_FIELD]


def _complete(fields: dict[str, Any]) -> None:
    """Adds name, age and gender that the prose tells where no key does."""
    told = {key: value for key, value in read_person(fields.get("about", "")).items() if value}
    if str(told.get("name", "")).split()[:1] in (["You"], ["The"], ["A"], ["An"], ["This"]):
        del told["name"]
    for key in ("name", "age", "gender"):
        if key in told and key not in fields:
            fields[key] = told[key]


def read_years(text: str, notes: list[str]) -> dict[str, int]:
    """Returns {"age": years} for a number or a band, whose middle counts; else nothing, and says so."""
    if band := _BAND.search(text):
        low, high = int(band[1]), int(band[2])
        if 1 <= low <= high <= 120:
            notes.append(f"the age is the band {low} to {high}: its middle is taken")
            return {"age": (low + high) // 2}
    number = re.search(r"(?<!\d)(\d{1,3})(?!\d)", text)
    if number and 1 <= int(number[1]) <= 120:
        return {"age": int(number[1])}
    if text.strip():
        notes.append(f"the age {text.strip()[:40]!r} is no number: left empty")
    return {}


def gender_of(*texts: str) -> str:
    """Returns "female", "male", "non-binary" or what else is said, out of words and pronouns."""
    for text in texts:
        words = plain_key(text).split()
        if ("non" in words and "binary" in words) or "nonbinary" in words:
            return "non-binary"
        for known in (_SEXES, _PRONOUNS):
            if told := next((known[word] for word in words if word in known), ""):
                return told
    return next((plain_key(text)[:40] for text in texts if plain_key(text)), "")


def add_person(
    gathering: Gathering,
    fields: Mapping[str, Any],
    source: str,
    place: int,
    *,
    kind: str,
    content: Any,
    crisis: Crisis | None = None,
) -> Profile | None:
    """Adds a person to a data set in the making, and returns the profile; None where it is none.

    Args:
        gathering: The data set.
        fields: For `Profile`.
        source: The file's name.
        place: Line or number of the record.
        kind: First part of the id, such as "vera".
        content: What tells this person from another of the same name.
        crisis: What the person may disclose.
    """
    name = str(fields.get("name") or "")
    if not name:
        gathering.problem(source, place, f"gives no name: the profile is called {_NAMELESS!r}")
    slug = identifier(name.lower())[:40] or "client"
    known = {key: value for key, value in fields.items() if key in Profile.model_fields}
    try:
        profile = Profile(
            id=f"{kind}-{slug}-{digest(content)[:8]}", crisis=crisis, **{**known, "name": name or _NAMELESS}
        )
    except ValueError as error:  # pydantic's own is one
        message = validation_message(error) if hasattr(error, "errors") else str(error)  # type: ignore[arg-type]
        gathering.problem(source, place, f"is not a profile: {message}")
        return None
    id = gathering.profile(profile, source, place)
    return profile.model_copy(update={"id": id})


def add_people(
    gathering: Gathering,
    path: Path,
    add: Callable[[Gathering, dict[str, Any], str, int], Profile | None],
) -> bool:
    """Adds the people of one file of records and says what they lack; returns whether there was anybody.

    Args:
        gathering: Takes the people, and what could not be read.
        path: The file, as `read_records` takes it.
        add: Called with `gathering`, a record, the file's name and the record's place; returns whom it added.

    Raises:
        InputError: If the file is unusable altogether.
    """
    records = read_records(path, foreign=True)
    gathering.problems(records.problems)
    read = (add(gathering, record, path.name, place) for place, record in records.rows)
    added = [profile for profile in read if profile is not None]
    if added:
        say_what_lacks(gathering, added, path.name)
    return bool(added)


def say_what_lacks(gathering: Gathering, profiles: list[Profile], source: str) -> None:
    """Says in one line which fields a source gives for nobody, or not for all."""
    never = [field for field in STATED if not any(getattr(profile, field) for profile in profiles)]
    partly = {
        field: sum(not getattr(profile, field) for profile in profiles)
        for field in STATED
        if field not in never and not all(getattr(profile, field) for profile in profiles)
    }
    told = []
    if never:
        told.append(f"no person has {', '.join(never)}")
    told += [f"{many} of {len(profiles)} have no {field}" for field, many in partly.items()]
    if told:
        gathering.problem(source, 1, f"{'; '.join(told)}: left empty".replace("_", " "))
