"""Reads who a client is out of prose and out of intake forms."""

from __future__ import annotations

import itertools
import re
from typing import Any

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
_NAME = re.compile(r"\s*(?P<name>[^\W\d_][^\d,:.;!?]{0,80}?(?:\s(?:Jr|Sr|Dr)\.)?),?\s(?:is|aged?|\d|an?\s\d)")
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


def read_person(about: str) -> dict[str, Any]:
    """Returns the profile fields that a prose sentence (or an intake form's head) gives.

    Args:
        about: Such as "Ana Ruiz is a 31-year-old female working as a nurse. Ana is currently Single."

    Returns:
        Some of name, age (1 to 120), gender, occupation, education, marital_status and family.
    """
    about = clean(about)
    if re.search(r"^[ \t]*name[ \t]*:", about, re.IGNORECASE | re.MULTILINE):
        return _read_form(about)
    fields: dict[str, Any] = {}
    if found := _NAME.match(about):
        fields["name"] = found["name"].strip(" ,")
    if found := _AGE.search(about):
        fields |= read_age(found[1] or found[2])
    if found := _GENDER.search(about):
        fields["gender"] = read_gender(found[1])
    if found := _OCCUPATION.search(about):
        fields["occupation"] = re.split(r",| (?:with a background|and is|who)\b", found["text"])[0].strip()
    if found := _EDUCATION.search(about):
        fields["education"] = found["text"].split(",")[0].strip()
    if found := _MARITAL.search(about):
        fields["marital_status"] = found[1].lower()
        family = about[found.end() :].partition(".")[2].strip()
        if family:
            fields["family"] = family
    return fields


def read_intake(form: str) -> dict[str, Any]:
    """Returns the profile fields that a Cactus intake form gives.

    The form is a head of `Field: value` lines (the value may stand on the next line), then numbered
    sections: presenting problem, reason for seeking counseling, past history, functioning, support.
    """
    form = clean(form)
    marks = [found for found in _SECTION.finditer(form) if len(found["title"]) > 3]
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
    fields: dict[str, Any] = {}
    wanted = ""
    for row in head.split("\n"):
        label, colon, value = row.partition(":")
        key = _INTAKE_FIELDS.get(label.strip().lower(), "") if colon else ""
        if key:
            wanted = key
        elif row.strip() and wanted:
            value = row
        else:
            continue
        if value.strip() and wanted not in fields:
            fields[wanted] = value.strip()
            wanted = ""
    age = read_age(fields.pop("age", ""))
    if "gender" in fields:
        fields["gender"] = read_gender(fields["gender"])
    return fields | age


def read_age(text: object) -> dict[str, int]:
    """Returns {"age": years} for a text that holds an age of 1 to 120 years, else nothing."""
    found = re.search(r"(?<!\d)(\d{1,3})(?!\d)", str(text))
    return {"age": int(found[1])} if found and 1 <= int(found[1]) <= 120 else {}


def read_gender(text: str) -> str:
    """Returns "male" or "female" for their synonyms, else the text in lower case."""
    word = text.strip().lower()
    return _GENDERS.get(word, word[:40])


def read_resistance(*texts: str) -> Resistance | None:
    """Returns the resistance type that the first telling text names ("…-emotional-resistance"), else None."""
    for text in texts:
        if found := _RESISTANCE.search(text[:2000]):
            word = (found[1] or found[2]).lower()
            if word in {"no", "none", "without"}:
                return Resistance.NONE
            return Resistance.BEHAVIORAL if word.startswith("behav") else Resistance(word)
    return None
