"""Answers of a chat server that break off, told from what another kind of server says."""

from __future__ import annotations

import pytest

from mirror_bench.engines.openai.answer import breaks_off


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ('{"choices": [{"mess', True),
        ('{"choices": [', True),
        ('{"choices": []}', False),
        ("[]", False),
        ("null", False),
        ('{"response": "a"}\n{"response": "b"}', False),
        ("Ollama is running", False),
    ],
)
def test_an_answer_that_breaks_off_is_told_from_another_servers(text: str, cut: bool) -> None:
    assert breaks_off(text) is cut
