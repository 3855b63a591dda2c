import pytest

from mirror_bench.engines.base import Answer, ImagePart, Request
from mirror_bench.faces.base import Face
from mirror_bench.schema import Expression, Profile, Resistance, Scenario
from mirror_bench.therapists.methods import METHODS, Asking, ModelTherapist
from mirror_bench.therapists.prompts import read_plan, techniques

SCENARIO = Scenario(
    profile=Profile(id="p", name="Ana", reason_for_seeking="She cannot sleep."),
    resistance=Resistance.COGNITIVE,
)
FACE = Face(png=b"png", sha256="f" * 64, expression=Expression(label="sadness"))


class Recording:
    """An engine that keeps what it was asked."""

    name = "recording"
    sees = True

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        text = request.messages[-1].text
        if "Choose one technique" in text:
            return Answer("Technique: Pie chart\n1. Listen.\n2. Draw.", tokens=3)
        if "what does the client show" in text:
            return Answer("Looks sad.", tokens=2)
        return Answer("Therapist: Tell me more. [nods]", tokens=5)


@pytest.fixture
def engine() -> Recording:
    return Recording()


def _therapist(method: str, engine: Recording, **asking: object) -> ModelTherapist:
    therapist: ModelTherapist = METHODS.get(method).therapist(SCENARIO, engine, Asking(**asking))  # type: ignore[arg-type]
    return therapist


def _images(request: Request) -> list[ImagePart]:
    return [part for message in request.messages for part in message.parts if isinstance(part, ImagePart)]


async def test_a_reply_that_was_cut_keeps_its_whole_sentences_and_says_so() -> None:
    class Cutting(Recording):
        async def answer(self, request: Request) -> Answer:
            return Answer("That sounds lonely. What would it", finish="length", tokens=6)

    turn = await _therapist("text", Cutting()).reply("Hi.", None)
    assert (turn.words, turn.removed, turn.finish) == ("That sounds lonely.", ("broken sentence",), "length")
    assert turn.raw == "That sounds lonely. What would it"


async def test_direct_shows_every_face_and_cleans(engine: Recording) -> None:
    therapist = _therapist("direct", engine)
    turn = await therapist.reply("Hi.", FACE)
    assert (turn.words, turn.removed, turn.tokens) == ("Tell me more.", ("speaker label", "brackets"), 5)
    await therapist.reply("No.", FACE)
    assert [len(_images(request)) for request in engine.requests] == [1, 2]


async def test_text_shows_none(engine: Recording) -> None:
    therapist = _therapist("text", engine)
    assert not therapist.sees
    await therapist.reply("Hi.", FACE)
    assert _images(engine.requests[0]) == []
    assert "face" not in engine.requests[0].messages[0].text


async def test_ec_captions_each_turn_from_the_image_alone(engine: Recording) -> None:
    therapist = _therapist("ec", engine)
    turns = [await therapist.reply(words, FACE) for words in ("I am fine.", "Really.")]
    assert [turn.caption for turn in turns] == ["Looks sad.", "Looks sad."]
    captions = [request for request in engine.requests if len(request.messages) == 1]
    assert len(captions) == 2
    assert "fine" not in captions[0].messages[0].text
    assert "(Looks sad.) Really." in engine.requests[-1].messages[-1].text


async def test_planning_plans_once(engine: Recording) -> None:
    therapist = _therapist("p+ec", engine)
    for words in ("Hi.", "No.", "Maybe."):
        await therapist.reply(words, FACE)
    asked = [request for request in engine.requests if "Choose one" in request.messages[-1].text]
    assert len(asked) == 1
    assert therapist.plan == ("pie chart", "1. Listen.\n2. Draw.")
    assert "1. Listen." in engine.requests[-1].messages[0].text


async def test_a_withheld_face_is_no_image_and_no_caption(engine: Recording) -> None:
    turn = await _therapist("ec", engine).reply("Hi.", None)
    assert turn.caption == ""
    assert _images(engine.requests[0]) == []


async def test_chat_keeps_the_prefix(engine: Recording) -> None:
    therapist = _therapist("direct", engine)
    for words in ("Hi.", "No.", "Maybe."):
        await therapist.reply(words, FACE)
    for before, after in zip(engine.requests, engine.requests[1:], strict=False):
        assert after.messages[: len(before.messages)] == before.messages


async def test_flat_has_one_image_and_the_last_messages(engine: Recording) -> None:
    therapist = _therapist("direct", engine, layout="flat", context_messages=2)
    for words in ("First.", "Second.", "Third."):
        await therapist.reply(words, FACE)
    last = engine.requests[-1]
    assert len(last.messages) == len(_images(last)) == 1
    assert "Third." in last.messages[0].text
    assert "Second." not in last.messages[0].text


async def test_the_stage_direction_is_never_asked_about(engine: Recording) -> None:
    """Only `words` and the image reach a model: the contract has no place for the direction."""
    await _therapist("p+ec", engine).reply("Hi.", FACE)
    assert all("sadness" not in message.text for request in engine.requests for message in request.messages)


@pytest.mark.parametrize(
    ("text", "technique", "plan"),
    [
        ("Technique: Reality Testing\n1. A\n2. B", "reality testing", "1. A\n2. B"),
        ("**Technique:** pros and cons.\n1. A", "pros and cons", "1. A"),
        ("We use a continuum here.\n1. A", "continuum", "We use a continuum here.\n1. A"),
        ("1. Listen.", "", "1. Listen."),
        ("", "", ""),
    ],
)
def test_reads_a_plan(text: str, technique: str, plan: str) -> None:
    assert read_plan(text) == (technique, plan)


def test_there_are_twelve_techniques() -> None:
    assert len(techniques()) == 12
