"""Short, safe names for what model providers, clients and judges wrote at any length."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from mirror_bench.analysis.session_outcomes import CandidateKey
from mirror_bench.schema import FaceCondition

CONDITION_NAMES = {
    FaceCondition.MATCHED: "own face",
    FaceCondition.NONE: "no face",
    FaceCondition.NEUTRAL: "neutral face",
    FaceCondition.SHUFFLED: "shuffled face",
    FaceCondition.INCONGRUENT: "incongruent face",
}

# C0 and C1 controls but newline and tab; bidirectional overrides, which could reorder the words around them;
# and lone surrogates, which no file can hold.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def tidy(text: str, longest: int = 4000) -> str:
    """Returns `text` without invisible controls, and cut, saying so, after `longest` characters."""
    cut = text[:longest].replace("\r\n", "\n").replace("\r", "\n")
    more = f" … ({len(text) - longest:,} more characters)" if len(text) > longest else ""
    return _UNSAFE.sub("\ufffd", cut) + more


def short(text: str, longest: int = 30) -> str:
    """Returns `text` as one line of at most `longest` characters, cut in the middle with an ellipsis."""
    line = " ".join(tidy(text, 10_000).split())
    if len(line) <= longest:
        return line
    head = (longest - 1) // 2
    return f"{line[:head]}…{line[-(longest - 1 - head) :]}"


def candidate_label(therapist: str, method: str = "", longest: int = 30) -> str:
    """Returns the last part of a model's name, and its method: "Qwen2.5-VL-7B-Instruct · p+ec"."""
    head, _, options = therapist.partition("?")
    name = re.search(r"(?:^|[&?])(?:served_)?name=([^&]+)", options)
    label = name[1] if name else head.rstrip("/").rpartition("/")[2] or therapist
    return short(label, longest) + (f" · {short(method, 12)}" if method else "")


def entry_labels(keys: Iterable[CandidateKey], longest: int = 30) -> dict[CandidateKey, str]:
    """Returns a distinct label per entry; the face condition is named where there is more than one."""
    keys = tuple(keys)
    several = len({key.condition for key in keys}) > 1
    labels: dict[CandidateKey, str] = {}
    for key in keys:
        tail = f" ({CONDITION_NAMES[key.condition]})" if several else ""
        labels[key] = candidate_label(key.therapist, key.method, longest) + tail
    counts = Counter(labels.values())
    seen: Counter[str] = Counter()
    for key, label in labels.items():
        if counts[label] > 1:
            seen[label] += 1
            labels[key] = f"{label} [{seen[label]}]"
    return labels
