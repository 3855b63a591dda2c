"""Whether the models that play the client and that judge are fit for it: else scores mean nothing."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field, ValidationError

from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.schema import Rating, Record, Session, SessionKey, Speaker

OFFLINE_CLIENTS = frozenset({"stateful", "replay"})
OFFLINE_RATERS = frozenset({"coded"})
NOT_FIT = "scores mean nothing"

Share = Annotated[float, Field(ge=0, le=1)]
_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"[.!?…\n]+")
_SECOND_PERSON = re.compile(r"\b(?:you|your|yours|yourself|you're|you've|you'd|you'll)\b")
_FIRST_PERSON = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|me|my|mine|myself)\b")
_ABOUT_OTHERS = 6
"""Words from which a turn that speaks of "you" alone tells something."""
_FEWEST_WORDS = 4
"""A shorter sentence ("I don't know.") may well be said twice."""


class ClientLimits(Record):
    """The limits beyond which a model is not fit to play the client; see `tasks/fitness.yaml`."""

    fewest_turns: int
    undirected: Share
    repeated: Share
    out_of_role: Share
    silent: Share


class JudgeLimits(Record):
    """The limits beyond which a model is not fit to judge; see `tasks/fitness.yaml`."""

    fewest_ratings: int
    unusable: Share
    same: Share


class Limits(Record):
    """The content of `tasks/fitness.yaml`: limits for clients and judges, and words that leave the role."""

    client: ClientLimits
    judge: JudgeLimits
    out_of_role: tuple[str, ...]


@functools.cache
def load_limits() -> Limits:
    """Returns the limits of fitness that the package ships.

    Raises:
        InputError: If the file is malformed.
    """
    path = content_path("fitness.yaml")
    try:
        return Limits.model_validate(read_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}") from None


class ClientTalk(NamedTuple):
    """How a client spoke: counts of turns, of one session or of many.

    Attributes:
        turns: All of them.
        undirected: Without a stage direction, so that the face was neutral.
        repeated: Which say again what the client said before in the session.
        out_of_role: In which the client speaks as a therapist or an assistant, or echoes the therapist.
        silent: Without words.
    """

    turns: int = 0
    undirected: int = 0
    repeated: int = 0
    out_of_role: int = 0
    silent: int = 0


def hear_client(session: Session) -> ClientTalk | None:
    """Returns how a session's client spoke; None for the packaged clients, which need no such check."""
    if session.client in OFFLINE_CLIENTS:
        return None
    counts: Counter[str] = Counter()
    said: set[str] = set()
    heard = ""
    for turn in session.turns:
        if turn.speaker is not Speaker.CLIENT:
            heard = _plain(turn.words)
            continue
        sentences = [plain for part in _SENTENCE.split(turn.words) if (plain := _plain(part))]
        telling = [sentence for sentence in sentences if len(sentence.split()) >= _FEWEST_WORDS]
        again = sum(sentence in said for sentence in telling)
        counts["turns"] += 1
        counts["undirected"] += not turn.direction
        counts["silent"] += not sentences
        counts["repeated"] += bool(telling) and again >= 0.8 * len(telling)
        counts["out_of_role"] += bool(telling) and (_plain(turn.words) == heard or is_out_of_role(turn.words))
        said.update(telling)
    return ClientTalk(**counts)


def is_out_of_role(words: str) -> bool:
    """Tells whether words are a therapist's or an assistant's rather than a client's.

    They are where they hold a phrase of `tasks/fitness.yaml`, or are all about "you" and nothing about "I".
    """
    text = words[:4_000].lower().replace("’", "'")
    if _out_of_role().search(text):
        return True
    long_enough = len(text.split()) >= _ABOUT_OTHERS
    return long_enough and len(_SECOND_PERSON.findall(text)) >= 2 and not _FIRST_PERSON.search(text)


@functools.cache
def _out_of_role() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(f'(?:{pattern})' for pattern in load_limits().out_of_role)})")


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


class ClientFitness(Record):
    """How a model played the client of one candidate's sessions.

    Attributes:
        turns: The client's turns; the others are shares of them, as in `ClientTalk`.
        findings: What lies beyond a limit, in words; empty for a fit client.
    """

    therapist: str
    method: str = ""
    client: str
    turns: int
    undirected: Share
    repeated: Share
    out_of_role: Share
    silent: Share
    findings: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """One line for reports."""
        if self.findings:
            return f"this client is not fit: {NOT_FIT}: {self.client} {'; '.join(self.findings)}"
        shares = (
            f"{self.undirected:.0%} without a stage direction, {self.repeated:.0%} repeated, "
            f"{self.out_of_role:.0%} out of role, {self.silent:.0%} silent"
        )
        return f"client {self.client}: of {self.turns} turns {shares}"


def judge_client(
    therapist: str, method: str, client: str, talks: Iterable[ClientTalk]
) -> ClientFitness | None:
    """Returns how fit a client was over several sessions; None where it never spoke."""
    total = ClientTalk(*map(sum, zip(*talks, strict=True)))
    if not total.turns:
        return None
    limits = load_limits().client
    shares = {name: count / total.turns for name, count in total._asdict().items() if name != "turns"}
    told = {
        "undirected": "gives no stage direction",
        "repeated": "says again what it said before",
        "out_of_role": "speaks as a therapist",
        "silent": "says nothing",
    }
    findings = [
        f"{told[name]} in {share:.0%} of its turns (limit {getattr(limits, name):.0%})"
        for name, share in shares.items()
        if share > getattr(limits, name) and total.turns >= limits.fewest_turns
    ]
    rounded = {name: round(share, 6) for name, share in shares.items()}
    return ClientFitness(
        therapist=therapist,
        method=method,
        client=client,
        turns=total.turns,
        findings=tuple(findings),
        **rounded,
    )


class RatingNote(NamedTuple):
    """The part of one rating that tells whether its rater is fit: scores, and items left without one.

    Attributes:
        scores: Of the items that have one, on the instrument's own scale.
        unusable: Items that apply and were answered without a usable score.
        lost: Items that could not be asked.
        applies: Whether any item applies to the session.
        reason: Why items have no score, the commonest.
        edition: What the rating stands on beside session and instrument.
    """

    scores: tuple[float, ...]
    unusable: int
    lost: int
    applies: bool
    reason: str
    edition: str = ""


def note_rating(rating: Rating) -> RatingNote:
    """Returns the part of a rating that tells whether its rater is fit."""
    missing = [item for item in rating.items.values() if item.score is None and item.applies]
    lost = [item for item in missing if item.lost]
    reasons = Counter(item.reason or "no reason given" for item in lost or missing)
    why = min(reasons.items(), key=_rank)[0] if reasons else ""
    return RatingNote(
        scores=tuple(item.score for item in rating.items.values() if item.score is not None),
        unusable=len(missing) - len(lost),
        lost=len(lost),
        applies=any(item.applies for item in rating.items.values()),
        reason=why[:200],
        edition=rating.rater_edition,
    )


class RaterFitness(Record):
    """How one rater filled in one instrument for one candidate's sessions.

    Attributes:
        due: Sessions to rate: all that were held.
        scored: Sessions with a score of at least one item; or none of whose items applies.
        missing: Sessions without: never rated, or no item has a score.
        lost: Sessions among these that could not be asked, as in an outage.
        unusable: Share of the answers that could not be used.
        same: Share of the scores that are the commonest number; None below the fewest ratings.
        reasons: Why sessions are missing -> how many, the commonest first.
        findings: What lies beyond a limit, in words; empty for a fit rater.
    """

    therapist: str
    method: str = ""
    rater: str
    instrument: str
    due: int
    scored: int
    missing: int
    lost: int = 0
    unusable: Share = 0.0
    same: Share | None = None
    reasons: Mapping[str, int] = {}
    findings: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """One line for reports: what is missing, or why the rater is not fit."""
        if self.findings:
            told = "; ".join(self.findings)
            return f"this judge is not fit: {NOT_FIT}: {self.rater} on {self.instrument}: {told}"
        why = "; ".join(f"{count} × {reason}" for reason, count in list(self.reasons.items())[:2])
        tail = f" ({why})" if why else ""
        return f"{self.rater}: {self.instrument} {self.scored} of {self.due} sessions scored{tail}"


def judge_raters(
    therapist: str,
    method: str,
    held: Sequence[SessionKey],
    notes: Mapping[tuple[SessionKey, str, str], RatingNote],
    owed: Sequence[tuple[str, str]],
) -> list[RaterFitness]:
    """Returns how every rater filled in every instrument.

    Args:
        therapist: The candidate.
        method: How it was prompted.
        held: Its sessions that did not fail.
        notes: (session, rater, instrument) -> the rating.
        owed: (rater, instrument) that the protocol owes, whether or not there is any rating of it.
    """
    mine = set(held)
    met = [(rater, form) for session, rater, form in notes if session in mine]
    return [
        _judge_rater(therapist, method, rater, form, [notes.get((one, rater, form)) for one in held])
        for rater, form in sorted({*owed, *met})
    ]


def _rank(reason: tuple[str, int]) -> tuple[int, str]:
    """Sorts reasons by how many they are, then by name, in whatever order they were met."""
    return -reason[1], reason[0]


def _judge_rater(
    therapist: str, method: str, rater: str, form: str, notes: Sequence[RatingNote | None]
) -> RaterFitness:
    made = [note for note in notes if note is not None]
    missing = [note for note in made if note.applies and not note.scores]
    reasons = Counter(note.reason for note in missing)
    reasons["not rated"] += len(notes) - len(made)
    scores = [score for note in made for score in note.scores]
    answers = len(scores) + sum(note.unusable for note in made)
    unusable = sum(note.unusable for note in made) / answers if answers else 0.0
    limits = load_limits().judge
    enough = sum(bool(note.scores) for note in made) >= limits.fewest_ratings
    same = Counter(scores).most_common(1)[0][1] / len(scores) if scores and enough else None
    findings = []
    if rater not in OFFLINE_RATERS:
        if unusable > limits.unusable:
            findings.append(f"{unusable:.0%} of its answers cannot be used (limit {limits.unusable:.0%})")
        if same is not None and same > limits.same:
            number = Counter(scores).most_common(1)[0][0]
            findings.append(f"{same:.0%} of its scores are {number:g} (limit {limits.same:.0%})")
    return RaterFitness(
        therapist=therapist,
        method=method,
        rater=rater,
        instrument=form,
        due=len(notes),
        scored=len(made) - len(missing),
        missing=len(notes) - len(made) + len(missing),
        lost=sum(bool(note.lost) for note in missing),
        unusable=round(unusable, 6),
        same=None if same is None else round(same, 6),
        reasons={reason: count for reason, count in sorted(reasons.items(), key=_rank)[:5] if count},
        findings=tuple(findings),
    )
