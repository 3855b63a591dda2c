"""Details that tell who somebody is: found where they are, and nothing else taken for one."""

from __future__ import annotations

import pytest

from mirror_bench.data.transcripts.personal_details import Redacting, find_by_patterns, open_finder

TELLING = {
    "Mail jo.o'neil+x@mail.example.org today": "mail",
    "write to ann (at) example.com": "mail",
    "Call +1 (415) 555-0132 after six": "telephone",
    "My number is 020 7946 0958.": "telephone",
    "I live at 12 North Elm Street, Apt 4B now": "address",
    "It was in 5 Rue Place, SW1A 1AA": "address",
    "see www.my-own-page.example/me": "link",
    "SSN 123-45-6789": "number",
    "DE89 3704 0044 0532 0130 00 is the account": "number",
    "Hi, my name is Ana Kovács.": "name",
    "my brother Tom left": "name",
    "I saw Dr. Huang": "name",
}
HARMLESS = (
    "I slept 3-4 hours in 2019-2021.",
    "On 10/12/2021, at 7.30, it cost 1,000,000 dollars.",
    "I'm Really sad. This is Not fair. I am Catholic.",
    "Call 988 or text 741741, or 1-800-273-8255; in the UK 116 123.",
    "Version 1.2.3.4 of chapter 12 Street names",
    "0123456789",
)


@pytest.mark.parametrize("text", TELLING)
def test_what_tells_who_somebody_is_is_found(text: str) -> None:
    assert TELLING[text] in {one.kind for one in find_by_patterns(text)}


@pytest.mark.parametrize("text", HARMLESS)
def test_what_tells_nothing_is_left(text: str) -> None:
    assert find_by_patterns(text) == []


def test_the_same_detail_gets_the_same_mark_and_names_are_known_again() -> None:
    redacting = Redacting(open_finder(), ("Omar Haddad",))
    first = "I'm Lena. Omar knows; mail omar@x.org and omar@x.org."
    second = "Lena and Haddad were there."
    assert redacting.without(first, redacting.find(first)) == (
        "I'm [name 1]. [name 2] knows; mail [mail 1] and [mail 1]."
    )
    assert redacting.without(second, redacting.find(second)) == "[name 1] and [name 3] were there."


def test_it_says_what_is_not_looked_for() -> None:
    assert "not looked for" in open_finder().told
