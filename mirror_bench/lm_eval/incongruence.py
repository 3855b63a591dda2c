"""Questions of `mirror_incongruence`: do the face and the words agree?

Questions come in fours: words that sound glad and words that do not, each under a pleasant and an unpleasant
face of one person. So each text stands under both answers, and so does each face; whoever reads only one of
them is right exactly half the time. This is the design of balanced pairs (Goyal et al. 2017, VQA v2).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mirror_bench.content import content_path, read_yaml
from mirror_bench.data.screenplays.records import (
    Moment,
    Screenplay,
)
from mirror_bench.errors import InputError
from mirror_bench.faces.facs.expressions import EXPRESSIONS, scaled, valence
from mirror_bench.faces.identity import identity_of
from mirror_bench.lm_eval.questions import (
    SEED,
    Making,
    Row,
    blank,
    is_client,
    shown_expression,
    shuffled,
    with_image,
)
from mirror_bench.schema import (
    Expression,
    FaceIdentity,
    Profile,
    derive_seed,
)

UNPLEASANT = -0.25
"""A face counts as unpleasant from this valence down."""
LEAST_WORDS = 5
WITHHELD = "(The words are withheld.)"
DISTRESSED = frozenset({"reflect", "attend to the crisis"})
"""A moment at which the words tell of distress wants one of these."""
_GLAD = ("happiness",)
_UNHAPPY = ("sadness", "anger", "fear", "anxious")


class Four(NamedTuple):
    """Four questions that belong together: two faces, each beside fitting and unfitting words.

    Attributes:
        id: Unique within the task.
        kind: "statement" for plain words (`tasks/lm_eval/statements.yaml`), "moment" for words of a session.
        cluster: The profile whose face is shown.
        identity: Whose face is shown.
        fine: Words that sound glad, or play down.
        distressed: Words that tell of distress.
        pleasant: A face that agrees with `fine`.
        unpleasant: A face that agrees with `distressed`.
    """

    id: str
    kind: str
    cluster: str
    identity: FaceIdentity
    fine: str
    distressed: str
    pleasant: Expression
    unpleasant: Expression


def incongruence_rows(making: Making) -> list[Row]:
    """Returns four questions of each set; a control withholds the face or the words from all of them.

    Raises:
        InputError: If the split has no profile to draw.
    """
    sets = [*statements(making), *moments(making)]
    rows = [row for four in sets for row in _rows(four, making)]
    return shuffled(rows, "incongruence", making.split)


def _rows(four: Four, making: Making) -> Iterator[Row]:
    texts = {"fine": four.fine, "distressed": four.distressed}
    faces = {"fine": four.pleasant, "distressed": four.unpleasant}
    for said, shown in itertools.product(texts, faces):
        row = {
            "id": f"{four.id}-{said}-{shown}",
            "cluster": four.cluster,
            "kind": four.kind,
            "text_key": f"{four.id}-{said}",
            "face_key": f"{four.id}-{shown}",
            "words": WITHHELD if making.withheld == "words" else texts[said],
            "options": ["yes", "no"],
            "answers": ["yes" if said == shown else "no"],
            "chance": 0.5,
        }
        face = blank() if making.withheld == "face" else making.faces.show(four.identity, faces[shown])
        yield with_image(row, face)


def statements(making: Making) -> list[Four]:
    """Returns a set for each pair of plain statements, on the faces of the split's profiles in turn."""
    path = content_path("lm_eval", "statements.yaml")
    pairs = read_yaml(path).get("train" if making.split in {"train", "dev"} else "test", [])
    profiles = making.data.of_split(making.split).profiles
    if not profiles:
        raise InputError(f"{making.data.name} has no profile of the split {making.split!r} to draw")
    chosen = sorted(profiles, key=lambda profile: derive_seed(SEED, "statement", profile.id))
    sets = []
    for number, (fine, distressed) in enumerate(pairs):
        profile = chosen[number % len(chosen)]
        draw = random.Random(derive_seed(SEED, "statement", making.split, number))
        sets.append(
            Four(
                f"statement-{number:02d}",
                "statement",
                profile.id,
                identity_of(profile),
                fine,
                distressed,
                _strong(draw.choice(_GLAD), draw),
                _strong(draw.choice(_UNHAPPY), draw),
            )
        )
    return sets


def moments(making: Making) -> list[Four]:
    """Returns a set for each annotated line whose words play down what the face shows.

    Its counterpart is a line at which the client tells of distress under an unpleasant face: of the same
    session where there is one, else of another of the split. The unpleasant face is the counterpart's own.
    """
    profiles = {profile.id: profile for profile in making.data.profiles}
    open_lines = [
        (play, moment) for play in making.screenplays for moment in play.moments if _distressed(play, moment)
    ]
    if not open_lines:
        return []
    sets = []
    for play in making.screenplays:
        for moment in play.moments:
            fine = play.lines[moment.number - 1].words
            if moment.masked and len(fine.split()) >= LEAST_WORDS:
                sets.append(_moment_set(profiles[play.profile_id], play, moment, open_lines))
    return sets


def _moment_set(
    profile: Profile, play: Screenplay, moment: Moment, open_lines: Sequence[tuple[Screenplay, Moment]]
) -> Four:
    draw = random.Random(derive_seed(SEED, "moment", play.id, moment.number))
    own = [found for found in open_lines if found[0].id == play.id]
    other, told = draw.choice(own or open_lines)
    line = other.lines[told.number - 1]
    return Four(
        f"{play.id}-{moment.number}",
        "moment",
        profile.id,
        identity_of(profile),
        play.lines[moment.number - 1].words,
        line.words,
        _strong(draw.choice(_GLAD), draw),
        shown_expression(line),
    )


def _distressed(play: Screenplay, moment: Moment) -> bool:
    line = play.lines[moment.number - 1]
    told = is_client(line) and len(line.words.split()) >= LEAST_WORDS and bool(DISTRESSED & set(moment.wants))
    return told and not moment.masked and valence(shown_expression(line)) <= UNPLEASANT


def _strong(name: str, draw: random.Random) -> Expression:
    return scaled(EXPRESSIONS[name], round(draw.uniform(0.8, 1.0), 3))
