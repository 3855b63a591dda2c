import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.content import tasks_root
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.faces.facs.action_units import check_expression

_OUTSIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "mirror_samples"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Looks away, arms crossed", "withdrawn"),
        ("Thin smile, brows drawn up", "guarded_smile"),
        ("Sighs, eyes on the floor", "ashamed"),
        ("[Scoffs]", "contempt"),
        ("Eyes fill with tears", "sadness"),
        ("laughing", "happiness"),
        ("Skeptically", "sceptical"),
        ("He is visibly anxious.", "anxious"),
        ("Jaw clenched, glaring", "anger"),
        ("Visibly relieved", "relieved"),
        ("Wrinkles her nose", "disgust"),
        ("Stares at the window, bored", "bored"),
        ("Startled", "surprise"),
        ("Winces", "pain"),
        ("Sheepishly", "embarrassment"),
        ("Terrified", "fear"),
        ("Eyebrows shoot up, mouth open", "surprise"),
        ("Head tilted, puzzled", "confused"),
        ("Shakes his head, lips pressed", "disagreement"),
    ],
)
def test_directions_read_as_the_expression_they_name(text: str, label: str) -> None:
    assert read_direction(text).expression.label == label


def test_several_cues_of_one_direction_add_up() -> None:
    shown = read_direction("Looks away, arms crossed").expression
    assert shown.gaze[0] < -0.5
    assert shown.posture["arms_crossed"] == 1.0
    both = read_direction("Thin smile, brows drawn up").expression
    assert both.units["12"] > 0.2
    assert both.units["1"] > 0.5


@pytest.mark.parametrize(
    "text", ["no longer frowning", "not smiling", "without crying", "He doesn't smile", "stopped fidgeting"]
)
def test_what_is_negated_is_not_shown(text: str) -> None:
    reading = read_direction(text)
    assert not reading.expression.units
    assert reading.expression.label == "neutral"
    assert reading.known[0].startswith("not ")


def test_a_negation_reaches_only_its_own_clause() -> None:
    shown = read_direction("No longer frowning, looks down").expression
    assert "4" not in shown.units
    assert shown.gaze[1] < -0.5


def test_strengths_scale_their_cue() -> None:
    strength = [read_direction(text).expression.units["4"] for text in ("Slightly frowning", "Frowning")]
    assert strength[0] < strength[1]
    crossed = [
        read_direction(t).expression.posture["arms_crossed"] for t in ("arms loosely crossed", "arms crossed")
    ]
    assert crossed[0] < crossed[1]
    less, more = (
        read_direction("less tense").expression.units["24"],
        read_direction("tense").expression.units["24"],
    )
    assert less < more


@pytest.mark.parametrize("form", ["frown", "frowns", "frowned", "frowning", "Frowning."])
def test_all_forms_of_a_word_read_alike(form: str) -> None:
    assert read_direction(form).expression == read_direction("frown").expression


def test_unknown_words_are_counted_and_read_as_neutral() -> None:
    reading = read_direction("Zorbles the quantum marmalade")
    assert reading.unknown == ("zorbles", "quantum", "marmalade")
    assert reading.expression.label == "neutral"
    assert reading.known == ()
    assert read_direction("").unknown == ()


@given(st.text(max_size=600))
def test_any_text_reads_as_a_possible_expression(text: str) -> None:
    reading = read_direction(text)
    check_expression(reading.expression)
    assert read_direction(text) == reading


_WORDS = [
    "not",
    "slightly",
    "looks",
    "down",
    "away",
    "arms",
    "crossed",
    "smile",
    "tight",
    "brows",
    "up",
    "very",
    ",",
    "then",
    "cry",
]


@given(st.lists(st.sampled_from(_WORDS), max_size=30))
def test_any_mixture_of_known_words_reads_as_a_possible_expression(words: list[str]) -> None:
    check_expression(read_direction(" ".join(words)).expression)


def _client_directions(files: list[Path]) -> set[str]:
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    spoken = [line for line in lines if not line.startswith(("Therapist", "Counselor"))]
    return {direction for line in spoken for direction in re.findall(r"\[([^\[\]]+)\]", line)}


def test_the_packaged_screenplays_are_understood() -> None:
    directions = _client_directions(sorted((tasks_root() / "mini" / "screenplays").glob("*.txt")))
    if not directions:
        pytest.skip("no screenplays are packaged")
    readings = [read_direction(direction) for direction in directions]
    assert sum(bool(reading.known) for reading in readings) / len(readings) > 0.85
    words = sum(len(re.findall(r"[a-z']+", direction.lower())) for direction in directions)
    assert sum(len(reading.unknown) for reading in readings) / words < 0.05


@pytest.mark.skipif(not _OUTSIDE.is_dir(), reason="the outside MIRROR samples do not lie beside the checkout")
def test_directions_of_the_original_data_are_understood() -> None:
    directions = _client_directions(sorted(_OUTSIDE.glob("screenplay_*.txt")))
    readings = [read_direction(direction) for direction in directions]
    assert len(readings) > 10
    assert all(reading.known for reading in readings)
    assert sum(reading.expression.label != "neutral" for reading in readings) / len(readings) > 0.8


def test_reading_is_fast() -> None:
    texts = [f"Looks away, arms crossed, sighs {number}" for number in range(500)]
    read_direction(texts[0])
    begun = time.process_time()
    for _ in range(20):
        for text in texts:
            read_direction(text)
    assert 20 * len(texts) / (time.process_time() - begun) > 5000
