"""Reads who a client is by rules out of prose, columns and dialogue, and says which of these disagree."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mirror_bench.data.annotation.records import AnnotatedClient, Conflict, FieldReading, SourceSpan
from mirror_bench.data.screenplays.records import Screenplay
from mirror_bench.data.sources.mirror import GREETING
from mirror_bench.data.sources.personal_info import (
    Told,
    ages_told,
    find_person,
    genders_told,
    read_age,
    read_gender,
    read_resistance,
)
from mirror_bench.data.untrusted_input import cell
from mirror_bench.schema import Profile, Speaker

FARTHEST_AGE = 10
"""Years by which an age estimated from a photograph may differ from the stated one, as in the paper."""
_STATED = ("occupation", "education", "marital_status", "family")
_PRONOUNS = {"he": "male", "him": "male", "his": "male", "she": "female", "her": "female", "hers": "female"}
_PRONOUN = re.compile(r"\b(he|him|his|she|her|hers)\b", re.IGNORECASE)
_ROLES = {
    **dict.fromkeys(("mother", "wife", "widow", "daughter", "grandmother", "actress", "waitress"), "female"),
    **dict.fromkeys(("father", "husband", "widower", "son", "grandfather", "fireman", "fisherman"), "male"),
}
_ROLE = re.compile(rf"\bis\s(?:[\w-]+\s){{0,3}}?({'|'.join(_ROLES)})\b", re.IGNORECASE)
_DECADE = re.compile(
    r"\b(?:in|of)\s(?:(?:his|her|their|the)\s)?(?:(early|mid|late)[ -])?(?:(\d0)'?s|"
    r"(twenties|thirties|forties|fifties|sixties|seventies|eighties|teens))\b",
    re.IGNORECASE,
)
_TENS = {
    **{"teens": 10, "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50},
    **{"sixties": 60, "seventies": 70, "eighties": 80},
}
_WITHIN = {"early": 2, "mid": 5, "late": 8, "": 5}
_IMAGES = ("img_path", "image", "image_path")
_CELEBA_FILE = re.compile(r"(?<!\d)(\d{6})\.(?:png|jpe?g)\b", re.IGNORECASE)


Prose = Mapping[str, Told]


class _Candidate(NamedTuple):
    value: str
    source: SourceSpan
    sure: bool = True
    note: str = ""


def read_client(
    record: Mapping[str, Any], profile: Profile, play: Screenplay | None, file: str, place: int
) -> AnnotatedClient:
    """Returns the fields that rules read from one official record, with conflicts between its columns.

    Args:
        record: Its official columns, by lower-case name.
        profile: What the loader made of it.
        play: Its dialogue, where it has one.
        file: The file it stands in.
        place: Its line or number there.
    """
    about = cell(record.get("personal_info"))
    person = find_person(about)
    fields: list[FieldReading] = []
    conflicts: list[Conflict] = []
    for field, candidates in (
        ("name", _names(about, person, record, play)),
        ("age", _ages(about, person, record)),
        ("gender", _genders(about, person, record)),
        ("resistance", _resistances(record)),
    ):
        reading, against = _weighed(field, candidates)
        fields.append(reading)
        conflicts += [
            Conflict(
                profile_id=profile.id,
                file=file,
                place=place,
                field=field,
                kept=reading.value,
                against=other.value,
                message=f"{_told(candidates[0])}, but {_told(other)}",
            )
            for other in against
        ]
    for field in _STATED:
        if told := person.get(field):
            span = _span("personal_info", about, told.start, told.end)
            fields.append(FieldReading(field=field, value=str(told.value), by="rule", source=span))
        else:
            fields.append(FieldReading(field=field, sure=False, note="the record does not say"))
    references = celeba_references(record)
    plain = {"profile_id": profile.id, "file": file, "place": place}
    if len(references) > 1:
        conflicts.append(
            Conflict(
                **plain,
                field="face_reference",
                kept=references[0],
                against=references[1],
                message=f"the record names the CelebA images {' and '.join(references)}",
            )
        )
    if (turns := _turns(record)) is not None and play is not None:
        held = sum(line.speaker is Speaker.CLIENT for line in play.lines)
        if abs(turns - held) > 1:  # the last turn may be the therapist's alone
            conflicts.append(
                Conflict(
                    **plain,
                    field="turn",
                    kept=str(held),
                    against=str(turns),
                    message=f"turn says {turns}, but the dialogue holds {held} turns of the client",
                )
            )
    return AnnotatedClient(
        **plain,
        fields=tuple(fields),
        conflicts=tuple(conflicts),
        face_reference=references[0] if references else "",
    )


def celeba_references(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the numbers of CelebA images that a record names, six digits each, without repetition."""
    references: list[str] = []
    for column, value in record.items():
        named = "celeb" in column or column == "identity"
        if not (named or column in _IMAGES) or not isinstance(value, str | int | float):
            continue
        text = cell(value)
        if named:
            digits = re.fullmatch(r"\D{0,40}?(\d{1,6})(?:\.0)?(?:\.\w{3,4})?", text)
            references += [digits[1].zfill(6)] if digits else []
        else:
            references += [match[1] for match in _CELEBA_FILE.finditer(text)][:1]
    return tuple(dict.fromkeys(references))


def _weighed(field: str, candidates: Sequence[_Candidate]) -> tuple[FieldReading, list[_Candidate]]:
    """Returns the first candidate as the field's reading, and the others that disagree with it."""
    if not candidates:
        return FieldReading(field=field, sure=False, note="the record does not say"), []
    first = candidates[0]
    others = [candidate for candidate in candidates[1:] if not _agree(field, first, candidate)]
    against = list({candidate.value: candidate for candidate in reversed(others)}.values())[::-1]
    contradicted = any(candidate.sure for candidate in against)
    note = first.note or (f"{against[0].source.column} says {against[0].value!r}" if contradicted else "")
    sure = first.sure and not contradicted
    reading = FieldReading(
        field=field, value=first.value, by="rule", sure=sure, source=first.source, note=note
    )
    return reading, against


def _agree(field: str, first: _Candidate, other: _Candidate) -> bool:
    if first.value == other.value:
        return True
    if field == "age" and other.source.column == "age":
        return abs(int(first.value) - int(other.value)) <= FARTHEST_AGE
    if field == "name":
        mine, theirs = (set(re.findall(r"\w+", candidate.value.lower())) for candidate in (first, other))
        return mine <= theirs or theirs <= mine
    return False


def _names(about: str, person: Prose, record: Mapping[str, Any], play: Screenplay | None) -> list[_Candidate]:
    candidates = []
    if told := person.get("name"):
        candidates.append(_Candidate(told.value, _span("personal_info", about, told.start, told.end)))
    if given := cell(record.get("name")):
        candidates.append(_Candidate(given, _span("name", given)))
    if play is not None and (greeting := _greeting(record, play)):
        note = "" if candidates else "read from the therapist's greeting alone"
        candidates.append(greeting._replace(sure=bool(candidates), note=note))
    return candidates


def _greeting(record: Mapping[str, Any], play: Screenplay) -> _Candidate | None:
    """Returns the name by which the therapist greets the client, as it stands in a cell."""
    for line in play.lines[:2]:
        said = GREETING.search(line.words) if line.speaker is Speaker.THERAPIST else None
        if said is None:
            continue
        for column in ("dialogue", "proc_dialogue"):
            text = cell(record.get(column)) if isinstance(record.get(column), str) else ""
            place = text.find(said[0])
            if place >= 0:
                start = place + said.start("name") - said.start()
                return _Candidate(said["name"], _span(column, text, start, start + len(said["name"])))
        return _Candidate(said["name"], _span("proc_dialogue", line.words, *said.span("name")))
    return None


def _ages(about: str, person: Prose, record: Mapping[str, Any]) -> list[_Candidate]:
    told = [
        _Candidate(str(told.value), _span("personal_info", about, told.start, told.end))
        for told in ages_told(about)
    ]
    if not told and (form := person.get("age")):
        told = [_Candidate(str(form.value), _span("personal_info", about, form.start, form.end))]
    if not told and (decade := _DECADE.search(about)):
        tens = int(decade[2]) if decade[2] else _TENS[decade[3].lower()]
        years = 16 if tens == 10 else tens + _WITHIN[(decade[1] or "").lower()]
        span = _span("personal_info", about, *decade.span())
        told = [_Candidate(str(years), span, sure=False, note="a decade is told: its middle is taken")]
    if estimate := read_age(cell(record.get("age"))):
        text = cell(record.get("age"))
        note = "" if told else "the age column alone, which is estimated from a photograph"
        told.append(
            _Candidate(str(estimate["age"]), _span("age", text), sure=bool(told) and told[0].sure, note=note)
        )
    return told


def _genders(about: str, person: Prose, record: Mapping[str, Any]) -> list[_Candidate]:
    told = [
        _Candidate(told.value, _span("personal_info", about, told.start, told.end))
        for told in genders_told(about)
    ]
    if not told and (form := person.get("gender")):
        told = [_Candidate(form.value, _span("personal_info", about, form.start, form.end))]
    if not told and (role := _ROLE.search(about)):
        note = f"concluded from {role[1]!r}"
        value = _ROLES[role[1].lower()]
        told.append(_Candidate(value, _span("personal_info", about, *role.span(1)), sure=False, note=note))
    if pronouns := _pronoun_gender(about):
        # Pronouns may be of somebody in the family: they fill a gap, and contradict only where all do.
        value, span, alone = pronouns
        if not told or alone:
            note = "" if told else "concluded from pronouns"
            told.append(_Candidate(value, span, sure=False, note=note))
    for column in ("gender", "dominant_gender"):
        if given := cell(record.get(column)):
            note = "" if told else "the estimate from a photograph alone" if column != "gender" else ""
            known = bool(told) and told[0].sure
            sure = known or column == "gender"
            told.append(_Candidate(read_gender(given), _span(column, given), sure=sure, note=note))
    return told


def _pronoun_gender(about: str) -> tuple[str, SourceSpan, bool] | None:
    """Returns the gender of most pronouns, the first of these, and whether two or more, and all, say it."""
    pronouns = list(_PRONOUN.finditer(about))
    counts = Counter(_PRONOUNS[pronoun[1].lower()] for pronoun in pronouns)
    if not counts or len(set(counts.values())) < len(counts):
        return None
    value, many = counts.most_common(1)[0]
    first = next(pronoun for pronoun in pronouns if _PRONOUNS[pronoun[1].lower()] == value)
    return value, _span("personal_info", about, *first.span()), len(counts) == 1 and many > 1


def _resistances(record: Mapping[str, Any]) -> list[_Candidate]:
    candidates = []
    for column in ("resistance", "idx", "personality"):
        text = cell(record.get(column))
        if (kind := read_resistance(text)) is not None:
            candidates.append(_Candidate(kind.value, _span(column, text)))
    return candidates


def _turns(record: Mapping[str, Any]) -> int | None:
    try:
        return int(float(cell(record.get("turn"))))
    except (ValueError, OverflowError):
        return None


def _span(column: str, text: str, start: int = 0, end: int | None = None) -> SourceSpan:
    end = len(text) if end is None else end
    return SourceSpan(column=column, start=start, end=end, text=text[start:end])


def _told(candidate: _Candidate) -> str:
    words = " ".join(candidate.source.text.split())[:60]
    return f"{candidate.source.column} says {candidate.value!r} ({words!r})"
