"""Points out what in a text may tell who somebody is: mails, telephone numbers, addresses, names.

presidio finds them where it is installed; our own patterns find them in any case. Neither knows everything,
so each says what it does not look for: nobody may take silence for a proof.
"""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from mirror_bench.data.untrusted_input import clean

LONGEST = 100_000
"""Characters of a text that are examined at a time."""
_MAIL = re.compile(
    r"\b[A-Za-z0-9._%+'-]{1,64}\s?(?:@|\[at\]|\(at\))\s?[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}\b"
)
_PHONE = re.compile(
    r"(?<![\w.,/$€£-])(?:\+|00)?\(?\d{1,4}\)?(?:[ .\-/]{0,2}\(?\d{2,5}\)?){2,5}(?![\w%]|[.,]\d)"
)
_WAYS = (
    "street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|square|sq|place|pl|terrace|way|"
    "crescent|close|highway|hwy|parkway|pkwy|row|grove"
)
_ADDRESS = re.compile(
    rf"\b\d{{1,5}}[A-Za-z]?,?\s(?:[NSEW]\.?\s)?(?:(?:[A-Z][\w'’-]{{1,30}}|\d{{1,3}}(?:st|nd|rd|th))\s){{1,4}}"
    rf"(?i:{_WAYS})\b\.?(?:,?\s(?i:apt|apartment|unit|suite|flat|no)\.?\s?#?\w{{1,6}})?"
    r"|\b(?i:p\.?\s?o\.?\s?box)\s\d{1,6}\b"
    r"|\b[A-Z][\w'’-]{2,30}(?:straße|strasse|str\.|weg|platz|gasse)\s\d{1,4}[a-z]?\b"
    r"|\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b"
    r"|\b[A-Z]{2}\s\d{5}(?:-\d{4})?\b"
)
_PUBLIC = re.compile(
    r"(?:\+?1[ .\-]?)?\(?8(?:00|88|77|66|55|44|33)\)?\D|116 ?\d{3}$|13 ?11 ?14$|0800\D|08457? ?\d"
)
"""Toll-free numbers and crisis lines: what a therapist gives out, and nobody's own."""
_LINK = re.compile(r"\b(?:https?://|www\.)[^\s<>\"']{4,200}", re.IGNORECASE)
_NUMBERS = re.compile(
    r"\b\d{3}-\d{2}-\d{4}\b|\b(?:\d[ -]?){13,19}\b"
    r"|\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){3,7}(?:\s?[A-Z0-9]{1,3})?\b"
)
_NAME = r"[A-Z][a-zà-öø-ÿ'’-]{1,20}(?: (?:[A-Z]\.|[A-Z][a-zà-öø-ÿ'’-]{1,20})){0,2}"
_INTRODUCED = re.compile(
    r"\b(?i:my name is|my name's|name is|i am called|call me|this is|i'm|i am|mr\.?|mrs\.?|ms\.?|dr\.?|named|"
    rf"(?:husband|wife|son|daughter|brother|sister|boss|friend|partner|mother|father|mom|dad),?)\s"
    rf"(?P<name>{_NAME})"
)
_NO_NAMES = frozenset(
    {"I", "I'm", "I've", "The", "A", "And", "But", "So", "Well", "Yes", "No", "God", "Not", "Just", "Really"}
    | {"Okay", "Ok", "Sorry", "Christian", "Muslim", "Jewish", "Catholic", "American", "English", "German"}
    | {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "Very", "In", "At", "On"}
)
_PATTERNS = (
    ("mail", _MAIL),
    ("link", _LINK),
    ("number", _NUMBERS),
    ("address", _ADDRESS),
    ("telephone", _PHONE),
)
_OF_PRESIDIO = {
    "PERSON": "name",
    "EMAIL_ADDRESS": "mail",
    "PHONE_NUMBER": "telephone",
    "LOCATION": "place",
    "IBAN_CODE": "number",
    "CREDIT_CARD": "number",
    "US_SSN": "number",
    "UK_NHS": "number",
    "IP_ADDRESS": "number",
    "URL": "link",
}


class Detail(NamedTuple):
    """A stretch of text that may tell who somebody is, such as a name or an address.

    Attributes:
        kind: "mail", "telephone", "address", "link", "number", "name" or "place".
        start: Where it begins in the text.
        end: Where it ends, exclusive.
    """

    kind: str
    start: int
    end: int


class Finder(NamedTuple):
    """A function that finds personal details in a text, and one sentence on what it finds.

    Attributes:
        find: Text -> details in their order, none within another.
        told: How it looks, and what it does not look for, in one sentence.
    """

    find: Callable[[str], Sequence[Detail]]
    told: str


@functools.cache
def open_finder() -> Finder:
    """Returns what looks for details on this machine: presidio and our patterns, or our patterns alone."""
    analyzer = _presidio()
    if analyzer is None:
        return Finder(
            find_by_patterns,
            "by patterns for mails, telephone numbers, street addresses, links, long numbers and names that "
            "are introduced (my name is …), crisis lines and toll-free numbers apart; other names, places, "
            "employers and dates are not looked for (presidio-analyzer with a spaCy model looks for more)",
        )
    names = "and a spaCy model" if analyzer[1] else "without a spaCy model, so by patterns alone"

    def find(text: str) -> Sequence[Detail]:
        details = [
            Detail(_OF_PRESIDIO[entity.entity_type], entity.start, entity.end)
            for entity in analyzer[0].analyze(text=text[:LONGEST], language="en")
            if entity.entity_type in _OF_PRESIDIO and entity.score >= 0.4
        ]
        return _apart([*find_by_patterns(text), *details])

    rest = "employers and dates are" if analyzer[1] else "names that nobody introduces, places and dates are"
    return Finder(find, f"by presidio {names} and our patterns; {rest} not looked for")


def _presidio() -> tuple[Any, bool] | None:
    """Returns presidio's analyzer and whether it knows names; None where it is not installed.

    A language model is used where one is installed, and never fetched.
    """
    if importlib.util.find_spec("presidio_analyzer") is None or importlib.util.find_spec("spacy") is None:
        return None
    import spacy.util
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    models = [name for name in spacy.util.get_installed_models() if name.startswith("en_core")]
    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": (models or ["en"])[0]}])
    if not models:
        engine.nlp = {"en": spacy.blank("en")}
    return AnalyzerEngine(nlp_engine=engine, supported_languages=["en"]), bool(models)


def find_by_patterns(text: str) -> Sequence[Detail]:
    """Returns what our own patterns find in a text."""
    text = text[:LONGEST]
    details = [
        Detail(kind, match.start(), match.end())
        for kind, pattern in _PATTERNS
        for match in pattern.finditer(text)
        if kind != "telephone" or _is_phone(match.group())
    ]
    for match in _INTRODUCED.finditer(text):
        if match["name"].split()[0] not in _NO_NAMES:
            details.append(Detail("name", match.start("name"), match.end("name")))
    return _apart(details)


def _is_phone(text: str) -> bool:
    """Whether digits are as many as a telephone number's, and not written as a year, date or score is."""
    digits = re.sub(r"\D", "", text)
    dated = re.fullmatch(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}", text)
    years = re.fullmatch(r"(?:19|20)\d\d\s?-\s?(?:19|20)\d\d", text)
    if dated or years or text.isdigit() or _PUBLIC.match(text.strip("( ")):
        return False
    return 7 <= len(digits) <= 15


def _apart(details: Iterable[Detail]) -> list[Detail]:
    """Returns details in their order; of two that overlap, the one that begins first, then the longer."""
    kept: list[Detail] = []
    for found_detail in sorted(details, key=lambda detail: (detail.start, -detail.end)):
        if not kept or found_detail.start >= kept[-1].end:
            kept.append(found_detail)
    return kept


class Redacting:
    """Takes details out of the turns of one session; the same detail gets the same mark throughout.

    Args:
        finder: What looks for them.
        known: Names that are known beforehand, such as the client's.
    """

    def __init__(self, finder: Finder, known: Iterable[str] = ()) -> None:
        self._finder = finder
        names = {part for name in known for part in (name, *name.split()) if len(part) > 2}
        self._known: re.Pattern[str] | None = None
        self._marks: dict[tuple[str, str], str] = {}
        self._learn(names)

    def _learn(self, names: set[str]) -> None:
        self._names = names
        parts = sorted(map(re.escape, names), key=len, reverse=True)
        self._known = re.compile(rf"\b(?:{'|'.join(parts)})\b") if parts else None

    def find(self, text: str) -> Sequence[Detail]:
        """Returns the details of a turn; a name that was found once is found again without introduction."""
        details = list(self._finder.find(text))
        new = {text[detail.start : detail.end] for detail in details if detail.kind == "name"} - self._names
        if new:
            self._learn(
                self._names | {part for name in new for part in (name, *name.split()) if len(part) > 2}
            )
        if self._known is not None:
            details += [
                Detail("name", match.start(), match.end()) for match in self._known.finditer(text[:LONGEST])
            ]
        return _apart(details)

    def without(self, text: str, details: Sequence[Detail]) -> str:
        """Returns the text with a mark in the place of each detail, such as "[name 1]"."""
        parts: list[str] = []
        end = 0
        for detail in details:
            parts += [text[end : detail.start], self._mark(detail.kind, text[detail.start : detail.end])]
            end = detail.end
        return clean("".join((*parts, text[end:])))

    def _mark(self, kind: str, text: str) -> str:
        key = (kind, text.lower())
        if key not in self._marks:
            number = sum(known == kind for known, _ in self._marks) + 1
            self._marks[key] = f"[{kind} {number}]"
        return self._marks[key]
