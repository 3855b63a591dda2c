"""Splits made data by people, so that nobody stands on both sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from mirror_bench.errors import InputError
from mirror_bench.schema import Profile, derive_seed, digest

NAMES = ("train", "dev", "test")


def read_shares(text: str) -> tuple[float, ...]:
    """Returns the shares of train, dev and test out of "80,10,10".

    Raises:
        InputError: If they are not three numbers of which the sum is 100.
    """
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        shares = ()
    if len(shares) != len(NAMES) or min(shares) < 0 or abs(sum(shares) - 100) > 1e-6:
        raise InputError(
            f"--shares {text!r}: give train, dev and test as three numbers that make 100: 80,10,10"
        )
    return shares


def splits_by_person(profiles: Sequence[Profile], shares: Sequence[float]) -> Mapping[str, str]:
    """Returns profile -> split: all profiles of one person go to one, and a seed decides to which.

    One person are all profiles of one name, age and description, whatever they think or how they resist.
    """
    people: defaultdict[str, list[Profile]] = defaultdict(list)
    for profile in profiles:
        told = (profile.name, profile.age, profile.gender, profile.occupation, profile.about)
        people[digest(list(told))].append(profile)
    order = sorted(people, key=lambda key: (derive_seed("split", key), key))
    found = {}
    done = 0
    for key in order:
        # The middle of a person's profiles decides, so that the shares are met as nearly as people allow.
        middle = (done + len(people[key]) / 2) / len(profiles) * 100
        split = NAMES[0] if middle < shares[0] else NAMES[1] if middle < shares[0] + shares[1] else NAMES[2]
        done += len(people[key])
        found.update({profile.id: split for profile in people[key]})
    return found
