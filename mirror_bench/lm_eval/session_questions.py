"""Questions about a session so far: `mirror_resistance` and `mirror_technique`."""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Mapping

from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.faces.identity import identity_of
from mirror_bench.lm_eval.questions import (
    SEED,
    Making,
    Row,
    balanced,
    dialogue,
    is_client,
    lettered,
    shown_expression,
    shuffled,
    with_image,
)
from mirror_bench.schema import Profile, Resistance, derive_seed

CUTS = (2, 3, 4, 5, 7)
"""After which of the client's lines a session is cut."""
RESISTANCES: Mapping[Resistance, str] = {
    Resistance.EMOTIONAL: "Emotional: hides or plays down what is felt.",
    Resistance.COGNITIVE: "Cognitive: holds on to a belief, argues, turns help down with reasons.",
    Resistance.BEHAVIORAL: "Behavioral: misses or skips what was agreed, doubts the whole undertaking.",
    Resistance.NONE: "None: takes part openly.",
}
TECHNIQUE_DRAWS = 3
"""How many questions a profile gives."""
RIGHT, WRONG = 2, 4


def resistance_rows(making: Making) -> list[Row]:
    """Returns sessions cut at several places: how does this client resist? Every type is equally frequent."""
    profiles = {profile.id: profile for profile in making.data.profiles}
    rows: dict[str, list[Row]] = {kind.value: [] for kind in Resistance}
    for play in making.screenplays:
        places = [number for number, line in enumerate(play.lines) if is_client(line)]
        for cut in CUTS:
            if cut > len(places):
                continue
            last = places[cut - 1]
            row = {
                "id": f"{play.id}-{cut}",
                "cluster": play.profile_id,
                "dialogue": dialogue(play.lines[: last + 1]),
                "resistance": play.resistance.value,
            }
            face = making.faces.show(
                identity_of(profiles[play.profile_id]), shown_expression(play.lines[last])
            )
            rows[play.resistance.value].append(with_image(row, face))
    even = balanced(rows)
    # Each type runs through the letters by itself, so that no letter tells the type.
    place: Counter[str] = Counter()
    asked = []
    for row in even:
        kind = Resistance(row["resistance"])
        wrong = [text for other, text in RESISTANCES.items() if other is not kind]
        asked.append(lettered(row, [RESISTANCES[kind]], wrong, place[kind.value]))
        place[kind.value] += 1
    return shuffled(asked, "resistance", making.split)


@functools.cache
def suited() -> Mapping[str, tuple[str, ...]]:
    """Returns thinking trap -> techniques that suit it, as in `tasks/lm_eval/techniques.yaml`.

    Raises:
        InputError: If a technique is none of the twelve.
    """
    path = content_path("lm_eval", "techniques.yaml")
    found = {trap: tuple(names) for trap, names in read_yaml(path).items()}
    known = set(techniques())
    if wrong := [name for names in found.values() for name in names if name not in known]:
        raise InputError(f"{path}: {wrong[0]!r} is no technique: known are {', '.join(sorted(known))}")
    return found


@functools.cache
def techniques() -> tuple[str, ...]:
    """Returns the names of the twelve techniques."""
    return tuple(read_yaml(content_path("techniques.yaml")))


def fitting(profile: Profile, written: str = "") -> tuple[str, ...]:
    """Returns the techniques right for a client: what suits the thinking traps, and what a session used."""
    names = {name for trap in profile.thinking_traps for name in suited().get(trap, ())} | {written}
    return tuple(name for name in techniques() if name in names)


def technique_rows(making: Making) -> list[Row]:
    """Returns clients with six techniques each, two of which fit: which one would you choose?

    Right are techniques that the client's written session used or that suit a thinking trap of the client. A
    wrong option is neither. Wrong options are those that were right the most often beyond their share, so
    that no technique is right more often than others are, as far as the clients allow.
    """
    written = {play.profile_id: play.technique for play in making.screenplays}
    right_share: Counter[str] = Counter()
    rows: list[Row] = []
    for number in range(TECHNIQUE_DRAWS):
        for profile in making.data.of_split(making.split).profiles:
            used = written.get(profile.id, "")
            right = list(fitting(profile, used))
            wrong = [name for name in techniques() if name not in right]
            if len(right) < RIGHT or len(wrong) < WRONG:
                continue
            draw = random.Random(derive_seed(SEED, "technique", profile.id, number))
            draw.shuffle(right)
            draw.shuffle(wrong)
            right.sort(key=lambda name: (right_share[name], name != used))
            wrong.sort(key=lambda name: -right_share[name])
            right_share.update(dict.fromkeys(right[:RIGHT], WRONG))
            right_share.update(dict.fromkeys(wrong[:WRONG], -RIGHT))
            row = {
                "id": f"{profile.id}-{number}",
                "cluster": profile.id,
                "problem": profile.presenting_problem,
                "reason": profile.reason_for_seeking,
                "thought": profile.distorted_thought,
            }
            rows.append(lettered(row, right[:RIGHT], wrong[:WRONG], len(rows)))
    if not rows:
        raise InputError(
            f"{making.data.name}: no profile of the split {making.split!r} names its thinking traps"
        )
    return shuffled(rows, "technique", making.split)
