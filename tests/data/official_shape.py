"""Files of the shape of the official ones (3,073 dialogues, 800 test profiles), out of our own words."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any, NamedTuple

FIRST = {
    "female": ("Ana", "Mei", "Ruth", "Zoe", "Ines", "Olga", "Tess", "Noor"),
    "male": ("Bo", "Karl", "Imre", "Theo", "Abel", "Yann", "Sami", "Luis"),
}
LAST = ("Ruiz", "Lind", "Okafor", "Tanaka", "van Dam", "O'Neill", "Pereira", "Novak", "Haddad", "Weiss")
JOBS = ("baker", "night nurse", "tram driver", "piano tuner", "roofer", "librarian", "welder", "beekeeper")
SCHOOLS = ("Nursing School", "High School", "a Trade School", "Music College")
STATES = ("Single", "Married", "Divorced", "Widowed")
FAMILIES = (
    "Has one son, 7 years old, who lives with his father.",
    "Lives with her 70-year-old mother and two cats.",
    "No children, one brother abroad.",
    "Has two daughters, aged 12 and 9.",
)
TALK = (
    ("What brings you here?", "The rota, mostly. It's nothing."),
    ("Nothing can weigh a lot.", "If you say so."),
    ("What would a good week look like?", "One without the phone, I suppose."),
    ("And the phone stands for what?", "For everybody who wants something of me."),
    ("Who asks the most?", "My boss. And I do."),
)
SIGNS = ("Shrugs", "Looks away", "Arms crossed", "Sighs", "Frowns", "Looks at the clock")
TYPES = ("emotional", "cognitive", "behavioral", "no")


class Person(NamedTuple):
    name: str
    age: int
    gender: str
    prose: str


def person(draw: random.Random) -> Person:
    gender = draw.choice(("female", "male"))
    name, age = f"{draw.choice(FIRST[gender])} {draw.choice(LAST)}", draw.randint(16, 80)
    sort = f"{age}-year-old {gender}" if draw.random() < 0.8 else f"{age} year old {gender}"
    prose = (
        f"{name} is a {sort} working as a {draw.choice(JOBS)}. With a background in {draw.choice(SCHOOLS)}. "
        f"{name} is currently {draw.choice(STATES)}. {draw.choice(FAMILIES)}"
    )
    return Person(name, age, gender, prose)


def row(number: int, draw: random.Random) -> tuple[Person, dict[str, Any]]:
    """A client's columns as the official files have them: quoted, as literals, or missing."""
    told = person(draw)
    kind = draw.choice(TYPES)
    turns: list[dict[str, Any]] = []
    for place in range(10 if number % 20 == 0 else 2):  # most are short, so that the test is
        asked, said = TALK[place % len(TALK)]
        greeting = f"Hello, {told.name.split()[0]}. " if place == 0 else ""
        turns.append({"speaker": "Therapist", "stage_direction": "Nods", "statement": greeting + asked})
        sign = draw.choice(SIGNS) if draw.random() < 0.9 else None
        turns.append({"speaker": "Client", "stage_direction": sign, "statement": said})
    raw = "\n".join(
        f"{one['speaker']}: "
        + (f"[{one['stage_direction']}] " if one["stage_direction"] else "")
        + one["statement"]
        for one in turns
    )
    traps = ["mind reading", "labeling"]
    plan = "CBT technique:\nReality Testing\n\nCounseling planning:\n1. Look at the week.\n2. Count it."
    return told, {
        "idx": f"cactus-{number}-{kind}-resistance",
        "model": "some-model",
        "personal_info": draw.choice((told.prose, repr(told.prose), json.dumps(told.prose))),
        "personality": f"- {kind.capitalize()} Resistance: keeps to it.",
        "distorted_thought": draw.choice(("One slip and they see what I am.", "nan", "")),
        "thinking_trap": draw.choice((repr(traps), json.dumps(traps), "mind reading, labeling")),
        "reason_for_seeking_counseling": "I sleep three hours a day.",
        "cbt_plan": plan,
        "dialogue": raw,
        "proc_dialogue": draw.choice((repr(turns), json.dumps(turns), "")),
        "turn": float(len(turns) // 2),
        "resistance": draw.choice((f"{kind} resistance", "", "nan")),
        "celeba_idx": str(draw.randint(1, 202_599)),
    }


def write_official(folder: Path, train: int = 3073, test: int = 800) -> dict[str, Person]:
    """Writes `mirror_data.csv` and `mirror_test.csv`; returns the people by their ids."""
    draw = random.Random(5)
    made = [row(number, draw) for number in range(train + test)]
    without = ("dialogue", "proc_dialogue", "turn")
    tests = [
        {key: value for key, value in columns.items() if key not in without}
        | {"img_path": f"/data/faces/turn:0_{int(columns['celeba_idx']):06d}.png", "dominant_gender": "Woman"}
        | {"dominant_gender": "Woman" if told.gender == "female" else "Man", "age": float(told.age + 3)}
        for told, columns in made[train:]
    ]
    for name, rows in (("mirror_data", [columns for _, columns in made[:train]]), ("mirror_test", tests)):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return {columns["idx"]: told for told, columns in made}
