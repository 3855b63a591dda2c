"""What the reference's eyes tell apart, and the words for it: `templates/looks.yaml`."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from baselines.architecture import TEMPLATES
from mirror_bench.content import read_yaml
from mirror_bench.errors import InputError
from mirror_bench.faces.facs.expressions import EXPRESSIONS

PATH = TEMPLATES / "looks.yaml"


@dataclass(frozen=True)
class Look:
    """One named expression, with its caption and the words that stand for it.

    Attributes:
        name: Its name in `EXPRESSIONS`.
        caption: What a caption says of it, the feeling first.
        words: What its image tokens are drawn to, one word a token.
    """

    name: str
    caption: str
    words: tuple[str, ...]

    @property
    def of(self) -> tuple[str, ...]:
        """The expressions that count as it, as `faceset.sitters` asks."""
        return (self.name,)

    @property
    def head(self) -> str:
        """The caption's words before the first comma, by which it is told from the others."""
        return self.caption.partition(",")[0]


@functools.cache
def load_looks() -> tuple[Look, ...]:
    """Returns the looks, in the order of their file.

    Raises:
        InputError: If one is no named expression, or lacks its caption or its words.
    """
    looks = []
    for name, entry in read_yaml(PATH).items():
        if name not in EXPRESSIONS:
            raise InputError(f"{PATH}: no expression is named {name!r}: known are {', '.join(EXPRESSIONS)}")
        if not isinstance(entry, dict) or set(entry) != {"caption", "words"}:
            raise InputError(f"{PATH}: {name}: needs a caption and words")
        looks.append(Look(str(name), str(entry["caption"]), tuple(map(str, entry["words"]))))
    return tuple(looks)


def look_of(label: str) -> Look:
    """Returns the look of an expression's label; that of a face at rest for any that is not known."""
    looks = {look.name: look for look in load_looks()}
    return looks.get(label, looks["neutral"])
