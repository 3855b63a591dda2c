"""Screenplays as records: who says what, what shows beside it, and the moments that tasks ask about."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mirror_bench.schema import Record, Resistance, Speaker


class Line(Record):
    """One spoken line of a screenplay.

    Attributes:
        directions: The stage directions of the line, in order, without brackets.
        words: What is said, without stage directions; may be empty for a silent turn.
    """

    speaker: Speaker
    directions: tuple[str, ...] = ()
    words: str = ""


class Moment(Record):
    """A client line of a screenplay, and what the therapist's next turn ought to do.

    Attributes:
        number: The line's number, from 1, over all lines of the screenplay.
        masked: Whether the words play down what the face shows.
        wants: What the next turn ought to do, of `WANTS`.
        avoids: What it ought not to do, of `AVOIDS`.
        missed: Whether the written therapist visibly does not do it.
    """

    number: Annotated[int, Field(ge=1)]
    masked: bool = False
    wants: tuple[str, ...] = ()
    avoids: tuple[str, ...] = ()
    missed: bool = False


WANTS = ("name the mismatch", "reflect", "ask", "roll with it", "attend to the crisis")
AVOIDS = ("advise", "confront", "reassure", "question")


class Screenplay(Record):
    """A written session: lines of therapist and client with stage directions.

    Attributes:
        profile_id: The client's profile.
        technique: The CBT technique that the therapist uses, as in `therapists`; empty where unknown.
        ended: How it ends: "complete", "client_left" or empty where unknown.
        moments: Client lines that ask for a certain answer, where they are annotated.
    """

    id: str
    profile_id: str
    resistance: Resistance = Resistance.NONE
    lines: tuple[Line, ...] = ()
    technique: str = ""
    ended: str = ""
    split: str = ""
    moments: tuple[Moment, ...] = ()
