"""Checks that every face was the one that the scenario and the client's turn ask for, drawn again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from mirror_bench.errors import InputError
from mirror_bench.faces.conditions import expression_at_turn
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.faces.factory import open_faces
from mirror_bench.faces.identity import identity_of
from mirror_bench.protocol import FaceSettings
from mirror_bench.schema import Expression, FaceIdentity, Scenario, Turn
from mirror_bench.submissions.findings import Check, judged
from mirror_bench.submissions.submission import Held


class _Shown(NamedTuple):
    """One face that was to be shown, and what the record says."""

    where: str
    key: tuple[str, str]
    turn: Turn
    label: str


def check_faces(held: Held) -> Check:
    """Each shown face has the digest of the image drawn again; none is shown where none was to be seen."""
    problems: list[str] = []
    shown: list[_Shown] = []
    images: dict[tuple[str, str], tuple[FaceIdentity, Expression]] = {}
    for scenario, session in held.pairs:
        clients = session.turns[::2]
        for number, turn in enumerate(clients):
            where = f"{session.scenario_id}: client turn {number}"
            if turn.expression != read_direction(turn.direction).expression:
                problems.append(f"{where}: the expression is not that of its direction")
            last = number == len(clients) - 1
            expression = None if last or not held.submission.sees else _to_show(scenario, number, turn)
            if expression is None:
                if turn.face or turn.shown:
                    problems.append(f"{where}: shows a face where none was to be seen")
                continue
            identity = identity_of(scenario.profile)
            key = (identity.line(), expression.line())
            images[key] = identity, expression
            shown.append(_Shown(where, key, turn, expression.label))
    digests = _drawn(held.protocol.faces, images)
    for one in shown:
        if one.turn.shown != one.label:
            problems.append(f"{one.where}: {one.turn.shown or 'nothing'} is shown, not {one.label}")
        elif one.turn.face != digests[one.key]:
            problems.append(f"{one.where}: another face than drawn again")
    return judged("faces", problems, f"{len(shown)} faces shown, {len(digests)} different ones drawn again")


def _to_show(scenario: Scenario, number: int, turn: Turn) -> Expression | None:
    return expression_at_turn(scenario.condition, turn.expression or Expression(), scenario.pair, number)


def _drawn(
    source: FaceSettings, images: Mapping[tuple[str, str], tuple[FaceIdentity, Expression]]
) -> dict[tuple[str, str], str]:
    """Returns the digest of each image; a reason in its place where it cannot be drawn."""
    faces = open_faces(**source.model_dump())

    def draw(image: tuple[FaceIdentity, Expression]) -> str:
        try:
            return hashlib.sha256(faces.render(*image)).hexdigest()
        except InputError as error:
            return str(error)

    with ThreadPoolExecutor(2, thread_name_prefix="faces") as drawers:
        return dict(zip(images, drawers.map(draw, images.values()), strict=True))
