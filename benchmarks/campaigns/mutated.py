"""Spoilt files before every reader: each is read, or refused in one line that names the file."""

from __future__ import annotations

import random
import time
from pathlib import Path

from benchmarks.campaigns.base import Outcome
from benchmarks.campaigns.mutations import mutate
from benchmarks.campaigns.readers import readers
from mirror_bench.errors import InputError

_LONGEST_S = 20.0
"""Processor seconds; a small file that takes longer holds everybody up."""


class Mutated:
    """Case `number` spoils one file of the reader whose turn it is."""

    name = "mutated"

    def case(self, seed: int, number: int, place: Path) -> Outcome:
        """See `Campaign`."""
        kinds = list(readers())
        kind = kinds[number % len(kinds)]
        reader = readers()[kind]
        chance = random.Random(f"{seed} {number}")
        target = chance.choice(sorted(reader.spoilt or reader.files))
        for name, content in reader.files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(mutate(content, chance) if name == target else content)
        started = time.process_time()
        try:
            reader.read(place)
        except InputError as error:
            return Outcome(kind, "refused", _unlike(str(error), place, target))
        except Exception as error:
            return Outcome(kind, "broke", _told(error))
        seconds = time.process_time() - started
        slow = f"{target}: took {seconds:.0f} s" if seconds > _LONGEST_S else ""
        return Outcome(kind, "read", slow)


def _unlike(said: str, place: Path, target: str) -> str:
    """Returns what is wrong with a refusal: more than one line, or no word of which file it is about."""
    if "\n" in said.strip():
        return f"a refusal of several lines: {said}"
    if str(place) not in said and Path(target).name not in said:
        return f"a refusal that names no file: {said}"
    if "Traceback" in said:
        return f"a refusal with a traceback: {said}"
    return ""


def _told(error: Exception) -> str:
    where = error.__traceback__
    own = ""
    while where is not None:
        file = Path(where.tb_frame.f_code.co_filename)
        if "mirror_bench" in file.parts:
            own = f"{file.name}:{where.tb_lineno}"
        where = where.tb_next
    return f"{type(error).__name__}: {error} (at {own})"
