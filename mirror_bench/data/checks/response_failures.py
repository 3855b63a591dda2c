"""Signs that a model failed to answer: refusals, remnants of a form, artefacts of its template."""

from __future__ import annotations

import re
from typing import NamedTuple

from mirror_bench.data.screenplays.records import (
    Line,
)


class Failure(NamedTuple):
    """What was found: its kind, and the piece of text (empty where there is no text at all)."""

    kind: str
    quote: str


# Clients refuse, apologise and cannot help it, and some of them work with language models: only what nobody
# in the room would say counts as a failure.
_UNABLE = r"(?:can't|cannot|can not|won't|not able to|unable to)"
_WORDS = {
    "a model speaks of itself": re.compile(
        r"\bas an? (?:AI|artificial intelligence)"
        r"(?: (?:language )?(?:model|assistant|chat ?bot|therapist|system)\b|(?=\s*[,.;:!?—–-]|\s+I\b|$))"
        r"|\bas a (?:large )?language model\b"
        r"|\bI(?:'m| am) (?:just |only )?an? (?:large |virtual |AI )*(?:language model|assistant program)\b"
        r"|\bI(?:'m| am) (?:just |only )?an (?:AI|artificial intelligence)\b"
        r"(?! (?!(?:and|but|so|that|which|here|designed|trained|created|model|assistant)\b)\w)"
        r"|\bmy (?:training data|knowledge cut-?off)\b"
        r"|\b(?:trained|developed|created) by (?:OpenAI|Anthropic|Google DeepMind|Meta AI|Mistral AI)\b",
        re.IGNORECASE,
    ),
    "a refusal": re.compile(
        rf"\bI(?:'m| am) (?:very |so |really )?(?:sorry|afraid),?(?: but)? (?:that )?I(?:'m| am)? {_UNABLE} "
        r"(?:assist|comply|fulfil+|generate|provide|(?:help|continue)(?: you)? with (?:that|this) "
        r"(?:request|task|conversation|role-?play|scenario))\b"
        rf"|\bI(?:'m| am)? ?{_UNABLE} (?:assist(?: you)? with|comply with|fulfil+) (?:that|this|your|the)\b"
        r"|\bagainst my (?:guidelines|programming)\b"
        r"|\b(?:against|violates?) (?:my|our|the) (?:content|usage|use) polic(?:y|ies)\b",
        re.IGNORECASE,
    ),
    "a remark on the task": re.compile(
        r"^\W*(?:sure|certainly|of course|absolutely)[,.!]+ here(?:'s| is) (?:an?|the|your|my) (?:\w+ ){0,5}"
        r"(?:dialogue|screenplay|script|conversation|transcript|rewrite|response|reply|continuation)\b"
        r"|^\W*here(?:'s| is) (?:an?|the|your|my) (?:\w+ ){0,3}"
        r"(?:dialogue|screenplay|script|transcript|rewrite|continuation)\b[^.?!]{0,80}:"
        r"|[(*]\s{0,3}note:",
        re.IGNORECASE,
    ),
}
# A bracket in the text was taken for a stage direction by the parser, so these are looked for in both.
_WORDS_AND_DIRECTIONS = {
    "a speaker's label inside an utterance": re.compile(
        r"\b(?:Therapist|Counsell?or|Client|Patient|Assistant|Human|User|System)\s{0,3}[:：]"
    ),
    "a cut-off speaker's label": re.compile(r"(?:^|[.!?…\"”]\s)\*{0,2}(?:Therapist|Client)\*{0,2}$"),
    "a token of a model's template": re.compile(
        r"<\|[^|<>]{0,40}\|>|</?(?:s|bos|eos|pad|unk|think|image|im_start|im_end|end_of_turn|start_of_turn)>"
        r"|\[/?INST\]|<</?SYS>>|^/?INST$",
        re.IGNORECASE,
    ),
    "an unfilled slot": re.compile(
        r"\{\{?\s{0,3}\w[\w ]{0,40}\}|<(?:name|client|insert)[^<>]{0,40}>"
        r"|^(?:insert\b.{0,60}|(?:your|client'?s?|therapist'?s?) name|name)$",
        re.IGNORECASE,
    ),
    "markup": re.compile(
        r"```|^#{1,6} |</?(?:p|br|div|span|b|i|em|strong|ul|li|h[1-6])\s{0,3}/?>"
        r"|&(?:nbsp|amp|quot|lt|gt|#\d{1,6});|\\[nrt](?![a-z])|\\u[0-9a-f]{4}|\*\*\w"
        r"|\"(?:speaker|statement|content|role|utterance)\"\s{0,3}:",
        re.IGNORECASE,
    ),
    "broken characters": re.compile(r"\ufffd|â€|Ã[©¨¤¶¼±]"),
}
_SILENCE = frozenset(".…-–—!?")


def find_failure(line: Line) -> Failure | None:
    """Returns the first sign of a failed response in a line, or None."""
    if not line.words and not line.directions:
        return Failure("an empty utterance without a stage direction", "")
    words = line.words.replace("’", "'")
    for kind, pattern in _WORDS.items():
        if found := pattern.search(words):
            return Failure(kind, found[0].strip())
    for text in (words, *line.directions):
        for kind, pattern in _WORDS_AND_DIRECTIONS.items():
            if found := pattern.search(text):
                return Failure(kind, found[0].strip())
    if words and not any(char.isalnum() or char in _SILENCE for char in words):
        return Failure("an utterance without a word", words)
    return None
