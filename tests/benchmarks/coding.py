"""Prints how many turns a second the behaviour coder reads on one core, therapists' and clients'.

    python tests/benchmarks/coding.py [--json] [--turns 4000]

The turns are those of stateful clients with a scripted therapist; each is made different from all others, so
that no memory of an earlier answer helps.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from mirror_bench.coding.client_talk import code_client
from mirror_bench.coding.therapist_behaviour import code_therapist
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.schema import Scenario, Speaker
from mirror_bench.sessions.offline_sessions import rehearse
from mirror_bench.therapists.policies.comparison import Attuned


def pace(code: Callable[[int], object], turns: int) -> float:
    """Returns turns per second of processor time."""
    start = time.process_time()
    for number in range(turns):
        code(number)
    return turns / (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--turns", type=int, default=4000)
    args = parser.parse_args()
    said: dict[Speaker, list[str]] = {speaker: [] for speaker in Speaker}
    for profile in load_mini().profiles[:12]:
        for turn in rehearse(Scenario(profile=profile, resistance=profile.resistance), Attuned).turns:
            said[turn.speaker].append(turn.words)
    theirs, own = said[Speaker.CLIENT], said[Speaker.THERAPIST]
    code_therapist("The lexicons are read and compiled here.", "Once.")
    code_client("And here.")
    found = {
        "therapist turns/s": pace(
            lambda n: code_therapist(f"{own[n % len(own)]} Number {n}.", theirs[n % len(theirs)]), args.turns
        ),
        "client turns/s": pace(lambda n: code_client(f"{theirs[n % len(theirs)]} Number {n}."), args.turns),
        "mean words of a turn": sum(len(words.split()) for words in (*own, *theirs)) / len(own + theirs),
    }
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        for name, value in found.items():
            print(f"{name:24} {value:10,.0f}")


if __name__ == "__main__":
    main()
