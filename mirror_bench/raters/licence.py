"""A judge's licence: what a rater could tell apart in the examination, kept by what it stands on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from mirror_bench.content import tasks_root
from mirror_bench.errors import InputError
from mirror_bench.files import write_atomically
from mirror_bench.raters.names import RETEST
from mirror_bench.schema import Record, Score

WITHOUT = "judge without licence"
PLACE = "MIRROR_BENCH_LICENCES"
"""Environment variable: the folder in which licences are kept; default: in the user's cache."""

_ABOUT = "This is about the rater, not about the model: docs/licence.md"
_LACKS = {
    "misread_face": "orders {} pairs with a misread face rightly",
    "ignored_crisis": "orders {} pairs with an ignored crisis rightly",
    "advice": "orders {} pairs with pressed advice rightly",
    "flattery": "orders {} pairs with flattery rightly",
    "added_length": "pays nothing for added length in {} pairs",
    "injection": "pays nothing for an injection in {} pairs",
}
"""Kind of pair -> what a judge that does not pass it is told to do too seldom, with how often."""


class KindResult(Record):
    """How many pairs of one kind of the examination a judge put in the right order.

    Attributes:
        kind: Such as "misread_face".
        pairs: Pairs of which both sessions were rated, of `due`.
        right: Pairs in which the better session got more; for added length and injection, in which what was
            added earned nothing.
        tied: Pairs in which both got the same; these count as right where nothing may be earned.
        share: Share of pairs in the right order, with interval over dialogues.
        gain: Mean difference, better less worse, as a share of the scale.
        passed: Whether that is enough.
    """

    kind: str
    due: int
    pairs: int
    right: int
    tied: int
    share: Score | None = None
    gain: float | None = None
    passed: bool = False


class Licence(Record):
    """The result of a judge's examination: what it can tell apart, and why it is refused where it is.

    Attributes:
        examination: Digest of the examination's content and code.
        rater: Its name in ratings.
        edition: What its ratings stand on: version, settings, prompts.
        sessions: Sessions rated, of `due`.
        kinds: Per kind of pair.
        length_slope: Points (share of the scale) that the padded session gets more, per log of words.
        injections_obeyed: Sessions whose injected text raised the score, of `injections`.
        retest: Pearson's correlation with itself, asked anew under other seeds and anchors from the other
            end; None where scores do not vary or nothing was asked twice.
        apart: Mean absolute distance of the two, as a share of the scale.
        falling: Mean score where anchors were listed from the top, less that where from the bottom, on the
            same sessions; None for a rater that reads no anchors.
        unusable: Share of items without a usable answer.
        asked: Requests to models; `tokens` what they generated.
        reasons: Why the licence is not granted; none where it is.
    """

    version: int = 1
    examination: str
    rater: str
    edition: str = ""
    sessions: int
    due: int
    kinds: tuple[KindResult, ...]
    length_slope: float | None = None
    injections_obeyed: int = 0
    injections: int = 0
    retest: float | None = None
    apart: float | None = None
    falling: float | None = None
    unusable: float = 0.0
    asked: int = 0
    tokens: int = 0
    reasons: tuple[str, ...] = ()

    @property
    def granted(self) -> bool:
        """Whether the judge passed the whole examination."""
        return not self.reasons

    @property
    def in_words(self) -> str:
        """One line for reports, which says of a licence refused that the rater is meant and not the model."""
        rest = ", ".join(
            f"{_spaced(one.kind)} {one.right} of {one.pairs}"
            for one in self.kinds
            if self.granted or one.passed or one.kind not in _LACKS
        )
        if self.granted:
            return f"rater {self.rater}: licensed judge: {rest}"
        tail = f" ({rest})" if rest else ""
        return f"rater {self.rater}: not licensed: {'; '.join(self._lacks())}{tail}. {_ABOUT}"

    def _lacks(self) -> list[str]:
        """Why the licence is not granted, in words of a sentence."""
        failed = {_spaced(one.kind): one for one in self.kinds if not one.passed and one.kind in _LACKS}
        told = [_LACKS[one.kind].format(f"{one.right} of {one.due}") for one in failed.values()]
        return told + [reason for reason in self.reasons if reason.partition(": ")[0] not in failed]


class JudgeStanding(Record):
    """A judge whose ratings count in a run, and its licence.

    Attributes:
        licence: Its licence, granted or not; None where it never took the examination as it is now.
    """

    rater: str
    licence: Licence | None = None

    @property
    def in_words(self) -> str:
        """One line for reports."""
        if self.licence is not None:
            return self.licence.in_words
        return (
            f"rater {self.rater}: {WITHOUT}: nobody has tried what it can tell apart (mirror-bench licence)"
        )


def _spaced(kind: str) -> str:
    return kind.replace("_", " ")


def licence_folder() -> Path:
    """Returns the folder in which licences are kept; it may be missing."""
    if named := os.environ.get(PLACE):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "mirror-bench" / "licences"


def licence_file(rater: str, edition: str) -> str:
    """Returns the file name of a licence: a digest of the rater and what it stands on."""
    return f"{hashlib.sha256(f'{rater} {edition}'.encode()).hexdigest()[:24]}.json"


def keep_licence(licence: Licence) -> Path:
    """Writes a licence to the user's folder and returns its path."""
    path = licence_folder() / licence_file(licence.rater, licence.edition)
    write_atomically(path, (licence.model_dump_json(indent=1) + "\n").encode())
    return path


def read_licence(path: Path) -> Licence:
    """Returns the licence of a file.

    Raises:
        InputError: If it cannot be read or is none.
    """
    try:
        return Licence.model_validate_json(path.read_bytes())
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
    except ValidationError:
        why = "is no licence of this version"
    raise InputError(f"{path}: {why}: remove it and take mirror-bench licence again")


def find_licence(rater: str, edition: str) -> Licence | None:
    """Returns the licence of a rater as it is now: kept by the user, or shipped; None without one."""
    name = licence_file(rater, edition)
    for folder in (licence_folder(), tasks_root() / "licence" / "held"):
        if (folder / name).is_file():
            found = read_licence(folder / name)
            if (found.rater, found.edition) == (rater, edition):
                return found
    return None


def standings(rated: Iterable[tuple[str, str]]) -> tuple[JudgeStanding, ...]:
    """Returns what is known of judges, given as (rater, edition); a retest has its judge's."""
    known = dict.fromkeys((rater.removesuffix(RETEST), edition) for rater, edition in rated)
    return tuple(JudgeStanding(rater=rater, licence=find_licence(rater, edition)) for rater, edition in known)
