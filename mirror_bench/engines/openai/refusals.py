"""Reads why a chat server refused a request: its own words, and what kind of refusal it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mirror_bench.engines.openai.waiting import named_wait
from mirror_bench.keys import redact
from mirror_bench.text import one_line as printable_line

LONGEST = 300
"""Of what a server says, so many characters stand in a message."""
_READ = 20_000
"""Characters of a server's words that are read at all."""
# Statuses after which the same request may be asked again; 5xx beside them.
_PASSING = frozenset({408, 409, 425, 429})
_NO_MONEY = re.compile(
    r"insufficient[_ ](?:quota|credit|funds|balance)|billing|check your plan|out of credits?|"
    r"payment required|quota is spent",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum context|max_model_len|too many (?:input |total )?tokens|"
    r"(?:prompt|context|input|request|messages?|payload|entity)\b.{0,40}\btoo (?:long|large)|"
    r"reduce the length|"
    r"(?:maximum|max) (?:input|prompt|sequence|allowed (?:input|prompt))[ _](?:length|tokens)|"
    r"exceeds? .{0,40}tokens|"
    r"string_above_max_length",
    re.IGNORECASE,
)
_FILTERED = re.compile(
    r"content[ _-]?(?:filter|polic|management|moderation|violation)|moderation|\bflagged\b|"
    r"safety (?:system|filter|polic|check)|"
    r"responsible ?ai|usage polic|policy violation|prohibited[ _]content|inappropriate|data.?inspection|"
    r"sensitive (?:content|word)|"
    r"\binvalid_prompt\b|was (?:blocked|filtered)",
    re.IGNORECASE,
)
_NO_IMAGES = re.compile(
    r"(?:does|do|is|are|can|could|was)(?: ?n[o']t)\b[^.;]{0,60}\b(?:images?|vision|multi-?modal|visual|"
    r"image_url)\b|"
    r"no endpoints? (?:found )?that support image|text[- ]only|only (?:accepts?|supports?|takes?) text|"
    r"\bimages?(?: ?inputs?| ?urls?|_url)? (?:is|are) (?:not|un)|unknown variant .?image_url|"
    r"(?:image|vision|multi-?modal)[^.;]{0,40}\b(?:not (?:supported|allowed|enabled|available)|"
    r"unsupported|disabled)",
    re.IGNORECASE,
)


class Refusal(NamedTuple):
    """A server's error answer, sorted by what can be done about it.

    Attributes:
        status: HTTP status, or the one that an answer with status 200 holds.
        words: What the server says, in one line, without keys.
        param: The field of the request that it names, if it does.
        code: Its own code for the error.
        headers: Of its answer, names in lower case.
    """

    status: int
    words: str
    param: str = ""
    code: str = ""
    headers: Mapping[str, str] = {}

    @property
    def passes(self) -> bool:
        """Whether the same request may be answered later."""
        if self.no_money or self.headers.get("x-should-retry") == "false":
            return False
        return self.status in _PASSING or self.status >= 500

    @property
    def no_money(self) -> bool:
        """Whether the account cannot pay, which waiting does not change."""
        if self.status == 402 or (self.status in {403, 429} and _NO_MONEY.search(self.code)):
            return True
        # Some speak of the plan at every limit, and name the seconds after which it is over.
        said = self.status in {403, 429} and _NO_MONEY.search(self.words) is not None
        return said and named_wait(self.headers, self.words) is None

    @property
    def of_key(self) -> bool:
        """Whether the key is refused rather than what is asked."""
        return self.status == 401 or (self.status == 403 and not self.of_content)

    @property
    def of_length(self) -> bool:
        """Whether this request, or the answer that it wants, is too long."""
        return self.status == 413 or _TOO_LONG.search(f"{self.code} {self.words}") is not None

    @property
    def of_content(self) -> bool:
        """Whether it is what this one request says that is refused."""
        said = f"{self.code} {self.words}"
        return _FILTERED.search(said) is not None

    @property
    def of_images(self) -> bool:
        """Whether images are refused altogether."""
        return not self.of_content and _NO_IMAGES.search(self.words) is not None


def read_refusal(status: int, body: object, headers: Mapping[str, str], keys: Iterable[str] = ()) -> Refusal:
    """Returns a server's error answer as a refusal: status, words and code.

    Args:
        status: HTTP status.
        body: Its answer, read as JSON where it is JSON.
        headers: Of its answer.
        keys: Those that were sent, to be kept out of the words.
    """
    error = body.get("error", body) if isinstance(body, Mapping) else body
    fields: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
    code, param = fields.get("code"), fields.get("param")
    return Refusal(
        status=status,
        words=one_line(_message(error), keys) or f"HTTP {status}, and no word why",
        param=str(param or ""),
        code=" ".join(str(part) for part in (code, fields.get("type")) if part),
        headers={str(name).lower(): str(value) for name, value in headers.items()},
    )


def one_line(text: str, keys: Iterable[str] = (), longest: int = LONGEST) -> str:
    """Returns text from a server as one bounded line without keys, tags of a page or control characters."""
    if re.search(r"<(?:!doctype|html|head|body)\b", text, re.IGNORECASE):
        text = re.sub(r"(?s)<(script|style)\b.*?</\1>|<[^<>]*>", " ", text)
    return redact(printable_line(text[:_READ], _READ), keys)[:longest]


def _message(error: object) -> str:
    if isinstance(error, Mapping):
        said = [
            _message(error[name])
            for name in ("message", "detail", "msg", "error", "errors")
            if error.get(name)
        ]
        metadata = error.get("metadata")
        if isinstance(metadata, Mapping) and metadata.get(
            "raw"
        ):  # a go-between, with the words of the server behind
            said.append(_message(metadata["raw"]))
        where = error.get("loc")
        if said and isinstance(where, list | tuple):
            said.insert(0, ".".join(str(part) for part in where) + ":")
        return " ".join(said) if said else json.dumps(error, ensure_ascii=False, default=str)
    if isinstance(error, list | tuple):
        return "; ".join(_message(part) for part in error[:5])
    return "" if error is None else str(error)
