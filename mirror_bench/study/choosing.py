"""Which sessions of which runs a study shows, and with which faces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, zip_longest
from pathlib import Path
from typing import NamedTuple

from mirror_bench.errors import InputError
from mirror_bench.faces.factory import open_faces
from mirror_bench.faces.presenter import ShownFaces
from mirror_bench.schema import (
    FaceCondition,
    Profile,
    Resistance,
    Scenario,
    Session,
    Speaker,
    Turn,
    derive_seed,
    digest,
)
from mirror_bench.sessions.pairwise_runs import Contestant, read_contestants
from mirror_bench.sessions.run_data import data_of_run

Place = tuple[int, str]
"""A contestant's index and a scenario."""


class ShownSession(NamedTuple):
    """A session chosen for a study, with the run that it comes from.

    Attributes:
        contestant: Index of its run under its face condition.
        session: The session as it was held.
    """

    contestant: int
    session: Session

    @property
    def place(self) -> Place:
        """What tells it apart from all others of the study."""
        return self.contestant, self.session.scenario_id


def contestants(folders: Sequence[Path], conditions: Sequence[FaceCondition], least: int) -> list[Contestant]:
    """Returns the runs under each of the face conditions; each run's own, or matched, where none is named.

    Raises:
        InputError: As `read_contestants`, or if there are fewer than `least`.
    """
    places = [folder.resolve() for folder in folders]
    twice = next((place for place in places if places.count(place) > 1), None)
    if twice is not None:
        raise InputError(f"{folders[places.index(twice)]} is named twice: name each run once")
    entrants: list[Contestant] = []
    for condition in conditions or (None,):
        entrants += read_contestants(folders, condition, same_candidate=least == 1, least=1)
    if len(entrants) < least:
        raise InputError(
            "a pair needs two sides: name two run folders of different candidates, or give --condition twice"
        )
    empty = next((contestant for contestant in entrants if not contestant.sessions), None)
    if empty is not None:
        raise InputError(
            f"{empty.folder} holds no session with {empty.condition} faces: hold some, or leave it out"
        )
    return entrants


def choose_rated(entrants: Sequence[Contestant], count: int | None, seed: int) -> list[ShownSession]:
    """Returns the sessions to rate: the same scenarios of every contestant, each type of resistance alike.

    Args:
        entrants: The runs under their face conditions.
        count: How many sessions; all where None.
        seed: Decides which scenarios.
    """
    pairs = {pair: session.resistance for each in entrants for pair, session in each.sessions.items()}
    held = {pair: sum(pair in each.sessions for each in entrants) for pair in pairs}
    order = sorted(_mixed(pairs, seed), key=lambda pair: -held[pair])
    shown = [
        ShownSession(index, each.sessions[pair])
        for pair in order
        for index, each in enumerate(entrants)
        if pair in each.sessions
    ]
    return shown[:count]


def choose_pairs(
    entrants: Sequence[Contestant], count: int | None, seed: int
) -> list[tuple[ShownSession, ShownSession]]:
    """Returns the pairs to compare, every two contestants on as many scenarios; arguments as `choose_rated`.

    Raises:
        InputError: If no two have held the same scenario.
    """
    matches = []
    for (i, first), (j, other) in combinations(enumerate(entrants), 2):
        common = {pair: first.sessions[pair].resistance for pair in first.sessions if pair in other.sessions}
        matches.append(
            [
                (ShownSession(i, first.sessions[pair]), ShownSession(j, other.sessions[pair]))
                for pair in _mixed(common, derive_seed(seed, i, j))
            ]
        )
    chosen = [two for row in zip_longest(*matches) for two in row if two is not None]
    if not chosen:
        raise InputError("no two of these runs have held the same scenario: compare runs on the same clients")
    return chosen[:count]


def _mixed(pairs: Mapping[str, Resistance], seed: int) -> list[str]:
    """Returns scenarios in an order drawn by seed, in which the types of resistance take turns."""
    kinds: dict[Resistance, list[str]] = {}
    for pair in sorted(pairs, key=lambda pair_: derive_seed(seed, "scenario", pair_)):
        kinds.setdefault(pairs[pair], []).append(pair)
    rows = zip_longest(*(kinds[kind] for kind in sorted(kinds)))
    return [pair for row in rows for pair in row if pair is not None]


def session_digest(session: Session) -> str:
    """Returns the digest of what raters read of a session."""
    return digest([(turn.speaker, turn.words, turn.face) for turn in session.turns])


class ClientFaces:
    """The client's own faces, whatever the therapist was shown: what a person beside the two would have seen.

    Args:
        found: The runs.
    """

    def __init__(self, entrants: Sequence[Contestant]) -> None:
        self._found = entrants
        self._drawn: dict[int, ShownFaces] = {}
        self._people: dict[int, Mapping[str, Profile]] = {}

    def of(self, shown: ShownSession) -> list[bytes | None]:
        """Returns the PNG at each turn of a session; None where nobody could have seen one.

        Raises:
            InputError: If a face was not kept and cannot be drawn again.
        """
        faces: list[bytes | None] = []
        place = 0
        for turn in shown.session.turns:
            client = turn.speaker is Speaker.CLIENT
            faces.append(self._face(shown, turn, place) if client else None)
            place += client
        return faces

    def _face(self, shown: ShownSession, turn: Turn, place: int) -> bytes | None:
        contestant = self._found[shown.contestant]
        if turn.face and shown.session.condition is FaceCondition.MATCHED:
            path = contestant.folder / "faces" / f"{turn.face}.png"
            if path.is_file():
                return path.read_bytes()
        # Not shown, as to a therapist that does not look, or another one than the client's own.
        if turn.expression is None or contestant.header.imported is not None:
            return None
        people = self._people.setdefault(shown.contestant, self._read(contestant))
        if shown.session.profile_id not in people:
            raise InputError(
                f"{contestant.folder}: the data has no profile {shown.session.profile_id!r} any more, so its "
                "face cannot be drawn again: restore it"
            )
        scenario = Scenario(
            profile=people[shown.session.profile_id],
            resistance=shown.session.resistance,
            seed=shown.session.seed,
        )
        drawn = self._drawn.setdefault(shown.contestant, self._open(contestant))
        face = drawn.show(scenario, place, turn.expression)
        return None if face is None else face.png

    def _open(self, contestant: Contestant) -> ShownFaces:
        return ShownFaces(open_faces(**contestant.header.protocol.faces.model_dump()))

    def _read(self, contestant: Contestant) -> dict[str, Profile]:
        return {profile.id: profile for profile in data_of_run(contestant.folder, contestant.header).profiles}


def without_faces(entrants: Sequence[Contestant], seen: Iterable[tuple[int, bool]]) -> list[str]:
    """Returns the runs of which no session shows a face, where another does: that would tell them apart.

    Args:
        entrants: The runs.
        seen: For each session, its contestant's index and whether it shows any face.
    """
    shows: dict[int, bool] = {}
    for index, any_face in seen:
        shows[index] = shows.get(index, False) or any_face
    if len(set(shows.values())) < 2:
        return []
    return [str(entrants[index].folder) for index, any_face in sorted(shows.items()) if not any_face]
