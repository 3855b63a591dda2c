from __future__ import annotations

from pathlib import Path

import pytest
from talks import plain, talk

from mirror_bench.engines.base import Message
from mirror_bench.engines.chat_templates import Prompting, load_prompting, without_images
from mirror_bench.engines.images import check_count, data_url, decode, images_of
from mirror_bench.errors import EngineError, InputError, TooMuchError

pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def prompting(checkpoint: Path) -> Prompting:
    return load_prompting(str(checkpoint), checkpoint)


def test_images_stand_where_the_messages_have_them(prompting: Prompting) -> None:
    text = prompting.render((Message("system", ("Listen.",)), Message("user", ("See", plain(0), "me"))))
    assert text.index("Listen.") < text.index("See") < text.index("<image>") < text.index("me<")
    assert text.endswith("<|assistant|>")
    assert prompting.sees
    assert prompting.takes_images


def test_without_images_only_the_faces_go() -> None:
    messages = without_images(talk(1))
    assert images_of(messages) == []
    assert [message.text for message in messages] == [message.text for message in talk(1)]
    assert len(images_of(talk(1))) == 2


def test_templates_without_system_or_with_strict_turns_get_folded_texts(checkpoint: Path) -> None:
    prompting = load_prompting(str(checkpoint), checkpoint)
    prompting.processor.chat_template = (
        "{%- for m in messages -%}"
        "{%- if m.role != ('user' if loop.index0 % 2 == 0 else 'assistant') -%}"
        "{{ raise_exception('turns must alternate') }}{%- endif -%}"
        "[{{ m.role }}{% for c in m.content %}{{ c.text if c.type == 'text' else '<image>' }}{% endfor %}]"
        "{%- endfor -%}"
    )
    messages = (
        Message("system", ("Rules.",)),
        Message("user", (plain(0), "One.")),
        Message("user", ("Two.",)),
        Message("assistant", ("Three.",)),
    )
    assert prompting.render(messages) == "[userRules.\n\n<image>One.\n\nTwo.][assistantThree.]"
    with pytest.raises(EngineError, match="alternate"):
        prompting.render((Message("assistant", ("First.",)),))


def test_a_template_that_leaves_images_out_does_not_see(checkpoint: Path, tmp_path: Path) -> None:
    for path in checkpoint.iterdir():
        if path.name != "chat_template.jinja":
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "chat_template.jinja").write_text(
        "{% for m in messages %}{% for c in m.content %}{{ c.text }}{% endfor %}{% endfor %}"
    )
    prompting = load_prompting(str(tmp_path), tmp_path)
    assert prompting.takes_images
    assert not prompting.sees


def test_a_template_that_begins_the_text_keeps_the_tokenizer_from_doing_so_again(checkpoint: Path) -> None:
    prompting = load_prompting(str(checkpoint), checkpoint)
    prompting.tokenizer.bos_token = "<s>"
    assert prompting.adds_special_tokens("Hello")
    assert not prompting.adds_special_tokens("<s>Hello")


def test_a_folder_without_a_processor_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="processor") as caught:
        load_prompting(str(tmp_path), tmp_path)
    assert "\n" not in str(caught.value)


def test_images_are_decoded_counted_and_encoded() -> None:
    assert decode(plain(7)).getpixel((5, 5)) == (7, 7, 7)
    assert data_url(plain(7)).startswith("data:image/png;base64,iVBORw0KGgo")
    check_count(talk(1), 2, "e")
    with pytest.raises(TooMuchError, match="max_images=2"):
        check_count(talk(1), 1, "e")
