from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirror_files import RAW

from mirror_bench.data.screenplays.parser import (
    MAX_PROBLEMS,
    Parsed,
    parse_screenplay,
    render_screenplay,
    split_directions,
)
from mirror_bench.data.screenplays.records import (
    Line,
    Screenplay,
)
from mirror_bench.data.untrusted_input import clean
from mirror_bench.schema import (
    Resistance,
    Speaker,
)


def parse(text: str, *names: str) -> Parsed:
    return parse_screenplay(text, id="play", profile_id="p", client_names=names, source="play.txt")


def lines(text: str, *names: str) -> list[tuple[str, tuple[str, ...], str]]:
    return [
        (line.speaker.value, line.directions, line.words) for line in parse(text, *names).screenplay.lines
    ]


def test_words_between_two_brackets_survive() -> None:
    assert lines("Client: [Sighs] I don't see the point. [Looks away]") == [
        ("client", ("Sighs", "Looks away"), "I don't see the point.")
    ]


def test_reads_a_screenplay_with_the_name_in_place_of_the_client() -> None:
    parsed = parse(RAW, "Ana Ruiz")
    assert parsed.problems == ()
    assert [line.speaker.value for line in parsed.screenplay.lines] == ["therapist", "client"] * 2
    assert parsed.screenplay.lines[3] == Line(
        speaker=Speaker.CLIENT, directions=("Arms crossed",), words="If you say so."
    )


@pytest.mark.parametrize(
    "label",
    [
        "Client",
        "CLIENT",
        "client ",
        "Patient",
        "**Client**",
        "  **Client**",
        "*Client*",
        "__Client__",
        "Ana Ruiz",
        "ana",
        "Ms. Ruiz",
        "3. Client",
        "- Client",
        "Client (Ana)",
        "O’Hara",
    ],
)
def test_knows_the_client_by_many_labels(label: str) -> None:
    assert lines(f"{label}: [Shrugs] Hm.", "Ana Ruiz", "O'Hara") == [("client", ("Shrugs",), "Hm.")]


@pytest.mark.parametrize(
    "label", ["Therapist", "COUNSELOR", "counsellor", "Psychotherapist", "Dr. Stein", "**Therapist**"]
)
def test_knows_the_therapist_by_many_labels(label: str) -> None:
    assert lines(f"{label}: Hm.") == [("therapist", (), "Hm.")]


def test_bold_marks_around_label_and_colon_or_the_whole_line_are_no_words() -> None:
    assert lines("**Client:** I am **fine**.\n**Therapist: Are you?**") == [
        ("client", (), "I am **fine**."),
        ("therapist", (), "Are you?"),
    ]


def test_joins_wrapped_lines_and_skips_blank_ones_whatever_the_line_ends() -> None:
    text = "\ufeffTherapist: [Leans in,\r\nsoftly] Tell me\r\n\r\nmore.\rClient:\r[Silence]\r\n---\r\n"
    assert lines(text) == [
        ("therapist", ("Leans in, softly",), "Tell me more."),
        ("client", ("Silence",), ""),
    ]


def test_a_bracket_between_label_and_colon_is_a_stage_direction() -> None:
    assert lines("Client [Sighs]: Well.\nClient (sighs): Well.") == [
        ("client", ("Sighs",), "Well."),
        ("client", ("sighs",), "Well."),
    ]


def test_nested_brackets_make_one_stage_direction() -> None:
    assert lines("Client: [Nods [barely]] Yes.") == [("client", ("Nods barely",), "Yes.")]


def test_a_bracket_never_closed_is_reported_where_it_stands_and_its_words_are_kept() -> None:
    parsed = parse(
        "Therapist: Hello.\nClient: Well,\n"
        "[Sighs I don't see the point. [Looks away]\nat all.\nTherapist: Hm."
    )
    assert [line.words for line in parsed.screenplay.lines] == [
        "Hello.",
        "Well, Sighs I don't see the point. at all.",
        "Hm.",
    ]
    assert parsed.screenplay.lines[1].directions == ("Looks away",)
    (problem,) = parsed.problems
    assert (problem.source, problem.line) == ("play.txt", 3)
    assert "never closed" in problem.message


def test_a_bracket_never_opened_is_reported() -> None:
    parsed = parse("Client: Shrugs] Whatever.")
    assert parsed.screenplay.lines[0].words == "Shrugs Whatever."
    assert "never opened" in parsed.problems[0].message


def test_an_unknown_speaker_is_reported_and_the_words_are_kept() -> None:
    parsed = parse("Therapist: Hello.\nClient: Hi.\nMother: He never talks.")
    assert [problem.line for problem in parsed.problems] == [3]
    assert "'Mother'" in parsed.problems[0].message
    assert "He never talks." in parsed.screenplay.lines[1].words


def test_the_only_other_speaker_is_the_client() -> None:
    parsed = parse("Therapist: Hello.\nVictoria: [Shrugs] Hi.\nTherapist: So.\nVictoria: So.")
    assert [line.speaker.value for line in parsed.screenplay.lines] == ["therapist", "client"] * 2
    assert parsed.problems == ()


def test_text_before_the_first_speaker_is_reported() -> None:
    parsed = parse("A first session\nTherapist: Hello.")
    assert len(parsed.screenplay.lines) == 1
    assert parsed.problems[0].line == 1


def test_two_turns_of_one_speaker_stay_two() -> None:
    assert lines("Therapist: One.\nTherapist: Two.") == [("therapist", (), "One."), ("therapist", (), "Two.")]


def test_a_sentence_with_a_colon_goes_on_with_its_turn() -> None:
    parsed = parse("Client: I told him\nthis much: no. See https://example.org: it says so.")
    assert len(parsed.screenplay.lines) == 1
    assert parsed.problems == ()


@pytest.mark.parametrize("text", ["", "\n \n", "nothing that speaks"])
def test_a_text_without_turns_is_reported(text: str) -> None:
    parsed = parse(text)
    assert parsed.screenplay.lines == ()
    assert "holds no turn" in " ".join(problem.message for problem in parsed.problems)


def test_an_empty_turn_is_kept_and_reported() -> None:
    parsed = parse("Therapist: And?\nClient:\nTherapist: Take your time.")
    assert len(parsed.screenplay.lines) == 3
    assert [problem.line for problem in parsed.problems] == [2]


def _plain(text: str) -> str:
    return " ".join(clean(text).replace("[", "").replace("]", "").split())


_TEXT = st.text(max_size=60).map(_plain)
_LINES = st.builds(
    Line,
    speaker=st.sampled_from(Speaker),
    directions=st.lists(_TEXT.filter(bool), max_size=3).map(tuple),
    words=_TEXT,
)


@given(st.lists(_LINES, min_size=1, max_size=8))
def test_reading_what_was_written_gives_the_same_lines(given_lines: list[Line]) -> None:
    play = Screenplay(id="s", profile_id="p", resistance=Resistance.COGNITIVE, lines=tuple(given_lines))
    parsed = parse_screenplay(
        render_screenplay(play), id="s", profile_id="p", resistance=Resistance.COGNITIVE
    )
    assert parsed.screenplay == play


_SCRIPT = st.lists(
    st.sampled_from(
        [
            "Therapist:",
            "Client:",
            "**Client:**",
            "[",
            "]",
            "[Sighs]",
            "\n",
            "\r\n",
            " ",
            "Ana:",
            "why",
            "(",
            ")",
            "*",
        ]
    )
    | st.text(max_size=5),
    max_size=40,
).map("".join)


@given(_SCRIPT)
def test_no_text_breaks_the_parser_and_every_problem_names_a_line(text: str) -> None:
    parsed = parse(text, "Ana Ruiz")
    rows = len(text.splitlines()) + text.count("\r") + 1
    assert all(1 <= problem.line <= rows for problem in parsed.problems)
    for line in parsed.screenplay.lines:
        assert not set("[]") & set(line.words + "".join(line.directions))


@given(st.text(alphabet="[]ab \n", max_size=60))
def test_splitting_loses_no_letter(text: str) -> None:
    directions, words, stray = split_directions(text)
    kept = sorted("".join(directions) + words)
    assert [char for char in kept if char != " "] == sorted(char for char in text if char in "ab")
    opened, closed = text.count("["), text.count("]")
    assert len(stray) % 2 == (opened + closed) % 2
    assert len(stray) >= abs(opened - closed)


@pytest.mark.parametrize("piece", ["Client: [", "Client:\n", "[]", "*", "A B: x\n", "\n", "1. -", "Client("])
def test_a_megabyte_of_nonsense_is_read_in_seconds_and_not_all_listed(piece: str) -> None:
    began = time.process_time()
    parsed = parse("Therapist: Hello.\n" + piece * (1_200_000 // len(piece)))
    assert time.process_time() - began < 20, "quadratic work would take minutes"
    assert len(parsed.problems) <= MAX_PROBLEMS + 1
    assert parsed.screenplay.lines[0].words.startswith("Hello.")
