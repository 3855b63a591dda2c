"""Which faces are to be made: one for each client turn of a data set, or a bank of k for each expression."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mirror_bench.data.base import DataSet
from mirror_bench.errors import InputError
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.faces.facs.expressions import EXPRESSIONS, named
from mirror_bench.faces.identity import identity_of
from mirror_bench.making.faces.people import Reference, drawn_person, stand_in_for
from mirror_bench.schema import Expression, Speaker

_LONGEST_WORDS = 600


@dataclass(frozen=True)
class DueFace:
    """A face that is to be made: whose it is and what it shows.

    Attributes:
        id: Names its file, and decides its seeds.
        who: Whose face it is.
        expression: What it is to show.
        direction: The stage direction in words; of a bank the expression's name.
        words: What the client says at that moment, where a turn is shown.
        profile: The client, where a turn is shown.
        screenplay: The screenplay of that turn.
        line: The line's number in it, from 1; 0 in a bank.
    """

    id: str
    who: Reference
    expression: Expression
    direction: str
    words: str = ""
    profile: str = ""
    screenplay: str = ""
    line: int = 0


def faces_of_turns(data: DataSet, split: str = "", given: Sequence[Reference] = ()) -> list[DueFace]:
    """Returns a face for each client turn of each screenplay, in their order.

    Args:
        data: Profiles and screenplays.
        split: Only profiles of this split; all where empty.
        given: People whose pictures the user gives: one stands for each profile. Without them, each profile's
            face is drawn.

    Raises:
        InputError: If there is no client turn.
    """
    part = data.of_split(split)
    profiles = {profile.id: profile for profile in part.profiles}
    people: dict[str, Reference] = {}
    due = []
    for play in part.screenplays:
        profile = profiles[play.profile_id]
        if profile.id not in people:
            identity = identity_of(profile)
            found = stand_in_for(given, identity) if given else drawn_person(profile.id, identity)
            # Two profiles may share a given person; each is a person of its own in the finished set.
            people[profile.id] = found._replace(person=profile.id)
        for number, line in enumerate(play.lines, start=1):
            if line.speaker is Speaker.CLIENT:
                direction = ". ".join(line.directions)
                due.append(
                    DueFace(
                        id=f"{play.id}-{number:03d}",
                        who=people[profile.id],
                        expression=read_direction(direction).expression,
                        direction=direction,
                        words=line.words[:_LONGEST_WORDS],
                        profile=profile.id,
                        screenplay=play.id,
                        line=number,
                    )
                )
    if not due:
        raise InputError(
            f"{data.name}: has no screenplay with a client's line"
            f"{f' in the split {split!r}' if split else ''}: take data with dialogues, or make a --bank"
        )
    return due


def faces_of_bank(people: Iterable[Reference], expressions: Sequence[str], each: int) -> list[DueFace]:
    """Returns `each` faces for each person and named expression, for `--faces set:FOLDER`.

    Args:
        people: Whose faces.
        expressions: Names; all of them where none is given.
        each: Images of one person and expression.

    Raises:
        InputError: If an expression has no such name.
    """
    shown = {name: named(name) for name in expressions or EXPRESSIONS}
    return [
        DueFace(
            id=f"{who.person}-{name}-{number}",
            who=who,
            expression=expression,
            direction=name.replace("_", " "),
        )
        for who in people
        for name, expression in shown.items()
        for number in range(1, each + 1)
    ]
