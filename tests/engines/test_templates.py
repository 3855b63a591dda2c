"""Chat templates differ in what they take; whatever it is, no word of a conversation is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from talks import plain

from mirror_bench.engines.base import Message
from mirror_bench.engines.chat_templates import Prompting, load_prompting
from mirror_bench.errors import InputError

pytest.importorskip("transformers")

TALK = (
    Message("system", ("Rules.",)),
    Message("user", (plain(0), "One.")),
    Message("assistant", ("Two.",)),
    Message("user", (plain(9), "Three.")),
)
STRINGS = "{% for m in messages %}[{{ m.role }}: {{ m.content + ']' }}{% endfor %}"
REFUSES_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + STRINGS
)
DROPS_SYSTEM = "{% for m in messages if m.role != 'system' %}[{{ m.role }}: {{ m.content + ']' }}{% endfor %}"
ALTERNATES = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate user/assistant') }}{% endif %}"
    "[{{ m.role }}: {{ m.content + ']' }}{% endfor %}"
)
LISTS = (
    "{% for m in messages %}[{{ m.role }}: {% for c in m.content %}"
    "{% if c.type == 'image' %}<image>{% else %}{{ c.text }}{% endif %}{% endfor %}]{% endfor %}"
)
LISTS_OF_USERS = (
    "{% for m in messages %}[{{ m.role }}: {% if m.role == 'user' %}{% for c in m.content %}"
    "{% if c.type == 'image' %}<image>{% else %}{{ c.text }}{% endif %}{% endfor %}]"
    "{% else %}{{ m.content + ']' }}{% endif %}{% endfor %}"
)


def with_template(checkpoint: Path, folder: Path, template: str | None) -> Path:
    """Links a checkpoint's files into a folder, with a chat template of its own or none."""
    for path in checkpoint.iterdir():
        if path.name != "chat_template.jinja":
            (folder / path.name).symlink_to(path)
    if template is not None:
        (folder / "chat_template.jinja").write_text(template)
    return folder


def opened(checkpoint: Path, folder: Path, template: str | None) -> Prompting:
    made = with_template(checkpoint, folder, template)
    return load_prompting(str(made), made)


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        (STRINGS, "[system: Rules.][user: One.][assistant: Two.][user: Three.]"),
        (REFUSES_SYSTEM, "[user: Rules.\n\nOne.][assistant: Two.][user: Three.]"),
        (DROPS_SYSTEM, "[user: Rules.\n\nOne.][assistant: Two.][user: Three.]"),
        (ALTERNATES, "[user: Rules.\n\nOne.][assistant: Two.][user: Three.]"),
        (LISTS, "[system: Rules.][user: One.][assistant: Two.][user: Three.]"),
    ],
    ids=["strings", "refuses system", "drops system", "alternates", "lists"],
)
def test_a_model_for_text(template: str, prompt: str, families: dict[str, Path], tmp_path: Path) -> None:
    prompting = opened(families["llama"], tmp_path, template)
    assert not prompting.sees
    talk = [Message(one.role, tuple(part for part in one.parts if isinstance(part, str))) for one in TALK]
    assert prompting.render(talk) == prompt


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        (STRINGS, "[system: Rules.][user: <image>\nOne.][assistant: Two.][user: <image>\nThree.]"),
        (LISTS, "[system: Rules.][user: <image>One.][assistant: Two.][user: <image>Three.]"),
        (LISTS_OF_USERS, "[system: Rules.][user: <image>One.][assistant: Two.][user: <image>Three.]"),
        (ALTERNATES, "[user: Rules.\n\n<image>\nOne.][assistant: Two.][user: <image>\nThree.]"),
    ],
    ids=["strings", "lists", "lists of users", "alternates"],
)
def test_a_model_that_sees(template: str, prompt: str, families: dict[str, Path], tmp_path: Path) -> None:
    prompting = opened(families["idefics3"], tmp_path, template)
    assert prompting.sees
    assert prompting.render(TALK) == prompt


def test_two_messages_of_one_role_are_put_together_only_where_they_must(
    families: dict[str, Path], tmp_path: Path
) -> None:
    strict = (
        "{% set ns = namespace(last='') %}{% for m in messages %}{% if m.role == ns.last %}"
        "{{ raise_exception('twice') }}{% endif %}{% set ns.last = m.role %}"
        "[{{ m.role }}: {{ m.content + ']' }}{% endfor %}"
    )
    prompting = opened(families["llama"], tmp_path, strict)
    talk = (Message("system", ("Rules.",)), Message("user", ("One.",)), Message("user", ("Two.",)))
    assert prompting.render(talk) == "[system: Rules.][user: One.\n\nTwo.]"


def test_a_template_that_stands_with_the_tokenizer_is_taken(
    families: dict[str, Path], tmp_path: Path
) -> None:
    folder = with_template(families["idefics3"], tmp_path, None)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": LISTS}))
    assert load_prompting(str(folder), folder).render(TALK[1:2]) == "[user: <image>One.]"


@pytest.mark.parametrize("family", ["llama", "idefics3"])
def test_no_template_and_one_that_shows_nothing_are_one_line(
    family: str, families: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"has no chat template.*chat_template.jinja") as caught:
        opened(families[family], tmp_path / "none", None)
    assert "\n" not in str(caught.value)
    (tmp_path / "mute").mkdir()
    with pytest.raises(InputError, match="does not show what a user and an assistant say"):
        opened(families[family], tmp_path / "mute", "{% for m in messages %}{{ m.role }}{% endfor %}")
