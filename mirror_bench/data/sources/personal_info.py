"""Reads who a client is out of prose and out of intake forms."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from mirror_bench.data.untrusted_input import clean
from mirror_bench.schema import Resistance

_GENDERS = {
    "male": "male",
    "man": "male",
    "boy": "male",
    "female": "female",
    "woman": "female",
    "girl": "female",
}
_GENDER = re.compile(
    r"\b(male|female|man|woman|boy|girl|non-?binary|transgender|androgynous)\b", re.IGNORECASE
)
_AGE = re.compile(
    r"\b(\d{1,3})[- ]?(?:years?[- ]old|year[- ]old|y/?o\b)|\b(?:aged?|age is)\s?:?\s?(\d{1,3})\b", re.I
)
_NAME = re.compile(
    r"\s*(?:(?:Meet|This is|Dr\.|Mr\.|Mrs\.|Ms\.|Prof\.)\s)*"
    r"(?P<name>[^\W\d_][^\d,:.;!?]{0,80}?(?:\s(?:Jr|Sr|Dr)\.)?),?\s(?:is|aged?|\d|an?\s\d)"
)
_PARTICLES = frozenset(
    ("al", "bin", "da", "de", "del", "den", "der", "di", "dos", "du", "el", "la", "le", "van", "von", "y")
)
_NO_NAMES = frozenset(
    ("a", "an", "the", "this", "that", "his", "her", "their", "he", "she", "they", "it", "i", "you", "client")
)
_RELATIVE = (
    r"(?:son|daughter|child|children|kids?|mother|father|mom|dad|parents?|brother|sister|sibling|wife|husband|"
    r"partner|spouse|boyfriend|girlfriend|fianc\w+|grand\w+|aunt|uncle|cousin|nephew|niece|twins?|baby|toddler)s?"
)
_RELATIVE_AFTER = re.compile(rf"[\s,-]*(?:\w+\s+){{0,2}}{_RELATIVE}\b", re.IGNORECASE)
_HAS_BEFORE = re.compile(
    r"\b(?:her|his|their|has|have|had|with|for|raises|raising|and|of)\b[^.;]*$", re.IGNORECASE
)
_RELATIVE_BEFORE = re.compile(
    rf"\b(?:{_RELATIVE}\b[^.;]{{0,20}}|(?:has|have|had|raises|raising)\s(?:\w+\s){{0,3}})$", re.IGNORECASE
)
_IS_BEFORE = re.compile(r"\b(?:is|was|am|being)\s(?:currently\s|now\s)?(?:an?\s|the\s)?$", re.IGNORECASE)
_OCCUPATION = re.compile(
    r"\bwork(?:s|ing|ed)?\s(?:as|in)\s(?:an?\s|the\s)?(?P<text>[^.;\n]{1,120})", re.IGNORECASE
)
_EDUCATION = re.compile(
    r"\b(?:background (?:in|of)|education(?: is|:)?|educated to|graduated (?:with|from)|holds|completed)\s"
    r"(?:an?\s|the\s)?(?P<text>[^.;\n]{1,120})",
    re.IGNORECASE,
)
_MARITAL = re.compile(
    r"\b(single|married|divorced|widowed|separated|engaged|in a relationship|partnered|unmarried)\b",
    re.IGNORECASE,
)
_RESISTANCE = re.compile(
    r"\b(emotional|cognitive|behaviou?ral|no|none|without)[\s_-]?(?:resistance|resistant)\b|"
    r"^\s*(emotional|cognitive|behaviou?ral|no|none|without)\s*$",
    re.IGNORECASE,
)
_INTAKE_FIELDS = {
    "name": "name",
    "age": "age",
    "gender": "gender",
    "occupation": "occupation",
    "education": "education",
    "marital status": "marital_status",
    "family details": "family",
    "family": "family",
}
_SECTION = re.compile(r"^[ \t]*(\d{1,2})\.[ \t]*(?P<title>[^\n]{0,120})$", re.MULTILINE)


class Told(NamedTuple):
    """What a text says, and where: `text[start:end]` are the words that say it."""

    value: Any
    start: int
    end: int


def read_person(about: str) -> dict[str, Any]:
    """Returns the profile fields that a prose sentence (or an intake form's head) gives.

    Args:
        about: Such as "Ana Ruiz is a 31-year-old female working as a nurse. Ana is currently Single."

    Returns:
        Some of name, age (1 to 120), gender, occupation, education, marital_status and family.
    """
    return {field: told.value for field, told in find_person(clean(about)).items()}


def find_person(about: str) -> dict[str, Told]:
    """Returns the fields of `read_person` with the words of the (cleaned) text that give each."""
    if re.search(r"^[ \t]*name[ \t]*:", about, re.IGNORECASE | re.MULTILINE):
        return _find_form(about)
    fields: dict[str, Told] = {}
    if (match := _NAME.match(about)) and (name := _name(_part(about, *match.span("name")))):
        fields["name"] = name
    for field, all_found in (("age", ages_told(about)), ("gender", genders_told(about))):
        if first := next(all_found, None):
            fields[field] = first
    if match := _OCCUPATION.search(about):
        start = match.start("text")
        said = re.split(r",| (?:with a background|and is|who)\b", match["text"])[0]
        fields["occupation"] = _part(about, start, start + len(said))
    if match := _EDUCATION.search(about):
        start = match.start("text")
        fields["education"] = _part(about, start, start + len(match["text"].split(",")[0]))
    if match := _MARITAL.search(about):
        fields["marital_status"] = Told(match[1].lower(), *match.span(1))
        stop = about.find(".", match.end())
        if stop >= 0 and about[stop + 1 :].strip():
            fields["family"] = _part(about, stop + 1, len(about))
    return fields


def ages_told(about: str) -> Iterator[Told]:
    """Yields every age of 1 to 120 years that a text tells of the client, those of relatives left out."""
    for match in _AGE.finditer(about):
        group = 1 if match[1] else 2
        age = read_age(match[group]).get("age")
        if age is not None and not _of_relative(about, match):
            yield Told(age, *match.span(group))


def genders_told(about: str) -> Iterator[Told]:
    """Yields every gender that a text states of the client, those of relatives left out."""
    for match in _GENDER.finditer(about):
        if not _of_relative(about, match):
            yield Told(read_gender(match[1]), *match.span(1))


def _name(said: Told) -> Told | None:
    """Returns the name that stands at the start of a sentence's subject: "Ana" of "Ana lives with her"."""
    kept: list[str] = []
    for word in said.value.split(" "):
        if word.lower() in _NO_NAMES and not kept:
            return None
        own = re.sub(r"['’]s$", "", word)
        if kept and own[:1].islower() and own not in _PARTICLES and kept[0][:1].isupper():
            break
        kept.append(own)
        if own != word:
            break
    while len(kept) > 1 and kept[-1] in _PARTICLES:
        kept.pop()
    name = " ".join(kept)
    return Told(name, said.start, said.start + len(name))


def _of_relative(about: str, match: re.Match[str]) -> bool:
    """Whether the words are about somebody in the family: "her 70-year-old mother", "has a boy of 7"."""
    before = about[max(0, match.start() - 60) : match.start()]
    after = _RELATIVE_AFTER.match(about, match.end(), match.end() + 60)
    if _RELATIVE_BEFORE.search(before):
        return not _IS_BEFORE.search(before) or after is not None
    return after is not None and not _IS_BEFORE.search(before) and bool(_HAS_BEFORE.search(before))


def _part(text: str, start: int, end: int) -> Told:
    """Returns a part of a text without the blanks and commas around it."""
    said = text[start:end]
    start += len(said) - len(said.lstrip(" ,\n\t"))
    said = said.strip(" ,\n\t")
    return Told(said, start, start + len(said))


def read_intake(form: str) -> dict[str, Any]:
    """Returns the profile fields that a Cactus intake form gives.

    The form is a head of `Field: value` lines (the value may stand on the next line), then numbered
    sections: presenting problem, reason for seeking counseling, past history, functioning, support.
    """
    form = clean(form)
    marks = [match for match in _SECTION.finditer(form) if len(match["title"]) > 3]
    fields = _read_form(form[: marks[0].start()] if marks else form)
    others: list[str] = []
    for mark, following in itertools.zip_longest(marks, marks[1:]):
        body = form[mark.end() : following.start() if following else len(form)].strip()
        title = mark["title"].lower()
        if "presenting" in title:
            fields["presenting_problem"] = body
        elif "reason" in title:
            fields["reason_for_seeking"] = body
        elif "history" in title:
            fields["history"] = body
        else:
            # Some section titles carry their first sentence on the same line.
            others.append(f"{mark['title'].strip()}\n{body}".strip())
    if others:
        fields["history"] = "\n".join(filter(None, (fields.get("history", ""), *others)))
    return fields


def _read_form(head: str) -> dict[str, Any]:
    return {field: told.value for field, told in _find_form(head).items()}


def _find_form(head: str) -> dict[str, Told]:
    fields: dict[str, Told] = {}
    wanted = ""
    begins = 0
    for row in head.split("\n"):
        start, begins = begins, begins + len(row) + 1
        label, colon, value = row.partition(":")
        key = _INTAKE_FIELDS.get(label.strip().lower(), "") if colon else ""
        if key:
            wanted = key
            start += len(label) + 1
        elif row.strip() and wanted:
            value = row
        else:
            continue
        if value.strip() and wanted not in fields:
            start += len(value) - len(value.lstrip())
            fields[wanted] = Told(value.strip(), start, start + len(value.strip()))
            wanted = ""
    if said := fields.pop("age", None):
        age = read_age(said.value)
        fields |= {"age": said._replace(value=age["age"])} if age else {}
    if said := fields.get("gender"):
        fields["gender"] = said._replace(value=read_gender(said.value))
    return fields


def read_age(text: object) -> dict[str, int]:
    """Returns {"age": years} for a text that holds an age of 1 to 120 years, else nothing."""
    match = re.search(r"(?<!\d)(\d{1,3})(?!\d)", str(text))
    return {"age": int(match[1])} if match and 1 <= int(match[1]) <= 120 else {}


def read_gender(text: str) -> str:
    """Returns "male" or "female" for their synonyms, else the text in lower case."""
    word = text.strip().lower()
    return _GENDERS.get(word, word[:40])


def read_resistance(*texts: str) -> Resistance | None:
    """Returns the resistance type that the first telling text names ("…-emotional-resistance"), else None."""
    for text in texts:
        if match := _RESISTANCE.search(text[:2000]):
            word = (match[1] or match[2]).lower()
            if word in {"no", "none", "without"}:
                return Resistance.NONE
            return Resistance.BEHAVIORAL if word.startswith("behav") else Resistance(word)
    return None
