"""Questions about the therapist's next turn: `mirror_next_turn` and `mirror_response_choice`."""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from mirror_bench.content import content_path, read_yaml
from mirror_bench.data.screenplays.records import (
    Moment,
    Screenplay,
)
from mirror_bench.errors import InputError
from mirror_bench.faces.identity import identity_of
from mirror_bench.lm_eval.questions import (
    SEED,
    Making,
    Row,
    dialogue,
    lettered,
    shown_expression,
    shuffled,
    with_image,
)
from mirror_bench.schema import (
    Profile,
    derive_seed,
)
from mirror_bench.therapists.prompts import about

DISTRACTORS = ("warm", "directive")


class SessionMoment(NamedTuple):
    """An annotated client line of a session, and what the next turn ought to do.

    Attributes:
        moment: What the next turn ought to do.
        written: The therapist's next turn as written; empty where the session ends here.
    """

    profile: Profile
    play: Screenplay
    moment: Moment
    written: str


def places(making: Making) -> Iterator[SessionMoment]:
    """Returns the annotated places of the split's sessions, in their order."""
    profiles = {profile.id: profile for profile in making.data.profiles}
    for play in making.screenplays:
        for moment in play.moments:
            after = play.lines[moment.number : moment.number + 1]
            yield SessionMoment(profiles[play.profile_id], play, moment, after[0].words if after else "")


def _row(place: SessionMoment, making: Making) -> Row:
    lines = place.play.lines[: place.moment.number]
    row = {
        "id": f"{place.play.id}-{place.moment.number}",
        "cluster": place.profile.id,
        "about": about(place.profile),
        "reason": place.profile.reason_for_seeking,
        "dialogue": dialogue(lines),
        "masked": place.moment.masked,
    }
    return with_image(row, making.faces.show(identity_of(place.profile), shown_expression(lines[-1])))


def next_turn_rows(making: Making) -> list[Row]:
    """Returns the annotated places: what does the therapist say next?

    `wants` and `avoids` are what the turn is scored by; `written` is the weak reference, empty where the
    written therapist misses the moment.
    """
    rows = []
    for place in places(making):
        lines = place.play.lines[: place.moment.number]
        rows.append(
            {
                **_row(place, making),
                "heard": lines[-1].words,
                "before": [line.words for line in lines if line.speaker.value == "therapist"],
                "wants": list(place.moment.wants),
                "avoids": list(place.moment.avoids),
                "written": "" if place.moment.missed else place.written,
            }
        )
    if not rows:
        raise InputError(
            f"{making.data.name}: no screenplay of the split {making.split!r} has annotated moments"
        )
    return shuffled(rows, "next turn", making.split)


@functools.cache
def distractors() -> Mapping[str, tuple[str, ...]]:
    """Returns kind -> replies, as in `tasks/lm_eval/distractors.yaml`."""
    content = read_yaml(content_path("lm_eval", "distractors.yaml"))
    return {kind: tuple(content[kind]) for kind in DISTRACTORS}


def response_choice_rows(making: Making) -> list[Row]:
    """Returns the annotated places with four candidate replies, one of them the written one.

    The others are warm but blind to the face, directive, and written for another session. They are chosen by
    length: over the task, the written reply is the shortest, second, third and longest equally often.
    """
    found = [place for place in places(making) if place.written.strip() and not place.moment.missed]
    order = sorted(found, key=lambda place: derive_seed(SEED, "rank", place.play.id, place.moment.number))
    ranks: Counter[int] = Counter()
    rows = []
    for place in order:
        pools = {**distractors(), "elsewhere": _elsewhere(place, found)}
        feasible = [rank for rank in range(4) if _can(place.written, pools, rank)]
        if not feasible:
            continue
        rank = min(feasible, key=lambda value: (ranks[value], value))
        row = _row(place, making)
        wrong = _choose(place.written, pools, rank, row["id"])
        row |= {"kinds": dict(zip(pools, wrong, strict=True)), "length_rank": rank}
        rows.append(lettered(row, [place.written], wrong, ranks[rank]))
        ranks[rank] += 1
    least = min((ranks[rank] for rank in range(4)), default=0)
    if not least:
        raise InputError(f"{making.data.name}: too few annotated moments in the split {making.split!r}")
    kept: Counter[int] = Counter()
    even = []
    for row in rows:
        kept[row["length_rank"]] += 1
        if kept[row["length_rank"]] <= least:
            even.append(row)
    return shuffled(even, "response choice", making.split)


def _elsewhere(place: SessionMoment, found: Sequence[SessionMoment]) -> tuple[str, ...]:
    """Returns what therapists say at annotated places in sessions with other clients."""
    return tuple(other.written for other in found if other.profile.id != place.profile.id)


def _sides(written: str, pool: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns the replies shorter and longer than the written one, in characters."""
    shorter = [text for text in pool if len(text) < len(written)]
    return shorter, [text for text in pool if len(text) > len(written)]


def _can(written: str, pools: Mapping[str, Sequence[str]], rank: int) -> bool:
    sides = [_sides(written, pool) for pool in pools.values()]
    must_be_shorter = sum(bool(shorter) and not longer for shorter, longer in sides)
    may_be_shorter = sum(bool(shorter) for shorter, _ in sides)
    return all(shorter or longer for shorter, longer in sides) and must_be_shorter <= rank <= may_be_shorter


def _choose(written: str, pools: Mapping[str, Sequence[str]], rank: int, id: str) -> list[str]:
    """Returns one reply of each pool, `rank` of them shorter than the written one and the rest longer."""
    draw = random.Random(derive_seed(SEED, "distractors", id))
    sides = {kind: _sides(written, pool) for kind, pool in pools.items()}
    free = [kind for kind, (shorter, longer) in sides.items() if shorter and longer]
    draw.shuffle(free)
    forced = [kind for kind, (shorter, longer) in sides.items() if shorter and not longer]
    below = {*forced, *free[: rank - len(forced)]}
    return [draw.choice(shorter if kind in below else longer) for kind, (shorter, longer) in sides.items()]
