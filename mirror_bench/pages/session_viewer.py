"""One session as a page shows it: turns with faces, the client's state, and ratings with their evidence."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mirror_bench.analysis.display_names import CONDITION_NAMES, candidate_label
from mirror_bench.analysis.overview.telling_sessions import TellingSession
from mirror_bench.pages.charts import Spark, spark
from mirror_bench.schema import Ending, FaceCondition, ItemRating, Rating, Resistance, Session, Speaker, Turn

Faces = Callable[[str], bytes | None]
"""SHA-256 of a face -> its PNG, or None where it was not kept."""

PNG = b"\x89PNG\r\n\x1a\n"
LARGEST_FACE = 2_000_000  # Bytes: a page holds dozens of faces.
ENDINGS = {
    Ending.RESOLVED: "resolved",
    Ending.CLIENT_LEFT: "client left",
    Ending.TURN_LIMIT: "turn limit reached",
    Ending.SCRIPT_END: "script ended",
    Ending.IMPORTED: "held elsewhere",
    Ending.FAILED: "failed",
}


class TurnView(NamedTuple):
    """One turn of a session as the page shows it.

    Attributes:
        number: From 1.
        anchor: Fragment of the page.
        face: Data address of the face that was shown, or empty.
        face_note: What there is to say about the face in words, which is also the image's alternative text.
    """

    number: int
    anchor: str
    turn: Turn
    client: bool
    face: str
    face_note: str


class EvidenceQuote(NamedTuple):
    """A quote that supports a rating, with a link to its turn where there is one."""

    text: str
    anchor: str = ""


class ItemView(NamedTuple):
    """One rated item as the page shows it: score, reason and evidence."""

    name: str
    item: ItemRating
    evidence: tuple[EvidenceQuote, ...]


class RatingView(NamedTuple):
    """One rating as the page shows it, item by item."""

    rating: Rating
    items: tuple[ItemView, ...]


@dataclass(frozen=True)
class SessionView:
    """One session as the page shows it: turns, ratings, and why it was chosen.

    Attributes:
        why: Why it was chosen; empty where it is an example.
        told: What was found there.
        telling_turn: Anchor of the turn that shows it; empty where no single one does.
    """

    anchor: str
    session: Session
    label: str
    condition: str
    ending: str
    turns: tuple[TurnView, ...]
    sparks: tuple[Spark, ...]
    ratings: tuple[RatingView, ...]
    why: str = ""
    told: str = ""
    telling_turn: str = ""


def choose_sessions(sessions: Iterable[Session], count: int = 3) -> tuple[Session, ...]:
    """Returns up to `count` sessions that differ in ending, resistance and face condition, streamed.

    Sessions with the client's own face come first, and among them one that the client left, one that was
    resolved and one that ran to its limit, as far as there are such.
    """
    best: dict[tuple[Ending, Resistance, FaceCondition], Session] = {}
    for session in sessions:
        if session.ended is not Ending.FAILED:
            best.setdefault((session.ended, session.resistance, session.condition), session)
    chosen: list[Session] = []
    while best and len(chosen) < count:
        key = min(best, key=lambda key: _staleness(best[key], chosen))
        chosen.append(best.pop(key))
    return tuple(chosen)


def view_session(
    anchor: str,
    session: Session,
    ratings: Iterable[Rating],
    faces: Faces,
    telling: TellingSession | None = None,
) -> SessionView:
    """Returns a session with its ratings as the page shows it.

    Args:
        anchor: Fragment of the session; its turns' are derived from it.
        session: The session, held or failed.
        ratings: Any; those of other sessions are left out.
        faces: Looks faces up.
        telling: Why the session was chosen.
    """
    turns = view_turns(anchor, session, faces)
    turn = telling.turn if telling else None
    return SessionView(
        anchor=anchor,
        session=session,
        label=candidate_label(session.therapist, session.method, 40),
        condition=CONDITION_NAMES[session.condition],
        ending=ENDINGS[session.ended],
        turns=turns,
        sparks=_sparks(session.turns),
        ratings=tuple(_view_rating(rating, turns) for rating in ratings if rating.session_key == session.key),
        why=telling.why if telling else "",
        told=telling.told if telling else "",
        telling_turn=turns[turn - 1].anchor if turn and turn <= len(turns) else "",
    )


def view_turns(anchor: str, session: Session, faces: Faces) -> tuple[TurnView, ...]:
    """Returns what a page shows of a session's turns; arguments as for `view_session`."""
    return tuple(
        _view_turn(f"{anchor}-t{number}", number, turn, faces) for number, turn in enumerate(session.turns, 1)
    )


def _staleness(session: Session, chosen: Sequence[Session]) -> tuple[bool, int, int, int]:
    order = (Ending.CLIENT_LEFT, Ending.RESOLVED, Ending.TURN_LIMIT, Ending.SCRIPT_END, Ending.IMPORTED)
    return (
        session.condition is not FaceCondition.MATCHED,
        sum(session.ended is other.ended for other in chosen),
        sum(session.resistance is other.resistance for other in chosen),
        order.index(session.ended),
    )


def _view_turn(anchor: str, number: int, turn: Turn, faces: Faces) -> TurnView:
    client = turn.speaker is Speaker.CLIENT
    face, note = _face(turn, faces) if client else ("", "")
    return TurnView(number, anchor, turn, client, face, note)


def _face(turn: Turn, faces: Faces) -> tuple[str, str]:
    own = turn.expression.label.replace("_", " ") if turn.expression else ""
    if not turn.face:
        return "", "No face was shown."
    shown = turn.shown.replace("_", " ") or own or "unknown"
    note = f"Shown to the therapist: {shown}"
    if own and own != shown:
        note += f"; the client's own face: {own}"
    png = faces(turn.face)
    if png is None or not png.startswith(PNG) or len(png) > LARGEST_FACE:
        return "", f"{note} (image not kept)."
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii"), f"{note}."


def _sparks(turns: Sequence[Turn]) -> tuple[Spark, ...]:
    states = [turn.state for turn in turns if turn.speaker is Speaker.CLIENT]
    names = dict.fromkeys(name for state in states for name in state)
    drawn = (spark(name, [state[name] for state in states if name in state]) for name in names)
    return tuple(spark for spark in drawn if spark is not None)


def _view_rating(rating: Rating, turns: Sequence[TurnView]) -> RatingView:
    return RatingView(
        rating,
        tuple(
            ItemView(name, item, tuple(_evidence(quote, turns) for quote in item.evidence))
            for name, item in rating.items.items()
        ),
    )


def _evidence(quote: int | str, turns: Sequence[TurnView]) -> EvidenceQuote:
    if isinstance(quote, str):
        return EvidenceQuote(f"“{quote}”")
    if 0 <= quote < len(turns):
        return EvidenceQuote(f"turn {quote + 1}", turns[quote].anchor)
    return EvidenceQuote(f"turn {quote + 1}, which the session does not have")
