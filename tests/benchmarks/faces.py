"""Prints how many faces a second one core draws, PNG encoding included."""

from __future__ import annotations

import argparse
import json
import time

import cv2

from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.faces.identity import random_identity


def faces_per_second(count: int) -> float:
    """Returns faces drawn per second of one core's time, over identities and all named expressions."""
    cv2.setNumThreads(1)
    source = DrawnFaces()
    expressions = list(EXPRESSIONS.values())
    cases = [(random_identity(place), expressions[place % len(expressions)]) for place in range(count + 20)]
    for person, expression in cases[count:]:
        source.render(person, expression)
    # Processor time, so that other programs on the machine do not count.
    begun = time.process_time()
    for person, expression in cases[:count]:
        source.render(person, expression)
    return count / (time.process_time() - begun)


def main() -> None:
    """Runs the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=380, help="faces to draw")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    rate = faces_per_second(given.count)
    if given.json:
        print(json.dumps({"faces_per_second_per_core": round(rate, 1), "count": given.count}))
    else:
        print(f"{rate:.1f} faces/s on one core ({given.count} distinct faces)")


if __name__ == "__main__":
    main()
