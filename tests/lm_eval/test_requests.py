"""What lm-eval asks becomes requests to our engines."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mirror_bench.engines.base import ImagePart, Message, Sampling
from mirror_bench.errors import InputError
from mirror_bench.lm_eval.requests import (
    PLACE,
    chat_text,
    image_part,
    read_images,
    read_messages,
    read_sampling,
)

RED = Image.new("RGB", (8, 8), "red")
BLUE = Image.new("RGBA", (8, 8), (0, 0, 255, 128))

TEXTS = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: PLACE not in text)


@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), TEXTS), min_size=1))
def test_a_conversation_comes_back_as_it_was(history: list[tuple[str, str]]) -> None:
    text = chat_text([{"role": role, "content": content} for role, content in history])
    assert [(message.role, message.text) for message in read_messages(text)] == history


@given(st.lists(TEXTS, min_size=2, max_size=5))
def test_images_stand_between_the_texts_around_them(texts: list[str]) -> None:
    (message,) = read_messages(PLACE.join(texts), [RED] * (len(texts) - 1))
    images = [place for place, part in enumerate(message.parts) if isinstance(part, ImagePart)]
    assert len(images) == len(texts) - 1
    assert "".join(part for part in message.parts if isinstance(part, str)) == "".join(texts)
    assert "" not in message.parts


def test_images_go_to_the_messages_that_have_a_place_for_them() -> None:
    text = chat_text(
        [
            {"role": "user", "content": f"{PLACE}Who is this?"},
            {"role": "assistant", "content": "Red."},
            {"role": "user", "content": f"And this {PLACE}?"},
        ]
    )
    red, blue = image_part(RED), image_part(BLUE)
    assert read_messages(text, [RED, BLUE]) == (
        Message("user", (red, "Who is this?")),
        Message("assistant", ("Red.",)),
        Message("user", ("And this ", blue, "?")),
    )
    assert red.sha256 != blue.sha256
    assert Image.open(io.BytesIO(blue.png)).mode == "RGB"


def test_a_place_without_an_image_is_text_only_in_tasks_without_images() -> None:
    assert read_messages(f"The tag {PLACE}.") == (Message("user", (f"The tag {PLACE}.",)),)
    for images in ([RED, RED], [RED]):
        with pytest.raises(InputError, match=r"places <image> and the document"):
            read_messages("No place." if len(images) == 1 else PLACE, images)


def test_images_are_found_where_lm_eval_puts_them() -> None:
    assert read_images(("text", {"until": []})) == []
    assert read_images(("text", " A", {"visual": None})) == []
    assert read_images(("text", {}, {"visual": RED})) == [RED]
    assert read_images(("text", {}, {"visual": [RED, BLUE]})) == [RED, BLUE]
    with pytest.raises(InputError, match="sound"):
        read_images(("text", {}, {"audio": [1]}))
    with pytest.raises(InputError, match="gave a str where an image"):
        read_messages(PLACE, read_images(("text", {}, {"visual": "face.png"})))


def test_generation_arguments_become_sampling() -> None:
    assert read_sampling({}) == Sampling(max_tokens=256)
    assert read_sampling({"until": "\n", "do_sample": False, "temperature": 0.7}) == Sampling(stop=("\n",))
    assert read_sampling(
        {"until": ["\n", ""], "max_new_tokens": 9, "temperature": 0.7, "top_p": 0.9, "num_beams": 1}
    ) == Sampling(temperature=0.7, top_p=0.9, max_tokens=9, stop=("\n",))


@pytest.mark.parametrize(("name", "value"), [("num_beams", 4), ("top_k", 50), ("max_gen_toks", 0), ("x", 1)])
def test_generation_arguments_that_engines_lack_are_refused(name: str, value: int) -> None:
    with pytest.raises(InputError, match=f"{name}={value}"):
        read_sampling({name: value})
