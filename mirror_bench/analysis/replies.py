"""How many replies of a candidate and its clients were cut, kept back or empty: words never heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mirror_bench.schema import Record, Session, Speaker


class ReplyCounts(NamedTuple):
    """How many of one speaker's replies in a session were cut, broken off or empty.

    Attributes:
        turns: In all.
        told: Those of which it is recorded why they ended.
        cut: Of these, cut at the limit of tokens.
        withheld: Of these, broken off by a content filter or a call of a tool.
        empty: Without a word.
    """

    turns: int = 0
    told: int = 0
    cut: int = 0
    withheld: int = 0
    empty: int = 0

    def __add__(self, other: object) -> ReplyCounts:
        """Returns both together."""
        if not isinstance(other, ReplyCounts):
            return NotImplemented
        return ReplyCounts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class ReplyShares(Record):
    """The replies of a candidate, or of the clients that it met, over all face conditions.

    Attributes:
        speaker: Whose replies.
        turns, told, cut, withheld, empty: See `ReplyCounts`.
    """

    therapist: str
    method: str = ""
    speaker: Speaker
    turns: int
    told: int = 0
    cut: int = 0
    withheld: int = 0
    empty: int = 0

    @property
    def in_words(self) -> str:
        """One sentence: the shares of what was cut and empty."""
        parts = [f"{self.empty} without a word ({_share(self.empty, self.turns)})"]
        if self.told:
            parts.insert(0, f"{self.cut} cut at the limit of tokens ({_share(self.cut, self.told)})")
        if self.withheld:
            parts.append(
                f"{self.withheld} broken off by a filter or a tool ({_share(self.withheld, self.told)})"
            )
        return f"of {self.turns} {self.speaker} turns, {', '.join(parts)}"

    @property
    def short(self) -> bool:
        """Whether any is cut, broken off or empty."""
        return self.cut + self.withheld + self.empty > 0


def count_replies(session: Session) -> Mapping[Speaker, ReplyCounts]:
    """Returns the replies of a session by speaker."""
    found: dict[Speaker, ReplyCounts] = {}
    for turn in session.turns:
        shown = turn.speaker is Speaker.CLIENT and bool(turn.direction)
        one = ReplyCounts(
            turns=1,
            told=bool(turn.finish),
            cut=turn.finish == "length",
            withheld=turn.finish in {"content_filter", "tool_calls"},
            empty=not turn.words.strip() and not shown,
        )
        found[turn.speaker] = found.get(turn.speaker, ReplyCounts()) + one
    return found


def measure_replies(
    counted: Iterable[tuple[tuple[str, str], Mapping[Speaker, ReplyCounts]]],
) -> tuple[ReplyShares, ...]:
    """Returns the replies of each candidate, and of its clients where a model played them.

    Args:
        counted: Therapist and method, and the replies of one session.
    """
    sums: dict[tuple[str, str, Speaker], ReplyCounts] = {}
    for (therapist, method), counts in counted:
        for speaker, one in counts.items():
            key = (therapist, method, speaker)
            sums[key] = sums.get(key, ReplyCounts()) + one
    order: Sequence[Speaker] = (Speaker.THERAPIST, Speaker.CLIENT)
    keys = sorted(sums, key=lambda key: (key[0], key[1], order.index(key[2])))
    return tuple(
        ReplyShares(
            therapist=therapist, method=method, speaker=speaker, **sums[therapist, method, speaker]._asdict()
        )
        for therapist, method, speaker in keys
        if speaker is Speaker.THERAPIST or sums[therapist, method, speaker].told
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"
